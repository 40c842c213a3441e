"""Lists between days of 入金日, 更新日 or お届け日: looked for around these days, and never without the others."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.db import connection

from cagolab.clock import TOKYO
from orders import around as module
from orders import listing, search_text
from orders.around import around, narrowed
from orders.listing import OrderFilters, page, queryset, total
from orders.models import Order
from orders.models.order import is_far_from_ordered
from tests.orders.shop import NOW, make_method

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 20)
# From 受注日 on; what lies at or beyond the bounds of what is usual, and between them.
DAYS_LATER = (-3, -2, -1, 0, 1, 30, 59, 60, 61, 300)
EVERY_WAY = pytest.mark.parametrize(
    ("sorted_at_once", "sorted_rows"),
    [(10**9, 10**9), (-1, 10**9), (-1, -1)],
    ids=["sorted", "tried", "walked"],
)


@pytest.fixture
def shop() -> None:
    method = make_method()
    Order.objects.bulk_create(
        Order(
            number=f"{made}/{later}",
            ordered_at=NOW - timedelta(days=made * 40),
            paid_at=NOW - timedelta(days=made * 40 - later) if made % 3 else None,
            updated_at=NOW - timedelta(days=made * 40 - 2 * later),
            delivery_date=TODAY - timedelta(days=made * 40 - 3 * later) if made % 2 else None,
            name="山田" if (made + later) % 3 else "田中",
            payment_method=method,
            payment_total=made,
        )
        for made in range(8)
        for later in DAYS_LATER
    )
    for order in Order.objects.all():
        search_text.refresh(order)


def ways_of_asking() -> list[OrderFilters]:
    first, last = TODAY - timedelta(days=200), TODAY - timedelta(days=70)
    return [
        OrderFilters(paid_from=first),
        OrderFilters(paid_to=last),
        OrderFilters(paid_from=first, paid_to=last, sort="oldest"),
        OrderFilters(updated_to=first, sort="oldest"),
        OrderFilters(updated_from=last, amount_min=2),
        OrderFilters(delivery_from=first, delivery_to=first),
        OrderFilters(delivery_to=last, updated_from=first),
        OrderFilters(paid_to=first, updated_from=last, delivery_from=first),
        OrderFilters(paid_from=last, ordered_to=last),
        OrderFilters(q="山田", paid_from=first, paid_to=last),
        OrderFilters(name="田", updated_to=first),
        OrderFilters(q="田中", delivery_from=last, updated_from=first, sort="oldest"),
    ]


@EVERY_WAY
@pytest.mark.parametrize("far_at_most", [0, -1], ids=["few are far", "too many are far"])
def test_however_it_is_looked_for_the_list_is_the_same(
    monkeypatch: pytest.MonkeyPatch, shop: None, sorted_at_once: int, sorted_rows: int, far_at_most: int
) -> None:
    monkeypatch.setattr(listing, "SORTED_AT_ONCE", sorted_at_once)
    monkeypatch.setattr(listing, "SORTED_ROWS", sorted_rows)
    monkeypatch.setattr(listing, "WALK_WITHIN_MS", 60_000)
    monkeypatch.setattr(module, "FAR_AT_MOST", far_at_most)
    for filters in ways_of_asking():
        keys = ("ordered_at", "pk") if filters.sort == "oldest" else ("-ordered_at", "-pk")
        exact = list(queryset(filters).order_by(*keys).values_list("number", flat=True))
        pages = [page(filters, size=7)]
        while cursor := pages[-1].next_cursor:
            pages.append(page(filters, size=7, cursor=cursor))
        assert [order.number for each in pages for order in each.rows] == exact
        # Of a search the total may come later.
        assert {each.total for each in pages} - ({None} if filters.terms else set()) == {len(exact)}
        assert total(filters) == (len(exact), False)
        if previous := pages[-1].previous_cursor:
            back = page(filters, size=7, cursor=previous, direction="previous")
            assert [order.number for order in back.rows] == exact[7 * (len(pages) - 2) :][:7]


def test_what_was_made_long_before_or_after_is_left_out_of_the_look_around() -> None:
    made = around(OrderFilters(paid_from=date(2026, 3, 1), updated_to=date(2026, 4, 30)))
    assert made is not None
    assert made.since is not None
    assert made.until is not None
    assert made.since.astimezone(TOKYO).date() == date(2025, 12, 31), "sixty days before"
    assert made.until.astimezone(TOKYO).date() == date(2026, 5, 2), "the day after is the last one"


@pytest.mark.parametrize(
    ("paid", "bounds"),
    [
        (60, (date(2026, 6, 9), date(2026, 8, 19))),
        (61, (None, date(2026, 8, 19))),
        (-2, (date(2026, 6, 9), None)),
    ],
    ids=["in time", "late", "early"],
)
def test_a_search_looks_at_certain_days_of_受注日_only_where_no_order_is_beyond_them(
    paid: int, bounds: tuple[date | None, date | None]
) -> None:
    filters = OrderFilters(q="山田", paid_from=date(2026, 8, 8), paid_to=date(2026, 8, 18))
    on = datetime(2026, 8, 8 if paid > 0 else 18, 12, tzinfo=TOKYO)
    Order.objects.create(
        number="1", ordered_at=on - timedelta(days=paid), paid_at=on, payment_method=make_method()
    )
    found = narrowed(filters)
    assert (found.ordered_from, found.ordered_to) == bounds


def test_a_search_keeps_the_days_of_受注日_that_were_asked_for() -> None:
    filters = OrderFilters(
        paid_from=date(2026, 8, 8),
        paid_to=date(2026, 8, 18),
        ordered_from=date(2026, 8, 1),
        ordered_to=date(2026, 9, 1),
    )
    found = narrowed(filters)
    assert (found.ordered_from, found.ordered_to) == (date(2026, 8, 1), date(2026, 8, 19))


def test_lists_between_no_such_days_are_not_looked_for_around_any() -> None:
    assert around(OrderFilters(ordered_from=TODAY, amount_min=1)) is None


@pytest.mark.parametrize(
    ("name", "column"), [("paid", "paid_at"), ("updated", "updated_at"), ("delivery", "delivery_date")]
)
def test_the_far_ones_are_read_from_their_own_index(name: str, column: str) -> None:
    """The condition of lists is the index's own: PostgreSQL sees only by its words that it is."""
    sql, parameters = Order.objects.filter(is_far_from_ordered(column)).values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_indexdef(%s::regclass)", [f"order_far_{name}"])
        (definition,) = cursor.fetchone()
        # A table that has no other index, so that none can be preferred.
        cursor.execute("CREATE TEMP TABLE alone (LIKE orders_order)")
        cursor.execute(definition.replace("ON public.orders_order", "ON alone"))
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {sql.replace('orders_order', 'alone')}", parameters)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert f"order_far_{name}" in plan, plan


@EVERY_WAY
def test_a_total_beyond_the_limit_is_told_as_such(
    monkeypatch: pytest.MonkeyPatch, shop: None, sorted_at_once: int, sorted_rows: int
) -> None:
    monkeypatch.setattr(listing, "SORTED_AT_ONCE", sorted_at_once)
    monkeypatch.setattr(listing, "SORTED_ROWS", sorted_rows)
    monkeypatch.setattr(listing, "TOTAL_LIMIT", 9)
    for filters in ways_of_asking():
        exact = queryset(filters).count()
        assert total(filters) == (min(exact, 9), exact > 9)
        found = page(filters, size=5)
        if exact > 5:
            assert (found.total, found.total_is_capped) == (min(exact, 9), exact > 9)
