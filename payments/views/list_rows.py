"""Rows of 決済状況一覧 in words: what a cell shows is made here once, so that the template only puts it down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orders.listed import ListedOrder
from orders.models import Order
from orders.views.list_rows import STATUS_LABELS, address_pattern, day, minute
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
