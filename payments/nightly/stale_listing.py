"""What the screens of 決済処理中の注文の取消 show, however many orders were given up: pages by key, and totals that are
exact up to a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q

from orders import listing
from orders.models import Order
from payments.models import StaleCase, StaleRun
from payments.nightly import stale_worklist

PAGE_SIZE: Final = 50

# What needs a person stands first; what is not tried again waits for nothing that could be told.
_SHOWN: Final = (
    (StaleCase.State.WAITING, Q(tries__gt=0)),
    (StaleCase.State.PERSON, Q()),
    (StaleCase.State.LEFT, Q()),
    (StaleCase.State.CANCELLED, Q()),
)


@dataclass(frozen=True, kw_only=True)
class OrderPage:
    """Orders, oldest first; `next_after` is the last one's id where more follow.

    `total` is exact up to TOTAL_LIMIT; when `total_is_capped` there are more.
    """

    orders: Sequence[Order]
    next_after: int | None
    total: int
    total_is_capped: bool


@dataclass(frozen=True, kw_only=True)
class CasePage:
    """Cases of a run with their orders; `next_after` is the last one's id where more follow."""

    cases: Sequence[StaleCase]
    next_after: int | None


def orders(now: datetime, *, pending_days: int, cart_days: int, after: int | None) -> OrderPage:
    """The orders that would be taken now, those behind the order `after`; the first ones without, or at the end."""
    given_up = stale_worklist.stale_by_status(now, pending_days=pending_days, cart_days=cart_days)
    key = Order.objects.filter(pk=after).values_list("ordered_at", "pk").first() if after else None
    behind = Q() if key is None else listing.after(key, oldest_first=True)
    # Each status from its own index: asked for both at once, the planner would walk all orders by date.
    pages = [
        each.filter(behind).order_by("ordered_at", "pk").values("pk", "ordered_at")[: PAGE_SIZE + 1]
        for each in given_up
    ]
    found = pages[0].union(*pages[1:], all=True).order_by("ordered_at", "pk")[: PAGE_SIZE + 1]
    ids = [row["pk"] for row in found]
    if key is not None and not ids:
        return orders(now, pending_days=pending_days, cart_days=cart_days, after=None)
    shown = list(Order.objects.filter(pk__in=ids[:PAGE_SIZE]).order_by("ordered_at", "pk"))
    counted = [each.values("pk")[: listing.TOTAL_LIMIT + 1] for each in given_up]
    total, is_capped = listing.up_to_limit(counted[0].union(*counted[1:], all=True).count())
    return OrderPage(
        orders=shown,
        next_after=ids[PAGE_SIZE - 1] if len(ids) > PAGE_SIZE else None,
        total=total,
        total_is_capped=is_capped,
    )


def cases(run: StaleRun, *, after: int | None) -> CasePage:
    """The cases of a run that have a result or wait for another try, those behind the case `after`."""
    last = StaleCase.objects.filter(run=run, pk=after).first() if after else None
    states = [state for state, _ in _SHOWN]
    first = states.index(StaleCase.State(last.state)) if last and last.state in states else 0
    found: list[StaleCase] = []
    for place, (state, condition) in enumerate(_SHOWN[first:]):
        rows = StaleCase.objects.filter(condition, run=run, state=state)
        if last and place == 0 and last.state == state:
            rows = rows.filter(pk__gt=last.pk)
        found += rows.select_related("order").order_by("pk")[: PAGE_SIZE + 1 - len(found)]
        if len(found) > PAGE_SIZE:
            break
    return CasePage(
        cases=found[:PAGE_SIZE], next_after=found[PAGE_SIZE - 1].pk if len(found) > PAGE_SIZE else None
    )
