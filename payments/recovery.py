"""Recovery: open operations older than their timeout are settled by asking, for ever (beat, every minute).

It never sends a money call again. What it may do is go on with the steps that the operator asked for and that
were never begun.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction

from cagolab import clock
from gateways.outcomes import NotSent, Reason, ReasonKind
from gateways.vocabulary import Action
from payments import inquiry, operations, settlement
from payments.models import Operation

logger = logging.getLogger(__name__)

# How many operations one round takes; the next round takes the rest.
ROUND_SIZE = 200
# While one process asks about an operation, others leave it alone this long (seconds).
ASKING_SECONDS = 120


def recover_due(now: datetime) -> int:
    """Deal with every open operation whose time has come. Returns how many were looked at."""
    _end_dead_inquiries(now)
    looked_at = 0
    while looked_at < ROUND_SIZE:
        operation = _take(now)
        if operation is None:
            break
        looked_at += 1
        try:
            recover(operation, now)
        except Exception:
            # One bad case must not stop the others; it stays open and comes up again.
            logger.exception("recovery of operation %s failed", operation.pk)
    return looked_at


def recover(operation: Operation, now: datetime) -> Operation:
    """Settle one open operation by asking, or close it where nothing can have been sent."""
    if operation.state == Operation.State.STARTED and not _has_sent(operation):
        return _never_sent(operation, now)
    settled = inquiry.ask_and_settle(operation_id=operation.pk, now=now)
    if settled.state == Operation.State.STARTED:  # this step is done: go on with what the operator asked for
        return operations.run(settled)
    return settled


def _end_dead_inquiries(now: datetime) -> None:
    """Questions that an operator asked and whose process died: they moved nothing, asking again is free."""
    Operation.objects.filter(
        action=Action.INQUIRE, state__in=Operation.OPEN_STATES, timeout_at__lte=now
    ).update(
        state=Operation.State.NOT_SENT,
        settled_at=now,
        message="確認の途中で処理が中断されました。必要なときは、もう一度確認してください。",
    )


def _take(now: datetime) -> Operation | None:
    """One due operation, marked so that no other recovery takes it meanwhile."""
    with transaction.atomic():
        operation = (
            Operation.objects.select_for_update(skip_locked=True)
            .filter(state__in=Operation.OPEN_STATES, ask_at__lte=now)
            .exclude(action=Action.INQUIRE)
            .order_by("ask_at")
            .first()
        )
        if operation is not None:
            operation.ask_at = now + timedelta(seconds=ASKING_SECONDS)
            operation.save(update_fields=["ask_at"])
        return operation


def _has_sent(operation: Operation) -> bool:
    return operation.calls.filter(step=operation.step).exists()


def _never_sent(operation: Operation, now: datetime) -> Operation:
    """The process died before the telegram was written down: nothing left the machine.

    A first step is closed as 未送信; a later step of a guided action is what the operator asked for: go on.
    """
    if operation.step > 0:
        with transaction.atomic():
            payment, operation = settlement.lock(operation.pk)
            operation.timeout_at = operation.ask_at = settlement.call_timeout(payment, now)
            operation.save(update_fields=["timeout_at", "ask_at"])
        return operations.run(operation)
    reason = Reason(
        kind=ReasonKind.UNREACHABLE,
        text="処理が中断されたため、決済代行会社には送信していません。必要なときは、もう一度実行してください。",
    )
    with transaction.atomic():
        settlement.lock(operation.pk)
        if _has_sent(operation):  # it was alive: behind the lock no telegram can be written any more
            return operation
        return settlement.settle(
            operation_id=operation.pk, step=0, outcome=NotSent(reason=reason), now=clock.now()
        )
