"""Tables: codes, statuses, ids, and what comes next in a change of amount."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.outcomes import Declined, ReasonKind, Refused, Unknown
from gateways.paygent import trading_ids
from gateways.paygent.change_steps import Next, next_step
from gateways.paygent.errors import Refusal
from gateways.paygent.telegrams import PASSING, STATUSES
from gateways.vocabulary import PaymentStatus as S


@pytest.mark.parametrize(
    ("code", "detail", "outcome", "kind"),
    [
        ("P004", "", Refused, ReasonKind.OUR_REQUEST),
        ("P010", "1G12", Refused, ReasonKind.OUR_REQUEST),
        ("2003", "1G12", Declined, ReasonKind.CARD_REFUSED),
        ("2003", "1G30", Declined, ReasonKind.CARD_REFUSED),
        ("2003", "1G44", Declined, ReasonKind.CARD_DATA_WRONG),
        ("2003", "1G54", Declined, ReasonKind.CARD_REFUSED),
        ("2003", "1G99", Declined, ReasonKind.CARD_REFUSED),
        ("2003", "1C53", Unknown, ReasonKind.PROVIDER_TROUBLE),
        ("2006", "", Refused, ReasonKind.OTHER),
        ("E001", "", Unknown, ReasonKind.PROVIDER_TROUBLE),
        ("", "", Unknown, ReasonKind.PROVIDER_TROUBLE),
        ("X1", "", Unknown, ReasonKind.PROVIDER_TROUBLE),
    ],
)
def test_what_a_code_alone_says(code: str, detail: str, outcome: type, kind: ReasonKind) -> None:
    judged = Refusal(code=code, detail=detail).judged()
    assert type(judged) is outcome
    assert judged.reason.kind is kind
    assert judged.reason.text


def test_every_payment_status_has_a_word_or_passes() -> None:
    assert STATUSES == {
        "10": S.UNPROCESSED,
        "11": S.PAYFAIL,
        "12": S.EXPIRED,
        "15": S.PAYFAIL,
        "20": S.AUTH,
        "32": S.VOID,
        "33": S.EXPIRED,
        "40": S.SALES,
        "41": S.SALES,
        "60": S.RETURN,
    }
    assert {"30", "31", "42"} == PASSING


@pytest.mark.parametrize(
    ("order_id", "trading_id"),
    [("345-1-67abcdef", "345_1_67abcdef"), ("A1", "A1"), ("1" * 25, "1" * 25)],
)
def test_an_order_id_becomes_a_trading_id(order_id: str, trading_id: str) -> None:
    assert trading_ids.of_order(order_id) == trading_id


@given(st.text(min_size=1, max_size=60), st.text(min_size=1, max_size=60))
def test_trading_ids_fit_and_never_collide(one: str, other: str) -> None:
    first, second = trading_ids.of_order(one), trading_ids.of_order(other)
    for made in (first, second, trading_ids.of_new_attempt(one)):
        assert 1 <= len(made) <= 25
        assert made.isascii()
        assert made.replace("_", "").isalnum() or not made.strip("_")
    assert (first == second) == (one == other)


def test_each_attempt_has_a_trading_id_of_its_own() -> None:
    made = {trading_ids.of_new_attempt("345-1-67abcdef") for _ in range(50)}
    assert len(made) == 50
    assert all(each.startswith("345_1_67abcdef_") for each in made)


@pytest.mark.parametrize(
    ("old", "new", "target", "undoing", "expected"),
    [
        (S.AUTH, S.AUTH, S.AUTH, False, Next.RELEASE_OLD),
        (S.SALES, S.AUTH, S.AUTH, False, Next.RELEASE_OLD),
        (S.AUTH, S.AUTH, S.CAPTURE, False, Next.CAPTURE_NEW),
        (S.SALES, S.AUTH, S.CAPTURE, False, Next.CAPTURE_NEW),
        (S.AUTH, S.SALES, S.CAPTURE, False, Next.RELEASE_OLD),
        (S.SALES, S.SALES, S.CAPTURE, False, Next.RELEASE_OLD),
        (S.VOID, S.AUTH, S.AUTH, False, Next.FINISHED),
        (S.RETURN, S.SALES, S.CAPTURE, False, Next.FINISHED),
        (S.EXPIRED, S.SALES, S.CAPTURE, True, Next.FINISHED),
        (S.VOID, S.AUTH, S.CAPTURE, False, Next.UNDO_NEW),
        (S.SALES, S.AUTH, S.CAPTURE, True, Next.UNDO_NEW),
        (S.AUTH, S.AUTH, S.AUTH, True, Next.UNDO_NEW),
        (S.AUTH, S.VOID, S.AUTH, True, Next.UNDONE),
        (S.VOID, S.VOID, S.AUTH, True, Next.BOTH_GONE),
        (S.SALES, S.SALES, S.AUTH, False, Next.NEEDS_PERSON),
        (S.SALES, S.PAYFAIL, S.CAPTURE, False, Next.DECLINED),
        (S.SALES, S.UNPROCESSED, S.CAPTURE, False, Next.UNCLEAR),
        (S.EXCEPTION, S.AUTH, S.CAPTURE, False, Next.UNCLEAR),
    ],
)
def test_the_next_step_of_a_change(old: S, new: S, target: S, undoing: bool, expected: Next) -> None:
    assert next_step(old=old, new=new, target=target, undoing=undoing) is expected


def test_money_that_was_captured_is_never_undone_and_success_is_never_two() -> None:
    live = {S.AUTH, S.SALES}
    for old, new, target, undoing in itertools.product(S, S, (S.AUTH, S.CAPTURE), (False, True)):
        step = next_step(old=old, new=new, target=target, undoing=undoing)
        assert step is not Next.UNDO_NEW or new is S.AUTH
        assert step is not Next.CAPTURE_NEW or (new is S.AUTH and old in live)
        assert step is not Next.RELEASE_OLD or (new in live and old in live)
        if step is Next.FINISHED:
            assert new in live
            assert old not in live
        if step in {Next.UNDONE, Next.BOTH_GONE, Next.DECLINED}:
            assert new not in live
