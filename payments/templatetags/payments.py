"""How other screens show payments: the panel of an order, and badges from the copy on the order row."""

from __future__ import annotations

import functools
from datetime import date
from typing import Any

from django import template
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from cagolab import clock
from orders.listed import ListedOrder
from orders.models import Order
from payments import accounts, deadline_words, labels, panel_words
from payments.views.panel import panel_context

register = template.Library()


@register.inclusion_tag("payments/card.html", takes_context=True)
def payment_panel(context: Context, order: Order) -> dict[str, Any]:
    """{% payment_panel order %}: the whole card, read anew, so that an unsaved form cannot colour it."""
    request = context["request"]
    return panel_context(order.pk, request.user)


@register.simple_tag
def payment_status_badge(order: ListedOrder | Order) -> SafeString:
    """{% payment_status_badge order %}: 決済状況 from the order's own columns; no query, nothing without one."""
    if not order.payment_status:
        return SafeString("")
    refused = order.is_subscription and order.payment_status in panel_words.NOTHING_HELD
    label = "カード未決済" if refused else _standing(order)
    return _badge(label, order.payment_status, order.payment_is_open)


@register.simple_tag
def payment_deadline(order: ListedOrder | Order, today: date) -> SafeString:
    """{% payment_deadline order today %}: the capture deadline of held money with the days left. No query."""
    if order.payment_deadline is None:
        return SafeString("")
    days_left = (order.payment_deadline - today).days
    return _deadline(order.payment_deadline, days_left, order.payment_provider if days_left < 0 else "")


def _overdue(provider: str) -> str:
    """A provider that reports the expiry itself has not done so yet; of the others we only suppose it."""
    return "期限日経過" if accounts.capabilities(provider).reports_expiry else "期限超過(見込み)"


def _standing(order: ListedOrder | Order) -> str:
    if order.payment_sale_on is None:
        return labels.status_label(order.payment_provider, order.payment_status)
    today = clock.today()
    return labels.standing_label(
        order.payment_provider, order.payment_status, sale_on=order.payment_sale_on, today=today
    )


# A page repeats the same few badges and days in fifty rows; each is drawn once per process.
@functools.lru_cache(maxsize=1000)
def _badge(label: str, status: str, is_open: bool) -> SafeString:
    return render_to_string(
        "payments/status_badge.html",
        {
            "label": label,
            "style": panel_words.badge_style(status),
            "meaning": labels.status_meaning(status),
            "is_open": is_open,
        },
    )


@functools.lru_cache(maxsize=1000)
def _deadline(deadline: date, days_left: int, provider_of_overdue: str) -> SafeString:
    return render_to_string(
        "payments/deadline.html",
        {
            "deadline": deadline,
            "words": _overdue(provider_of_overdue)
            if provider_of_overdue
            else deadline_words.days_left(days_left),
            "style": deadline_words.style(days_left),
        },
    )
