"""What the order row repeats of its payment, and what an order's 対応状況 does after a money action."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from gateways.outcomes import Trade
from gateways.vocabulary import Action, PaymentStatus
from orders import changes, history
from orders.models import Order
from orders.statuses import OrderStatus
from payments import deadlines, trade_dates
from payments.cancellation import TOKYO
from payments.models import Operation, Payment

_SOLD = frozenset({PaymentStatus.SALES, PaymentStatus.CAPTURE})


def write(payment: Payment) -> None:
    """Copy status, amount and deadline to the order, unless the order has a newer payment.

    Runs in the transaction that changed the payment; one statement.
    """
    Order.objects.filter(pk=payment.order_id).exclude(payment_id__gt=payment.pk).update(
        payment_id=payment.pk,
        payment_provider=payment.account.provider,
        payment_kind=payment.kind,
        payment_status=payment.status,
        payment_amount=payment.amount,
        payment_deadline=capture_deadline(payment),
        payment_sale_on=sale_day(payment),
        payment_is_open=payment.is_open,
    )


def capture_deadline(payment: Payment) -> date | None:
    """The last day for the capture while the payment is a hold; None otherwise."""
    if payment.status not in (PaymentStatus.AUTH, PaymentStatus.SAUTH):
        return None
    return deadlines.last_day(payment.authorized_at, payment.account.capture_days)


def sale_day(payment: Payment) -> date | None:
    """The day in Tokyo from which the payment counts as sold, perhaps a later one (SB-1); None while it is not sold."""
    if payment.status not in trade_dates.SOLD or payment.captured_at is None:
        return None
    return deadlines.tokyo_day(payment.captured_at)


def after_success(payment: Payment, operation: Operation, now: datetime) -> None:
    """入金日 after a capture, and the 対応状況 that the operator ticked, now that the money has moved.

    A status change that is refused (stock is short ...) leaves the money action a success; the operation's
    message says what was not done.
    """
    if payment.status in _SOLD:
        _set_paid_at(payment.captured_at or now, operation, now)
    if operation.follow_status is None:
        return
    to = OrderStatus(operation.follow_status)
    with transaction.atomic():
        result = changes.change_status(
            order_id=payment.order_id,
            to=to,
            actor=operation.actor,
            actor_name=operation.actor_name,
            source=operation.get_source_display(),
            ip=operation.ip_address,
            now=now,
            by_system=operation.action == Action.AUTHORIZE,
        )
    if isinstance(result, changes.StatusRefused):
        operation.message = f"対応状況は変更できませんでした。{result.reason}"[:400]
        operation.save(update_fields=["message"])


def after_adoption(payment: Payment, operation: Operation, trade: Trade, now: datetime) -> None:
    """入金日, where an inquiry's answer was taken over and shows that the customer has paid.

    Of a sale the day that is now on record; of a payment at a shop or a bank the provider's last date.
    """
    if payment.status in _SOLD:
        _set_paid_at(payment.captured_at or now, operation, now)
    elif payment.status == PaymentStatus.PAYSUCCESS:
        _set_paid_at(trade.processed_at or now, operation, now)


def _set_paid_at(paid_at: datetime, operation: Operation, now: datetime) -> None:
    """Where it is empty: what an operator has written stays."""
    order_id = operation.payment.order_id
    if Order.objects.filter(pk=order_id, paid_at__isnull=True).update(paid_at=paid_at):
        history.record(
            order_id=order_id,
            field="入金日",
            old="",
            new=paid_at.astimezone(TOKYO).strftime("%Y/%m/%d %H:%M"),
            actor=operation.actor,
            actor_name=operation.actor_name,
            source=operation.get_source_display(),
            ip=operation.ip_address,
            now=now,
        )
