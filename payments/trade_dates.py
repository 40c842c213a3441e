"""Which date a hold or a sale counts from, and whether two such dates are the same day. Pure."""

from __future__ import annotations

from datetime import datetime

from gateways.vocabulary import PaymentStatus as S
from payments.deadlines import tokyo_day

SOLD = frozenset({S.SALES, S.CAPTURE})
HELD = frozenset({S.AUTH, S.SAUTH})


def last_date(status: S, authorized_at: datetime | None, captured_at: datetime | None) -> datetime | None:
    """When the present status of a hold or a sale began; None for any other status."""
    if status in SOLD:
        return captured_at
    return authorized_at if status in HELD else None


def is_same_day(status: S, ours: datetime | None, theirs: datetime | None) -> bool:
    """Whether two dates of a hold or a sale fall on one day in Tokyo, which is what the cancel rule and the
    deadlines count in; true where either is not known."""
    if status not in SOLD | HELD or ours is None or theirs is None:
        return True
    return tokyo_day(ours) == tokyo_day(theirs)
