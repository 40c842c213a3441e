"""Lists of orders at a million rows: one query object, pages by key, totals exact up to a limit."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Literal

from django.db import connection
from django.db.models import BooleanField, DateTimeField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.expressions import RawSQL

from cagolab import clock
from cagolab.clock import TOKYO
from orders import search
from orders.filters import OrderFilters, midnight
from orders.models import Order
from orders.models.order import (
    AMOUNT_DIFFERS,
    CANCELLED_WITH_LIVE_MONEY,
    HAS_DEADLINE,
    PAYMENT_OPEN,
    SHIPPED_NOT_CAPTURED,
)
from orders.statuses import HIDDEN_BY_DEFAULT

__all__ = [
    "DEFAULT_PAGE_SIZE",
    "PAGE_SIZES",
    "TOTAL_LIMIT",
    "Direction",
    "OrderFilters",
    "Page",
    "cursor_of",
    "page",
    "page_size",
    "queryset",
    "total",
]

PAGE_SIZES: Final = tuple(range(10, 101, 10))
DEFAULT_PAGE_SIZE: Final = 50
# Totals are exact up to here; beyond, the screen says 10,000 件以上.
TOTAL_LIMIT: Final = 10_000
# With text to search for each hit is a row to be read somewhere in the table, so this may have to be lower one day.
SEARCH_TOTAL_LIMIT: Final = TOTAL_LIMIT
# Hits counted beyond the limit, for those that the other conditions take away again.
COUNTING_SLACK: Final = 250

Direction = Literal["next", "previous"]
Key = tuple[datetime, int]


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of a list. A cursor is None where there is nothing in that direction.

    `total` is exact up to TOTAL_LIMIT, or SEARCH_TOTAL_LIMIT when text is searched for; when `total_is_capped`
    there are at least as many as it says.
    """

    rows: list[Order]
    next_cursor: str | None
    previous_cursor: str | None
    total: int
    total_is_capped: bool


def page(
    filters: OrderFilters,
    *,
    size: int = DEFAULT_PAGE_SIZE,
    cursor: str | None = None,
    direction: Direction = "next",
) -> Page:
    """The page beyond a cursor; the first page without one, with one that is not ours, or beyond the end."""
    key = _read_cursor(cursor)
    backwards = key is not None and direction == "previous"
    rows, more = _rows(filters, size=size, beyond=key, backwards=backwards)
    if key is not None and (not rows or (backwards and not more)):
        # Nothing is left beyond the key, or the first page is reached: shown whole, with what has arrived since.
        key, backwards = None, False
        rows, more = _rows(filters, size=size, beyond=None, backwards=False)
    has_next = True if backwards else more
    has_previous = more if backwards else key is not None
    # All there is stands on the page: nothing to count.
    found, capped = (len(rows), False) if not has_next and not has_previous else total(filters)
    return Page(
        rows=rows,
        next_cursor=cursor_of(rows[-1]) if has_next and rows else None,
        previous_cursor=cursor_of(rows[0]) if has_previous and rows else None,
        total=max(found, len(rows)),
        total_is_capped=capped,
    )


def page_size(typed: str | None) -> int:
    """One of PAGE_SIZES; the default for anything else."""
    return next((size for size in PAGE_SIZES if str(size) == typed), DEFAULT_PAGE_SIZE)


def queryset(filters: OrderFilters, *, today: date | None = None) -> QuerySet[Order]:
    """All orders that match, unsorted and unsliced: for exports, and for freezing them by INSERT … SELECT."""
    rows = _without_terms(filters, today)
    if terms := filters.terms:
        rows = rows.filter(pk__in=search.matching(terms).values("order_id"))
    return rows


def total(filters: OrderFilters) -> tuple[int, bool]:
    """How many match, up to a limit, and whether there are, or may be, more."""
    if filters.terms:
        return _total_of_search(filters)
    rows = queryset(filters)
    if filters.differs or filters.open or filters.live or filters.uncaptured:
        # In the order of the partial index: its condition is rare, and the planner does not know that.
        rows = rows.order_by("-ordered_at", "-id")
    found = rows[: TOTAL_LIMIT + 1].count()
    return min(found, TOTAL_LIMIT), found > TOTAL_LIMIT


