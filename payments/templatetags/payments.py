"""How other screens show payments: the panel of an order, and badges from the copy on the order row."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import template
from django.template.context import Context

from orders.models import Order
from payments import deadline_words, labels, panel_words
from payments.models import LIVE_STATUSES
from payments.views.panel import panel_context

register = template.Library()


@register.inclusion_tag("payments/card.html", takes_context=True)
def payment_panel(context: Context, order: Order) -> dict[str, Any]:
    """{% payment_panel order %}: the whole card, read anew, so that an unsaved form cannot colour it."""
    request = context["request"]
    return panel_context(order.pk, request.user)


@register.inclusion_tag("payments/status_badge.html")
def payment_status_badge(order: Order) -> dict[str, Any]:
    """{% payment_status_badge order %}: 決済状況 from the order's own columns; no query, nothing without one."""
    if not order.payment_status:
        return {"label": ""}
    refused = order.is_subscription and order.payment_status in panel_words.NOTHING_HELD
    return {
        "label": "カード未決済"
        if refused
        else labels.status_label(order.payment_provider, order.payment_status),
        "style": panel_words.badge_style(order.payment_status),
        "meaning": labels.status_meaning(order.payment_status),
        "is_open": order.payment_is_open,
    }


@register.filter
def amount_differs(order: Order) -> bool:
    """{{ order|amount_differs }}: money is held or taken in another amount than the order asks for. No query."""
    return order.payment_status in LIVE_STATUSES and order.payment_amount != order.payment_total


@register.inclusion_tag("payments/deadline.html")
def payment_deadline(order: Order, today: date) -> dict[str, Any]:
    """{% payment_deadline order today %}: the capture deadline of held money with the days left. No query."""
    if order.payment_deadline is None:
        return {"deadline": None}
    left = (order.payment_deadline - today).days
    return {
        "deadline": order.payment_deadline,
        "words": deadline_words.days_left(left),
        "style": deadline_words.style(left),
        "is_past": left < 0,
    }
