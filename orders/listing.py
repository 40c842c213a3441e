"""Lists of orders at a million rows: one query object, pages by key, totals exact up to a limit."""

from __future__ import annotations

import base64
import binascii
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Literal

from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from cagolab import clock
from orders import beside, conditions, listed
from orders.around import around, narrowed
from orders.beside import Beside
from orders.filters import OrderFilters
from orders.listed import ListedOrder
from orders.models import Order
from orders.planner import sorted_afterwards
from orders.search import matching
from orders.search_pages import Found, Search
from orders.statuses import OrderStatus
from orders.time_limit import within

__all__ = [
    "DEFAULT_PAGE_SIZE",
    "PAGE_SIZES",
    "TOTAL_LIMIT",
    "Direction",
    "OrderFilters",
    "Page",
    "after",
    "cursor_of",
    "page",
    "page_size",
    "queryset",
    "total",
    "up_to_limit",
]

PAGE_SIZES: Final = tuple(range(10, 101, 10))
DEFAULT_PAGE_SIZE: Final = 50
# Totals are exact up to here; beyond, the screen says 10,000 件以上.
TOTAL_LIMIT: Final = 10_000
# Of lists for which PostgreSQL might walk through all orders: where some condition leaves no more than so many, they are
# sorted for a page without further thought; up to so many, if the page is not found within some milliseconds in the
# order of the screen. Of more of them it is found there soon.
SORTED_AT_ONCE: Final = 30_000
SORTED_ROWS: Final = 150_000
WALK_WITHIN_MS: Final = 5
# How long the rows of a page wait for their total.
COUNT_WITHIN_MS: Final = 15
# Matches of a text are counted beside the rows where that should take no longer.
SOON_MS: Final = 60

