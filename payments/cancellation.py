"""The cancel rule: which kind of cancel a payment needs, decided by days and months in Tokyo.

Source: requirements, "The cancel rule". The manuals' words: 取消 (VOID), 返品 (RETURN), 月跨返品 (RETURNX).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from gateways.vocabulary import CancelType, PaymentStatus

TOKYO = ZoneInfo("Asia/Tokyo")

CANCEL_WORDS: dict[CancelType, str] = {
    CancelType.VOID: "取消",
    CancelType.RETURN: "返品",
    CancelType.RETURNX: "月跨返品",
}

_STATUS_WORDS: dict[PaymentStatus, str] = {
    PaymentStatus.AUTH: "仮売上",
    PaymentStatus.SAUTH: "簡易オーソリ",
    PaymentStatus.CAPTURE: "即時売上",
    PaymentStatus.SALES: "実売上",
    PaymentStatus.CHECK: "有効性チェック",
}


@dataclass(frozen=True, kw_only=True)
class CancelDecision:
    """The cancel type, or None where no cancel is offered, and the reason in words for the operator."""

    cancel_type: CancelType | None
    words: str


def cancel_type(
    status: str, authorized_at: datetime | None, captured_at: datetime | None, now: datetime
) -> CancelType | None:
    """The cancel type by GMO-PG's rule; None where a cancel is not offered.

    All datetimes are aware and judged on Tokyo's calendar. For SALES both dates count, for CAPTURE the sale's
    (`captured_at`, or `authorized_at` where only that is known). Raises ValueError where a needed date is
    missing or naive.
    """
    if status in (PaymentStatus.AUTH, PaymentStatus.SAUTH):
        authorized = _tokyo_day(authorized_at, "authorized_at")
        return CancelType.VOID if _tokyo_day(now, "now") <= authorized else CancelType.RETURN
    if status == PaymentStatus.CAPTURE:
        sold = _tokyo_day(captured_at or authorized_at, "captured_at")
        return _of_a_sale(sold, sold, _tokyo_day(now, "now"))
    if status == PaymentStatus.SALES:
        captured = _tokyo_day(captured_at, "captured_at")
        authorized = _tokyo_day(authorized_at or captured_at, "authorized_at")
        return _of_a_sale(authorized, captured, _tokyo_day(now, "now"))
    if status == PaymentStatus.CHECK:
        checked = _tokyo_day(authorized_at, "authorized_at")
        kind = _of_a_sale(checked, checked, _tokyo_day(now, "now"))
        return None if kind is CancelType.RETURNX else kind
    return None


def cancel_decision(
    status: str, authorized_at: datetime | None, captured_at: datetime | None, now: datetime
) -> CancelDecision:
    """The cancel type with its reason, such as 「仮売上 11/30、本日 12/1 → 返品」. Errors as cancel_type."""
    kind = cancel_type(status, authorized_at, captured_at, now)
    if kind is None:
        return CancelDecision(cancel_type=None, words="")
    today = _tokyo_day(now, "now")
    dates: list[str] = []
    if status == PaymentStatus.SALES:
        dates.append(f"仮売上 {_month_day(_tokyo_day(authorized_at or captured_at, 'authorized_at'), today)}")
        dates.append(f"実売上 {_month_day(_tokyo_day(captured_at, 'captured_at'), today)}")
    else:
        day = _tokyo_day(
            (captured_at or authorized_at) if status == PaymentStatus.CAPTURE else authorized_at,
            "authorized_at",
        )
        dates.append(f"{_STATUS_WORDS[PaymentStatus(status)]} {_month_day(day, today)}")
    dates.append(f"本日 {_month_day(today, today)}")
    return CancelDecision(cancel_type=kind, words=f"{'、'.join(dates)} → {CANCEL_WORDS[kind]}")


def _of_a_sale(authorized: date, captured: date, today: date) -> CancelType:
    if today <= authorized and today <= captured:
        return CancelType.VOID
    if (today.year, today.month) <= (captured.year, captured.month):
        return CancelType.RETURN
    return CancelType.RETURNX


def _tokyo_day(moment: datetime | None, name: str) -> date:
    if moment is None:
        raise ValueError(f"the cancel rule needs {name}")
    if moment.tzinfo is None:
        raise ValueError(f"{name} must be aware")
    return moment.astimezone(TOKYO).date()


def _month_day(day: date, today: date) -> str:
    return f"{day.month}/{day.day}" if day.year == today.year else f"{day.year}/{day.month}/{day.day}"
