"""Going on with an action of several telegrams whose process died or lost an answer between them.

Some adapters remember in the journal how far they came (Capabilities.resumes). Their verb is called again after the
waiting time: it asks the provider about the telegram that was under way and goes on or undoes what holds no money.
Nothing here sends anything by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection, transaction

from cagolab import clock
from gateways.outcomes import NotSent, Outcome, Reason, ReasonKind, Unknown
from gateways.vocabulary import Action
from payments import accounts, ask_schedule, calling, settlement
from payments.judgement import WAITING, may_conclude_not_executed, outcome_text
from payments.models import Operation, Payment

# First half of the advisory locks' keys; the second is the operation. A permanent registry: never reuse it.
_LOCK_CLASS = 7301

_ABSENT = "NotFound"
_ABSENT_TEXT = (
    "金額変更は実行されていませんでした。元の決済は変更前の金額のまま有効です。"
    "必要なときは、もう一度実行してください。"
)


def is_resumable(operation: Operation, payment: Payment) -> bool:
    """Whether the operation's step is of the kind whose adapter goes on from what it remembered.

    Not after a "no": then the verb has ended, and asking once confirms that the old trade stands.
    """
    if operation.presumed:
        return False
    resumes = accounts.capabilities(payment.account.provider).resumes
    return bool(operation.progress) and settlement.current_step(operation).action in resumes


def resume(operation: Operation, payment: Payment, now: datetime) -> Operation:
    """Call the step's verb again and settle what comes of it; too early, only the next time is written down."""
    if now < operation.timeout_at + WAITING:
        operation.ask_at = operation.timeout_at + WAITING
        Operation.objects.filter(pk=operation.pk, state=operation.state).update(ask_at=operation.ask_at)
        return operation
    step = operation.step
    with alone(operation.pk) as is_alone:
        if not is_alone:
            return operation
        operation.refresh_from_db()
        if operation.state not in Operation.OPEN_STATES or operation.step != step:
            return operation
        outcome = calling.call_step(payment, operation)
    if not _never_arrived(outcome, operation):
        Operation.objects.filter(pk=operation.pk).update(last_answer=outcome_text(outcome))
    elif closed := _heard_again(operation.pk, step, clock.now()):
        return closed
    asks = operation.asks + 1
    Operation.objects.filter(pk=operation.pk).update(asks=asks)
    if isinstance(outcome, NotSent):
        # This try could not ask; the earlier one did send, so the operation must not end as never sent.
        operation.ask_at = ask_schedule.next_ask(asks, clock.now())
        Operation.objects.filter(pk=operation.pk, state=operation.state).update(ask_at=operation.ask_at)
        return operation
    settled = settlement.settle(operation_id=operation.pk, step=step, outcome=outcome, now=clock.now())
    if settled.state == Operation.State.UNCONFIRMED:
        settled.ask_at = ask_schedule.next_ask(asks, clock.now())
        settled.save(update_fields=["ask_at"])
    return settled


def _never_arrived(outcome: Outcome, operation: Operation) -> bool:
    """Whether a change says that its one telegram that makes something new never arrived.

    An adapter gives this reason only for a provider's answer that proves it.
    """
    return (
        isinstance(outcome, Unknown)
        and outcome.reason.kind is ReasonKind.NOT_FOUND
        and settlement.current_step(operation).action is Action.CHANGE_AMOUNT
    )


def _heard_again(operation_id: int, step: int, now: datetime) -> Operation | None:
    """Count the answer; heard often enough, after the waiting time, it ends the operation as not executed."""
    with transaction.atomic():
        payment, operation = settlement.lock(operation_id)
        if operation.state not in Operation.OPEN_STATES or operation.step != step:
            return operation
        again = operation.last_answer == _ABSENT
        operation.last_answer, operation.equal_answers = _ABSENT, operation.equal_answers + 1 if again else 1
        if may_conclude_not_executed(
            equal_answers=operation.equal_answers, timeout_at=operation.timeout_at, now=now
        ):
            reason = Reason(kind=ReasonKind.NOT_FOUND, text=_ABSENT_TEXT)
            settlement.close(payment, operation, Operation.State.NOT_EXECUTED, reason, now)
            return operation
        operation.save(update_fields=["last_answer", "equal_answers"])
    return None


@contextmanager
def alone(operation_id: int) -> Iterator[bool]:
    """Whether no other process goes on with this operation now.

    A session's advisory lock, which its holder may take again, because no transaction may be open during the calls; it ends with the process.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK_CLASS, operation_id % 2**31])
        row = cursor.fetchone()
    taken = bool(row and row[0])
    try:
        yield taken
    finally:
        if taken:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCK_CLASS, operation_id % 2**31])
