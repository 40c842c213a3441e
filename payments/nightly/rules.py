"""The rules of the nightly jobs. Pure: no database, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType

from gateways.vocabulary import PaymentStatus as S
from payments.cancellation import TOKYO


class Money(StrEnum):
    """What a payment means for an order that was given up (PG-5)."""

    NONE = "none"  # nothing was taken: the order may go
    HELD = "held"  # an authorization: cancelled by the rule, then the order may go
    TAKEN = "taken"  # the customer has paid: a person decides
    UNCLEAR = "unclear"  # may still be paid, or is in nobody's words: the order stays


MONEY: Mapping[S, Money] = MappingProxyType(
    {
        S.UNPROCESSED: Money.NONE,
        S.AUTHENTICATED: Money.NONE,
        S.AUTHPROCESS: Money.NONE,
        S.PAYFAIL: Money.NONE,
        S.CHECK: Money.NONE,
        S.VOID: Money.NONE,
        S.RETURN: Money.NONE,
        S.RETURNX: Money.NONE,
        S.EXPIRED: Money.NONE,
        S.CANCEL: Money.NONE,
        S.AUTH: Money.HELD,
        S.SAUTH: Money.HELD,
        S.CAPTURE: Money.TAKEN,
        S.SALES: Money.TAKEN,
        S.PAYSUCCESS: Money.TAKEN,
        S.REQSALES: Money.TAKEN,
        S.REQSUCCESS: Money.UNCLEAR,
        S.PAYSTART: Money.UNCLEAR,
        S.REQCANCEL: Money.UNCLEAR,
        S.REQCHANGE: Money.UNCLEAR,
        S.EXCEPTION: Money.UNCLEAR,
    }
)
TAKEN = frozenset(status for status, money in MONEY.items() if money is Money.TAKEN)

# The provider has said so for good: there is nothing left to ask.
FINALLY_WITHOUT_MONEY = frozenset({S.PAYFAIL, S.VOID, S.RETURN, S.RETURNX, S.EXPIRED, S.CANCEL})


def given_up_before(now: datetime, days: int) -> datetime:
    """Orders made before this moment are older than `days` full days."""
    return now - timedelta(days=days)


def slot(hour: int, now: datetime) -> date:
    """The day in Tokyo that the latest full `hour` (0-23) before or at `now` belongs to."""
    here = now.astimezone(TOKYO)
    return here.date() if here.hour >= hour else here.date() - timedelta(days=1)


def next_run(hour: int, last_run_on: date | None, now: datetime) -> datetime:
    """When a job that is on runs next; in the past when its hour was missed and it is made up at once."""
    day = slot(hour, now)
    if last_run_on is not None and last_run_on >= day:
        day = last_run_on + timedelta(days=1)
    return datetime.combine(day, time(hour), TOKYO)


def day_already_run(hour: int, last_run_on: date | None, now: datetime) -> date:
    """What `last_run_on` becomes when a job is switched on or moved to another hour: nothing is made up, and no
    day gets two runs. A date in the future (the clock was ahead) is forgotten."""
    day = slot(hour, now)
    if last_run_on is None or last_run_on > now.astimezone(TOKYO).date():
        return day
    return max(day, last_run_on)
