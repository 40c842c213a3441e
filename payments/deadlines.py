"""Until when a payment may be captured, cancelled and changed. Calendar days in Tokyo, day + N inclusive.

Source: requirements, "Deadlines".
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from payments.cancellation import TOKYO


def tokyo_day(moment: datetime) -> date:
    """The calendar day in Tokyo of an aware datetime."""
    return moment.astimezone(TOKYO).date()


def last_day(start: datetime | None, days: int) -> date | None:
    """The last day on which something may be done that is allowed for `days` days after `start`."""
    return None if start is None else tokyo_day(start) + timedelta(days=days)


def is_past(deadline: date | None, now: datetime) -> bool:
    """Whether the deadline's day is over in Tokyo. No deadline is never past."""
    return deadline is not None and tokyo_day(now) > deadline


def past_closing_day(captured_at: datetime | None, closing_day: int | None, now: datetime) -> bool:
    """Whether the card company's closing date lies between the capture and now.

    `closing_day` is the day of the month (31 = its last day); unset, every later day than the capture's counts,
    since the warning must rather come too often than never.
    """
    if captured_at is None:
        return False
    captured, today = tokyo_day(captured_at), tokyo_day(now)
    if closing_day is None:
        return today > captured
    return today > _next_closing(captured, closing_day)


def _next_closing(day: date, closing_day: int) -> date:
    closing = _closing_in(day.year, day.month, closing_day)
    if closing >= day:
        return closing
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return _closing_in(year, month, closing_day)


def _closing_in(year: int, month: int, closing_day: int) -> date:
    next_month = date(year + 1, 1, 1) if month == 12 else date(year, month + 1, 1)
    last = (next_month - timedelta(days=1)).day
    return date(year, month, min(closing_day, last))
