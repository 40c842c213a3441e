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
    DAYS,
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
    rows = Order.objects.all()
    if not filters.status:
        rows = rows.filter(~Q(status__in=sorted(HIDDEN_BY_DEFAULT)))
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
    conditions += _of_values(filters)
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
    return [_amount(filters), *(Q(**bounds) for bounds in _bounds(filters, ("ordered", *DAYS)))]


def _amount(filters: OrderFilters) -> Q:
    bounds = {"payment_total__gte": filters.amount_min, "payment_total__lte": filters.amount_max}
    return Q(**{name: bound for name, bound in bounds.items() if bound is not None})


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


def shortest(filters: OrderFilters) -> int | None:
    """About how many orders fulfil the condition that the fewest fulfil, of those with an index; None for lists that
    the planner may be left alone with.

    That is where one index holds the order of the screen and the rarest condition, too. It does not where days are
    asked for that are no 受注日, or one of several values; then the planner may hope to meet a page in passing.
    """
    if is_rare(filters):
        return None
    ranges, others = _ranges(filters), _indexed(filters)
    has_several = any(len(values) > 1 for values in _values(filters).values())
    if not ranges and not (has_several and len(others) > 1):
        return None
    return min(expected_rows(Order.objects.filter(each)) for each in (*ranges, *others))


def shortest_range(filters: OrderFilters) -> int | None:
    """The same of the ranges alone; None where none is asked for, or a rare condition has an index of its own."""
    if is_rare(filters):
        return None
    return min((expected_rows(Order.objects.filter(each)) for each in _ranges(filters)), default=None)


def _ranges(filters: OrderFilters) -> list[Q]:
    """Of the days but 受注日, and of お問い合わせ番号."""
    ranges = [Q(**bounds) for bounds in _bounds(filters, DAYS)]
    return [*ranges, _tracking(filters)] if filters.tracking else ranges


def _indexed(filters: OrderFilters) -> list[Q]:
    """The other conditions with an index, but the provider's: a shop has one or two."""
    found = _of_values(filters)
    if filters.amount_min is not None or filters.amount_max is not None:
        found.append(_amount(filters))
    if filters.deadline is not None:
        found.append(HAS_DEADLINE)
    return found


def _values(filters: OrderFilters) -> dict[str, tuple[int, ...] | tuple[str, ...]]:
    """The values of which a column may have any, by columns with an index in the order of the screen."""
    return {
        "status": filters.status,
        "payment_method_id": filters.method,
        "payment_status": filters.payment_status,
        "payment_kind": filters.payment_kind,
    }


def _of_values(filters: OrderFilters) -> list[Q]:
    return [Q(**{f"{name}__in": values}) for name, values in _values(filters).items() if values]
