"""Rows of 受注一覧 in words: what a cell shows is made here once, so that the template only puts it down.

A page has fifty rows of ten columns. Reversing addresses and formatting numbers in the template took most of
the time of a page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from cagolab.clock import TOKYO
from orders.listed import ListedOrder
from orders.statuses import OrderStatus

# Stands for the order's id in an address that is reversed once per page.
_ID = 987654321
_ROUTES = ("edit", "mail", "document", "ship", "tracking")

STATUS_LABELS = {status.value: str(status.label) for status in OrderStatus}


@dataclass(kw_only=True, slots=True)
class OrderRow:
    """One row; the template escapes it. `order` itself is there for the badge of 決済状況 alone."""

    order: ListedOrder
    pk: int
    number: str
    name: str
    ordered_at: str
    payment_method: str
    status: int
    status_label: str
    payment_total: str
    paid_on: str
    message: str
    shipped_on: str
    is_shipped: bool
    is_mailed: bool
    delivery_name: str
    delivery_prefecture: str
    # What is stored, what the field shows, and what became of the last attempt to save it.
    tracking_number: str
    tracking_typed: str
    tracking_error: str
    tracking_saved: bool
    edit_address: str
    mail_address: str
    document_address: str
    ship_address: str
    tracking_address: str


def order_rows(orders: Iterable[ListedOrder]) -> list[OrderRow]:
    """The rows of a page; no query."""
    patterns = {route: address_pattern(f"orders:{route}") for route in _ROUTES}
    return [_row(order, patterns) for order in orders]


def _row(order: ListedOrder, patterns: Mapping[str, str]) -> OrderRow:
    tracking_number = order.tracking_number
    return OrderRow(
        order=order,
        pk=order.pk,
        number=order.number,
        name=order.name,
        ordered_at=minute(order.ordered_at),
        payment_method=order.payment_method_name,
        status=order.status,
        status_label=STATUS_LABELS[order.status],
        payment_total=f"{order.payment_total:,}",
        paid_on=day(order.paid_at),
        message=order.message,
        shipped_on=day(order.shipped_at),
        is_shipped=order.status == OrderStatus.SHIPPED,
        is_mailed=order.is_mailed,
        delivery_name=order.delivery_name or order.name,
        delivery_prefecture=order.delivery_prefecture or order.prefecture,
        tracking_number=tracking_number,
        tracking_typed=tracking_number,
        tracking_error="",
        tracking_saved=False,
        edit_address=patterns["edit"] % order.pk,
        mail_address=patterns["mail"] % order.pk,
        document_address=patterns["document"] % order.pk,
        ship_address=patterns["ship"] % order.pk,
        tracking_address=patterns["tracking"] % order.pk,
    )


def address_pattern(route: str) -> str:
    """The address of a route that takes an order's id, with %d in its place."""
    return reverse(route, args=[_ID]).replace("%", "%%").replace(str(_ID), "%d")


def minute(moment: datetime) -> str:
    """2026/11/20 09:05, in Tokyo."""
    at = moment.astimezone(TOKYO)
    return f"{at.year}/{at.month:02}/{at.day:02} {at.hour:02}:{at.minute:02}"


def day(moment: datetime | None) -> str:
    """2026/11/20, in Tokyo; empty when there is none."""
    if moment is None:
        return ""
    on = moment.astimezone(TOKYO)
    return f"{on.year}/{on.month:02}/{on.day:02}"
