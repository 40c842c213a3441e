"""The cancel rule (requirements, "The cancel rule"): days and months in Tokyo."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.vocabulary import CancelType, PaymentStatus
from payments.cancellation import cancel_decision, cancel_type

TOKYO = ZoneInfo("Asia/Tokyo")
VOID, RETURN, RETURNX = CancelType.VOID, CancelType.RETURN, CancelType.RETURNX


def at(text: str) -> datetime:
    """ "11-30 23:59:59" of 2026 in Tokyo, or with a year in front."""
    return datetime.fromisoformat(text if text.count("-") == 2 else f"2026-{text}").replace(tzinfo=TOKYO)


@pytest.mark.parametrize("status", ["AUTH", "SAUTH"])
@pytest.mark.parametrize(
    ("authorized", "now", "expected"),
    [
        ("11-30 00:00:00", "11-30 23:59:59", VOID),
        ("11-30 23:59:59", "12-01 00:00:00", RETURN),
        ("11-30 10:00:00", "11-30 10:00:00", VOID),
        ("11-01 10:00:00", "11-30 10:00:00", RETURN),
        ("2026-12-31 10:00:00", "2027-01-01 00:00:00", RETURN),
        ("2026-06-01 10:00:00", "2026-11-28 10:00:00", RETURN),
    ],
)
def test_a_hold_is_voided_on_its_day_and_returned_on_any_later_one(
    status: str, authorized: str, now: str, expected: CancelType
) -> None:
    assert cancel_type(status, at(authorized), None, at(now)) == expected


@pytest.mark.parametrize(
    ("sold", "now", "expected"),
    [
        ("11-30 00:00:00", "11-30 23:59:59", VOID),
        ("11-29 23:59:59", "11-30 00:00:00", RETURN),
        ("11-30 23:59:59", "12-01 00:00:00", RETURNX),
        ("11-01 00:00:00", "11-30 23:59:59", RETURN),
        ("2025-11-30 00:00:00", "2026-11-30 00:00:00", RETURNX),
    ],
)
def test_an_immediate_sale_is_voided_returned_or_returned_across_months(
    sold: str, now: str, expected: CancelType
) -> None:
    assert cancel_type("CAPTURE", at(sold), at(sold), at(now)) == expected
    assert cancel_type("CAPTURE", at(sold), None, at(now)) == expected


@pytest.mark.parametrize(
    ("authorized", "captured", "now", "expected"),
    [
        ("11-30 09:00:00", "11-30 10:00:00", "11-30 11:00:00", VOID),
        ("11-29 09:00:00", "11-30 10:00:00", "11-30 11:00:00", RETURN),
        ("11-10 09:00:00", "11-10 10:00:00", "11-11 00:00:00", RETURN),
        ("10-31 09:00:00", "11-01 10:00:00", "11-30 23:59:59", RETURN),
        ("11-30 09:00:00", "11-30 10:00:00", "12-01 00:00:00", RETURNX),
        ("10-31 09:00:00", "11-01 10:00:00", "11-01 11:00:00", RETURN),
        ("2025-12-01 09:00:00", "2025-12-31 10:00:00", "2026-01-01 00:00:00", RETURNX),
        ("2025-11-20 09:00:00", "2025-11-21 10:00:00", "2026-11-21 10:00:00", RETURNX),
    ],
)
def test_a_captured_sale_is_a_void_only_when_everything_is_on_one_day(
    authorized: str, captured: str, now: str, expected: CancelType
) -> None:
    assert cancel_type("SALES", at(authorized), at(captured), at(now)) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [("11-30 23:59:59", VOID), ("12-01 00:00:00", None), ("2027-11-30 12:00:00", None)],
)
def test_a_validity_check_is_not_cancelled_in_a_later_month(now: str, expected: CancelType | None) -> None:
    assert cancel_type("CHECK", at("11-30 10:00:00"), None, at(now)) == expected


def test_a_validity_check_of_an_earlier_day_of_the_month_is_a_return() -> None:
    assert cancel_type("CHECK", at("11-29 10:00:00"), None, at("11-30 10:00:00")) == RETURN


def test_the_day_is_tokyos_not_utcs() -> None:
    authorized = datetime(2026, 11, 30, 14, 59, 59, tzinfo=UTC)  # 23:59:59 in Tokyo
    assert cancel_type("AUTH", authorized, None, authorized + timedelta(seconds=1)) == RETURN
    assert cancel_type("AUTH", authorized - timedelta(hours=14), None, authorized) == VOID


@pytest.mark.parametrize(
    "status", sorted(set(PaymentStatus) - {"AUTH", "SAUTH", "CAPTURE", "SALES", "CHECK"})
)
def test_nothing_else_can_be_cancelled(status: str) -> None:
    day = at("11-30 10:00:00")
    assert cancel_type(status, day, day, day) is None


def test_a_missing_or_naive_date_is_an_error_not_a_guess() -> None:
    now = at("11-30 10:00:00")
    with pytest.raises(ValueError, match="authorized_at"):
        cancel_type("AUTH", None, None, now)
    with pytest.raises(ValueError, match="captured_at"):
        cancel_type("SALES", now, None, now)
    with pytest.raises(ValueError, match="aware"):
        cancel_type("AUTH", now.replace(tzinfo=None), None, now)


def test_the_reason_is_told_in_the_manuals_words() -> None:
    decision = cancel_decision("AUTH", at("11-30 10:00:00"), None, at("12-01 09:00:00"))
    assert decision.words == "仮売上 11/30、本日 12/1 → 返品"
    decision = cancel_decision("SALES", at("10-31 10:00:00"), at("11-30 09:00:00"), at("12-01 09:00:00"))
    assert decision.words == "仮売上 10/31、実売上 11/30、本日 12/1 → 月跨返品"
    decision = cancel_decision(
        "CAPTURE", at("2025-12-31 10:00:00"), at("2025-12-31 10:00:00"), at("01-01 09:00:00")
    )
    assert decision.words == "即時売上 2025/12/31、本日 1/1 → 月跨返品"


moments = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(TOKYO))  # noqa: DTZ001


@given(
    authorized=moments,
    gap=st.timedeltas(timedelta(), timedelta(days=90)),
    later=st.timedeltas(timedelta(), timedelta(days=180)),
)
def test_a_later_cancel_is_never_a_lesser_one(authorized: datetime, gap: timedelta, later: timedelta) -> None:
    order = [VOID, RETURN, RETURNX]
    captured = authorized + gap
    for status in ("AUTH", "CAPTURE", "SALES"):
        at_once = cancel_type(status, authorized, captured, captured)
        afterwards = cancel_type(status, authorized, captured, captured + later)
        assert at_once is not None
        assert afterwards is not None
        assert order.index(at_once) <= order.index(afterwards)


@given(authorized=moments, later=st.timedeltas(timedelta(), timedelta(days=400)))
def test_a_hold_is_never_returned_across_months(authorized: datetime, later: timedelta) -> None:
    assert cancel_type("AUTH", authorized, None, authorized + later) != RETURNX
