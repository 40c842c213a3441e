"""What an inquiry's answer says about an operation whose outcome was unknown. Pure.

An answer is matched to this operation's step: its goal status and amount, and the time. "Not executed" needs
more than one answer and a waiting time: the provider may still be at work (invariant 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gateways.outcomes import Found, InquiryOutcome, NotFound, Outcome, Trade, Unknown
from gateways.vocabulary import BEGINNINGS, Action, PaymentStatus
from payments.steps import Step

# After the call's timeout the provider may still be executing (design: 120 s).
WAITING = timedelta(seconds=120)
# How often the same "nothing happened" must be heard.
EQUAL_ANSWERS = 2

# One status of ours may be another of the provider's (immediate sale or capture: our own record, not a difference).
_SAME_AT_THE_PROVIDER = frozenset({PaymentStatus.SALES, PaymentStatus.CAPTURE})
_CANCELLED = frozenset({PaymentStatus.VOID, PaymentStatus.RETURN, PaymentStatus.RETURNX})
# The trade exists, the customer's authorization (or what to pay with elsewhere) does not.
_NOT_BEGUN = frozenset({PaymentStatus.UNPROCESSED, PaymentStatus.AUTHENTICATED, PaymentStatus.PAYFAIL})


class Verdict(StrEnum):
    """What one answer says about one step."""

    EXECUTED = "executed"
    UNCHANGED = "unchanged"
    CONTRADICTED = "contradicted"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, kw_only=True)
class Before:
    """The trade before the step."""

    status: PaymentStatus
    amount: int


def judge(step: Step, before: Before, answer: InquiryOutcome, *, not_found_is_proof: bool) -> Verdict:
    """What this answer says about this step. NO_ANSWER also where the provider's silence proves nothing."""
    if isinstance(answer, NotFound):
        if step.action in BEGINNINGS and not_found_is_proof:
            return Verdict.UNCHANGED
        return Verdict.NO_ANSWER if step.action in BEGINNINGS else Verdict.CONTRADICTED
    if not isinstance(answer, Found) or answer.trade.status is None:
        return Verdict.NO_ANSWER
    trade = answer.trade
    if _reaches(step, trade):
        return Verdict.EXECUTED
    if _is_as_before(step, before, trade):
        return Verdict.UNCHANGED
    return Verdict.CONTRADICTED


def may_conclude_not_executed(*, equal_answers: int, timeout_at: datetime, now: datetime) -> bool:
    """Whether "nothing happened" may be believed: enough equal answers, the last after the waiting time."""
    return equal_answers >= EQUAL_ANSWERS and now >= timeout_at + WAITING


def answer_text(answer: InquiryOutcome) -> str:
    """One answer as a short comparable text, kept with the operation."""
    if isinstance(answer, Found):
        return f"{answer.trade.status or ''}:{'' if answer.trade.amount is None else answer.trade.amount}"
    return outcome_text(answer)


def outcome_text(answer: Outcome | InquiryOutcome) -> str:
    """As `answer_text`, for what tells nothing of the trade."""
    return f"Unknown:{answer.reason.kind}" if isinstance(answer, Unknown) else type(answer).__name__


def _reaches(step: Step, trade: Trade) -> bool:
    if step.action is Action.CANCEL:
        return trade.status in _CANCELLED
    if step.action is Action.REQUEST:
        # The customer may have been quicker than we asked: whatever came after it shows that it was made.
        return trade.status not in _NOT_BEGUN | {PaymentStatus.EXCEPTION} and trade.amount in (
            None,
            step.amount,
        )
    same_status = trade.status == step.result or (
        step.action in (Action.CAPTURE, Action.AUTHORIZE)
        and {trade.status, step.result} <= _SAME_AT_THE_PROVIDER
    )
    return same_status and trade.amount in (None, step.amount)


def _is_as_before(step: Step, before: Before, trade: Trade) -> bool:
    if step.action in BEGINNINGS:
        return trade.status in _NOT_BEGUN
    same_status = trade.status == before.status or {trade.status, before.status} <= _SAME_AT_THE_PROVIDER
    return same_status and trade.amount in (None, before.amount)
