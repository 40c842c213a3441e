"""The one door through which money moves: claim, call, settle.

1. claim: lock the payment, decide again, write the operation. The database refuses a second open one.
2. call: no transaction open; every telegram is written down before it leaves.
3. settle: write the outcome, move the status, tell the order.
A process may die between any two statements; recovery then asks the provider and never sends again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias, TypeGuard
from uuid import UUID

from django.db import IntegrityError, transaction

from cagolab import clock
from cagolab.many_rows import write_columns
from gateways.interface import CardSource, Payer
from gateways.outcomes import Outcome
from gateways.vocabulary import Action, PaymentStatus
from payments import calling, facts, inquiry, order_copy, settlement
from payments.actors import By
from payments.decisions import decide
from payments.facts import Facts
from payments.models import Operation, Payment
from payments.permits import CaptureMode, Decision, Permit


@dataclass(frozen=True, kw_only=True)
class Executed:
    """This request claimed the operation; it stands as it now is (ended, or 確認中)."""

    operation: Operation


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """The same key came before: the operation of then, and nothing was sent now."""

    operation: Operation


@dataclass(frozen=True, kw_only=True)
class Busy:
    """Another operation is under way on the payment; nothing was sent."""

    operation: Operation


@dataclass(frozen=True, kw_only=True)
class Changed:
    """The decision is not the one that was confirmed; nothing was claimed or sent."""

    decision: Decision


Result: TypeAlias = Executed | Replayed | Busy | Changed


class KeyReused(Exception):
    """The idempotency key belongs to another payment or action."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody confirmed: an action on a payment, as it was shown, under an idempotency key."""

    payment_id: int
    action: Action
    key: UUID
    shown: str
    by: By
    target: PaymentStatus | None = None
    mode: CaptureMode | None = None
    on: date | None = None
    follow: bool = False

    def decide(self, known: Facts, now: datetime) -> Decision:
        """What the action would do now, with the choices of the wish."""
        return decide(self.action, known, now, target=self.target, mode=self.mode, on=self.on)

    def is_granted(self, decision: Decision) -> TypeGuard[Permit]:
        """Whether the decision is the one that was confirmed."""
        return isinstance(decision, Permit) and decision.fingerprint == self.shown

    def follow_status(self, payment: Payment) -> int | None:
        """対応状況 after success, where it was ticked."""
        if not self.follow:
            return None
        return payment.account.follow_status(cancels=self.action is Action.CANCEL).value


def execute(
    *,
    payment_id: int,
    action: Action,
    key: UUID,
    shown: str,
    by: By,
    now: datetime,
    target: PaymentStatus | None = None,
    mode: CaptureMode | None = None,
    on: date | None = None,
    follow: bool = False,
) -> Result:
    """Do what the operator confirmed: claim, call, settle. Returns when it has ended or is 確認中.

    `shown` is the fingerprint of the Permit that was confirmed. `follow` sets 対応状況 after success.
    Raises KeyReused, and Payment.DoesNotExist.
    """
    claimed = claim(
        payment_id=payment_id,
        action=action,
        key=key,
        shown=shown,
        by=by,
        now=now,
        target=target,
        mode=mode,
        on=on,
        follow=follow,
    )
    if not isinstance(claimed, Executed):
        return claimed
    return Executed(operation=run(claimed.operation))


def claim(
    *,
    payment_id: int,
    action: Action,
    key: UUID,
    shown: str,
    by: By,
    now: datetime,
    target: PaymentStatus | None = None,
    mode: CaptureMode | None = None,
    on: date | None = None,
    follow: bool = False,
) -> Result:
    """The first step alone: write the operation, or say why not. Nothing is sent."""
    wish = Wish(
        payment_id=payment_id,
        action=action,
        key=key,
        shown=shown,
        by=by,
        target=target,
        mode=mode,
        on=on,
        follow=follow,
    )
    return claim_wish(wish, now)


def claim_wish(wish: Wish, now: datetime) -> Result:
    """As `claim`, for a wish."""
    try:
        with transaction.atomic():
            return _claim_locked(wish, now)
    except IntegrityError:
        # The same key arrived twice at once, or another operation was opened: the database said no.
        if earlier := _earlier(wish):
            return Replayed(operation=earlier)
        payment = Payment.objects.select_related("order", "account").get(pk=wish.payment_id)
        return Changed(decision=wish.decide(facts.read(payment), now))


