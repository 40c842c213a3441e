"""Settle: write what came of a step, move the payment, tell the order. One short transaction.

The only module that changes a payment's status. Everything runs under the lock of the payment's row, and an
operation that has been settled meanwhile is left as it is, so the slow answer and the recovery cannot both win.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django.db import transaction

from cagolab.many_rows import write_columns
from gateways.outcomes import (
    Approved,
    Declined,
    NotSent,
    Outcome,
    Reason,
    ReasonKind,
    Refused,
    Trade,
    Unknown,
)
from gateways.vocabulary import BEGINNINGS, Action, PaymentStatus
from payments import accounts, ask_schedule, credentials, order_copy, trade_dates, wording
from payments.cancellation import TOKYO
from payments.models import LIVE_STATUSES, Operation, Payment
from payments.reconciliation import findings
from payments.steps import Step

# What may have changed on the two rows between `lock` and `_write`. Named, because writing the columns that stay
# costs as much again.
_OPERATION_FIELDS = (
    "step",
    "progress",
    "state",
    "status_before",
    "amount_before",
    "reason_kind",
    "reason_code",
    "message",
    "timeout_at",
    "settled_at",
    "presumed",
    "ask_at",
    "asks",
    "last_answer",
    "equal_answers",
)
_PAYMENT_FIELDS = (
    "status",
    "amount",
    "is_open",
    "authorized_at",
    "captured_at",
    "dates_estimated",
    "references",
    "sealed_secrets",
    "decline_code",
    "updated_at",
)

# Ended like this, our record is the provider's own word.
_PROVIDERS_WORD = frozenset({Operation.State.SUCCEEDED, Operation.State.CONTRADICTED})

# A "no" of these kinds is about the trade's state: asking once tells whether our picture of it is right.
_WORTH_ASKING = frozenset(
    {
        ReasonKind.WRONG_STATE,
        ReasonKind.TOO_LATE,
        ReasonKind.TOO_EARLY,
        ReasonKind.AMOUNT_MISMATCH,
        ReasonKind.NOT_FOUND,
        ReasonKind.ALREADY_DONE,
    }
)


def settle(*, operation_id: int, step: int, outcome: Outcome, now: datetime) -> Operation:
    """Record the outcome of one step and return the operation as it then stands.

    STARTED with a higher step: go on. UNCONFIRMED: asking decides. Anything else: it has ended.
    """
    with transaction.atomic():
        payment, operation = lock(operation_id)
        if operation.state not in Operation.OPEN_STATES or operation.step != step:
            return operation
        if isinstance(outcome, Approved):
            step_executed(payment, operation, outcome.trade, now)
        elif isinstance(outcome, Unknown):
            _leave_open(operation, outcome.reason, now)
        elif isinstance(outcome, NotSent):
            close(payment, operation, Operation.State.NOT_SENT, outcome.reason, now)
        elif isinstance(outcome, Declined):
            _said_no(payment, operation, Operation.State.DECLINED, outcome, now)
        else:
            _said_no(payment, operation, Operation.State.REFUSED, outcome, now)
        return operation


def lock(operation_id: int) -> tuple[Payment, Operation]:
    """Lock the payment, then its operation: always in this order, which is that of `of`. Needs a transaction."""
    operation = (
        Operation.objects.select_for_update(of=("payment", "self"))
        .select_related("payment__order", "payment__account", "actor")
        .get(pk=operation_id)
    )
    return operation.payment, operation


def current_step(operation: Operation) -> Step:
    """The step that the operation is at."""
    return Step.from_json(operation.plan[operation.step])


def step_executed(payment: Payment, operation: Operation, trade: Trade, now: datetime) -> None:
    """The step's goal is reached: move the payment; end the operation or go on to its next step."""
    has_ended = reach_goal(payment, operation, trade, now)
    _write(payment, operation, now, is_success=has_ended)
    if has_ended:
        order_copy.follow(payment, operation, now)


