"""The payment panel: what it shows in every status, which buttons it offers, and what it costs."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gateways.vocabulary import Action, MethodKind
from gateways.vocabulary import PaymentStatus as S
from orders.models import PaymentMethod
from orders.statuses import OrderStatus
from payments.models import Operation
from tests.screens.payment_shop import (
    HTMX,
    NOW,
    make_account,
    make_bare_order,
    make_operation,
    make_payment,
)

Login = Callable[[str], Client]

BUTTON = re.compile(r'id="payment-(capture|cancel|change_amount|reauthorize|guided_change|inquire)"')


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    """It is 2026-12-01 12:00 in Tokyo, and there is one account."""
    monkeypatch.setattr("cagolab.clock.now", lambda: NOW)
    make_account()


def panel(client: Client, order_id: int, query: str = "") -> str:
    answer = client.get(f"/payments/orders/{order_id}/panel/{query}", headers=HTMX)
    assert answer.status_code == 200
    return answer.content.decode()


def buttons(html: str) -> set[str]:
    return set(BUTTON.findall(html))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (S.AUTH, {"capture", "cancel", "inquire"}),
        (S.SAUTH, {"cancel", "inquire"}),
        (S.CHECK, {"inquire"}),  # checked last month: no cancel is offered
        (S.CAPTURE, {"cancel", "inquire"}),
        (S.SALES, {"cancel", "inquire"}),
        (S.VOID, {"reauthorize", "inquire"}),
        (S.RETURN, {"reauthorize", "inquire"}),
        (S.RETURNX, {"reauthorize", "inquire"}),
        (S.UNPROCESSED, {"inquire"}),
        (S.AUTHENTICATED, {"inquire"}),
        (S.AUTHPROCESS, {"inquire"}),
        (S.PAYFAIL, {"inquire"}),
        (S.EXPIRED, {"inquire"}),
        (S.REQSUCCESS, {"inquire"}),
        (S.REQSALES, {"inquire"}),
        (S.REQCANCEL, {"inquire"}),
        (S.REQCHANGE, {"inquire"}),
        (S.PAYSTART, {"inquire"}),
        (S.PAYSUCCESS, {"inquire"}),
        (S.CANCEL, {"inquire"}),
        (S.EXCEPTION, {"inquire"}),
    ],
)
def test_each_status_offers_its_buttons_and_no_other(login: Login, status: S, expected: set[str]) -> None:
    payment = make_payment(status)
    assert buttons(panel(login("決済操作"), payment.order_id)) == expected


def test_every_status_is_in_the_table_of_buttons() -> None:
    table = test_each_status_offers_its_buttons_and_no_other.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {status for status, _ in table} == set(S)


@pytest.mark.parametrize(("status", "more"), [(S.AUTH, {"capture"}), (S.SALES, set()), (S.CAPTURE, set())])
def test_a_differing_amount_offers_the_change_and_says_so_in_red(
    login: Login, status: S, more: set[str]
) -> None:
    payment = make_payment(status, amount=3200, total=2700)
    html = panel(login("決済操作"), payment.order_id)
    assert buttons(html) == {"cancel", "change_amount", "inquire"} | more
    assert "※決済金額とお支払い合計に差異があります。" in html
    assert "お支払い合計 2,700円" in html


def test_equal_amounts_show_no_difference(login: Login) -> None:
    assert "差異があります" not in panel(login("決済操作"), make_payment(S.AUTH).order_id)


def test_a_contract_without_direct_change_offers_the_guided_one(login: Login) -> None:
    make_account(changes_captured_amount=False)
    payment = make_payment(S.SALES, amount=3200, total=2700)
    html = panel(login("決済操作"), payment.order_id)
    assert buttons(html) == {"cancel", "guided_change", "inquire"}
    assert "取消・再オーソリ・金額変更・売上を順に" in html


def test_the_manuals_fields_are_shown(login: Login) -> None:
    payment = make_payment(S.SALES, installments=3)
    html = panel(login("閲覧"), payment.order_id)
    for expected in (
        "クレジット決済(GMO-PG)",
        "実売上済み",
        payment.provider_order_id,
        "0378171",
        "分割3回",
        "2a99662",
        "201130111111111111111804905",
        "2026/11/30 12:00:00",
        "取消期限",
        "2027/5/29(あと179日)",
        "3,200円",
    ):
        assert expected in html


def test_revolving_payment_is_named(login: Login) -> None:
    payment = make_payment(S.AUTH, references={"method": "5"})
    assert "リボ払い" in panel(login("閲覧"), payment.order_id)


def test_why_an_action_is_not_possible_stands_in_a_quiet_list(login: Login) -> None:
    html = panel(login("決済操作"), make_payment(S.SALES).order_id)
    assert "できない操作と理由" in html
    assert "すでに売上が確定しています。" in html


def test_viewers_see_the_payment_and_no_button(login: Login) -> None:
    payment = make_payment(S.AUTH)
    for role in ("閲覧", "受注編集"):
        html = panel(login(role), payment.order_id)
        assert "仮売上済み" in html
        assert buttons(html) == set()
        assert "できない操作" not in html


def test_an_order_without_a_gateway_payment_says_so_and_offers_nothing(login: Login) -> None:
    html = panel(login("決済操作"), make_bare_order().pk)
    assert "決済代行会社での決済がありません" in html
    assert buttons(html) == set()
    assert "ペイジェントオンライン" not in html


def test_without_a_payment_paygent_is_entered_by_hand(login: Login) -> None:
    make_account(code="gmo", provider="gmopg")
    from payments.models import GatewayAccount

    GatewayAccount.objects.create(code="paygent", provider="paygent", name="ペイジェント")
    method = PaymentMethod.objects.create(name="カード(ペイジェント)", kind="card", account="paygent")
    html = panel(login("決済操作"), make_bare_order(payment_method=method).pk)
    assert "ペイジェントオンラインで手入力してください" in html


def test_a_refused_subscription_asks_for_another_way_to_pay(login: Login) -> None:
    payment = make_payment(S.PAYFAIL, order_fields={"is_subscription": True}, decline_code="42G830000")
    words = "カード番号が正しくありません。お客様に、カード情報を入力し直していただいてください。"
    make_operation(payment, Action.AUTHORIZE, Operation.State.DECLINED, message=words)
    html = panel(login("決済操作"), payment.order_id)
    assert "カード未決済" in html
    assert "(エラーコード 42G830000)" in html
    assert "入力し直して" not in html  # nobody stands before a card page
    assert "お客様に他の決済方法をご案内ください" in html
    assert buttons(html) == {"inquire"}


def test_refused_attempts_of_the_same_order_are_listed(login: Login) -> None:
    order = make_bare_order()
    refused = make_payment(S.PAYFAIL, order=order)
    make_operation(
        refused, Action.AUTHORIZE, Operation.State.DECLINED, message="カード会社に承認されませんでした。"
    )
    make_payment(S.AUTH, order=order)
    html = panel(login("閲覧"), order.pk)
    assert "この注文のほかの決済" in html
    assert refused.provider_order_id in html
    assert "カード会社に承認されませんでした。" in html


def test_while_being_confirmed_it_says_who_and_when_and_asks_again(login: Login) -> None:
    payment = make_payment(S.AUTH)
    operation = make_operation(payment, Action.CAPTURE, Operation.State.UNCONFIRMED)
    html = panel(login("決済操作"), payment.order_id)
    assert "確認中" in html
    assert "会計 花子さん 11:57 開始" in html
    assert "再度操作する必要はありません" in html
    assert 'hx-trigger="every 3s"' in html
    assert f"?watch={operation.pk}" in html
    assert buttons(html) == {"inquire"}


def test_a_settled_payment_is_not_asked_for_again(login: Login) -> None:
    payment = make_payment(S.SALES)
    make_operation(payment, Action.CAPTURE, Operation.State.SUCCEEDED)
    assert "hx-trigger" not in panel(login("決済操作"), payment.order_id)


def test_the_end_of_a_watched_operation_is_announced_once(login: Login) -> None:
    payment = make_payment(S.SALES)
    operation = make_operation(payment, Action.CAPTURE, Operation.State.SUCCEEDED)
    answer = login("決済操作").get(
        f"/payments/orders/{payment.order_id}/panel/?watch={operation.pk}", headers=HTMX
    )
    assert f"注文番号 {payment.order.number} の売上を確定しました" in answer.content.decode()
    assert 'id="flash"' in answer.content.decode()
    assert "payment-changed" in answer.headers["HX-Trigger"]


@pytest.mark.parametrize("watched", ["0", "x", "", "99999999999999999999", "-1"])
def test_watching_nothing_of_this_order_announces_nothing(login: Login, watched: str) -> None:
    payment = make_payment(S.SALES)
    other = make_operation(make_payment(S.SALES), Action.CAPTURE, Operation.State.SUCCEEDED)
    client = login("閲覧")
    for query in (f"?watch={watched}", f"?watch={other.pk}"):
        assert 'id="flash"' not in panel(client, payment.order_id, query)


def test_a_guided_change_that_stopped_shows_at_which_step(login: Login) -> None:
    make_account(changes_captured_amount=False)
    payment = make_payment(S.VOID, amount=3200, total=2700)
    plan = [
        {"action": "cancel", "result": "VOID", "amount": 3200, "cancel_type": "VOID"},
        {"action": "reauthorize", "result": "AUTH", "amount": 3200, "cancel_type": ""},
        {"action": "change_amount", "result": "AUTH", "amount": 2700, "cancel_type": ""},
        {"action": "capture", "result": "SALES", "amount": 2700, "cancel_type": ""},
    ]
    make_operation(
        payment,
        Action.GUIDED_CHANGE,
        Operation.State.DECLINED,
        plan=plan,
        step=1,
        message="4段階のうち1段階まで完了しています。",
    )
    html = panel(login("決済操作"), payment.order_id)
    assert re.findall(r"is-(done|now|failed|waiting)", html) == ["done", "failed", "waiting", "waiting"]
    assert "ここで止まりました" in html
    assert "承認されませんでした" in html


@pytest.mark.parametrize(
    ("days_ago", "expected"),
    [
        (70, None),
        (76, "2026/12/15)まであと14日です"),
        (89, "2026/12/2)まであと1日です"),
        (90, "2026/12/1)まで本日限りです"),
        (91, "再度お客様にご購入頂く必要があります"),
    ],
)
def test_the_capture_deadline_warns_before_it_passes(
    login: Login, days_ago: int, expected: str | None
) -> None:
    payment = make_payment(S.AUTH, authorized_at=NOW - timedelta(days=days_ago))
    html = panel(login("決済操作"), payment.order_id)
    if expected is None:
        assert "alert-warning" not in html
    else:
        assert expected in html
    assert ("期限超過(見込み)" in html) is (days_ago > 90)
    assert ("capture" in buttons(html)) is (days_ago <= 90)


def test_estimated_dates_are_marked(login: Login) -> None:
    payment = make_payment(S.AUTH, dates_estimated=True)
    assert "日時は推定" in panel(login("決済操作"), payment.order_id)


def test_a_konbini_payment_says_that_its_amount_cannot_change(login: Login) -> None:
    payment = make_payment(S.REQSUCCESS, kind=MethodKind.CVS.value, amount=3200, total=2700)
    html = panel(login("決済操作"), payment.order_id)
    assert "コンビニ決済" in html
    assert "支払い方法" not in html
    assert "コンビニ決済・Pay-easy決済では、ご注文後に金額を変更できません。" in html


def test_opened_as_a_page_it_leads_to_the_order(login: Login) -> None:
    payment = make_payment(S.AUTH)
    answer = login("閲覧").get(f"/payments/orders/{payment.order_id}/panel/")
    assert answer.status_code == 302
    assert answer["Location"] == f"/orders/{payment.order_id}/#payment"


def test_an_unknown_order_has_no_panel(login: Login) -> None:
    assert login("閲覧").get("/payments/orders/999999/panel/", headers=HTMX).status_code == 404


@pytest.mark.parametrize("is_open", [False, True])
def test_a_long_history_costs_no_more_queries(login: Login, is_open: bool) -> None:
    order = make_bare_order()
    for _ in range(25):
        refused = make_payment(S.PAYFAIL, order=order)
        make_operation(refused, Action.AUTHORIZE, Operation.State.DECLINED, calls=3)
    payment = make_payment(S.AUTH, order=order)
    for _ in range(60):
        make_operation(payment, Action.INQUIRE, Operation.State.SUCCEEDED, calls=2)
        make_operation(payment, Action.CAPTURE, Operation.State.NOT_SENT, calls=2)
    if is_open:
        make_operation(payment, Action.CAPTURE, Operation.State.UNCONFIRMED, calls=2)
    client = login("決済操作")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        html = panel(client, order.pk)
    # Two of these find the session and the user, one the order of the address, two the permissions.
    assert len(queries) <= 10, [query["sql"][:120] for query in queries]
    assert "これより前の決済は、決済ログでご確認ください。" in html


def test_the_badge_reads_the_orders_columns_only(django_assert_num_queries: Any) -> None:
    from django.template import Context, Template

    order = make_payment(S.AUTH).order
    order.payment_is_open = True
    refused = make_payment(S.PAYFAIL, order_fields={"is_subscription": True}).order
    none = make_bare_order()
    template = Template("{% load payments %}{% payment_status_badge order %}")
    with django_assert_num_queries(0):
        html = template.render(Context({"order": order}))
        assert "仮売上済み" in html
        assert "確認中" in html
        assert "カード未決済" in template.render(Context({"order": refused}))
        assert template.render(Context({"order": none})).strip() == ""


def test_the_card_stands_on_the_orders_page(login: Login) -> None:
    payment = make_payment(S.AUTH, order_fields={"status": OrderStatus.NEW})
    html = login("決済操作").get(f"/orders/{payment.order_id}/").content.decode()
    assert 'id="payment"' in html
    assert "PGマルチペイメントサービス決済情報" in html
    assert "決済ログ表示・非表示" in html
