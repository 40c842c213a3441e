"""What SBPS allows on a card payment, and until when. Pure; days and months are Tokyo's calendar."""

from __future__ import annotations

from datetime import date, timedelta

from gateways.sandbox.sbps.trades import HELD, RETURNED, SOLD, VOIDED

MONTHS_OPEN = 3

NOTHING_TO_CAPTURE = "37"
CAPTURE_OF_CANCELLED = "40"
CAPTURED_ALREADY = "41"
CAPTURE_CLOSED = "42"
CANCELLED_ALREADY = "52"
RETURNED_ALREADY = "46"
REFUND_CLOSED = "56"
COMMIT_FIRST = "59"
COMMITTED_ALREADY = "60"
AMOUNT_OVER = "79"
BEFORE_AUTHORIZATION = "W1"
BEFORE_SALE = "W5"


def last_day(start: date) -> date:
    """The end of the third month after a day's month."""
    months = start.year * 12 + start.month - 1 + MONTHS_OPEN + 1
    return date(months // 12, months % 12 + 1, 1) - timedelta(days=1)


def capture_refusal(
    *, status: str, is_auto: bool, authorized_on: date, on: date, today: date, amount: int, held: int
) -> str | None:
    """The type with which a capture of `amount` yen, effective on a day, is refused, or None."""
    if status == VOIDED:
        return CAPTURE_OF_CANCELLED
    if is_auto:
        return NOTHING_TO_CAPTURE
    if status in (SOLD, RETURNED):
        return CAPTURED_ALREADY
    if on < authorized_on:
        return BEFORE_AUTHORIZATION
    if max(on, today) > last_day(authorized_on):
        return CAPTURE_CLOSED
    return AMOUNT_OVER if amount > held else None


def cancel_refusal(
    *,
    status: str,
    is_auto: bool,
    is_committed: bool,
    sold_on: date | None,
    on: date,
    today: date,
    closed: bool,
) -> str | None:
    """The type with which a cancel or refund, effective on a day, is refused, or None."""
    if status == VOIDED:
        return CANCELLED_ALREADY
    if status == RETURNED:
        return RETURNED_ALREADY
    if status == HELD:
        return COMMIT_FIRST if is_auto and not is_committed else None
    if sold_on is not None and on < sold_on:
        return BEFORE_SALE
    if closed or (sold_on is not None and max(on, today) > last_day(sold_on)):
        return REFUND_CLOSED
    return None
