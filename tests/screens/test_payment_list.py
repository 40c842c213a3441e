"""決済状況一覧, its filters and pages, and the pages per 決済状況 (G5-10, G5-11, G13-7)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cagolab.navigation import PAYMENT_STATUS_PAGES
from gateways.vocabulary import Action, MethodKind
from gateways.vocabulary import PaymentStatus as S
from orders.models import Order
from orders.statuses import OrderStatus
from payments import status_guide
from payments.models import Operation
from tests.screens.payment_shop import NOW, make_account, make_bare_order, make_operation, make_payment

Login = Callable[[str], Client]


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    """It is 2026-12-01 12:00 in Tokyo, and there is one account."""
    monkeypatch.setattr("cagolab.clock.now", lambda: NOW)
    make_account()


def page(client: Client, query: str = "", *, path: str = "/payments/") -> str:
    answer = client.get(f"{path}?{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def shown(html: str) -> set[str]:
    return set(
        re.findall(
            r'<td data-label="注文番号"><a class="number" href="/orders/\d+/#payment"><strong>(\d+)', html
        )
    )


def test_orders_without_a_gateway_payment_do_not_appear(login: Login) -> None:
    make_bare_order()
    payment = make_payment(S.AUTH)
    html = page(login("閲覧"))
    assert shown(html) == {payment.order.number}
    assert "検索結果：1件が該当しました" in html


def test_orders_that_never_left_the_cart_are_hidden_unless_ticked(login: Login) -> None:
    hidden = make_payment(S.UNPROCESSED, order_fields={"status": OrderStatus.PENDING})
    client = login("閲覧")
    assert shown(page(client)) == set()
    assert shown(page(client, f"status={OrderStatus.PENDING.value}")) == {hidden.order.number}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("payment_status=AUTH", {"held", "near", "open", "differing"}),
        ("payment_status=SALES", {"sold"}),
        ("payment_status=UNPROCESSED,AUTHENTICATED,AUTHPROCESS", {"started"}),
        ("payment_status=SALES&payment_status=REQSUCCESS", {"sold", "konbini"}),
        ("payment_kind=cvs", {"konbini"}),
        ("payment_kind=rakuten", set()),
        ("status=5", {"sold"}),
        ("deadline=14", {"near"}),
        ("deadline=1", set()),
        ("differs=1", {"differing"}),
        ("open=1", {"open"}),
        ("ordered_from=2026-12-01", {"near"}),
        ("q=別のお客様", {"held"}),
        ("payment_status=AUTH&differs=1&deadline=366", {"differing"}),
    ],
)
def test_each_filter_shows_its_orders(login: Login, query: str, expected: set[str]) -> None:
    orders = {
        "held": make_payment(S.AUTH).order,
        "near": make_payment(S.AUTH, authorized_at=NOW - timedelta(days=80)).order,
        "open": make_payment(S.AUTH).order,
        "differing": make_payment(S.AUTH, amount=3200, total=2700).order,
        "sold": make_payment(S.SALES, order_fields={"status": OrderStatus.SHIPPED}).order,
        "started": make_payment(S.AUTHENTICATED).order,
        "konbini": make_payment(S.REQSUCCESS, kind=MethodKind.CVS.value).order,
    }
    make_operation(orders["open"].payments.get(), Action.CAPTURE, Operation.State.UNCONFIRMED)
    Order.objects.filter(pk=orders["near"].pk).update(ordered_at=NOW)
    from orders import search_text

    Order.objects.filter(pk=orders["held"].pk).update(name="別のお客様")
    search_text.refresh(Order.objects.get(pk=orders["held"].pk))
    numbers = {orders[name].number for name in expected}
    assert shown(page(login("閲覧"), query)) == numbers


def test_the_row_shows_what_the_manual_shows(login: Login) -> None:
    payment = make_payment(S.AUTH, amount=3200, total=2700, authorized_at=NOW - timedelta(days=87))
    html = page(login("閲覧"))
    for expected in (
        "仮売上済み",
        "GMOクレジット決済",
        "新規受付",
        f'href="/orders/{payment.order_id}/#payment"',
        "2026/11/30 12:00",
        "テスト会員",
        "¥2,700",
        "決済金額",
        "¥3,200",
        "未入金",
        "2026/12/04",
        "あと3日",
    ):
        assert expected in html


def test_an_amount_that_was_given_back_is_no_difference(login: Login) -> None:
    make_payment(S.VOID, amount=3200, total=2700)
    assert "payment-differs" not in page(login("閲覧"))


@pytest.mark.parametrize(
    ("provider", "words"),
    [("gmopg", "期限超過(見込み)"), ("sbps", "期限超過(見込み)"), ("paygent", "期限日経過")],
)
def test_an_overdue_hold_is_our_own_guess_where_the_provider_does_not_report_it(
    login: Login, provider: str, words: str
) -> None:
    make_payment(S.AUTH, authorized_at=NOW - timedelta(days=91))
    Order.objects.update(payment_provider=provider)
    html = page(login("閲覧"))
    assert [found for found in ("期限超過(見込み)", "期限日経過") if found in html] == [words]


def test_every_state_of_the_manual_has_a_count_and_a_meaning(login: Login) -> None:
    make_payment(S.AUTH)
    make_payment(S.AUTHENTICATED)
    make_payment(S.UNPROCESSED)
    html = page(login("閲覧"))
    boxes = re.findall(r'for="state-\d+">([^<]+)<span class="check-count">\(([\d,]+)\)', html)
    assert len(boxes) == 19
    counts = dict(boxes)
    assert (counts["仮売上済み"], counts["未決済"], counts["実売上済み"]) == ("1", "2", "0")
    assert html.count("<dt>") == 19


def test_what_was_ticked_stays_ticked(login: Login) -> None:
    html = page(
        login("閲覧"), "payment_status=UNPROCESSED,AUTHENTICATED,AUTHPROCESS&payment_kind=card&open=1"
    )
    assert re.search(r'value="UNPROCESSED,AUTHENTICATED,AUTHPROCESS" id="state-1" checked', html)
    assert re.search(r'value="card" id="kind-card" checked', html)
    assert re.search(r'id="check-open" checked', html)


def test_a_condition_that_cannot_be_read_shows_no_orders(login: Login) -> None:
    make_payment(S.AUTH)
    html = page(login("閲覧"), "ordered_from=2026-02-30")
    assert "検索していません" in html
    assert shown(html) == set()


def test_only_those_who_may_move_money_can_tick(login: Login) -> None:
    make_payment(S.AUTH)
    assert 'name="order"' not in page(login("受注編集"))
    html = page(login("決済操作"))
    assert 'name="order"' in html
    words = re.findall(r'<option value="(\w+)">(一括[^<]+)', html)
    assert words == [
        ("capture", "一括売上"),
        ("cancel", "一括取消"),
        ("reauthorize", "一括再オーソリ"),
        ("change_amount", "一括金額変更"),
    ]


def test_the_form_hands_over_the_same_conditions(login: Login) -> None:
    make_payment(S.AUTH)
    html = page(login("決済操作"), "payment_status=AUTH&deadline=366")
    query = re.search(r'name="query" value="([^"]*)"', html)
    assert query
    for part in ("payment_status=AUTH", "deadline=366", "provider=gmopg"):
        assert part in query[1]


def test_pages_go_on_by_key_and_come_back(login: Login) -> None:
    numbers = [make_payment(S.AUTH).order.number for _ in range(25)]
    client = login("閲覧")
    first = page(client, "q=&size=10&payment_status=AUTH&ordered_from=")
    assert len(shown(first)) == 10
    following = re.search(r'href="(/payments/\?[^"]*)" rel="next"', first)
    assert following
    # What was typed, and neither empty fields nor what this list always asks for.
    assert following[1].partition("&amp;cursor=")[0] == "/payments/?payment_status=AUTH&amp;size=10"
    second = client.get(following[1].replace("&amp;", "&")).content.decode()
    assert len(shown(second)) == 10
    assert not shown(first) & shown(second)
    back = re.search(r'href="(/payments/\?[^"]*)" rel="prev"', second)
    assert back
    assert shown(client.get(back[1].replace("&amp;", "&")).content.decode()) == shown(first)
    assert shown(first) | shown(second) <= set(numbers)
    assert (
        '<a class="btn btn-ec-regular" href="/payments/?payment_status=AUTH&amp;size=10">最新へ</a>' in second
    )


@pytest.mark.parametrize("size", [10, 50, 100])
def test_a_page_costs_the_same_queries_at_any_size(login: Login, size: int) -> None:
    for _ in range(size + 2):
        make_payment(S.AUTH, amount=3200, total=2700)
    client = login("決済操作")
    with CaptureQueriesContext(connection) as queries:
        html = page(client, f"size={size}")
    assert len(shown(html)) == size
    assert len(queries) <= 12, [query["sql"][:120] for query in queries]


@pytest.mark.parametrize("status", list(status_guide.PAGES))
def test_each_status_has_a_page_with_its_meaning_and_its_orders(login: Login, status: str) -> None:
    payment = make_payment(S(status))
    make_payment(S.PAYFAIL)
    html = page(login("決済操作"), path=f"/payments/status/{status}/")
    assert shown(html) == {payment.order.number}
    assert status_guide.PAGES[status] in html
    assert "payment-meaning" in html


@pytest.mark.parametrize(
    ("status", "sentence", "kinds"),
    [
        (
            "AUTH",
            "売上確定(実売上)・決済金額変更は与信日から90日後まで",
            {"capture", "cancel", "change_amount"},
        ),
        (
            "SALES",
            "取消(返品)・決済金額変更は与信日(売上確定後は売上日)から180日後まで",
            {"cancel", "change_amount"},
        ),
        ("VOID", "行える操作：再オーソリ", {"reauthorize"}),
        ("CHECK", "行える操作：取消(返品)", {"cancel"}),
    ],
)
def test_a_status_page_names_its_deadline_and_offers_what_makes_sense(
    login: Login, status: str, sentence: str, kinds: set[str]
) -> None:
    make_payment(S(status))
    html = page(login("決済操作"), path=f"/payments/status/{status}/")
    assert sentence in html
    assert set(re.findall(r'<option value="(\w+)">一括', html)) == kinds


def test_a_status_page_cannot_be_talked_into_another_status(login: Login) -> None:
    make_payment(S.SALES)
    assert shown(page(login("閲覧"), "payment_status=SALES", path="/payments/status/AUTH/")) == set()


@pytest.mark.parametrize("status", ["PAYFAIL", "auth", "x"])
def test_other_statuses_have_no_page(login: Login, status: str) -> None:
    assert login("閲覧").get(f"/payments/status/{status}/").status_code == 404


def test_the_side_bar_leads_to_these_pages() -> None:
    assert dict(PAYMENT_STATUS_PAGES) == dict(status_guide.PAGES)
