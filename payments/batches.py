"""The same door for many payments at once: claims and settlements of a bulk run, each set in one transaction.

What may be done, what an operation is and what success means are decided by the functions that `operations` and
`settlement` use for one payment; here only the statements are shared. What is not a plain success goes through
the ordinary door.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cagolab.many_rows import write_columns
from gateways.outcomes import Approved, Outcome, Trade
from payments import calling, facts, operations, order_copy, settlement
from payments.journal import ANSWER_FIELDS, HeldJournal
from payments.models import Call, GatewayAccount, Operation, Payment
from payments.operations import Busy, Changed, Executed, Replayed, Result, Wish
from payments.permits import Permit
from payments.reconciliation import findings

# What a success writes onto an operation and its payment (settlement.reach_goal).
_OPERATION_FIELDS = ("state", "settled_at", "ask_at", "reason_kind", "reason_code", "message")
_PAYMENT_FIELDS = (
    "status",
    "amount",
    "authorized_at",
    "captured_at",
    "dates_estimated",
    "references",
    "sealed_secrets",
    "is_open",
    "updated_at",
)


@dataclass(frozen=True, kw_only=True)
class Success:
    """The provider did what an operation's last step asked for; the answer is not written down yet."""

    operation: Operation
    trade: Trade
    answers: Sequence[Call]


class SettledMeanwhile(Exception):
    """Somebody else has settled one of the operations: each is to be looked at alone."""


def claim(wishes: Sequence[Wish], now: datetime) -> Mapping[UUID, Result]:
    """As `operations.claim` for wishes of different payments, by key. Needs a transaction.

    Raises IntegrityError where the database refuses one of them; then nothing was claimed, and each is to be
    claimed alone.
    """
    payments = _lock([wish.payment_id for wish in wishes])
    known = facts.read_many(list(payments.values()))
    results: dict[UUID, Result] = {}
    opened: list[tuple[Wish, Payment, Permit]] = []
    for wish in wishes:
        payment = payments[wish.payment_id]
        payment_facts, under_way = known[payment.pk]
        if under_way is not None:
            results[wish.key] = Busy(operation=under_way)
            continue
        decision = wish.decide(payment_facts, now)
        if wish.is_granted(decision):
            opened.append((wish, payment, decision))
        else:
            results[wish.key] = Changed(decision=decision)
    if results:
        by_key = {wish.key: wish for wish in wishes}
        for earlier in Operation.objects.filter(key__in=results).select_related("payment__account"):
            operations.require_same(by_key[earlier.key], earlier)
            results[earlier.key] = Replayed(operation=earlier)
    for operation in _open(opened, now):
        results[operation.key] = Executed(operation=operation)
    return results


def call(operation: Operation) -> Success | Operation:
    """Send the step of a claimed operation. A Success still has to be settled; anything else is settled here,
    through the ordinary door."""
    journal = HeldJournal(operation)
    outcome = calling.send_step(operation.payment, operation, journal)
    if _is_plain(operation, outcome):
        assert isinstance(outcome, Approved)
        return Success(operation=operation, trade=outcome.trade, answers=journal.answers)
    journal.write()
    return operations.conclude(operation, outcome)


def settle(successes: Sequence[Success], now: datetime) -> None:
    """Write successes of different payments down. Needs a transaction.

    Raises SettledMeanwhile, and whatever the database refuses; then nothing was written.
    """
    payments = Payment.objects.filter(pk__in=[success.operation.payment_id for success in successes])
    list(payments.order_by("pk").select_for_update().values_list("pk"))
    still_open = (
        Operation.objects.filter(pk__in=[success.operation.pk for success in successes])
        .filter(state=Operation.State.STARTED)
        .order_by("pk")
        .select_for_update()
        .values_list("pk", "step")
    )
    if set(still_open) != {(success.operation.pk, success.operation.step) for success in successes}:
        raise SettledMeanwhile
    # As they were locked at the claim: nothing else may change a payment that is open.
    settled = [(success.operation.payment, success.operation) for success in successes]
    for success, (payment, operation) in zip(successes, settled, strict=True):
        settlement.reach_goal(payment, operation, success.trade, now)
        payment.updated_at = now
    order_copy.write_successes(settled, now)
    write_columns([operation for _, operation in settled], _OPERATION_FIELDS)
    write_columns([payment for payment, _ in settled], _PAYMENT_FIELDS)
    write_columns([answer for success in successes for answer in success.answers], ANSWER_FIELDS)
    findings.close_answered_many(
        [(payment, operation) for payment, operation in settled if settlement.answers_differences(operation)],
        now,
    )


def settle_alone(success: Success) -> Operation:
    """One success through the ordinary door."""
    for answer in success.answers:
        answer.save(update_fields=ANSWER_FIELDS)
    fresh = Operation.objects.select_related("payment__account", "payment__order").get(
        pk=success.operation.pk
    )
    if fresh.state not in Operation.OPEN_STATES or fresh.step != success.operation.step:
        return fresh
    return operations.conclude(fresh, Approved(trade=success.trade))


def _lock(payment_ids: Sequence[int]) -> dict[int, Payment]:
    accounts = GatewayAccount.objects.in_bulk()
    locked = (
        Payment.objects.filter(pk__in=payment_ids)
        .select_related("order")
        .select_for_update(of=("self",))
        .order_by("pk")
    )
    payments = {payment.pk: payment for payment in locked}
    for payment in payments.values():
        payment.account = accounts[payment.account_id]
    return payments


def _open(granted: Sequence[tuple[Wish, Payment, Permit]], now: datetime) -> list[Operation]:
    """Write the operations and mark their payments open, as `operations.write_operation` does for one."""
    if not granted:
        return []
    opened = Operation.objects.bulk_create(
        operations.new_operation(
            payment, permit, key=wish.key, by=wish.by, now=now, follow_status=wish.follow_status(payment)
        )
        for wish, payment, permit in granted
    )
    payments = [payment for _, payment, _ in granted]
    for payment in payments:
        payment.is_open, payment.updated_at = True, now
    write_columns(payments, ("is_open", "updated_at"))
    order_copy.write_many(payments)
    return opened


def _is_plain(operation: Operation, outcome: Outcome) -> bool:
    """Whether the success is the operation's end."""
    return isinstance(outcome, Approved) and operation.step + 1 == len(operation.plan)
