"""The conditions of a list as PostgreSQL is asked them, all but the texts; and what its indexes know of their number."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import Q, QuerySet

from cagolab import clock
from orders import search_text
from orders.filters import OrderFilters, midnight
from orders.models import Order
from orders.models.order import (
    AMOUNT_DIFFERS,
    CANCELLED_WITH_LIVE_MONEY,
    HAS_DEADLINE,
    PAYMENT_OPEN,
    SHIPPED_NOT_CAPTURED,
)
from orders.planner import entries_of, expected_rows
from orders.statuses import HIDDEN_BY_DEFAULT, OrderStatus

# Conditions that few orders fulfil, each with the index that holds just these.
_RARE: Final = {
    "differs": (AMOUNT_DIFFERS, "order_differing_listed"),
    "open": (PAYMENT_OPEN, "order_open_listed"),
    "live": (CANCELLED_WITH_LIVE_MONEY, "order_live_listed"),
    "uncaptured": (SHIPPED_NOT_CAPTURED, "order_uncaptured_listed"),
}


def shown(filters: OrderFilters) -> Collection[OrderStatus]:
    """The 対応状況 that a list shows: those asked for, otherwise all but the hidden ones (PG-7)."""
    return filters.status or [status for status in OrderStatus if status not in HIDDEN_BY_DEFAULT]


def without_terms(filters: OrderFilters, today: date | None = None) -> QuerySet[Order]:
    """The orders that fulfil every condition but the texts, unsorted. `today` is what 与信期限 counts from."""
    is_shown = Q(status__in=filters.status) if filters.status else ~Q(status__in=sorted(HIDDEN_BY_DEFAULT))
    rows = Order.objects.filter(is_shown)
    for condition in _exact_conditions(filters):
        rows = rows.filter(condition)
    for condition in _range_conditions(filters):
        rows = rows.filter(condition)
    for name, (condition, _index) in _RARE.items():
        if getattr(filters, name):
            rows = rows.filter(condition)
    if filters.deadline is not None:
        first = today or clock.today()
        rows = rows.filter(HAS_DEADLINE, payment_deadline__lte=first + timedelta(days=filters.deadline))
    return rows


def is_rare(filters: OrderFilters) -> bool:
    """Whether an index of few orders answers it."""
    return any(getattr(filters, name) for name in _RARE)


def at_most(filters: OrderFilters) -> int | None:
    """About how many orders stand in the index of a rare condition. The planner takes the columns of such a condition
    to be independent of each other and expects many."""
    known = [entries_of(index) for name, (_condition, index) in _RARE.items() if getattr(filters, name)]
    return min((entries for entries in known if entries is not None), default=None)


def _exact_conditions(filters: OrderFilters) -> list[Q]:
    conditions = []
    if filters.number:
        conditions.append(Q(number=search_text.plain_code(filters.number)))
    if filters.tracking:
        conditions.append(_tracking(filters))
    if filters.method:
        conditions.append(Q(payment_method_id__in=filters.method))
    if filters.payment_status:
        conditions.append(Q(payment_status__in=filters.payment_status))
    if filters.payment_kind:
        conditions.append(Q(payment_kind__in=filters.payment_kind))
    if filters.provider:
        conditions.append(_is_at(filters))
    return conditions


def _is_at(filters: OrderFilters) -> Q:
    """The payment is at one of the providers, or there is none and the お支払方法 leads there."""
    paid = Q(payment_provider__in=filters.provider)
    if not filters.unpaid_method:
        return paid
    unpaid = Q(payment_provider="", payment_method_id__in=filters.unpaid_method)
    # The first condition says nothing new, but an index begins with it.
    return Q(payment_provider__in=(*filters.provider, "")) & (paid | unpaid)


def _range_conditions(filters: OrderFilters) -> list[Q]:
    conditions = []
    if filters.amount_min is not None:
        conditions.append(Q(payment_total__gte=filters.amount_min))
    if filters.amount_max is not None:
        conditions.append(Q(payment_total__lte=filters.amount_max))
    conditions += [Q(**bounds) for bounds in _bounds(filters, ("ordered", "paid", "updated", "delivery"))]
    return conditions


def _tracking(filters: OrderFilters) -> Q:
    return ~Q(tracking_number="") & Q(tracking_number__startswith=search_text.plain_code(filters.tracking))


def _bounds(filters: OrderFilters, names: Iterable[str]) -> Iterator[dict[str, date | datetime]]:
    """For each of the days that are asked for, the bounds of its column."""
    for name in names:
        first, last = getattr(filters, f"{name}_from"), getattr(filters, f"{name}_to")
        bounds: dict[str, date | datetime] = {}
        if name == "delivery":
            bounds |= {"delivery_date__gte": first} if first else {}
            bounds |= {"delivery_date__lte": last} if last else {}
        else:
            bounds |= {f"{name}_at__gte": midnight(first)} if first else {}
            bounds |= {f"{name}_at__lt": midnight(last + timedelta(days=1))} if last else {}
        if bounds:
            yield bounds


def shortest_range(filters: OrderFilters) -> int | None:
    """About how many orders there are in the range that holds the fewest, of those by whose index a page could be
    made; None where no such range is asked for, or a rare condition has an index of its own."""
    if is_rare(filters):
        return None
    ranges = [Q(**bounds) for bounds in _bounds(filters, ("paid", "updated", "delivery"))]
    if filters.tracking:
        ranges.append(_tracking(filters))
    return min((expected_rows(Order.objects.filter(each)) for each in ranges), default=None)