def _total_of_search(filters: OrderFilters) -> tuple[int, bool]:
    """How many of the first hits the other conditions leave; exact when there are no more hits than these.

    A common term is counted in the newest orders, because the grams would yield nearly all orders first.
    """
    terms, limit = filters.terms, SEARCH_TOTAL_LIMIT + COUNTING_SLACK
    if search.is_common(terms):
        rows = round(limit / search.COMMON_SHARE * 1.2)
        hits, found = _count(filters, *search.by_date_sql(terms, rows=rows, limit=limit))
        more = hits >= limit or search.has_more_than(terms, rows)
    else:
        hits, found = _count(filters, *search.by_grams_sql(terms, limit=limit))
        more = hits >= limit
    return min(found, SEARCH_TOTAL_LIMIT), more or found > SEARCH_TOTAL_LIMIT


def _count(filters: OrderFilters, hits_sql: str, parameters: list[Any]) -> tuple[int, int]:
    """How many hits there are, and how many of them the other conditions leave (up to the limit)."""
    rows = _without_terms(filters).filter(
        RawSQL("orders_order.id = ANY(ARRAY(SELECT order_id FROM hits))", [], output_field=BooleanField())  # noqa: S611
    )
    rows_sql, rows_parameters = rows.values("pk").query.sql_with_params()
    sql = f"""
        WITH hits AS MATERIALIZED ({hits_sql})
        SELECT (SELECT count(*) FROM hits), (SELECT count(*) FROM ({rows_sql}) AS found)
    """  # noqa: S608  (both parts are made by this package; what was typed is bound)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*parameters, *rows_parameters])
        hits, found = cursor.fetchone()
    return hits, found


def _rows(
    filters: OrderFilters, *, size: int, beyond: Key | None, backwards: bool
) -> tuple[list[Order], bool]:
    """Up to `size` rows beyond a key in the order of the screen, and whether there are more that way."""
    oldest_first = (filters.sort == "oldest") != backwards
    order = ("ordered_at", "id") if oldest_first else ("-ordered_at", "-id")
    rows = _without_terms(filters).order_by(*order)
    if beyond is not None:
        rows = rows.filter(_after(beyond, oldest_first))
    if terms := filters.terms:
        found = _searched_rows(rows, terms, size=size, beyond=beyond, oldest_first=oldest_first)
    else:
        # An index tells which rows stand on the page; only these are read.
        found = list(Order.objects.filter(pk__in=rows.values("pk")[: size + 1]).order_by(*order))
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    return found, more


def _searched_rows(
    rows: QuerySet[Order], terms: search.Terms, *, size: int, beyond: Key | None, oldest_first: bool
) -> list[Order]:
    """Up to one row more than `size`; most conditions leave enough of the nearest hits."""
    # Sorted by what no index holds: the planner would walk an index by date and look for the hits in passing.
    at = ExpressionWrapper(F("ordered_at") + timedelta(0), output_field=DateTimeField())
    rows = rows.order_by(at.asc(), "id") if oldest_first else rows.order_by(at.desc(), "-id")
    found: list[Order] = []
    for helping in search.candidates(terms, beyond=beyond, oldest_first=oldest_first):
        nearest = helping.ids[: 3 * size]
        found = list(rows.filter(_is_one_of(nearest))[: size + 1])
        if len(found) <= size and len(nearest) < len(helping.ids):
            found = list(rows.filter(_is_one_of(helping.ids))[: size + 1])
        if len(found) > size or helping.complete:
            break
    return found


def _is_one_of(ids: list[int]) -> RawSQL:
    """As one array: thousands of literals would take longer to parse than to look up."""
    return RawSQL(
        "orders_order.id = ANY(ARRAY(SELECT unnest(%s::bigint[])))", [ids], output_field=BooleanField()
    )  # noqa: S611


