"""Rows of 受注一覧 in words: what a cell shows is made here, so that the template only puts it down.

Operators look at the same fifty orders all day: a row that was drawn is kept for as long as all that it shows is the
same.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.urls import reverse
from django.utils.safestring import SafeString

from cagolab import clock
from cagolab.clock import TOKYO
from cagolab.templatetags.quick import macro
from orders.listed import ListedOrder
from orders.statuses import OrderStatus

# Stands for the order's id in an address that is reversed once.
_ID = 987654321
# Rows that a process keeps: the first pages of a few lists, some 10 MB.
KEPT_ROWS: Final = 2_000

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


def drawn_rows(orders: Iterable[ListedOrder], *, can_edit: bool) -> list[bytes]:
    """The rows of a page as they are sent; no query."""
    today = clock.today()
    return [_drawn(order, can_edit, today) for order in orders]


# `today`: the badge of 決済状況 says whether a day of sale has come.
@functools.lru_cache(maxsize=KEPT_ROWS)
def _drawn(order: ListedOrder, can_edit: bool, today: date) -> bytes:
    return draw_row(order_row(order), can_edit=can_edit).encode()


def draw_row(row: OrderRow, *, can_edit: bool, oob: bool = False) -> SafeString:
    """One row; `oob`: to take the place of the one that the page shows."""
    return macro("orders/order_row.jinja", "order_row")(row, can_edit, oob)


def order_row(order: ListedOrder) -> OrderRow:
    """What a row shows of an order."""
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
        edit_address=address_pattern("orders:edit") % order.pk,
        mail_address=address_pattern("orders:mail") % order.pk,
        document_address=address_pattern("orders:document") % order.pk,
        ship_address=address_pattern("orders:ship") % order.pk,
        tracking_address=address_pattern("orders:tracking") % order.pk,
    )


@functools.cache
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
