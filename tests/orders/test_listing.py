"""Lists: every filter, pages by key in both directions, totals, and how few queries they take."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from gateways.vocabulary import PaymentStatus
from orders import counts, listing, payment_copy, search, search_pages, search_text
from orders.listing import OrderFilters, page, page_size, queryset, total
from orders.models import Order
from orders.search_costs import Way
from orders.search_terms import Terms, grams_of
from orders.search_weights import Weights
from orders.statuses import OrderStatus
from payments.models import LIVE_STATUSES
from tests.orders.shop import NOW, make_method

pytestmark = pytest.mark.django_db

S = OrderStatus


def store(number: str, **fields: Any) -> Order:
    fields = {"ordered_at": NOW, "payment_method": make_method(), "updated_at": NOW} | fields
    order = Order.objects.create(number=number, **fields)
    search_text.refresh(order)
    return order


def numbers(filters: OrderFilters, **more: Any) -> list[str]:
    """What the list shows; the query object that freezes all that match must say the same."""
    shown = [order.number for order in page(filters, size=100).rows]
    assert sorted(queryset(filters, **more).values_list("number", flat=True)) == sorted(shown)
    assert total(filters) == (len(shown), False)
    return shown


def test_the_words_about_payments_are_the_payments_own() -> None:
    assert set(payment_copy.LIVE) == {status.value for status in LIVE_STATUSES}
    assert set(payment_copy.AUTHORIZED) == {PaymentStatus.AUTH.value, PaymentStatus.SAUTH.value}


def test_the_newest_come_first_and_orders_in_the_checkout_are_hidden() -> None:
    store("a", ordered_at=NOW - timedelta(days=1))
    store("b")
    store("c", status=S.PENDING)
    store("d", status=S.PROCESSING)
    assert numbers(OrderFilters()) == ["b", "a"]
    assert numbers(OrderFilters(sort="oldest")) == ["a", "b"]
    assert numbers(OrderFilters(status=(S.PENDING, S.NEW))) == ["c", "b", "a"]


def test_days_are_whole_days_in_tokyo_both_ends_included() -> None:
    for number, moment in [
        ("before", datetime(2026, 11, 19, 14, 59, 59, tzinfo=UTC)),
        ("midnight", datetime(2026, 11, 19, 15, 0, tzinfo=UTC)),
        ("last", datetime(2026, 11, 20, 14, 59, 59, tzinfo=UTC)),
        ("after", datetime(2026, 11, 20, 15, 0, tzinfo=UTC)),
    ]:
        store(number, ordered_at=moment, paid_at=moment, updated_at=moment)
    day = date(2026, 11, 20)
    for name in ("ordered", "paid", "updated"):
        assert numbers(OrderFilters(**{f"{name}_from": day, f"{name}_to": day})) == ["last", "midnight"]  # type: ignore[arg-type]


def test_delivery_days() -> None:
    store("a", delivery_date=date(2026, 11, 30))
    store("b", delivery_date=date(2026, 12, 1))
    store("c")
    assert numbers(OrderFilters(delivery_from=date(2026, 12, 1))) == ["b"]
    assert numbers(OrderFilters(delivery_to=date(2026, 11, 30))) == ["a"]


def test_amounts_methods_numbers_and_tracking() -> None:
    bank = make_method("銀行振込")
    store("A-1", payment_total=1000, tracking_number="1234-5678")
    store("A-2", payment_total=2000, payment_method=bank, tracking_number="1299")
    store("A-3", payment_total=3000)
    assert numbers(OrderFilters(amount_min=2000)) == ["A-3", "A-2"]
    assert numbers(OrderFilters(amount_min=1000, amount_max=2000)) == ["A-2", "A-1"]
    assert numbers(OrderFilters(method=(bank.pk,))) == ["A-2"]
    assert numbers(OrderFilters(number="Ａ-3 ")) == ["A-3"]
    assert numbers(OrderFilters(number="A")) == []
    assert numbers(OrderFilters(tracking="12")) == ["A-2", "A-1"]
    assert numbers(OrderFilters(tracking="1234-")) == ["A-1"]
    assert numbers(OrderFilters(tracking="%")) == []


def test_what_the_payment_says() -> None:
    card = {"payment_provider": "gmopg", "payment_kind": "card"}
    store("none")
    store("held", **card, payment_status="AUTH", payment_amount=1000, payment_total=1000)
    store("differs", **card, payment_status="SALES", payment_amount=900, payment_total=1000)
    store("void", **card, payment_status="VOID", payment_amount=900, payment_total=1000)
    store("open", **card, payment_status="AUTH", payment_amount=5, payment_total=5, payment_is_open=True)
    store("cvs", payment_provider="gmopg", payment_kind="cvs", payment_status="REQSUCCESS", payment_amount=0)
    assert numbers(OrderFilters(payment_status=("AUTH", "VOID"))) == ["open", "void", "held"]
    assert numbers(OrderFilters(payment_kind=("cvs",))) == ["cvs"]
    assert numbers(OrderFilters(provider=("paygent",))) == []
    assert numbers(OrderFilters(differs=True)) == ["differs"]
    assert numbers(OrderFilters(open=True)) == ["open"]


def test_deadlines_within_so_many_days_or_overdue() -> None:
    today = date(2026, 11, 20)
    for name, days, status in [
        ("overdue", -3, "AUTH"),
        ("today", 0, "AUTH"),
        ("soon", 7, "SAUTH"),
        ("late", 8, "AUTH"),
        ("captured", 1, "SALES"),
    ]:
        store(name, payment_status=status, payment_deadline=today + timedelta(days=days))
    found = queryset(OrderFilters(deadline=7), today=today).order_by("id").values_list("number", flat=True)
    assert list(found) == ["overdue", "today", "soon"]


def test_money_that_is_still_held_on_cancelled_orders_and_goods_sent_unpaid() -> None:
    store("live", status=S.CANCELLED, payment_status="AUTH")
    store("returned", status=S.RETURNED, payment_status="SALES")
    store("voided", status=S.CANCELLED, payment_status="VOID")
    store("sent", status=S.SHIPPED, payment_status="AUTH")
    store("paid", status=S.SHIPPED, payment_status="SALES")
    assert numbers(OrderFilters(live=True)) == ["returned", "live"]
    assert numbers(OrderFilters(uncaptured=True)) == ["sent"]


class Pages(TestCase):
    """Going on and back by key shows every order once, whatever shares its minute."""

    @settings(max_examples=25)
    @given(
        minutes=st.lists(st.integers(0, 5), max_size=25),
        size=st.integers(1, 7),
        sort=st.sampled_from(["newest", "oldest"]),
        term=st.sampled_from(["", "山田"]),
    )
    def test_forward_and_back(self, minutes: list[int], size: int, sort: str, term: str) -> None:
        for number, minute in enumerate(minutes):
            store(str(number), name="山田", ordered_at=NOW + timedelta(minutes=minute))
        filters = OrderFilters(sort=sort, q=term)
        order_by = ("ordered_at", "id") if sort == "oldest" else ("-ordered_at", "-id")
        expected = list(Order.objects.order_by(*order_by).values_list("pk", flat=True))

        pages = [page(filters, size=size)]
        while cursor := pages[-1].next_cursor:
            pages.append(page(filters, size=size, cursor=cursor))
        assert [order.pk for each in pages for order in each.rows] == expected
        assert pages[0].previous_cursor is None
        for before, after in zip(pages[:-1], pages[1:], strict=True):
            assert after.previous_cursor is not None
            back = page(filters, size=size, cursor=after.previous_cursor, direction="previous")
            assert [order.pk for order in back.rows] == [order.pk for order in before.rows]
            assert back.next_cursor is not None
            again = page(filters, size=size, cursor=back.next_cursor)
            assert [order.pk for order in again.rows] == [order.pk for order in after.rows]


@pytest.mark.parametrize(
    "cursor", ["x", "!!!", "MS4y=", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OS4x", "MS4w", "é", "a" * 500, "MS4yLjM"]
)
def test_a_cursor_that_is_not_ours_shows_the_first_page(cursor: str) -> None:
    store("a")
    shown = page(OrderFilters(), cursor=cursor)
    assert [order.number for order in shown.rows] == ["a"]
    assert (shown.next_cursor, shown.previous_cursor) == (None, None)


def test_beyond_the_end_is_the_first_page() -> None:
    store("a")
    store("b")
    cursor = page(OrderFilters(), size=1).next_cursor
    Order.objects.filter(number="a").update(status=S.PENDING)
    assert [order.number for order in page(OrderFilters(), size=1, cursor=cursor).rows] == ["b"]


def test_back_at_the_top_shows_what_has_arrived_since() -> None:
    for number in range(4):
        store(str(number), ordered_at=NOW + timedelta(minutes=number))
    second = page(OrderFilters(), size=2, cursor=page(OrderFilters(), size=2).next_cursor)
    store("new", ordered_at=NOW + timedelta(hours=1))
    back = page(OrderFilters(), size=10, cursor=second.previous_cursor, direction="previous")
    assert [order.number for order in back.rows] == ["new", "3", "2", "1", "0"]
    assert back.previous_cursor is None


def test_totals_are_exact_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        store(str(number), name="山田")
    monkeypatch.setattr(listing, "TOTAL_LIMIT", 4)
    assert total(OrderFilters()) == total(OrderFilters(q="山田")) == (4, False)
    monkeypatch.setattr(listing, "TOTAL_LIMIT", 3)
    assert total(OrderFilters()) == total(OrderFilters(q="山田")) == (3, True)
    assert page(OrderFilters(), size=2).total_is_capped


def test_what_fits_on_one_page_needs_no_counting(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        store(str(number), name="山田")
    monkeypatch.setattr(listing, "TOTAL_LIMIT", 1)
    for filters in (OrderFilters(), OrderFilters(q="山田")):
        found = page(filters)
        assert (found.total, found.total_is_capped) == (4, False)


def weights(terms: Terms, *, orders: int, texts: int) -> Weights:
    return Weights(texts=orders, orders=orders, matching=texts, named=texts, asked=grams_of(terms))


@pytest.mark.parametrize("orders", [1, 10**9])  # as the statistics say: too few, too many
@pytest.mark.parametrize("texts", [0, 10**9])
@pytest.mark.parametrize("short_list", [0, 10**9])
@pytest.mark.parametrize("limit", [1, 6, 20])
def test_however_a_search_is_counted_its_total_is_exact_up_to_the_limit(
    monkeypatch: pytest.MonkeyPatch, orders: int, texts: int, short_list: int, limit: int
) -> None:
    for number in range(12):
        status = S.PENDING if number % 4 == 0 else S.NEW
        name = "山田" if number > 2 else "田中"
        store(str(number), name=name, status=status, payment_total=number, ordered_at=NOW + timedelta(number))
    monkeypatch.setattr(search_pages, "weigh", lambda terms: weights(terms, orders=orders, texts=texts))
    monkeypatch.setattr(search_pages, "SHORT_LIST", short_list)
    monkeypatch.setattr(listing, "TOTAL_LIMIT", limit)
    day = NOW.date()
    for filters in (
        OrderFilters(q="山田"),
        OrderFilters(q="山田", status=(S.PENDING,)),
        OrderFilters(q="山田", amount_min=9),
        OrderFilters(name="田中"),
        OrderFilters(q="いない"),
        OrderFilters(q="山", ordered_from=day + timedelta(2), ordered_to=day + timedelta(6)),
    ):
        exact = queryset(filters).count()
        assert total(filters) == (min(exact, limit), exact > limit)


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("limit", [1, 3, 20])
def test_each_way_of_counting_counts_the_same(monkeypatch: pytest.MonkeyPatch, way: Way, limit: int) -> None:
    for number in range(9):
        status = S.PENDING if number % 4 == 0 else S.NEW
        name = "山田" if number % 3 else "田中"
        store(str(number), name=name, status=status, payment_total=number)
    monkeypatch.setattr(search_pages, "cheapest", lambda _sizes, *, limit: (way, 1.0))
    monkeypatch.setattr(listing, "TOTAL_LIMIT", limit)
    for filters in (
        OrderFilters(q="山田"),
        OrderFilters(q="山田", amount_min=4),
        OrderFilters(name="田中", status=(S.PENDING, S.NEW)),
        OrderFilters(q="いない", amount_min=4),
    ):
        exact = queryset(filters).count()
        assert total(filters) == (min(exact, limit), exact > limit)


@pytest.mark.parametrize("is_met_soon", [False, True])
@pytest.mark.parametrize("short_list", [0, 10**9])
@pytest.mark.parametrize("frequent", [0, 100])
@pytest.mark.parametrize(("near", "window", "few"), [(1, 2, 1), (2, 3, 2), (3, 9, 1), (1, 1, 50)])
@pytest.mark.parametrize("at_once", [0, 1, 1_000])
@pytest.mark.parametrize("sort", ["newest", "oldest"])
def test_every_way_of_looking_up_hits_finds_the_same_rows(
    monkeypatch: pytest.MonkeyPatch,
    is_met_soon: bool,
    short_list: int,
    frequent: int,
    near: int,
    window: int,
    few: int,
    at_once: int,
    sort: str,
) -> None:
    for number in range(9):
        name = "山田" if number % 3 else "田中"
        store(str(number), name=name, payment_total=number, ordered_at=NOW + timedelta(days=number))
    monkeypatch.setattr(search, "NEAR_ROWS", near)
    monkeypatch.setattr(search, "WINDOW_ROWS", window)
    monkeypatch.setattr(search, "FEW_HITS", few)
    monkeypatch.setattr(search, "FREQUENT_HITS", frequent)
    monkeypatch.setattr(search_pages, "SHORT_LIST", short_list)
    monkeypatch.setattr(search_pages, "WALKED_AT_ONCE", at_once)
    monkeypatch.setattr(search_pages, "is_met_soon", lambda **_sizes: is_met_soon)
    # A short list is walked through where more texts than that match.
    monkeypatch.setattr(search_pages, "weigh", lambda terms: weights(terms, orders=9, texts=frequent))
    day = NOW.date()
    for filters in (
        OrderFilters(q="山田", sort=sort),
        OrderFilters(q="田中", amount_max=4, sort=sort),
        OrderFilters(q="山田", ordered_from=day + timedelta(2), ordered_to=day + timedelta(6), sort=sort),
    ):
        numbers, cursor = [], None
        for _ in range(9):
            found = page(filters, size=2, cursor=cursor)
            numbers += [order.number for order in found.rows]
            cursor = found.next_cursor
            if cursor is None:
                break
        keys = ("ordered_at", "pk") if sort == "oldest" else ("-ordered_at", "-pk")
        assert numbers == [order.number for order in queryset(filters).order_by(*keys)]


def test_a_text_within_a_rare_condition_does_not_look_through_its_hits_for_each_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The ids that a text matches are one constant: of an array made by the query, PostgreSQL makes no hash."""
    for number in range(3):
        store(str(number), name="山田", payment_status="AUTH", ordered_at=NOW + timedelta(days=number))
    monkeypatch.setattr(search, "NEAR_ROWS", 2)
    monkeypatch.setattr(search, "FREQUENT_HITS", 0)
    monkeypatch.setattr(search_pages, "WALKED_AT_ONCE", 0)
    with CaptureQueriesContext(connection) as asked:
        assert len(page(OrderFilters(q="山田", payment_status=("AUTH",)), size=1).rows) == 1
    (among_hits,) = [query["sql"] for query in asked if "orders_order.id = ANY" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {among_hits}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "InitPlan" not in plan, plan


def test_a_page_and_its_total_are_few_queries() -> None:
    store("a", name="山田")
    store("b", name="山田")
    with CaptureQueriesContext(connection) as plain:
        assert page(OrderFilters(status=(S.NEW,), amount_min=0), size=1).total == 2
    # Rows, a limit of time, the total; the last two in a savepoint of the test's transaction.
    assert len([query for query in plain if "SAVEPOINT" not in query["sql"]]) == 3
    with CaptureQueriesContext(connection) as searched:
        assert page(OrderFilters(q="山田"), size=1).total == 2
    # The nearest texts, how many orders are hidden, those of the list with their number, their rows.
    assert len(searched) == 4


def test_a_frequent_term_shows_its_rows_before_it_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        store(str(number), name="山田")
    monkeypatch.setattr(search, "NEAR_ROWS", 3)
    monkeypatch.setattr(search, "FREQUENT_HITS", 2)
    found = page(OrderFilters(q="山田"), size=2)
    assert (len(found.rows), found.total) == (2, None)
    assert total(OrderFilters(q="山田")) == (4, False)


def test_all_that_match_can_be_frozen_in_the_database() -> None:
    first = store("a", name="山田")
    store("b", name="田中")
    sql, parameters = queryset(OrderFilters(q="山田")).values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE frozen (id bigint)")
        cursor.execute(f"INSERT INTO frozen {sql}", parameters)
        cursor.execute("SELECT id FROM frozen")
        assert cursor.fetchall() == [(first.pk,)]


def test_page_sizes() -> None:
    assert [page_size(typed) for typed in ("10", "100", "55", "", None, "1000")] == [10, 100, 50, 50, 50, 50]


def test_filters_of_a_request_serve_the_list() -> None:
    store("a", name="山田", status=S.PAID)
    assert numbers(OrderFilters.from_query(QueryDict("q=やま&status=6"))) == []
    assert numbers(OrderFilters.from_query(QueryDict("q=山&status=6"))) == ["a"]


@pytest.mark.django_db(transaction=True)
def test_a_frequent_term_is_counted_beside_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        store(str(number), name="山田")
    monkeypatch.setattr(search, "NEAR_ROWS", 3)
    monkeypatch.setattr(search, "FREQUENT_HITS", 2)
    found = page(OrderFilters(q="山田"), size=2)
    assert (len(found.rows), found.total) == (2, 4)


def test_a_list_of_all_orders_or_of_some_対応状況_takes_its_total_from_the_numbers_beside_them() -> None:
    for number in range(3):
        store(str(number), status=S.NEW)
    store("cancelled", status=S.CANCELLED)
    store("pending", status=S.PENDING)
    numbers = counts.status_counts
    with CaptureQueriesContext(connection) as asked:
        everything = page(OrderFilters(), size=1, numbers=numbers)
        some = page(OrderFilters(status=(S.NEW, S.PENDING)), size=1, numbers=numbers)
    assert (everything.total, some.total) == (4, 4)
    assert len(asked) == 2  # the rows of each
    assert page(OrderFilters(status=(S.NEW,), amount_min=0), size=1, numbers=numbers).total == 3
