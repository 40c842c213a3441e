"""The payment panel: inside the order's page, and alone for htmx while an operation is being confirmed."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django_htmx.http import trigger_client_event

from cagolab import clock
from cagolab.htmx import HtmxRequest
from cagolab.roles import ADMINISTER, MOVE_MONEY, VIEW
from orders.models import Order
from payments import announcements, facts, labels, panel, panel_words, queries
from payments.announcements import Announcement
from payments.decisions import available
from payments.models import GatewayAccount, Operation

# Tells the open 決済ログ to load itself again.
PAYMENT_CHANGED = "payment-changed"


@permission_required(VIEW, raise_exception=True)
@require_safe
def payment_panel(request: HtmxRequest, order_id: int) -> HttpResponse:
    """The panel alone, for htmx. `watch` names an operation whose end is announced.

    Opened as a page of its own it leads to the order.
    """
    order = get_object_or_404(Order, pk=order_id)
    if not request.htmx:
        return redirect(order_page(order.pk))
    ended = _ended(request.GET.get("watch", ""), order)
    context = panel_context(order.pk, request.user, announcement=ended)
    response = render(request, "payments/panel_and_flash.html", context)
    return trigger_client_event(response, PAYMENT_CHANGED) if ended else response


def order_page(order_id: int) -> str:
    """The payment's place on the order's page."""
    return f"{reverse('orders:edit', args=[order_id])}#payment"


def panel_context(
    order_id: int,
    user: User | AnonymousUser,
    *,
    announcement: Announcement | None = None,
    order_notice: str = "",
) -> dict[str, Any]:
    """Everything the panel's templates need, read anew: at most six queries besides the permissions."""
    context: dict[str, Any] = {"announcement": announcement, "order_notice": order_notice}
    payment = queries.current_payment(order_id)
    if payment is None:
        return context | _absence(order_id)
    now = clock.now()
    known = facts.read(payment)
    attempts, has_more = queries.other_attempts(payment)
    return context | {
        "order_id": order_id,
        "payment": payment,
        "title": labels.PANEL_TITLES[payment.account.provider],
        "panel": panel.build(
            payment,
            known,
            available(known, now),
            last_operation=queries.last_money_operation(payment),
            now=now,
            may_move_money=user.has_perm(MOVE_MONEY),
        ),
        "may_move_money": user.has_perm(MOVE_MONEY),
        "may_decide": user.has_perms((MOVE_MONEY, ADMINISTER)),
        "subscription_words": panel_words.subscription_refused(payment.decline_code),
        "attempts": [panel.attempt(other, message, other.account.provider) for other, message in attempts],
        "more_attempts": has_more,
    }


def _absence(order_id: int) -> dict[str, Any]:
    """PG-9: no payment at the gateway; where the operator enters it by hand depends on the method's account."""
    order = Order.objects.select_related("payment_method").get(pk=order_id)
    code = order.payment_method.account
    provider = GatewayAccount.objects.filter(code=code).values_list("provider", flat=True).first() or ""
    sentences = [panel_words.NO_PAYMENT, panel_words.ENTER_BY_HAND.get(provider, "")]
    if order.is_subscription and provider:
        sentences = [panel_words.subscription_refused("")]
    return {
        "order_id": order_id,
        "payment": None,
        "title": labels.PANEL_TITLES.get(provider, "決済情報"),
        "sentences": [sentence for sentence in sentences if sentence],
    }


def _ended(watched: str, order: Order) -> Announcement | None:
    if not watched.isdecimal() or len(watched) > 18:
        return None
    operation = Operation.objects.filter(pk=int(watched), payment__order_id=order.pk).first()
    if operation is None or operation.state in Operation.OPEN_STATES:
        return None
    return announcements.of_operation(operation, order.number)
