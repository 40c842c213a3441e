"""Rows of 決済状況一覧 in words: what a cell shows is made here, so that the template only puts it down.

A row that was drawn is kept for as long as all that it shows is the same.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from cagolab.templatetags.quick import macro
from orders.listed import ListedOrder
from orders.models import Order
from orders.views.list_rows import KEPT_ROWS, STATUS_LABELS, address_pattern, day, minute
from payments.models import LIVE_STATUSES


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentRow:
    """One row; the template escapes it. `order` itself is there for badge and deadline."""

    order: ListedOrder | Order
    pk: int
    number: str
    name: str
    ordered_at: str
    payment_method: str
    status: int
    status_label: str
    payment_total: str
    # Money is held or taken in another amount than the order asks for: that amount, else empty.
    differing_amount: str
    paid_on: str
    has_deadline: bool
    address: str


def drawn_rows(orders: Iterable[ListedOrder], *, can_select: bool, today: date) -> list[bytes]:
    """The rows of a page as they are sent; no query."""
    return [_drawn(order, can_select, today) for order in orders]


@functools.lru_cache(maxsize=KEPT_ROWS)
def _drawn(order: ListedOrder, can_select: bool, today: date) -> bytes:
    (row,) = payment_rows([order])
    return macro("payments/payment_row.jinja", "payment_row")(row, can_select, today).encode()


def payment_rows(orders: Iterable[ListedOrder | Order]) -> list[PaymentRow]:
    """The rows of a page, from the orders' own columns; no query."""
    address = address_pattern("orders:edit") + "#payment"
    return [
        PaymentRow(
            order=order,
            pk=order.pk,
            number=order.number,
            name=order.name,
            ordered_at=minute(order.ordered_at),
            payment_method=order.payment_method_name,
            status=order.status,
            status_label=STATUS_LABELS[order.status],
            payment_total=f"{order.payment_total:,}",
            differing_amount=_differing_amount(order),
            paid_on=day(order.paid_at),
            has_deadline=order.payment_deadline is not None,
            address=address % order.pk,
        )
        for order in orders
    ]


def _differing_amount(order: ListedOrder | Order) -> str:
    if order.payment_status not in LIVE_STATUSES or order.payment_amount == order.payment_total:
        return ""
    return f"{order.payment_amount:,}"