def reach_goal(payment: Payment, operation: Operation, trade: Trade, now: datetime) -> bool:
    """Write onto both rows (unsaved) that the step's goal is reached. True when it was the last step."""
    apply_trade(payment, trade, goal=current_step(operation), now=now)
    # What was said while the outcome was unknown is answered now; the telegrams keep the record.
    operation.reason_kind = operation.reason_code = operation.message = ""
    if operation.step + 1 < len(operation.plan):
        operation.step += 1
        operation.progress = {}
        operation.state = Operation.State.STARTED
        operation.status_before, operation.amount_before = payment.status, payment.amount
        operation.presumed = operation.last_answer = ""
        operation.equal_answers = 0
        operation.timeout_at = operation.ask_at = call_timeout(payment, now)
        return False
    _end(payment, operation, Operation.State.SUCCEEDED, None, now)
    return True


def close(
    payment: Payment,
    operation: Operation,
    state: Operation.State,
    reason: Reason | None,
    now: datetime,
) -> None:
    """End the operation in a state and free the payment for the next one."""
    _end(payment, operation, state, reason, now)
    _write(payment, operation, now)


def answers_differences(operation: Operation) -> bool:
    """Whether our record is the provider's own word now.

    差異一覧 closes what its own 反映 has put right by itself, with the operator's reason.
    """
    return operation.state in _PROVIDERS_WORD and operation.source != Operation.Source.DIFFERENCES


def _end(
    payment: Payment,
    operation: Operation,
    state: Operation.State,
    reason: Reason | None,
    now: datetime,
) -> None:
    operation.state = state
    operation.settled_at = now
    operation.ask_at = None
    if reason is not None:
        _keep_reason(operation, reason)
    if operation.step > 0 and state is not Operation.State.SUCCEEDED:
        operation.message = f"{_progress_words(operation)}{operation.message}"[:400]
    if operation.action != Action.INQUIRE:
        payment.is_open = False
    if (
        operation.action in BEGINNINGS
        and state is Operation.State.DECLINED
        and payment.status not in LIVE_STATUSES
    ):
        payment.status = PaymentStatus.PAYFAIL.value
        payment.decline_code = operation.reason_code[:30]


def close_as_absent(payment: Payment, operation: Operation, reason: Reason, now: datetime) -> None:
    """End an operation of which a person has seen that it made no trade; the caller holds the locks.

    A first authorization that does not exist has failed: nothing is left to ask about it.
    """
    if operation.action in BEGINNINGS and payment.status not in LIVE_STATUSES:
        payment.status = PaymentStatus.PAYFAIL.value
    close(payment, operation, Operation.State.NOT_EXECUTED, reason, now)


def apply_trade(payment: Payment, trade: Trade, *, goal: Step | None, now: datetime) -> None:
    """Write the provider's trade onto the payment row (unsaved): status, amount, dates, references.

    With a goal, what the provider left out is what was asked for. Without one (adoption from an inquiry) the
    dates are only as good as the answer: one date for both is marked 推定.
    """
    status = _own_word(payment, trade.status, goal)
    if trade.amount is not None:
        payment.amount = trade.amount
    elif goal is not None:
        payment.amount = goal.amount
    at = trade.processed_at or _as_of(goal) or now
    if goal is not None and goal.action is not Action.REQUEST:
        _date_by_action(payment, goal, status, trade, at)
    else:
        _adopt_dates(payment, status, trade, at)
    payment.status = status.value
    payment.references = {**payment.references, **trade.references}
    if trade.secrets:
        payment.sealed_secrets = credentials.seal(trade.secrets)


def call_timeout(payment: Payment, now: datetime) -> datetime:
    """Until when a call that starts now may still be waiting for its answer."""
    return now + timedelta(seconds=accounts.capabilities(payment.account.provider).longest_call_seconds)


def _own_word(payment: Payment, told: PaymentStatus | None, goal: Step | None) -> PaymentStatus:
    # Whether a sale was captured or sold at once is our own record (requirements, Status mapping).
    sold = {PaymentStatus.SALES, PaymentStatus.CAPTURE}
    expected = goal.result if goal else PaymentStatus(payment.status)
    if told is None or (told in sold and expected in sold):
        return expected
    return told