def _after(key: Key, oldest_first: bool) -> Q:
    """Beyond the key. The first condition alone bounds the index scan; OR alone would not."""
    at, pk = key
    if oldest_first:
        return Q(ordered_at__gte=at) & (Q(ordered_at__gt=at) | Q(id__gt=pk))
    return Q(ordered_at__lte=at) & (Q(ordered_at__lt=at) | Q(id__lt=pk))


def _without_terms(filters: OrderFilters, today: date | None = None) -> QuerySet[Order]:
    shown = Q(status__in=filters.status) if filters.status else ~Q(status__in=sorted(HIDDEN_BY_DEFAULT))
    rows = Order.objects.filter(shown)
    for condition in _exact_conditions(filters):
        rows = rows.filter(condition)
    for condition in _range_conditions(filters):
        rows = rows.filter(condition)
    for wanted, condition in (
        (filters.differs, AMOUNT_DIFFERS),
        (filters.open, PAYMENT_OPEN),
        (filters.live, CANCELLED_WITH_LIVE_MONEY),
        (filters.uncaptured, SHIPPED_NOT_CAPTURED),
    ):
        if wanted:
            rows = rows.filter(condition)
    if filters.deadline is not None:
        first = today or clock.now().astimezone(TOKYO).date()
        rows = rows.filter(HAS_DEADLINE, payment_deadline__lte=first + timedelta(days=filters.deadline))
    return rows


def _exact_conditions(filters: OrderFilters) -> list[Q]:
    conditions = []
    if filters.number:
        conditions.append(Q(number=search.plain_code(filters.number)))
    if filters.tracking:
        conditions.append(
            ~Q(tracking_number="") & Q(tracking_number__startswith=search.plain_code(filters.tracking))
        )
    if filters.method:
        conditions.append(Q(payment_method_id__in=filters.method))
    if filters.payment_status:
        conditions.append(Q(payment_status__in=filters.payment_status))
    if filters.payment_kind:
        conditions.append(Q(payment_kind__in=filters.payment_kind))
    if filters.provider:
        unpaid = Q(payment_id__isnull=True, payment_method_id__in=filters.unpaid_method)
        conditions.append(Q(payment_provider__in=filters.provider) | unpaid)
    return conditions


def _range_conditions(filters: OrderFilters) -> list[Q]:
    conditions = []
    if filters.amount_min is not None:
        conditions.append(Q(payment_total__gte=filters.amount_min))
    if filters.amount_max is not None:
        conditions.append(Q(payment_total__lte=filters.amount_max))
    for column, first, last in (
        ("ordered_at", filters.ordered_from, filters.ordered_to),
        ("paid_at", filters.paid_from, filters.paid_to),
        ("updated_at", filters.updated_from, filters.updated_to),
    ):
        if first is not None:
            conditions.append(Q(**{f"{column}__gte": midnight(first)}))
        if last is not None:
            conditions.append(Q(**{f"{column}__lt": midnight(last + timedelta(days=1))}))
    if filters.delivery_from is not None:
        conditions.append(Q(delivery_date__gte=filters.delivery_from))
    if filters.delivery_to is not None:
        conditions.append(Q(delivery_date__lte=filters.delivery_to))
    return conditions


def cursor_of(order: Order) -> str:
    """The cursor from which the rows after this order, or before it, are the next page."""
    microseconds = (order.ordered_at - _EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(f"{microseconds}.{order.pk}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str | None) -> Key | None:
    """The key in a cursor; None for anything that is not one. A key that was made up shows a page, no more."""
    if not cursor or len(cursor) > 80:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode(
            "ascii"
        )
        microseconds, pk = (int(part) for part in text.split("."))
        at = _EPOCH + timedelta(microseconds=microseconds)
    except (ValueError, OverflowError, binascii.Error):
        return None
    return (at, pk) if 0 < pk < 2**63 else None


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
