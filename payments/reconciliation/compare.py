"""What differs between our record of a payment and the provider's answer. Pure.

Whether a sale was captured or sold at once is our own record and never a difference, and neither are the words
for "nothing was ever authorized" (requirements, Status mapping). Dates are compared as days in Tokyo: that is
what the cancel rule and the deadlines count in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateways.outcomes import Found, NotFound
from gateways.vocabulary import PaymentStatus as S
from orders.statuses import OrderStatus
from payments.models import LIVE_STATUSES, PaymentDifference
from payments.trade_dates import HELD, SOLD, is_same_day, last_date

Kind = PaymentDifference.Kind

_NEVER_AUTHORIZED = frozenset({S.UNPROCESSED, S.AUTHENTICATED, S.AUTHPROCESS, S.PAYFAIL})
_SAME = (SOLD, _NEVER_AUTHORIZED)
_GIVEN_UP = frozenset({OrderStatus.CANCELLED, OrderStatus.RETURNED})


@dataclass(frozen=True, kw_only=True)
class Ours:
    """Our record of a payment and its order. Amount in yen."""

    status: S
    amount: int
    authorized_at: datetime | None
    captured_at: datetime | None
    order_status: OrderStatus

    @property
    def dated(self) -> datetime | None:
        """The last date that our record knows: of the sale, or of the hold."""
        return last_date(self.status, self.authorized_at, self.captured_at)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing that differs. An empty side says nothing."""

    kind: PaymentDifference.Kind
    our_status: S
    our_amount: int
    our_date: datetime | None
    their_status: S | None
    their_amount: int | None
    their_date: datetime | None


def compare(ours: Ours, answer: Found | NotFound) -> list[Difference]:
    """Everything that differs, the most telling first; empty when all is as it should be."""
    if isinstance(answer, NotFound):
        return [] if ours.status in _NEVER_AUTHORIZED else [_difference(Kind.MISSING, ours)]
    trade = answer.trade
    if trade.status is None:
        return []
    theirs = _Theirs(
        status=trade.status,
        amount=trade.amount,
        date=last_date(trade.status, trade.authorized_at, trade.captured_at) or trade.processed_at,
    )
    kinds = []
    if not is_same_status(ours.status, trade.status):
        kinds.append(Kind.STATUS)
    if trade.status in LIVE_STATUSES and theirs.amount is not None and theirs.amount != ours.amount:
        kinds.append(Kind.AMOUNT)
    if not kinds and not is_same_day(ours.status, ours.dated, theirs.date):
        kinds.append(Kind.DATE)
    kinds.extend(against_order(ours.order_status, trade.status))
    return [_difference(kind, ours, theirs) for kind in kinds]


def is_same_status(ours: S, theirs: S) -> bool:
    """Whether the two say the same about the money."""
    return ours == theirs or any({ours, theirs} <= same for same in _SAME)


def against_order(order_status: OrderStatus, status: S) -> list[PaymentDifference.Kind]:
    """What the money's status says against the order's 対応状況 (complaints: paid but cancelled; shipped, unpaid)."""
    if order_status in _GIVEN_UP and status in LIVE_STATUSES:
        return [Kind.CANCELLED_CHARGED]
    if order_status is OrderStatus.SHIPPED and status in HELD:
        return [Kind.SHIPPED_NOT_CAPTURED]
    return []


@dataclass(frozen=True, kw_only=True)
class _Theirs:
    status: S | None = None
    amount: int | None = None
    date: datetime | None = None


_NOTHING = _Theirs()


def _difference(kind: PaymentDifference.Kind, ours: Ours, theirs: _Theirs = _NOTHING) -> Difference:
    return Difference(
        kind=kind,
        our_status=ours.status,
        our_amount=ours.amount,
        our_date=ours.dated,
        their_status=theirs.status,
        their_amount=theirs.amount,
        their_date=theirs.date,
    )
