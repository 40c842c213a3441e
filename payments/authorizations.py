"""A customer's try to pay: a payment of its own with one authorization, or one request to pay elsewhere, through the
same claim, call, settle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from gateways.interface import CardSource, Payer
from gateways.vocabulary import Action, MethodKind, PaymentStatus
from orders import locks
from orders.statuses import OrderStatus
from payments import facts, operations, placement
from payments.actors import By
from payments.decisions import decide
from payments.models import LIVE_STATUSES, GatewayAccount, Operation, Payment
from payments.permits import Refusal


@dataclass(frozen=True, kw_only=True)
class NotPossible:
    """The payment was not begun; `reason` is for the person in front of the screen."""

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
    wanted = _Try(order_id, account, MethodKind.CARD, Action.AUTHORIZE, key, by, now, installments)
    begun, is_new = _begin(wanted)
    return operations.run(begun, card=card) if is_new and isinstance(begun, Operation) else begun


def request(
    *,
    order_id: int,
    account: GatewayAccount,
    kind: MethodKind,
    payer: Payer,
    key: UUID,
    by: By,
    now: datetime,
) -> Operation | NotPossible:
    """Ask for what the customer needs to pay the order's saved お支払い合計 elsewhere (G5-14): a number, or a page.

    With a number a 決済処理中 order becomes 新規受付; who is sent to a page has to agree there first. What the
    customer then does arrives by notification. The same key gives the same operation back.
    """
    begun, is_new = _begin(_Try(order_id, account, kind, Action.REQUEST, key, by, now))
    return operations.run(begun, payer=payer) if is_new and isinstance(begun, Operation) else begun


@dataclass(frozen=True)
class _Try:
    order_id: int
    account: GatewayAccount
    kind: MethodKind
    action: Action
    key: UUID
    by: By
    now: datetime
    installments: int = 1

    def operation(self) -> Operation | None:
        return Operation.objects.filter(key=self.key, payment__order_id=self.order_id).first()


def _begin(wanted: _Try) -> tuple[Operation | NotPossible, bool]:
    """The operation, and whether it was made just now and is to be run."""
    if earlier := wanted.operation():
        return earlier, False
    try:
        with transaction.atomic():
            return _claim(wanted), True
    except IntegrityError:
        taken = NotPossible(reason="この注文には有効な決済、または確認中の決済があります。")
        return wanted.operation() or taken, False


def _claim(wanted: _Try) -> Operation | NotPossible:
    # Against a customer who goes back, or a job that cancels the order, at the same moment.
    order = locks.lock_order(wanted.order_id)
    if order.status in (OrderStatus.CANCELLED, OrderStatus.RETURNED):
        return NotPossible(reason="この注文は取り消されているため、お支払いいただけません。")
    others = Payment.objects.filter(order=order)
    if others.filter(status__in=sorted(LIVE_STATUSES)).exists() or others.filter(is_open=True).exists():
        return NotPossible(reason="この注文には有効な決済、または確認中の決済があります。")
    attempt = others.count() + 1
    payment = Payment.objects.create(
        order=order,
        account=wanted.account,
        kind=wanted.kind.value,
        status=PaymentStatus.UNPROCESSED.value,
        amount=order.payment_total,
        provider_order_id=provider_order_id(order.pk, attempt, wanted.now),
        attempt=attempt,
        installments=wanted.installments,
        created_at=wanted.now,
    )
    decision = decide(wanted.action, facts.read(payment), wanted.now)
    if isinstance(decision, Refusal):
        transaction.set_rollback(True)
        return NotPossible(reason=decision.reason)
    in_checkout = order.status in (OrderStatus.PENDING, OrderStatus.PROCESSING)
    follow_status = placement.order_status(wanted.kind, decision.result) if in_checkout else None
    return operations.write_operation(
        payment, decision, key=wanted.key, by=wanted.by, now=wanted.now, follow_status=follow_status
    )


def provider_order_id(order_id: int, attempt: int, now: datetime) -> str:
    """Ours at the provider: unique for ever, also beside a shop's earlier data; 27 characters at the most."""
    return f"{order_id}-{attempt}-{int(now.timestamp()):x}"
