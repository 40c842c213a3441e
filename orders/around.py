"""Lists between two days of 入金日, 更新日 or お届け日: among which orders to look for them.

Nearly every order is paid, delivered and last changed soon after it was made. So a list between such days lies among
the orders that were made around them, and the few that were paid, changed or delivered far from 受注日 have indexes of
their own. PostgreSQL, which takes all days to be independent of each other, would walk through years of other orders.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q, QuerySet

from cagolab.clock import TOKYO
from orders import conditions
from orders.filters import OrderFilters, midnight
from orders.models import Order
from orders.models.order import DAYS, EARLIEST, LATEST, is_far_from_ordered
from orders.planner import entries_of, sorted_afterwards

# With more orders than this far from 受注日, as after taking over another shop, looking around the days saves nothing.
FAR_AT_MOST: Final = 50_000


@dataclass(frozen=True, kw_only=True)
class Around:
    """Orders made between `since` and `until` (excluded), and those elsewhere that fulfil one of `far`: among these are
    all orders of a list."""

    since: datetime | None
    until: datetime | None
    far: tuple[Q, ...]

    def parts(self, rows: QuerySet[Order]) -> list[QuerySet[Order]]:
        """The list in parts, of which no two have an order in common."""
        near, elsewhere = Q(), Q()
        if self.since is not None:
            near &= Q(ordered_at__gte=self.since)
            elsewhere |= Q(ordered_at__lt=self.since)
        if self.until is not None:
            near &= Q(ordered_at__lt=self.until)
            elsewhere |= Q(ordered_at__gte=self.until)
        parts, others = [rows.filter(near)], rows.filter(elsewhere)
        for each in self.far:
            parts.append(others.filter(each))
            others = others.filter(~each)
        return parts

    def first(self, rows: QuerySet[Order], *, number: int, oldest_first: bool) -> list[int]:
        """Ids of the first orders of a list that is in the order of the screen."""
        near, *far = self.parts(rows)
        found: dict[int, datetime] = {}
        # The planner would look for those that are far in passing.
        for part in (near, *(sorted_afterwards(each, oldest_first=oldest_first) for each in far)):
            found |= dict(part.values_list("pk", "ordered_at")[:number])
        in_order = sorted(found, key=lambda pk: (found[pk], pk), reverse=not oldest_first)
        return in_order[:number]

    def is_beyond(self, rows: QuerySet[Order], elsewhere: Q) -> bool:
        """Whether some order of the list stands elsewhere. Counted: to find one, PostgreSQL would hope to meet it in
        passing."""
        return any(rows.filter(elsewhere, each).count() for each in self.far)

    def count(self, rows: QuerySet[Order], *, limit: int) -> int:
        """How many are on the list; not more than `limit` are counted of each part."""
        near, *far = (part.values("pk")[:limit] for part in self.parts(rows))
        return near.union(*far, all=True).count()


def around(filters: OrderFilters) -> Around | None:
    """None for lists between no such days, and where too many orders are far from 受注日."""
    asked = [name for name in DAYS if getattr(filters, f"{name}_from") or getattr(filters, f"{name}_to")]
    if not asked:
        return None
    entries = [entries_of(f"order_far_{name}") for name in asked]
    if sum(each or 0 for each in entries) > FAR_AT_MOST:
        return None
    since, until = _made_between(filters, asked)
    return Around(
        since=since,
        until=until,
        far=tuple(is_far_from_ordered(DAYS[name]) for name in asked),
    )


def narrowed(filters: OrderFilters) -> OrderFilters:
    """The same list with bounds of 受注日, where no order stands beyond them: for searches, which read texts by 受注日."""
    made = around(filters)
    if made is None:
        return filters
    rows = conditions.without_terms(filters)
    since, until = filters.ordered_from, filters.ordered_to
    if made.since is not None and not made.is_beyond(rows, Q(ordered_at__lt=made.since)):
        first = made.since.astimezone(TOKYO).date()
        since = first if since is None else max(since, first)
    if made.until is not None and not made.is_beyond(rows, Q(ordered_at__gte=made.until)):
        last = made.until.astimezone(TOKYO).date() - timedelta(days=1)
        until = last if until is None else min(until, last)
    return replace(filters, ordered_from=since, ordered_to=until)


def _made_between(filters: OrderFilters, names: list[str]) -> tuple[datetime | None, datetime | None]:
    first = [getattr(filters, f"{name}_from") for name in names]
    last = [getattr(filters, f"{name}_to") for name in names]
    since = [midnight(day - LATEST) for day in first if day is not None]
    # To the end of the last day, and as much longer as something may come before its order.
    until = [midnight(day + timedelta(days=1) - EARLIEST) for day in last if day is not None]
    return max(since, default=None), min(until, default=None)
