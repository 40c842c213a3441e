"""What the order row repeats of its payment, and what an order's 対応状況 does after a money action."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction

from cagolab.many_rows import update_rows
from gateways.outcomes import Trade
from gateways.vocabulary import BEGINNINGS, MethodKind, PaymentStatus
from orders import changes, history
from orders.models import Order
from orders.statuses import OrderStatus
from payments import deadlines, placement, trade_dates
from payments.cancellation import TOKYO
from payments.models import Operation, Payment

_SOLD = frozenset({PaymentStatus.SALES, PaymentStatus.CAPTURE})
_COPIED = (
    "payment_id",
    "payment_provider",
    "payment_kind",
    "payment_status",
    "payment_amount",
    "payment_deadline",
    "payment_sale_on",
    "payment_is_open",
)
_HAS_NO_NEWER = "(old.payment_id IS NULL OR old.payment_id <= new.payment_id)"


def write(payment: Payment) -> None:
    """Copy status, amount and deadline to the order, unless the order has a newer payment.

    Runs in the transaction that changed the payment; one statement.
    """
    write_many([payment])


def write_many(payments: Sequence[Payment]) -> None:
    """As `write` for many payments; one statement."""
    update_rows(Order, _COPIED, _copies(payments), where=_HAS_NO_NEWER)


def _copies(payments: Sequence[Payment]) -> list[tuple[Any, ...]]:
    """Rows for `update_rows`, in the one order in which orders are locked."""
    return sorted((payment.order_id, *_copy(payment)) for payment in payments)


def _copy(payment: Payment) -> tuple[Any, ...]:
    """The values of _COPIED."""
    return (
        payment.pk,
        payment.account.provider,
        payment.kind,
        payment.status,
        payment.amount,
        capture_deadline(payment),
        sale_day(payment),
        payment.is_open,
    )


def capture_deadline(payment: Payment) -> date | None:
    """The last day for the capture while a card payment is a hold; None otherwise (carriers have terms of their own)."""
    if payment.kind != MethodKind.CARD or payment.status not in (PaymentStatus.AUTH, PaymentStatus.SAUTH):
        return None
    return deadlines.last_day(payment.authorized_at, payment.account.capture_days)


def sale_day(payment: Payment) -> date | None:
    """The day in Tokyo from which the payment counts as sold, perhaps a later one (SB-1); None while it is not sold."""
    if payment.status not in trade_dates.SOLD or payment.captured_at is None:
        return None
    return deadlines.tokyo_day(payment.captured_at)


def follow(payment: Payment, operation: Operation, now: datetime) -> None:
    """The 対応状況 that the operator ticked, now that the money has moved.

    A status change that is refused (stock is short ...) leaves the money action a success; the operation's
    message says what was not done.
    """
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
            by_system=operation.action in BEGINNINGS,
        )
    if isinstance(result, changes.StatusRefused):
        operation.message = _not_followed(result)
        operation.save(update_fields=["message"])


def after_adoption(payment: Payment, operation: Operation, trade: Trade, now: datetime) -> None:
    """入金日, where an inquiry's answer was taken over and shows that the customer has paid; and the order is placed
    that still stood in the checkout while its customer paid elsewhere (G5-14).

    Of a sale the day that is now on record; of a payment at a shop or a bank the provider's last date. 対応状況 of a
    placed order stays the operators'. What a nightly job finds for a given-up order goes to a person (PG-5).
    """
    if payment.status in _SOLD:
        _set_paid_at(payment.captured_at or now, operation, now)
    elif payment.status == PaymentStatus.PAYSUCCESS:
        _set_paid_at(trade.processed_at or now, operation, now)
    if payment.kind == MethodKind.CARD or operation.source == Operation.Source.NIGHTLY:
        return
    to = placement.order_status(MethodKind(payment.kind), PaymentStatus(payment.status))
    # Where the operation had a 対応状況 to follow with, that was done with its success.
    if to is not None and operation.follow_status is None and payment.order.status == OrderStatus.PENDING:
        changes.change_status(
            order_id=payment.order_id,
            to=to,
            actor=operation.actor,
            actor_name=operation.actor_name,
            source=operation.get_source_display(),
            ip=operation.ip_address,
            now=now,
            by_system=True,
        )


def write_successes(settled: Sequence[tuple[Payment, Operation]], now: datetime) -> None:
    """As `write_with_paid_at`, then `follow` for many; what could not follow is told by the operations' messages
    (unsaved). Three statements more where 対応状況 follows that moves neither stock nor points.
    """
    write_with_paid_at(settled, now)
    _follow_many([operation for _, operation in settled], now)


def write_with_paid_at(settled: Sequence[tuple[Payment, Operation]], now: datetime) -> None:
    """As `write` for many, with 入金日 after a capture where it is empty: three statements, one of which writes the
    orders' rows, because each writing of a row costs an entry in all of its indexes.
    """
    days = {
        payment.order_id: (payment.captured_at or now) if payment.status in _SOLD else None
        for payment, _ in settled
    }
    orders = Order.objects.filter(pk__in=days).order_by("pk").select_for_update()
    paid_before = dict(orders.values_list("pk", "paid_at"))
    rows = [(*copy, paid_before[copy[0]] or days[copy[0]]) for copy in _copies([p for p, _ in settled])]
    written = update_rows(Order, (*_COPIED, "paid_at"), rows, where=_HAS_NO_NEWER)
    paid_now: list[history.Entry] = []
    for payment, operation in settled:
        paid_at = days[payment.order_id]
        if paid_at is None or paid_before[payment.order_id] is not None:
            continue
        if payment.order_id in written:
            paid_now.append(_paid_at_entry(operation, paid_at))
        else:  # the order shows a newer payment
            _set_paid_at(paid_at, operation, now)
    history.record_many(paid_now, now=now)


def _follow_many(operations: Sequence[Operation], now: datetime) -> None:
    wishes = [
        changes.Wish(
            order_id=operation.payment.order_id,
            to=OrderStatus(operation.follow_status),
            author=_author(operation),
        )
        for operation in operations
        if operation.follow_status is not None
    ]
    results = changes.change_many(wishes, now) if wishes else {}
    for operation in operations:
        result = results.get(operation.payment.order_id)
        if isinstance(result, changes.StatusRefused):
            operation.message = _not_followed(result)


def _not_followed(refused: changes.StatusRefused) -> str:
    return f"対応状況は変更できませんでした。{refused.reason}"[:400]


def _set_paid_at(paid_at: datetime, operation: Operation, now: datetime) -> None:
    """Where it is empty: what an operator has written stays."""
    order_id = operation.payment.order_id
    if Order.objects.filter(pk=order_id, paid_at__isnull=True).update(paid_at=paid_at):
        history.record_many([_paid_at_entry(operation, paid_at)], now=now)


def _paid_at_entry(operation: Operation, paid_at: datetime) -> history.Entry:
    return history.Entry(
        order_id=operation.payment.order_id,
        change=history.FieldChange("入金日", "", paid_at.astimezone(TOKYO).strftime("%Y/%m/%d %H:%M")),
        author=_author(operation),
    )


def _author(operation: Operation) -> history.Author:
    return history.Author(
        name=operation.actor_name,
        source=operation.get_source_display(),
        user=operation.actor,
        ip=operation.ip_address,
    )
