"""What an inquiry's answer proves about an operation, and what it does not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateways.outcomes import Found, InquiryOutcome, NotFound, NotSent, Reason, ReasonKind, Trade, Unknown
from gateways.vocabulary import Action
from gateways.vocabulary import PaymentStatus as S
from payments.judgement import Before, Verdict, judge, may_conclude_not_executed
from payments.steps import Step
from tests.payments.facts import tokyo

NO_TRADE = NotFound(reason=Reason(kind=ReasonKind.NOT_FOUND))
SILENCE = Unknown(reason=Reason(kind=ReasonKind.NO_ANSWER))
NOT_ASKED = NotSent(reason=Reason(kind=ReasonKind.UNREACHABLE))


def found(status: S | None, amount: int | None = 1000) -> Found:
    return Found(trade=Trade(status=status, amount=amount))


def step(action: Action, result: S, amount: int = 1000) -> Step:
    return Step(action=action, result=result, amount=amount)


CAPTURE = step(Action.CAPTURE, S.SALES)
CANCEL = step(Action.CANCEL, S.RETURN)
CHANGE = step(Action.CHANGE_AMOUNT, S.AUTH, 1200)
CHARGE = step(Action.CHANGE_AMOUNT, S.CAPTURE, 1200)
REAUTH = step(Action.REAUTHORIZE, S.AUTH)
AUTHORIZE = step(Action.AUTHORIZE, S.AUTH)
HELD, SOLD, VOIDED, NEW = (Before(status=s, amount=1000) for s in (S.AUTH, S.SALES, S.VOID, S.UNPROCESSED))

YES, SAME, ELSE, NOTHING = Verdict.EXECUTED, Verdict.UNCHANGED, Verdict.CONTRADICTED, Verdict.NO_ANSWER


@pytest.mark.parametrize(
    ("wish", "before", "answer", "expected"),
    [
        (CAPTURE, HELD, found(S.SALES), YES),
        (CAPTURE, HELD, found(S.CAPTURE), YES),
        (CAPTURE, HELD, found(S.SALES, None), YES),
        (CAPTURE, HELD, found(S.SALES, 999), ELSE),
        (CAPTURE, HELD, found(S.AUTH), SAME),
        (CAPTURE, HELD, found(S.AUTH, 999), ELSE),
        (CAPTURE, HELD, found(S.VOID), ELSE),
        (CAPTURE, HELD, found(None), NOTHING),
        (CAPTURE, HELD, SILENCE, NOTHING),
        (CAPTURE, HELD, NOT_ASKED, NOTHING),
        (CAPTURE, HELD, NO_TRADE, ELSE),
        (CANCEL, HELD, found(S.RETURN), YES),
        (CANCEL, HELD, found(S.VOID), YES),
        (CANCEL, SOLD, found(S.RETURNX), YES),
        (CANCEL, SOLD, found(S.SALES), SAME),
        (CANCEL, SOLD, found(S.CAPTURE), SAME),
        (CHANGE, HELD, found(S.AUTH, 1200), YES),
        (CHANGE, HELD, found(S.AUTH, 1000), SAME),
        (CHANGE, HELD, found(S.AUTH, 1100), ELSE),
        (CHANGE, HELD, found(S.CAPTURE, 1200), ELSE),
        (CHARGE, SOLD, found(S.CAPTURE, 1200), YES),
        (CHARGE, SOLD, found(S.SALES, 1000), SAME),
        (REAUTH, VOIDED, found(S.AUTH), YES),
        (REAUTH, VOIDED, found(S.VOID), SAME),
        (AUTHORIZE, NEW, found(S.AUTH), YES),
        (AUTHORIZE, NEW, found(S.UNPROCESSED), SAME),
        (AUTHORIZE, NEW, found(S.AUTHENTICATED), SAME),
        (AUTHORIZE, NEW, NO_TRADE, SAME),
    ],
)
def test_one_answer(wish: Step, before: Before, answer: InquiryOutcome, expected: Verdict) -> None:
    assert judge(wish, before, answer, not_found_is_proof=True) is expected


def test_a_provider_whose_not_found_is_no_proof_has_not_answered() -> None:
    assert judge(AUTHORIZE, NEW, NO_TRADE, not_found_is_proof=False) is NOTHING


@pytest.mark.parametrize(
    ("answers", "seconds", "expected"),
    [(1, 500, False), (2, 119, False), (2, 120, True), (5, 0, False), (3, 121, True)],
)
def test_not_executed_needs_two_equal_answers_and_the_waiting_time(
    answers: int, seconds: int, expected: bool
) -> None:
    timeout = tokyo("2026-11-30 10:00:00")
    now = timeout + timedelta(seconds=seconds)
    assert may_conclude_not_executed(equal_answers=answers, timeout_at=timeout, now=now) is expected
