"""Rows of 受注一覧 in words: what a cell shows is made here once, so that the template only puts it down.

A page has fifty rows of ten columns. Reversing addresses and formatting numbers in the template took most of
the time of a page.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypedDict

from django.urls import reverse

from cagolab.clock import TOKYO
from orders.models import Order, SentMail
from orders.statuses import OrderStatus

# Stands for the order's id in an address that is reversed once per page.
_ID = 987654321


class OrderRow(TypedDict):
    """One row. `order` itself is there for {% payment_status_badge %} alone."""

    order: Order
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
    tracking_number: str
    delivery_name: str
    delivery_prefecture: str
    edit_address: str
    mail_address: str
    document_address: str
    ship_address: str
    tracking_address: str


def order_rows(orders: Iterable[Order]) -> list[OrderRow]:
    """The rows of a page. One query: for which of them a mail was sent (the envelope beside 出荷状況)."""
    orders = list(orders)
    ids = [order.pk for order in orders]
    mailed = set(SentMail.objects.filter(order_id__in=ids).values_list("order_id", flat=True).distinct())
    address = {
        name: address_pattern(f"orders:{name}") for name in ("edit", "mail", "document", "ship", "tracking")
    }
    return [
        {
            "order": order,
            "pk": (pk := order.pk),
            "number": order.number,
            "name": order.name,
            "ordered_at": minute(order.ordered_at),
            "payment_method": order.payment_method_name,
            "status": order.status,
            "status_label": STATUS_LABELS[order.status],
            "payment_total": f"{order.payment_total:,}",
            "paid_on": day(order.paid_at),
            "message": order.message,
            "shipped_on": day(order.shipped_at),
            "is_shipped": order.status == OrderStatus.SHIPPED,
            "is_mailed": pk in mailed,
            "tracking_number": order.tracking_number,
            "delivery_name": order.delivery_name or order.name,
            "delivery_prefecture": order.delivery_prefecture or order.prefecture,
            "edit_address": address["edit"] % pk,
            "mail_address": address["mail"] % pk,
            "document_address": address["document"] % pk,
            "ship_address": address["ship"] % pk,
            "tracking_address": address["tracking"] % pk,
        }
        for order in orders
    ]


STATUS_LABELS = {status.value: status.label for status in OrderStatus}


def address_pattern(route: str) -> str:
    """The address of a route that takes an order's id, with %d in its place."""
    return reverse(route, args=[_ID]).replace("%", "%%").replace(str(_ID), "%d")


def minute(moment: datetime) -> str:
    """2026/11/20 09:05, in Tokyo."""
    return moment.astimezone(TOKYO).strftime("%Y/%m/%d %H:%M")


def day(moment: datetime | None) -> str:
    """2026/11/20, in Tokyo; empty when there is none."""
    return moment.astimezone(TOKYO).strftime("%Y/%m/%d") if moment else ""
