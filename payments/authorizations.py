"""A customer's try to pay: a payment of its own with one authorization, through the same claim, call, settle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from gateways.interface import CardSource
from gateways.vocabulary import Action, MethodKind, PaymentStatus
from orders import locks
from orders.models import Order
from orders.statuses import OrderStatus
from payments import facts, operations
from payments.actors import By
from payments.decisions import decide
from payments.models import LIVE_STATUSES, GatewayAccount, Operation, Payment
from payments.permits import Refusal


@dataclass(frozen=True, kw_only=True)
class NotPossible:
    """The authorization was not begun; `reason` is for the person in front of the screen."""

    reason: str


def authorize(
    *,
    order_id: int,
    account: GatewayAccount,
    card: CardSource,
    key: UUID,
    by: By,
    now: datetime,
    installments: int = 1,
) -> Operation | NotPossible:
    """Authorize an order's saved お支払い合計 with a token or a stored card (G5-12).

    The account says whether it is a hold or a sale at once. On success a 決済処理中 order becomes 新規受付 or
    入金済み. A refused try is kept beside the next one (PG-4); the same key gives the same operation back.
    """
    earlier = Operation.objects.filter(key=key, payment__order_id=order_id).first()
    if earlier is not None:
        return earlier
    try:
        with transaction.atomic():
            claimed = _claim(order_id, account, key, by, now, installments)
    except IntegrityError:
        return Operation.objects.filter(key=key, payment__order_id=order_id).first() or NotPossible(
            reason="この注文には有効な決済、または確認中の決済があります。"
        )
    if isinstance(claimed, NotPossible):
        return claimed
    return operations.run(claimed, card=card)


def _claim(
    order_id: int, account: GatewayAccount, key: UUID, by: By, now: datetime, installments: int
) -> Operation | NotPossible:
    # Against a customer who goes back, or a job that cancels the order, at the same moment.
    order = locks.lock_order(order_id)
    if order.status in (OrderStatus.CANCELLED, OrderStatus.RETURNED):
        return NotPossible(reason="この注文は取り消されているため、お支払いいただけません。")
    others = Payment.objects.filter(order=order)
    if others.filter(status__in=sorted(LIVE_STATUSES)).exists() or others.filter(is_open=True).exists():
        return NotPossible(reason="この注文には有効な決済、または確認中の決済があります。")
    attempt = others.count() + 1
    payment = Payment.objects.create(
        order=order,
        account=account,
        kind=MethodKind.CARD.value,
        status=PaymentStatus.UNPROCESSED.value,
        amount=order.payment_total,
        provider_order_id=provider_order_id(order.pk, attempt, now),
        attempt=attempt,
        installments=installments,
        created_at=now,
    )
    decision = decide(Action.AUTHORIZE, facts.read(payment), now)
    if isinstance(decision, Refusal):
        transaction.set_rollback(True)
        return NotPossible(reason=decision.reason)
    return operations.write_operation(
        payment, decision, key=key, by=by, now=now, follow_status=_follow_status(order, decision.result)
    )


def provider_order_id(order_id: int, attempt: int, now: datetime) -> str:
    """Ours at the provider: unique for ever, also beside a shop's earlier data; 27 characters at the most."""
    return f"{order_id}-{attempt}-{int(now.timestamp()):x}"


def _follow_status(order: Order, result: PaymentStatus) -> int | None:
    if order.status not in (OrderStatus.PENDING, OrderStatus.PROCESSING):
        return None
    return (OrderStatus.PAID if result is PaymentStatus.CAPTURE else OrderStatus.NEW).value