def _date_by_action(payment: Payment, goal: Step, status: PaymentStatus, trade: Trade, at: datetime) -> None:
    if goal.action in (Action.AUTHORIZE, Action.REAUTHORIZE, Action.CHANGE_AMOUNT):
        # The rule and the deadlines count from the new date (requirements, The cancel rule).
        payment.authorized_at = trade.authorized_at or at
        sold = status in (PaymentStatus.CAPTURE, PaymentStatus.SALES)
        payment.captured_at = (trade.captured_at or at) if sold else None
        payment.dates_estimated = False
    elif goal.action is Action.CAPTURE:
        payment.captured_at = trade.captured_at or at


def _adopt_dates(payment: Payment, status: PaymentStatus, trade: Trade, at: datetime) -> None:
    # The amount is written already: what is left to notice is another status or another day (a hold that was
    # cancelled and made again behind our back counts from its new day).
    known = trade_dates.last_date(status, payment.authorized_at, payment.captured_at)
    shown = trade_dates.last_date(status, trade.authorized_at, trade.captured_at) or trade.processed_at
    if status == payment.status and payment.authorized_at and trade_dates.is_same_day(status, known, shown):
        return
    sold = status in (PaymentStatus.SALES, PaymentStatus.CAPTURE)
    held = status in (PaymentStatus.AUTH, PaymentStatus.SAUTH, PaymentStatus.CHECK)
    if not (sold or held):
        return
    payment.dates_estimated = trade.authorized_at is None
    if status is PaymentStatus.SALES and payment.authorized_at is not None:
        payment.dates_estimated = False  # a capture leaves the authorization's date as we knew it
    else:
        payment.authorized_at = trade.authorized_at or at
    payment.captured_at = (trade.captured_at or at) if sold else None


def _as_of(goal: Step | None) -> datetime | None:
    """Midnight in Tokyo of the processing date that was sent, where the answer tells no time."""
    if goal is None or goal.on is None:
        return None
    return datetime.combine(goal.on, time.min, tzinfo=TOKYO)


def _leave_open(operation: Operation, reason: Reason, now: datetime) -> None:
    operation.state = Operation.State.UNCONFIRMED
    operation.timeout_at = now
    operation.ask_at = now if reason.kind is ReasonKind.ALREADY_DONE else ask_schedule.next_ask(0, now)
    _keep_reason(operation, reason)
    operation.save()


def _said_no(
    payment: Payment, operation: Operation, state: Operation.State, outcome: Declined | Refused, now: datetime
) -> None:
    explicit_end = operation.action in BEGINNINGS or (
        isinstance(outcome, Refused) and outcome.reason.kind not in _WORTH_ASKING
    )
    if explicit_end:
        close(payment, operation, state, outcome.reason, now)
        return
    # The old trade should be untouched: asking once confirms it, before anything else may be done.
    operation.state = Operation.State.UNCONFIRMED
    operation.presumed = state.value
    operation.timeout_at = operation.ask_at = now
    _keep_reason(operation, outcome.reason)
    operation.save()


def _keep_reason(operation: Operation, reason: Reason) -> None:
    operation.reason_kind = reason.kind.value
    operation.reason_code = reason.code[:40]
    operation.message = reason.text[:400]


def _progress_words(operation: Operation) -> str:
    done = "・".join(
        wording.ACTION_NAMES[Action(step["action"])] for step in operation.plan[: operation.step]
    )
    return f"{len(operation.plan)}段階のうち{operation.step}段階({done})まで完了しています。"


def _write(payment: Payment, operation: Operation, now: datetime, *, is_success: bool = False) -> None:
    write_columns([operation], _OPERATION_FIELDS)
    payment.updated_at = now
    write_columns([payment], _PAYMENT_FIELDS)
    if is_success:
        order_copy.write_with_paid_at([(payment, operation)], now)
    else:
        order_copy.write(payment)
    if answers_differences(operation):
        findings.close_answered(payment, operation, now)
