"""SB-1 on the screen: 売上日指定要求 and 返金要求 with their dates, as the SBPS manual shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group, User
from django.http import HttpResponse
from django.test import Client

from gateways.vocabulary import PaymentStatus
from orders.models import Order
from orders.statuses import OrderStatus
from payments.models import Payment
from tests.gateway_world import World
from tests.screens.payment_shop import HTMX

TODAY = "2026-11-21"
EXPIRED = "オーソリの期限が切れているため、売上にできませんでした。再度お客様にご購入頂く必要があります。"


@pytest.fixture
def client(sbps: World) -> Client:
    user = User.objects.create(username="keiri", last_name="経理", first_name="花子")
    user.groups.add(Group.objects.get(name="決済操作"))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def sbps_shop(sbps: World) -> Iterator[World]:
    sbps.at(f"{TODAY} 10:00:00")
    yield sbps
    sbps.sandbox.settings(sbps_auto_capture=0, sbps_refunds_closed=0)


def panel_of(client: Client, payment: Payment) -> str:
    page = client.get(f"/payments/orders/{payment.order_id}/panel/", headers=HTMX)
    return str(page.content.decode())


def dialog_of(client: Client, payment: Payment, action: str, on: str) -> str:
    page = client.get(f"/payments/{payment.pk}/{action}/?on={on}", headers=HTMX)
    return str(page.content.decode())


def confirmed(client: Client, payment: Payment, action: str, on: str) -> HttpResponse:
    """Ask for the dialog with a date, and post what it says."""
    html = dialog_of(client, payment, action, on)
    found = dict(re.findall(r'<input type="hidden" name="(key|shown|asked)" value="([^"]*)"', html))
    assert "key" in found, html
    answer = client.post(f"/payments/{payment.pk}/{action}/", found | {"on": on}, headers=HTMX)
    assert isinstance(answer, HttpResponse)
    return answer


def request_of(html: str, action: str) -> str:
    """The line of one request in the panel."""
    found = re.search(rf'<form class="payment-request"[^>]*/{action}/".*?</form>', html, re.DOTALL)
    assert found, html
    return found.group(0)


def status_of(payment: Payment) -> str:
    return Payment.objects.values_list("status", flat=True).get(pk=payment.pk)


def test_a_hold_offers_both_requests_each_with_todays_date(client: Client, sbps_shop: World) -> None:
    payment = sbps_shop.held()
    html = panel_of(client, payment)
    for action, name in (("capture", "売上日指定要求"), ("cancel", "返金要求")):
        line = request_of(html, action)
        assert name in line
        assert "売上・返金日" in line
        assert f'value="{TODAY}"' in line
        assert f'min="{TODAY}"' in line
        assert "disabled" not in line
    assert "売上確定(実売上)実行" not in html
    assert "詳細はSBPSへお問い合わせください" in html


def test_a_later_sale_day_is_shown_as_requested_and_the_button_is_off(
    client: Client, sbps_shop: World
) -> None:
    payment = sbps_shop.held()
    assert "本日より後の日付です" in dialog_of(client, payment, "capture", "2026-12-10")
    html = confirmed(client, payment, "capture", "2026-12-10").content.decode()
    number = payment.order.number
    assert f"注文番号 {number} の売上日指定要求を行いました(売上日 2026/12/10、3,200円)。" in html
    line = request_of(html, "capture")
    assert "disabled" in line
    assert "売上日指定要求済み(12/10)" in line
    assert 'badge-ec-green">売上日指定要求済み(12/10)</span>' in html
    assert "売上日指定要求済み(12/10)" in client.get("/orders/").content.decode()
    assert "売上日指定要求済み(12/10)" in client.get("/payments/").content.decode()
    sbps_shop.at("2026-12-10 09:00:00")
    after = panel_of(client, payment)
    assert 'badge-ec-green">実売上済み</span>' in after
    assert "売上日指定要求済み(12/10)" in request_of(after, "capture")


def test_the_dialog_and_the_log_speak_of_the_request(client: Client, sbps_shop: World) -> None:
    payment = sbps_shop.held()
    html = dialog_of(client, payment, "capture", "2026-12-10")
    assert "売上日指定要求を実行する" in html
    assert "3,200円を、売上日 2026/12/10 で売上確定します(売上日指定要求)。" in html
    confirmed(client, payment, "capture", "2026-12-10")
    log = client.get(f"/payments/{payment.pk}/log/").content.decode()
    assert "<strong>売上日指定要求</strong>" in log


def test_a_refund_of_a_sale_to_come_is_offered_from_its_day_on(client: Client, sbps_shop: World) -> None:
    payment = sbps_shop.held()
    confirmed(client, payment, "capture", "2026-12-10")
    line = request_of(panel_of(client, payment), "cancel")
    assert 'value="2026-12-10"' in line
    assert 'min="2026-12-10"' in line
    too_early = dialog_of(client, payment, "cancel", TODAY)
    assert "売上・返金日は、売上日(2026/12/10)以降の日付を指定してください。" in too_early
    assert 'name="key"' not in too_early
    html = confirmed(client, payment, "cancel", "2026-12-12").content.decode()
    assert "返金要求を行いました(返金日 2026/12/12、3,200円)。" in html
    assert "返金要求済みです" in request_of(html, "cancel")
    assert sbps_shop.moved(payment) == [("AUTH", 3200), ("SALES", 3200), ("RETURN", 3200)]


def test_a_capture_before_the_authorization_is_refused_before_anything_is_sent(
    client: Client, sbps_shop: World
) -> None:
    payment = sbps_shop.held()
    html = dialog_of(client, payment, "capture", "2026-11-20")
    assert "売上・返金日は、与信日(2026/11/21)以降の日付を指定してください。" in html
    assert 'name="key"' not in html
    answer = client.post(
        f"/payments/{payment.pk}/capture/",
        {"key": "5f0c3a52-5d7e-4f08-9a3e-2f2c5f1f0a11", "shown": "x", "on": "2026-11-20"},
        headers=HTMX,
    )
    assert answer.status_code == 409
    assert sbps_shop.moved(payment) == [("AUTH", 3200)]


def test_a_past_day_after_the_authorization_is_captured_as_of_that_day(
    client: Client, sbps_shop: World
) -> None:
    payment = sbps_shop.held()
    sbps_shop.at("2026-11-25 10:00:00")
    assert "過去の日付です" in dialog_of(client, payment, "capture", "2026-11-23")
    confirmed(client, payment, "capture", "2026-11-23")
    assert status_of(payment) == PaymentStatus.SALES
    assert "売上日指定要求済み(11/23)" in panel_of(client, payment)


def test_a_sale_day_31_days_ahead_is_taken(client: Client, sbps_shop: World) -> None:
    payment = sbps_shop.held()
    confirmed(client, payment, "capture", "2026-12-22")
    assert status_of(payment) == PaymentStatus.SALES
    assert "売上日指定要求済み(12/22)" in panel_of(client, payment)


def test_a_sale_day_beyond_the_providers_limit_says_to_choose_an_earlier_one(
    client: Client, sbps_shop: World
) -> None:
    payment = sbps_shop.held()
    assert "売上期限の目安(2027/1/20)を過ぎています" in dialog_of(client, payment, "capture", "2027-03-01")
    html = confirmed(client, payment, "capture", "2027-03-01").content.decode()
    assert "指定した売上日がオーソリの期限を過ぎているため" in html
    assert EXPIRED not in html
    assert status_of(payment) == PaymentStatus.AUTH
    confirmed(client, payment, "capture", TODAY)
    assert status_of(payment) == PaymentStatus.SALES


def test_a_hold_is_freed_at_once_whatever_day_is_named(client: Client, sbps_shop: World) -> None:
    payment = sbps_shop.held()
    assert "返金日にかかわらずすぐに取り消されます" in dialog_of(client, payment, "cancel", "2026-12-01")
    html = confirmed(client, payment, "cancel", "2026-12-01").content.decode()
    assert "返金要求を行いました(仮売上の取消、3,200円)。" in html
    assert "返金要求済みです" in request_of(html, "cancel")
    capture = request_of(html, "capture")
    assert "disabled" in capture
    assert "再度お客様にご購入頂く必要があります" in capture
    assert status_of(payment) == PaymentStatus.VOID


def test_an_auto_capture_account_arrives_captured_and_only_refunds(client: Client, sbps_shop: World) -> None:
    sbps_shop.sandbox.settings(sbps_auto_capture=1)
    sbps_shop.account.checkout_target = PaymentStatus.CAPTURE.value
    sbps_shop.account.save()
    payment = sbps_shop.held(status=OrderStatus.PENDING)
    assert Order.objects.get(pk=payment.order_id).status == OrderStatus.PAID
    html = panel_of(client, payment)
    assert "disabled" in request_of(html, "capture")
    assert "売上処理は不要です" in request_of(html, "capture")
    assert "disabled" not in request_of(html, "cancel")
    html = confirmed(client, payment, "cancel", TODAY).content.decode()
    assert "返金要求済みです" in request_of(html, "cancel")
    assert "売上日指定要求済み(" not in html


def test_a_refund_after_the_closing_date_says_to_pay_it_back_directly(
    client: Client, sbps_shop: World
) -> None:
    payment = sbps_shop.held()
    confirmed(client, payment, "capture", TODAY)
    sbps_shop.sandbox.settings(sbps_refunds_closed=1)
    html = confirmed(client, payment, "cancel", TODAY).content.decode()
    assert "直接お客様口座にご返金ください" in html
    assert "直接お客様口座にご返金ください" in panel_of(client, payment)
    assert status_of(payment) == PaymentStatus.SALES


def test_a_capture_after_the_authorization_expired_says_that_the_customer_buys_again(
    client: Client, sbps_shop: World
) -> None:
    payment = sbps_shop.held()
    sbps_shop.at("2027-03-01 10:00:00")
    assert "売上期限の目安(2027/1/20)を過ぎています" in panel_of(client, payment)
    html = confirmed(client, payment, "capture", "2027-03-01").content.decode()
    assert EXPIRED in html
    assert EXPIRED in panel_of(client, payment)
    assert sbps_shop.moved(payment) == [("AUTH", 3200)]


def test_a_differing_amount_can_only_be_captured_as_it_is(client: Client, sbps_shop: World) -> None:
    payment = sbps_shop.held()
    Order.objects.filter(pk=payment.order_id).update(payment_total=2700)
    html = dialog_of(client, payment, "capture", TODAY)
    assert "金額の変更はできません" in html
    assert 'value="as_is"' in html
    assert 'value="change_first"' not in html


def test_a_second_click_is_not_executed_twice(client: Client, sbps_shop: World) -> None:
    payment = sbps_shop.held()
    html = dialog_of(client, payment, "capture", TODAY)
    form = dict(re.findall(r'<input type="hidden" name="(key|shown|asked)" value="([^"]*)"', html))
    for _ in range(3):
        client.post(f"/payments/{payment.pk}/capture/", form | {"on": TODAY}, headers=HTMX)
    assert sbps_shop.moved(payment) == [("AUTH", 3200), ("SALES", 3200)]


def test_without_javascript_another_date_is_looked_at_before_it_is_confirmed(
    client: Client, sbps_shop: World
) -> None:
    payment = sbps_shop.held()
    page = client.get(f"/payments/{payment.pk}/capture/?on=2026-11-20").content.decode()
    assert "内容を確認する" in page
    assert 'name="key"' not in page
