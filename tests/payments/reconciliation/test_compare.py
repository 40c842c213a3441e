"""What counts as a difference: the whole table of statuses, amounts, days and the order's 対応状況."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.outcomes import Found, NotFound, Reason, ReasonKind, Trade
from gateways.vocabulary import PaymentStatus as S
from orders.statuses import OrderStatus
from payments.models import PaymentDifference
from payments.reconciliation.compare import Ours, compare

K = PaymentDifference.Kind
MORNING = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)  # 10:00 in Tokyo
EVENING = datetime(2026, 12, 1, 14, 59, tzinfo=UTC)  # 23:59 in Tokyo
NEXT_DAY = datetime(2026, 12, 1, 15, 0, tzinfo=UTC)  # 00:00 in Tokyo
NOT_FOUND = NotFound(reason=Reason(kind=ReasonKind.NOT_FOUND))


def ours(status: S = S.AUTH, amount: int = 3200, order: OrderStatus = OrderStatus.NEW) -> Ours:
    sold = status in (S.SALES, S.CAPTURE)
    return Ours(
        status=status,
        amount=amount,
        authorized_at=MORNING,
        captured_at=MORNING if sold else None,
        order_status=order,
    )


def found(status: S | None, amount: int | None = 3200, at: datetime | None = MORNING) -> Found:
    return Found(trade=Trade(status=status, amount=amount, processed_at=at))


def kinds(record: Ours, answer: Found | NotFound) -> list[str]:
    return [difference.kind.value for difference in compare(record, answer)]


@pytest.mark.parametrize(
    ("record", "answer", "expected"),
    [
        (ours(), found(S.AUTH), []),
        (ours(), found(S.SALES), [K.STATUS]),
        (ours(), found(S.VOID), [K.STATUS]),
        (ours(), found(S.EXPIRED), [K.STATUS]),
        (ours(), found(S.EXCEPTION), [K.STATUS]),
        (ours(S.VOID), found(S.RETURN), [K.STATUS]),
        (ours(S.VOID), found(S.AUTH), [K.STATUS]),
        # Captured or sold at once: our own record.
        (ours(S.SALES), found(S.CAPTURE), []),
        (ours(S.CAPTURE), found(S.SALES), []),
        # Nothing was ever authorized, in whatever words.
        (ours(S.PAYFAIL), found(S.UNPROCESSED), []),
        (ours(S.UNPROCESSED), found(S.AUTHENTICATED), []),
        (ours(S.PAYFAIL), found(S.AUTH), [K.STATUS]),
        # Amounts.
        (ours(), found(S.AUTH, 2700), [K.AMOUNT]),
        (ours(), found(S.SALES, 2700), [K.STATUS, K.AMOUNT]),
        (ours(), found(S.AUTH, None), []),
        (ours(), found(S.SALES, None), [K.STATUS]),
        (ours(S.VOID), found(S.VOID, 2700), []),
        # Days in Tokyo, told once where nothing else differs.
        (ours(), found(S.AUTH, at=EVENING), []),
        (ours(), found(S.AUTH, at=NEXT_DAY), [K.DATE]),
        (ours(S.SALES), found(S.CAPTURE, at=NEXT_DAY), [K.DATE]),
        (ours(), found(S.SALES, at=NEXT_DAY), [K.STATUS]),
        (ours(), found(S.AUTH, 2700, NEXT_DAY), [K.AMOUNT]),
        (ours(), found(S.AUTH, at=None), []),
        (ours(S.VOID), found(S.VOID, at=NEXT_DAY), []),
        # No such trade.
        (ours(), NOT_FOUND, [K.MISSING]),
        (ours(S.SALES), NOT_FOUND, [K.MISSING]),
        (ours(S.VOID), NOT_FOUND, [K.MISSING]),
        (ours(S.PAYFAIL), NOT_FOUND, []),
        (ours(S.UNPROCESSED), NOT_FOUND, []),
        # Against the order.
        (ours(order=OrderStatus.CANCELLED), found(S.AUTH), [K.CANCELLED_CHARGED]),
        (ours(S.SALES, order=OrderStatus.RETURNED), found(S.SALES), [K.CANCELLED_CHARGED]),
        (ours(S.VOID, order=OrderStatus.CANCELLED), found(S.SALES), [K.STATUS, K.CANCELLED_CHARGED]),
        (ours(order=OrderStatus.CANCELLED), found(S.VOID), [K.STATUS]),
        (ours(S.VOID, order=OrderStatus.CANCELLED), found(S.VOID), []),
        (ours(order=OrderStatus.SHIPPED), found(S.AUTH), [K.SHIPPED_NOT_CAPTURED]),
        (ours(S.SALES, order=OrderStatus.SHIPPED), found(S.SALES), []),
        (ours(S.SALES, order=OrderStatus.SHIPPED), found(S.AUTH), [K.STATUS, K.SHIPPED_NOT_CAPTURED]),
        # The provider is at work on it.
        (ours(), found(None), []),
    ],
)
def test_table(record: Ours, answer: Found | NotFound, expected: list[str]) -> None:
    assert kinds(record, answer) == expected


@given(
    mine=st.sampled_from([S.SALES, S.CAPTURE]),
    theirs=st.sampled_from([S.SALES, S.CAPTURE]),
    amount=st.integers(min_value=1, max_value=9_999_999),
)
def test_sales_against_capture_is_never_a_difference(mine: S, theirs: S, amount: int) -> None:
    assert compare(ours(mine, amount), found(theirs, amount)) == []


@given(status=st.sampled_from(list(S)), amount=st.integers(min_value=0), order=st.sampled_from(OrderStatus))
def test_an_equal_answer_is_never_a_difference_of_the_two_sides(
    status: S, amount: int, order: OrderStatus
) -> None:
    left = set(kinds(ours(status, amount, order), found(status, amount)))
    assert left <= {K.CANCELLED_CHARGED.value, K.SHIPPED_NOT_CAPTURED.value}


@given(mine=st.sampled_from(list(S)), theirs=st.sampled_from(list(S)))
def test_each_kind_comes_once_and_carries_both_sides(mine: S, theirs: S) -> None:
    differences = compare(ours(mine), found(theirs, 2700))
    assert len({each.kind for each in differences}) == len(differences)
    for each in differences:
        assert (each.our_status, each.our_amount) == (mine, 3200)
        assert (each.their_status, each.their_amount) == (theirs, 2700)
