"""What GMO-PG allows on a card trade, and when. Pure functions; days and months are Tokyo's calendar.

`last_operation` is the day of the last successful operation on the trade: the windows count from there. The
server is more permissive than the plugins' rule in one point: RETURN is accepted on the day itself as well.
"""

from __future__ import annotations

from datetime import date

DAYS_KEPT = 180

UNSETTLED = frozenset({"UNPROCESSED", "AUTHENTICATED"})
HELD = frozenset({"AUTH", "SAUTH"})
CHARGED = frozenset({"CAPTURE", "SALES"})
CANCELLED = frozenset({"VOID", "RETURN", "RETURNX"})
CANCEL_JOBS = CANCELLED
REAUTHORIZE_JOBS = frozenset({"AUTH", "CAPTURE", "SAUTH"})
ALTER_JOBS = CANCEL_JOBS | REAUTHORIZE_JOBS | {"SALES"}
CHANGE_JOBS = REAUTHORIZE_JOBS
ENTRY_JOBS = frozenset({"CHECK", "CAPTURE", "AUTH", "SAUTH"})
KNOWN_JOBS = ALTER_JOBS | ENTRY_JOBS | {"FORCERETURN"}

# A simple authorization may be made a real one; nothing becomes a simple one.
CHANGES = {
    "AUTH": frozenset({"AUTH", "CAPTURE"}),
    "SAUTH": frozenset({"SAUTH", "AUTH", "CAPTURE"}),
    "CAPTURE": frozenset({"CAPTURE", "AUTH"}),
    "SALES": frozenset({"CAPTURE", "AUTH"}),
}

NOT_SETTLED = "E11010002"
NOT_ALLOWED_NOW = "E11010003"
TOO_OLD = "E11010010"
AUTHORIZATION_EXPIRED = "E01420010"


def alter_refusal(
    *, status: str, entry_job: str, job: str, last_operation: date, today: date, valid_days: int
) -> str | None:
    """The ErrInfo with which AlterTran refuses `job`, or None. `valid_days`: life of an authorization."""
    if status in UNSETTLED:
        return NOT_SETTLED
    age_days = (today - last_operation).days
    if job in CANCEL_JOBS:
        if status in CANCELLED:
            return NOT_ALLOWED_NOW
        if age_days > DAYS_KEPT:
            return TOO_OLD
        return None if _cancels(status, job, last_operation, today) else NOT_ALLOWED_NOW
    if job == "SALES":
        if status != "AUTH":
            return NOT_ALLOWED_NOW
        if age_days > DAYS_KEPT:
            return TOO_OLD
        return AUTHORIZATION_EXPIRED if age_days > valid_days else None
    if status not in CANCELLED or entry_job == "CHECK":
        return NOT_ALLOWED_NOW
    return TOO_OLD if age_days > DAYS_KEPT else None


def _cancels(status: str, job: str, last_operation: date, today: date) -> bool:
    same_month = (today.year, today.month) == (last_operation.year, last_operation.month)
    if job == "VOID":
        return today == last_operation
    if job == "RETURN":
        return same_month or status in HELD
    return status in CHARGED and not same_month


def change_refusal(
    *, status: str, job: str, last_operation: date, today: date, valid_days: int
) -> str | None:
    """The ErrInfo with which ChangeTran refuses to make the trade `job`, or None."""
    if status in UNSETTLED:
        return NOT_SETTLED
    if job not in CHANGES.get(status, frozenset()):
        return NOT_ALLOWED_NOW
    age_days = (today - last_operation).days
    if age_days > DAYS_KEPT:
        return TOO_OLD
    if status in HELD and age_days > valid_days:
        return AUTHORIZATION_EXPIRED
    return None
