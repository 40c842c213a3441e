"""The confirm dialog, and everything that a browser may send to it without moving money."""

from __future__ import annotations

import dataclasses
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from gateways.vocabulary import Action
from gateways.vocabulary import PaymentStatus as S
from orders.statuses import OrderStatus
from payments import accounts
from payments.models import Operation, Payment
from tests.screens.payment_shop import HTMX, NOW, make_account, make_operation, make_payment

Login = Callable[[str], Client]
ACTIONS = ("capture", "cancel", "change_amount", "reauthorize", "guided_change", "inquire")


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    """It is 2026-12-01 12:00 in Tokyo, there is one account, and no credentials: nothing can be sent."""
    monkeypatch.setattr("cagolab.clock.now", lambda: NOW)
    make_account()


def dialog(client: Client, payment: Payment, action: str, query: str = "") -> str:
    answer = client.get(f"/payments/{payment.pk}/{action}/{query}", headers=HTMX)
    assert answer.status_code == 200
    return answer.content.decode()


def hidden(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found, name
    return found[1]


def is_executable(html: str) -> bool:
    return 'name="key"' in html


@pytest.mark.parametrize("role", ["閲覧", "受注編集", ""])
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_without_the_money_permission_gets_further_than_403(
    login: Login, role: str, action: str, method: str
) -> None:
    payment = make_payment(S.AUTH)
    send = getattr(login(role), method)
    posted = {"key": str(uuid.uuid4()), "shown": "capture::SALES:3200"}
    assert send(f"/payments/{payment.pk}/{action}/", posted).status_code == 403
    assert not Operation.objects.exists()


@pytest.mark.parametrize(
    ("address", "allowed_roles"),
    [
        ("/payments/", {"閲覧", "受注編集", "決済操作", "管理者"}),
        ("/payments/status/AUTH/", {"閲覧", "受注編集", "決済操作", "管理者"}),
        ("/payments/accounts/", {"管理者"}),
        ("/payments/accounts/{account}/", {"管理者"}),
        ("/payments/{payment}/log/", {"閲覧", "受注編集", "決済操作", "管理者"}),
        ("/payments/orders/{order}/panel/", {"閲覧", "受注編集", "決済操作", "管理者"}),
        ("/payments/{payment}/capture/", {"決済操作", "管理者"}),
    ],
)
def test_each_address_is_open_to_its_roles_only(login: Login, address: str, allowed_roles: set[str]) -> None:
    payment = make_payment(S.AUTH)
    path = address.format(payment=payment.pk, order=payment.order_id, account=payment.account_id)
    for role in ("", "閲覧", "受注編集", "決済操作", "管理者"):
        expected = 200 if role in allowed_roles else 403
        assert login(role).get(path, headers=HTMX).status_code == expected, role


@pytest.mark.parametrize(
    "address", ["/payments/", "/payments/status/AUTH/", "/payments/{payment}/log/", "/payments/accounts/"]
)
@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_pages_that_only_show_refuse_other_methods(login: Login, address: str, method: str) -> None:
    payment = make_payment(S.AUTH)
    assert getattr(login("管理者"), method)(address.format(payment=payment.pk)).status_code == 405


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_actions_know_no_other_method(login: Login, method: str) -> None:
    payment = make_payment(S.AUTH)
    assert getattr(login("決済操作"), method)(f"/payments/{payment.pk}/capture/").status_code == 405


def test_asking_for_the_dialog_moves_and_writes_nothing(login: Login) -> None:
    payment = make_payment(S.AUTH)
    client = login("決済操作")
    for action in ACTIONS:
        dialog(client, payment, action)
    assert not Operation.objects.exists()


@pytest.mark.parametrize(
    ("authorized", "expected"),
    [
        (NOW, "仮売上 12/1、本日 12/1 → 取消"),
        (NOW - timedelta(days=1), "仮売上 11/30、本日 12/1 → 返品"),
    ],
)
def test_the_cancel_type_and_its_reason_are_shown_before_confirming(
    login: Login, authorized: Any, expected: str
) -> None:
    html = dialog(login("決済操作"), make_payment(S.AUTH, authorized_at=authorized), "cancel")
    assert expected in html
    assert f"{expected[-2:]}を実行する" in html
    assert "お客様へ請求はされません" in html


def test_a_capture_of_last_month_is_a_return_across_months(login: Login) -> None:
    html = dialog(login("決済操作"), make_payment(S.SALES), "cancel")
    assert "月跨返品" in html
    assert "お客様の明細には履歴が残ります" in html


def test_the_dialog_names_order_customer_and_amount(login: Login) -> None:
    payment = make_payment(S.AUTH)
    html = dialog(login("決済操作"), payment, "capture")
    for expected in (payment.order.number, "テスト会員 様", "3,200円", "売上を確定する"):
        assert expected in html
    assert hidden(html, "shown") == "capture::SALES:3200"
    uuid.UUID(hidden(html, "key"))


def test_every_dialog_has_a_key_of_its_own(login: Login) -> None:
    payment = make_payment(S.AUTH)
    client = login("決済操作")
    assert hidden(dialog(client, payment, "capture"), "key") != hidden(
        dialog(client, payment, "capture"), "key"
    )


def test_without_htmx_the_dialog_is_a_page(login: Login) -> None:
    payment = make_payment(S.AUTH)
    html = login("決済操作").get(f"/payments/{payment.pk}/capture/").content.decode()
    assert "<html" in html
    assert is_executable(html)


def test_a_differing_amount_is_not_captured_before_a_choice(login: Login) -> None:
    payment = make_payment(S.AUTH, amount=3200, total=2700)
    client = login("決済操作")
    html = dialog(client, payment, "capture")
    assert not is_executable(html)
    assert "disabled" in html
    assert "どちらの金額で売上を確定しますか" in html
    changed = dialog(client, payment, "capture", "?mode=change_first&asked=1")
    assert "3,200円 から 2,700円 に変更し、続けて売上を確定します" in changed
    assert hidden(changed, "shown") == "change_amount::AUTH:2700|capture::SALES:2700"
    as_is = dialog(client, payment, "capture", "?mode=as_is&asked=1")
    assert "お客様には変更前の 3,200円 が請求されます" in as_is
    assert hidden(as_is, "shown") == "capture::SALES:3200"


def test_withdrawing_a_charge_by_an_amount_change_asks_twice(login: Login) -> None:
    payment = make_payment(S.SALES, amount=3200, total=2700)
    client = login("決済操作")
    assert 'name="second"' not in dialog(client, payment, "change_amount")
    html = dialog(client, payment, "change_amount", "?target=AUTH&asked=1")
    assert 'name="second"' in html
    posted = {"key": hidden(html, "key"), "shown": hidden(html, "shown"), "target": "AUTH", "asked": "1"}
    answer = client.post(f"/payments/{payment.pk}/change_amount/", posted, headers=HTMX)
    assert answer.status_code == 422
    assert "確認のチェックが入っていないため、まだ何も実行していません。" in answer.content.decode()
    assert not Operation.objects.exists()


def test_reauthorizing_starts_with_the_accounts_own_way(login: Login) -> None:
    make_account(checkout_target="CAPTURE")
    html = dialog(login("決済操作"), make_payment(S.VOID), "reauthorize")
    assert hidden(html, "shown") == "reauthorize::CAPTURE:3200"
    assert re.search(r'value="CAPTURE"[^>]* checked', html)


@pytest.mark.parametrize("status", [OrderStatus.CANCELLED, OrderStatus.RETURNED])
def test_a_cancelled_order_is_not_reauthorized_and_the_dialog_says_why(
    login: Login, status: OrderStatus
) -> None:
    payment = make_payment(S.VOID, order_fields={"status": status})
    html = dialog(login("決済操作"), payment, "reauthorize")
    assert not is_executable(html)
    assert f"対応状況が「{status.label}」のため、再オーソリできません。" in html


@pytest.mark.parametrize(
    ("action", "order_status", "account", "expected"),
    [
        ("capture", OrderStatus.NEW, {}, "unticked"),
        ("capture", OrderStatus.NEW, {"follow_capture": True}, "ticked"),
        ("capture", OrderStatus.SHIPPED, {"follow_capture": True}, "hidden"),
        ("capture", OrderStatus.PAID, {}, "hidden"),
        ("cancel", OrderStatus.NEW, {"follow_cancel": True}, "ticked"),
        ("cancel", OrderStatus.SHIPPED, {"follow_cancel": True}, "hidden"),
    ],
)
def test_the_follow_box_is_the_accounts_default_and_hidden_where_the_order_cannot_move(
    login: Login, action: str, order_status: OrderStatus, account: dict[str, bool], expected: str
) -> None:
    make_account(**account)
    payment = make_payment(S.AUTH, order_fields={"status": order_status})
    html = dialog(login("決済操作"), payment, action)
    box = re.search(r'<input[^>]*name="follow"[^>]*>', html)
    found = "hidden" if box is None else "ticked" if "checked" in box[0] else "unticked"
    assert found == expected


def test_where_the_provider_needs_a_date_today_is_proposed_and_an_impossible_one_refused(
    login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    dated = dataclasses.replace(accounts.capabilities("gmopg"), needs_date=True)
    monkeypatch.setattr(accounts, "capabilities", lambda provider: dated)
    payment = make_payment(S.AUTH)
    client = login("決済操作")
    html = dialog(client, payment, "capture")
    assert re.search(r'name="on"[^>]*value="2026-12-01"', html)
    assert hidden(html, "shown") == "capture::SALES:3200:2026-12-01"
    later = dialog(client, payment, "capture", "?on=2026-12-05&asked=1")
    assert hidden(later, "shown") == "capture::SALES:3200:2026-12-05"
    too_early = dialog(client, payment, "capture", "?on=2026-11-29&asked=1")
    assert not is_executable(too_early)
    assert "与信日(2026/11/30)以降の日付を指定してください" in too_early


def test_where_no_date_is_needed_none_is_asked_for(login: Login) -> None:
    assert 'name="on"' not in dialog(login("決済操作"), make_payment(S.AUTH), "capture")


def test_an_unticked_follow_box_stays_unticked_when_a_choice_reloads_the_dialog(login: Login) -> None:
    make_account(follow_capture=True)
    payment = make_payment(S.AUTH, amount=3200, total=2700)
    html = dialog(login("決済操作"), payment, "capture", "?mode=as_is&asked=1")
    assert "checked" not in re.search(r'<input[^>]*name="follow"[^>]*>', html)[0]  # type: ignore[index]


@pytest.mark.parametrize("action", ["refund", "authorize", "CAPTURE", "log2"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_unknown_action_is_not_found(login: Login, action: str, method: str) -> None:
    payment = make_payment(S.AUTH)
    answer = getattr(login("決済操作"), method)(f"/payments/{payment.pk}/{action}/")
    assert answer.status_code == 404
    assert "見つかりません" in answer.content.decode()


def test_an_unknown_payment_is_not_found(login: Login) -> None:
    assert login("決済操作").post("/payments/999999/capture/").status_code == 404


@pytest.mark.parametrize(
    "broken",
    [
        {"key": ""},
        {"key": "not-a-uuid"},
        {"shown": ""},
        {"shown": "x" * 201},
        {"target": "SALES"},
        {"target": "VOID"},
        {"mode": "twice"},
        {"on": "2026-02-30"},
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_crafted_post_is_refused_in_a_sentence_and_changes_nothing(
    login: Login, broken: dict[str, str], headers: dict[str, str]
) -> None:
    payment = make_payment(S.AUTH)
    posted = {"key": str(uuid.uuid4()), "shown": "capture::SALES:3200"} | broken
    answer = login("決済操作").post(f"/payments/{payment.pk}/capture/", posted, headers=headers)
    assert answer.status_code == (422 if headers else 400)
    assert "ください。" in answer.content.decode() or "200" in answer.content.decode()
    assert not Operation.objects.exists()


@pytest.mark.parametrize(
    ("action", "shown", "more"),
    [
        ("capture", "capture::SALES:1", {}),
        ("cancel", "cancel:VOID:VOID:3200", {}),
        ("reauthorize", "reauthorize::AUTH:3200", {}),
        ("capture", "capture::SALES:3200", {"target": "AUTH"}),
        ("guided_change", "anything", {}),
    ],
)
def test_what_was_not_the_decision_is_not_executed_and_shown_anew(
    login: Login, action: str, shown: str, more: dict[str, str]
) -> None:
    payment = make_payment(S.AUTH)
    posted = {"key": str(uuid.uuid4()), "shown": shown} | more
    answer = login("決済操作").post(f"/payments/{payment.pk}/{action}/", posted, headers=HTMX)
    assert answer.status_code == 409
    assert "まだ何も実行していません" in answer.content.decode()
    assert not Operation.objects.exists()


def test_the_key_of_another_payment_is_refused(login: Login) -> None:
    key = uuid.uuid4()
    make_operation(make_payment(S.SALES), Action.CAPTURE, Operation.State.SUCCEEDED, key=key)
    payment = make_payment(S.AUTH)
    posted = {"key": str(key), "shown": "capture::SALES:3200"}
    answer = login("決済操作").post(f"/payments/{payment.pk}/capture/", posted)
    assert answer.status_code == 400
    assert "すでに別の操作に使われています" in answer.content.decode()
    assert Operation.objects.count() == 1


def test_a_form_posted_again_gets_the_first_result(login: Login) -> None:
    payment = make_payment(S.SALES)
    key = uuid.uuid4()
    make_operation(payment, Action.CAPTURE, Operation.State.SUCCEEDED, key=key)
    posted = {"key": str(key), "shown": "capture::SALES:3200"}
    html = login("決済操作").post(f"/payments/{payment.pk}/capture/", posted, headers=HTMX).content.decode()
    assert f"注文番号 {payment.order.number} の売上を確定しました(3,200円)。" in html
    assert "二重には実行していません" in html
    assert Operation.objects.count() == 1


def test_while_another_operation_is_under_way_the_second_operator_is_told_whose(login: Login) -> None:
    payment = make_payment(S.AUTH)
    make_operation(payment, Action.CANCEL, Operation.State.UNCONFIRMED)
    posted = {"key": str(uuid.uuid4()), "shown": "capture::SALES:3200"}
    html = login("決済操作").post(f"/payments/{payment.pk}/capture/", posted, headers=HTMX).content.decode()
    assert "会計 花子さんが 11:57 に開始した取消(返品)を処理中です。今回の操作は実行していません。" in html
    assert Operation.objects.count() == 1


def test_without_credentials_the_operator_reads_that_nothing_was_sent(login: Login, settings: Any) -> None:
    settings.GATEWAY_ACCOUNTS = {}
    payment = make_payment(S.AUTH)
    posted = {"key": str(uuid.uuid4()), "shown": "capture::SALES:3200"}
    client = login("決済操作")
    answer = client.post(f"/payments/{payment.pk}/capture/", posted)
    assert answer.status_code == 302
    assert answer["Location"] == f"/orders/{payment.order_id}/#payment"
    assert Operation.objects.get().state == Operation.State.NOT_SENT
    page = client.get(f"/orders/{payment.order_id}/").content.decode()
    assert "実行していません(未送信)" in page


def test_a_session_that_has_ended_leads_to_the_login_and_executes_nothing(login: Login) -> None:
    payment = make_payment(S.AUTH)
    client = login("決済操作")
    shown = hidden(dialog(client, payment, "capture"), "shown")
    client.logout()
    posted = {"key": str(uuid.uuid4()), "shown": shown}
    answer = client.post(f"/payments/{payment.pk}/capture/", posted, headers=HTMX)
    assert answer.headers["HX-Redirect"].startswith("/login/")
    assert not Operation.objects.exists()


def test_a_post_without_the_csrf_token_executes_nothing(login: Login) -> None:
    payment = make_payment(S.AUTH)
    client = login("決済操作")
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    posted = {"key": str(uuid.uuid4()), "shown": "capture::SALES:3200"}
    assert strict.post(f"/payments/{payment.pk}/capture/", posted).status_code == 403
    assert not Operation.objects.exists()
