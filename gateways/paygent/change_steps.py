"""What to do next in a change of amount, from how the old and the new payment stand. Pure.

Money moves in the order of the official modules: authorize anew, capture the new, release the old. A new
authorization that holds no money may be undone; what was captured is never given back automatically.
"""

from __future__ import annotations

from enum import StrEnum

from gateways.vocabulary import PaymentStatus

_GONE = frozenset({PaymentStatus.VOID, PaymentStatus.RETURN, PaymentStatus.EXPIRED})
_LIVE = frozenset({PaymentStatus.AUTH, PaymentStatus.SALES})


class Next(StrEnum):
    """The next telegram, or the end."""

    CAPTURE_NEW = "capture_new"
    RELEASE_OLD = "release_old"
    UNDO_NEW = "undo_new"
    # The new payment alone is live.
    FINISHED = "finished"
    # The old payment alone is live, as it was.
    UNDONE = "undone"
    DECLINED = "declined"
    BOTH_GONE = "both_gone"
    NEEDS_PERSON = "needs_person"
    # A state that passes, or one that nobody has told us about.
    UNCLEAR = "unclear"


def next_step(*, old: PaymentStatus, new: PaymentStatus, target: PaymentStatus, undoing: bool) -> Next:
    """Total for every pair of statuses. `undoing`: a step forward was refused before."""
    if new is PaymentStatus.PAYFAIL:
        return Next.DECLINED
    if not {old, new} <= _GONE | _LIVE:
        return Next.UNCLEAR
    old_is_live = old in _LIVE
    if new in _GONE:
        return Next.UNDONE if old_is_live else Next.BOTH_GONE
    if new is PaymentStatus.SALES:
        if not old_is_live:
            return Next.FINISHED
        return Next.RELEASE_OLD if target is PaymentStatus.CAPTURE else Next.NEEDS_PERSON
    if not old_is_live:
        # Somebody cancelled the old payment before we came to it: nothing is captured on top of that.
        return Next.FINISHED if target is PaymentStatus.AUTH else Next.UNDO_NEW
    if undoing:
        return Next.UNDO_NEW
    return Next.RELEASE_OLD if target is PaymentStatus.AUTH else Next.CAPTURE_NEW
