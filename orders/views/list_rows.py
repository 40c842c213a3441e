"""Rows of 受注一覧 in words: what a cell shows is made here once, so that the template only puts it down.

A page has fifty rows of ten columns. Reversing addresses and formatting numbers in the template took most of
the time of a page.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypedDict

from django.urls import reverse
from django.utils.safestring import SafeString

from cagolab.clock import TOKYO
from orders.models import Order, SentMail
from orders.statuses import OrderStatus

# Stands for the order's id in an address that is reversed once per page.
_ID = 987654321
_ROUTES = ("edit", "mail", "document", "ship", "tracking")

STATUS_LABELS = {status.value: SafeString(html.escape(status.label)) for status in OrderStatus}


class OrderRow(TypedDict):
    """One row, all words escaped already except the customer's message, which the template cuts.

    `order` itself is there for {% payment_status_badge %} alone.
    """

    order: Order
    pk: SafeString
    number: SafeString
    name: SafeString
    ordered_at: SafeString
    payment_method: SafeString
    status: SafeString
    status_label: SafeString
    payment_total: SafeString
    paid_on: SafeString
    message: str
    shipped_on: SafeString
    is_shipped: bool
    is_mailed: bool
    delivery_name: SafeString
    delivery_prefecture: SafeString
    # What is stored, what the field shows, and what became of the last attempt to save it.
    tracking_number: SafeString
    tracking_typed: SafeString
    tracking_error: str
    tracking_saved: bool
    edit_address: SafeString
    mail_address: SafeString
    document_address: SafeString
    ship_address: SafeString
    tracking_address: SafeString


def order_rows(orders: Iterable[Order]) -> list[OrderRow]:
    """The rows of a page. One query: for which of them a mail was sent (the envelope beside 出荷状況)."""
    orders = list(orders)
    ids = [order.pk for order in orders]
    mailed = set(SentMail.objects.filter(order_id__in=ids).values_list("order_id", flat=True).distinct())
    patterns = {route: address_pattern(f"orders:{route}") for route in _ROUTES}
    return [_row(order, patterns, is_mailed=order.pk in mailed) for order in orders]


def _row(order: Order, patterns: Mapping[str, str], *, is_mailed: bool) -> OrderRow:
    tracking_number = words(order.tracking_number)
    return {
        "order": order,
        "pk": SafeString(order.pk),
        "number": words(order.number),
        "name": words(order.name),
        "ordered_at": minute(order.ordered_at),
        "payment_method": words(order.payment_method_name),
        "status": SafeString(order.status),
        "status_label": STATUS_LABELS[order.status],
        "payment_total": SafeString(f"{order.payment_total:,}"),
        "paid_on": day(order.paid_at),
        "message": order.message,
        "shipped_on": day(order.shipped_at),
        "is_shipped": order.status == OrderStatus.SHIPPED,
        "is_mailed": is_mailed,
        "delivery_name": words(order.delivery_name or order.name),
        "delivery_prefecture": words(order.delivery_prefecture or order.prefecture),
        "tracking_number": tracking_number,
        "tracking_typed": tracking_number,
        "tracking_error": "",
        "tracking_saved": False,
        "edit_address": SafeString(patterns["edit"] % order.pk),
        "mail_address": SafeString(patterns["mail"] % order.pk),
        "document_address": SafeString(patterns["document"] % order.pk),
        "ship_address": SafeString(patterns["ship"] % order.pk),
        "tracking_address": SafeString(patterns["tracking"] % order.pk),
    }


def address_pattern(route: str) -> str:
    """The address of a route that takes an order's id, with %d in its place."""
    return reverse(route, args=[_ID]).replace("%", "%%").replace(str(_ID), "%d")


def words(text: str) -> SafeString:
    """A cell's text, escaped. Django's own function makes every call a promise, a tenth of the time of a page."""
    return SafeString(html.escape(text))


def minute(moment: datetime) -> SafeString:
    """2026/11/20 09:05, in Tokyo."""
    at = moment.astimezone(TOKYO)
    return SafeString(f"{at.year}/{at.month:02}/{at.day:02} {at.hour:02}:{at.minute:02}")


def day(moment: datetime | None) -> SafeString:
    """2026/11/20, in Tokyo; empty when there is none."""
    if moment is None:
        return SafeString("")
    on = moment.astimezone(TOKYO)
    return SafeString(f"{on.year}/{on.month:02}/{on.day:02}")
