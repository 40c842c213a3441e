"""Rows of 決済状況一覧 in words: what a cell shows is made here once, so that the template only puts it down."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from django.utils.safestring import SafeString

from orders.models import Order
from orders.views.list_rows import STATUS_LABELS, address_pattern, day, minute, words
from payments.models import LIVE_STATUSES


class PaymentRow(TypedDict):
    """One row, all words escaped already. `order` itself is there for the tags that draw badge and deadline."""

    order: Order
    pk: SafeString
    number: SafeString
    name: SafeString
    ordered_at: SafeString
    payment_method: SafeString
    status: SafeString
    status_label: SafeString
    payment_total: SafeString
    # Money is held or taken in another amount than the order asks for: that amount, else empty.
    differing_amount: SafeString
    paid_on: SafeString
    has_deadline: bool
    address: SafeString


def payment_rows(orders: Iterable[Order]) -> list[PaymentRow]:
    """The rows of a page, from the orders' own columns; no query."""
    address = address_pattern("orders:edit") + "#payment"
    return [
        {
            "order": order,
            "pk": SafeString(order.pk),
            "number": words(order.number),
            "name": words(order.name),
            "ordered_at": minute(order.ordered_at),
            "payment_method": words(order.payment_method_name),
            "status": SafeString(order.status),
            "status_label": STATUS_LABELS[order.status],
            "payment_total": SafeString(f"{order.payment_total:,}"),
            "differing_amount": _differing_amount(order),
            "paid_on": day(order.paid_at),
            "has_deadline": order.payment_deadline is not None,
            "address": SafeString(address % order.pk),
        }
        for order in orders
    ]


def _differing_amount(order: Order) -> SafeString:
    if order.payment_status not in LIVE_STATUSES or order.payment_amount == order.payment_total:
        return SafeString("")
    return SafeString(f"{order.payment_amount:,}")