def run(operation: Operation, *, card: CardSource | None = None, payer: Payer | None = None) -> Operation:
    """Call and settle step after step, until the operation has ended or its outcome is unknown.

    A provider's "no" is confirmed by asking once, at once (G13-4).
    """
    if operation.state != Operation.State.STARTED:
        return operation
    # As it was locked at the claim or the last settle: nothing else may change a payment that is open.
    outcome = calling.call_step(operation.payment, operation, card=card, payer=payer)
    return conclude(operation, outcome, card=card)


def conclude(operation: Operation, outcome: Outcome, *, card: CardSource | None = None) -> Operation:
    """Settle what came of the operation's step, and go on as `run` does."""
    step = operation.step
    operation = settlement.settle(operation_id=operation.pk, step=step, outcome=outcome, now=clock.now())
    if operation.state == Operation.State.STARTED and operation.step != step:
        return run(operation, card=card)
    if operation.state == Operation.State.UNCONFIRMED and _ask_at_once(operation):
        operation = inquiry.ask_and_settle(operation_id=operation.pk, now=clock.now())
    return operation


def _ask_at_once(operation: Operation) -> bool:
    return bool(operation.presumed) or operation.ask_at == operation.timeout_at


def require_same(wish: Wish, earlier: Operation) -> None:
    """Raise KeyReused where the operation under the wish's key is about something else."""
    if earlier.payment_id != wish.payment_id or earlier.action != wish.action:
        raise KeyReused(str(wish.key))


def _earlier(wish: Wish) -> Operation | None:
    operation = Operation.objects.filter(key=wish.key).first()
    if operation is not None:
        require_same(wish, operation)
    return operation


def _claim_locked(wish: Wish, now: datetime) -> Result:
    payment = (
        Payment.objects.select_for_update(of=("self",))
        .select_related("order", "account")
        .get(pk=wish.payment_id)
    )
    # The same key again is looked for only where the claim fails: where it does not, the key's unique
    # constraint refuses the second row.
    if open_operation := facts.open_operation_of(payment):
        earlier = _earlier(wish)
        return Replayed(operation=earlier) if earlier else Busy(operation=open_operation)
    decision = wish.decide(facts.read(payment), now)
    if not wish.is_granted(decision):
        earlier = _earlier(wish)
        return Replayed(operation=earlier) if earlier else Changed(decision=decision)
    operation = write_operation(
        payment, decision, key=wish.key, by=wish.by, now=now, follow_status=wish.follow_status(payment)
    )
    return Executed(operation=operation)


def write_operation(
    payment: Payment,
    permit: Permit,
    *,
    key: UUID,
    by: By,
    now: datetime,
    follow_status: int | None,
) -> Operation:
    """Write the operation and mark the payment open. Needs the payment's lock and a transaction."""
    operation = new_operation(payment, permit, key=key, by=by, now=now, follow_status=follow_status)
    operation.save(force_insert=True)
    payment.is_open, payment.updated_at = True, now
    write_columns([payment], ("is_open", "updated_at"))
    order_copy.write(payment)
    return operation


def new_operation(
    payment: Payment,
    permit: Permit,
    *,
    key: UUID,
    by: By,
    now: datetime,
    follow_status: int | None,
) -> Operation:
    """The operation that a permit becomes, unsaved."""
    timeout_at = settlement.call_timeout(payment, now)
    return Operation(
        payment=payment,
        action=permit.action.value,
        key=key,
        plan=[step.to_json() for step in permit.steps],
        status_before=payment.status,
        amount_before=payment.amount,
        cancel_type=permit.cancel_type or "",
        amount=permit.amount,
        shown=permit.fingerprint,
        words=permit.words[:300],
        follow_status=follow_status,
        source=by.source,
        actor=by.user,
        actor_name=by.name,
        ip_address=by.ip,
        started_at=now,
        timeout_at=timeout_at,
        ask_at=timeout_at,
    )