Direction = Literal["next", "previous"]
Key = tuple[datetime, int]
# Stands in a statement for the key that a page lies beyond.
_ANY_KEY: Final = (object(), object())


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of a list. A cursor is None where there is nothing in that direction.

    Whoever asks for the total last waits least: it may still be counted beside the rows, and is waited for then.
    """

    rows: list[ListedOrder]
    next_cursor: str | None
    previous_cursor: str | None
    count: Callable[[], tuple[int | None, bool]] = field(repr=False)

    @property
    def total(self) -> int | None:
        """Exact up to TOTAL_LIMIT. None: counting would have kept the rows waiting, it has to be asked for."""
        return self.count()[0]

    @property
    def total_is_capped(self) -> bool:
        """There are more than `total`."""
        return self.count()[1]


def page(
    filters: OrderFilters,
    *,
    size: int = DEFAULT_PAGE_SIZE,
    cursor: str | None = None,
    direction: Direction = "next",
    numbers: Callable[[], Mapping[OrderStatus, int]] | None = None,
) -> Page:
    """The page beyond a cursor; the first page without one, with one that is not ours, or beyond the end.

    `numbers` of orders per 対応状況, where the caller knows them by then, save counting a list without other conditions.
    """
    key = _read_cursor(cursor)
    backwards = key is not None and direction == "previous"
    asked = filters
    if filters.terms:
        filters = narrowed(filters)
    search = _search(filters) if filters.terms else None
    counting = Beside(
        lambda: None if search is None else search.total(limit=TOTAL_LIMIT + 1, within_ms=SOON_MS),
        key=asked,
    )
    rows, more, searched = _rows(
        filters, search, size=size, beyond=key, backwards=backwards, when_many=counting.start
    )
    if key is not None and (not rows or (backwards and not more)):
        # Nothing is left beyond the key, or the first page is reached: shown whole, with what has arrived since.
        key, backwards = None, False
        rows, more, searched = _rows(
            filters, search, size=size, beyond=None, backwards=False, when_many=counting.start
        )
    has_next = True if backwards else more
    has_previous = more if backwards else key is not None

    # Not cached_property, which up to Python 3.11 lets one page of a process count at a time.
    @functools.cache
    def count() -> tuple[int | None, bool]:
        if not has_next and not has_previous:
            return len(rows), False
        if numbers is not None and filters.is_status_only:
            known = numbers()
            found, is_capped = up_to_limit(sum(known[status] for status in conditions.shown(filters)))
            return max(found, len(rows)), is_capped
        found_in_time, is_capped = _counted(filters, searched, counting)
        return None if found_in_time is None else max(found_in_time, len(rows)), is_capped

    return Page(
        rows=rows,
        next_cursor=cursor_of(rows[-1]) if has_next and rows else None,
        previous_cursor=cursor_of(rows[0]) if has_previous and rows else None,
        count=count,
    )


def _counted(
    filters: OrderFilters, searched: Found | None, counting: Beside[int | None]
) -> tuple[int | None, bool]:
    """The total for a page, if it is known by now or counting takes no time."""
    if searched is None:
        return within(COUNT_WITHIN_MS, lambda: total(filters)) or (None, False)
    known = counting.answer() if searched.total is None else searched.total
    return (None, False) if known is None else up_to_limit(known)


def page_size(typed: str | None) -> int:
    """One of PAGE_SIZES; the default for anything else."""
    return next((size for size in PAGE_SIZES if str(size) == typed), DEFAULT_PAGE_SIZE)


def queryset(filters: OrderFilters, *, today: date | None = None) -> QuerySet[Order]:
    """All orders that match, unsorted and unsliced: for exports, and for freezing them by INSERT … SELECT."""
    rows = conditions.without_terms(filters, today)
    if terms := filters.terms:
        rows = rows.filter(pk__in=matching(terms).values("order_id"))
    return rows


def total(filters: OrderFilters) -> tuple[int, bool]:
    """How many match, up to a limit, and whether there are, or may be, more."""
    if filters.terms:
        # A page of this list may have gone without its total just now.
        found = beside.left(filters)
        if found is None:
            found = _search(narrowed(filters)).total(limit=TOTAL_LIMIT + 1)
        assert found is not None, "however long it takes"
        return up_to_limit(found)
    rows = queryset(filters)
    if conditions.is_rare(filters):
        # In the order of the partial index: its condition is rare, and the planner does not know that.
        rows = rows.order_by("-ordered_at", "-id")
    elif (made := around(filters)) is not None:
        return up_to_limit(made.count(rows, limit=TOTAL_LIMIT + 1))
    return up_to_limit(rows[: TOTAL_LIMIT + 1].count())


def _search(filters: OrderFilters) -> Search:
    return Search(
        conditions.without_terms(filters),
        filters.terms,
        at_most=lambda: conditions.at_most(filters),
        is_plain=filters.is_text_only,
    )


def up_to_limit(found: int) -> tuple[int, bool]:
    """What a list says of so many: the number up to TOTAL_LIMIT, and whether there are more."""
    return min(found, TOTAL_LIMIT), found > TOTAL_LIMIT


def _rows(
    filters: OrderFilters,
    search: Search | None,
    *,
    size: int,
    beyond: Key | None,
    backwards: bool,
    when_many: Callable[[], None],
) -> tuple[list[ListedOrder], bool, Found | None]:
    """Up to `size` orders beyond a key in the order of the screen, whether there are more that way, and what a search
    has found. An index tells which; only these are read."""
    oldest_first = (filters.sort == "oldest") != backwards
    rows = functools.partial(_in_order, filters, beyond=beyond, oldest_first=oldest_first)
    searched = None
    if search is not None:
        in_range = conditions.shortest_range(filters)
        is_sorted = in_range is not None and in_range <= SORTED_ROWS
        searched = search.rows(
            sorted_afterwards(rows(), oldest_first=oldest_first) if is_sorted else rows(),
            size=size,
            beyond=beyond,
            oldest_first=oldest_first,
            is_sorted=is_sorted,
            when_many=when_many,
        )
        found = listed.read(searched.ids)
    elif (shortest := conditions.shortest(filters)) is None:
        found = _first_rows(filters, rows=size + 1, beyond=beyond, oldest_first=oldest_first)
    else:
        ids, number = _first_ids(
            filters, rows(), number=size + 1, shortest=shortest, oldest_first=oldest_first
        )
        if number is not None and beyond is None:
            searched = Found(ids, total=number)
        found = listed.read(ids)
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    return found, more, searched


def _first_ids(
    filters: OrderFilters, rows: QuerySet[Order], *, number: int, shortest: int, oldest_first: bool
) -> tuple[list[int], int | None]:
    """Ids of the first orders on a list: sorted where one condition leaves few, and then also how many there are; else in
    the order of the screen, from where the first one may stand."""

    def walked() -> list[int]:
        made = around(filters)
        if made is None:
            return list(rows[:number].values_list("pk", flat=True))
        return made.first(rows, number=number, oldest_first=oldest_first)

    if shortest > SORTED_ROWS:
        return walked(), None
    if shortest > SORTED_AT_ONCE:
        found = within(WALK_WITHIN_MS, walked)
        if found is not None:
            return found, None
    return listed.first_and_number(rows, number=number, oldest_first=oldest_first)


def _in_order(
    filters: OrderFilters, *, beyond: Key | None, oldest_first: bool, today: date | None = None
) -> QuerySet[Order]:
    order = ("ordered_at", "id") if oldest_first else ("-ordered_at", "-id")
    rows = conditions.without_terms(filters, today).order_by(*order)
    return rows if beyond is None else rows.filter(after(beyond, oldest_first=oldest_first))


def _first_rows(
    filters: OrderFilters, *, rows: int, beyond: Key | None, oldest_first: bool
) -> list[ListedOrder]:
    """The first orders beyond a key, as an index yields them."""
    today = None if filters.deadline is None else clock.today()
    sql, parameters = _statement(
        filters, today, rows=rows, has_key=beyond is not None, oldest_first=oldest_first
    )
    if beyond is not None:
        places: dict[int, Any] = {id(place): part for place, part in zip(_ANY_KEY, beyond, strict=True)}
        parameters = [places.get(id(each), each) for each in parameters]
    return listed.read_chosen(sql, parameters, oldest_first=oldest_first)


# Composing it takes Django longer than PostgreSQL takes to answer, and operators leaf through the same few lists.
@functools.lru_cache(maxsize=500)
def _statement(
    filters: OrderFilters, today: date | None, *, rows: int, has_key: bool, oldest_first: bool
) -> tuple[str, Sequence[Any]]:
    """SELECT of the ids of so many orders, and its parameters; with _ANY_KEY where a key is to be put in."""
    key: Any = _ANY_KEY if has_key else None
    chosen = _in_order(filters, beyond=key, oldest_first=oldest_first, today=today)
    sql, parameters = chosen.values("pk")[:rows].query.sql_with_params()
    return sql, tuple(parameters)


def after(key: Key, *, oldest_first: bool) -> RawSQL:
    """Beyond the key. Both columns compared as one bound the scan of an index; OR would not."""
    sign = ">" if oldest_first else "<"
    sql = f"(orders_order.ordered_at, orders_order.id) {sign} (%s, %s)"
    return RawSQL(sql, key, BooleanField())  # noqa: S611


def cursor_of(order: ListedOrder | Order) -> str:
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
