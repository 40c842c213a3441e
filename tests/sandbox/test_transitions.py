"""What may be done with a card trade on which day, over real HTTP with the sandbox's clock moved."""

from __future__ import annotations

import pytest

from tests.sandbox.conftest import Shop

REFUSED, TOO_OLD, EXPIRED, UNSETTLED = "E11010003", "E11010010", "E01420010", "E11010002"

# Executed on 2026-11-10 12:00 in Tokyo; status then, job, moment of the call, refusal or None.
CANCELS = [
    ("AUTH", "VOID", "2026-11-10T23:59:58", None),
    ("AUTH", "VOID", "2026-11-11T00:00:00", REFUSED),
    ("AUTH", "RETURN", "2026-11-10T13:00:00", None),
    ("AUTH", "RETURN", "2026-11-11T00:00:00", None),
    ("AUTH", "RETURN", "2026-12-01T00:00:00", None),
    ("AUTH", "RETURN", "2027-05-09T23:59:00", None),
    ("AUTH", "RETURN", "2027-05-10T00:00:00", TOO_OLD),
    ("AUTH", "RETURNX", "2026-12-01T00:00:00", REFUSED),
    ("SAUTH", "VOID", "2026-11-10T13:00:00", None),
    ("SAUTH", "RETURN", "2026-12-01T00:00:00", None),
    ("CAPTURE", "VOID", "2026-11-10T23:59:58", None),
    ("CAPTURE", "VOID", "2026-11-11T00:00:00", REFUSED),
    ("CAPTURE", "RETURN", "2026-11-10T13:00:00", None),
    ("CAPTURE", "RETURN", "2026-11-30T23:59:58", None),
    ("CAPTURE", "RETURN", "2026-12-01T00:00:00", REFUSED),
    ("CAPTURE", "RETURNX", "2026-11-30T23:59:58", REFUSED),
    ("CAPTURE", "RETURNX", "2026-12-01T00:00:00", None),
    ("CAPTURE", "RETURNX", "2027-05-09T00:00:00", None),
    ("CAPTURE", "RETURNX", "2027-05-10T00:00:00", TOO_OLD),
    ("CHECK", "VOID", "2026-11-10T13:00:00", None),
    ("CHECK", "RETURN", "2026-11-11T00:00:00", None),
    ("CHECK", "RETURN", "2026-12-01T00:00:00", REFUSED),
    ("CHECK", "RETURNX", "2026-12-01T00:00:00", REFUSED),
]


@pytest.mark.parametrize(("entry_job", "job", "moment", "refusal"), CANCELS)
def test_cancel_depends_on_the_tokyo_day_of_the_last_operation(
    shop: Shop, entry_job: str, job: str, moment: str, refusal: str | None
) -> None:
    shop.sandbox.set_clock("2026-11-10T12:00:00")
    trade = shop.paid(entry_job)
    shop.sandbox.set_clock(moment)
    answer = shop.alter(trade, job)
    assert answer.get("ErrInfo") == refusal
    assert shop.search(trade["OrderID"])["Status"] == (job if refusal is None else entry_job)
    booked = [line["action"] for line in shop.sandbox.ledger(trade["OrderID"])]
    assert booked == [entry_job] + ([job] if refusal is None else [])


@pytest.mark.parametrize(
    ("captured", "cancelled", "accepted"),
    [
        ("2026-11-10T15:00:00", "2026-11-10T20:00:00", {"VOID", "RETURN"}),
        ("2026-11-20T15:00:00", "2026-11-20T20:00:00", {"VOID", "RETURN"}),
        ("2026-11-20T15:00:00", "2026-11-21T00:00:00", {"RETURN"}),
        ("2026-12-02T15:00:00", "2026-12-31T23:59:58", {"RETURN"}),
        ("2026-11-20T15:00:00", "2026-12-01T00:00:00", {"RETURNX"}),
    ],
)
def test_cancel_of_a_captured_trade_counts_from_the_capture(
    shop: Shop, captured: str, cancelled: str, accepted: set[str]
) -> None:
    for job in ("VOID", "RETURN", "RETURNX"):
        shop.sandbox.set_clock("2026-11-10T12:00:00")
        trade = shop.paid("AUTH")
        shop.sandbox.set_clock(captured)
        shop.alter(trade, "SALES", Amount="1000")
        shop.sandbox.set_clock(cancelled)
        assert shop.alter(trade, job).get("ErrInfo") == (None if job in accepted else REFUSED)


@pytest.mark.parametrize(
    ("entry_job", "moment", "amount", "refusal"),
    [
        ("AUTH", "2026-11-10T12:30:00", "1000", None),
        ("AUTH", "2027-02-08T23:59:58", "1000", None),
        ("AUTH", "2027-02-09T00:00:00", "1000", EXPIRED),
        ("AUTH", "2027-05-10T00:00:00", "1000", TOO_OLD),
        ("AUTH", "2026-11-10T12:30:00", "999", "E01060010"),
        ("AUTH", "2026-11-10T12:30:00", "", "E01060001"),
        ("AUTH", "2026-11-10T12:30:00", "0", "E01060011"),
        ("CAPTURE", "2026-11-10T12:30:00", "1000", REFUSED),
        ("CHECK", "2026-11-10T12:30:00", "1000", REFUSED),
    ],
)
def test_capture_within_ninety_days_of_the_authorized_amount(
    shop: Shop, entry_job: str, moment: str, amount: str, refusal: str | None
) -> None:
    shop.sandbox.set_clock("2026-11-10T12:00:00")
    trade = shop.paid(entry_job)
    shop.sandbox.set_clock(moment)
    assert shop.alter(trade, "SALES", Amount=amount).get("ErrInfo") == refusal


def test_the_life_of_an_authorization_is_a_setting(shop: Shop) -> None:
    shop.sandbox.settings(gmopg_auth_valid_days=60)
    shop.sandbox.set_clock("2026-11-10T12:00:00")
    trade = shop.paid("AUTH")
    shop.sandbox.set_clock("2027-01-10T12:00:00")
    assert shop.alter(trade, "SALES", Amount="1000")["ErrInfo"] == EXPIRED


def test_capture_keeps_approval_and_cancel_makes_a_new_one(shop: Shop) -> None:
    trade = shop.paid("AUTH")
    before = shop.search(trade["OrderID"])
    sold = shop.alter(trade, "SALES", Amount="1000")
    assert list(sold) == ["AccessID", "AccessPass", "Forward", "Approve", "TranID", "TranDate"]
    assert (sold["Approve"], sold["TranID"]) == (before["Approve"], before["TranID"])
    returned = shop.alter(trade, "RETURN", Amount="1000")
    assert returned["TranID"] != sold["TranID"]
    assert shop.alter(trade, "VOID")["ErrInfo"] == REFUSED


@pytest.mark.parametrize(
    ("start", "job", "result"),
    [
        ("AUTH", "AUTH", None),
        ("AUTH", "CAPTURE", None),
        ("CAPTURE", "CAPTURE", None),
        ("CAPTURE", "AUTH", None),
        ("SALES", "CAPTURE", None),
        ("SALES", "AUTH", None),
        ("SAUTH", "SAUTH", None),
        ("SAUTH", "AUTH", None),
        ("SAUTH", "CAPTURE", None),
        ("AUTH", "SAUTH", REFUSED),
        ("CAPTURE", "SAUTH", REFUSED),
        ("CHECK", "AUTH", REFUSED),
        ("VOID", "AUTH", REFUSED),
        ("AUTH", "SALES", "E01050004"),
    ],
)
def test_change_of_amount_in_every_direction(shop: Shop, start: str, job: str, result: str | None) -> None:
    trade = shop.paid("AUTH" if start in ("SALES", "VOID") else start)
    if start == "SALES":
        shop.alter(trade, "SALES", Amount="1000")
    if start == "VOID":
        shop.alter(trade, "VOID")
    assert shop.change(trade, job, "1500").get("ErrInfo") == result
    now = shop.search(trade["OrderID"])
    if result is None:
        assert (now["Status"], now["JobCd"], now["Amount"]) == (job, job, "1500")
        last = shop.sandbox.ledger(trade["OrderID"])[-1]
        assert (last["action"], last["job"], last["amount"]) == ("CHANGE", job, 1500)
    else:
        assert now["Status"] == start


@pytest.mark.parametrize(
    ("job", "moment", "refusal"),
    [
        ("AUTH", "2027-02-08T12:00:00", None),
        ("AUTH", "2027-02-09T12:00:00", EXPIRED),
        ("CAPTURE", "2027-05-09T12:00:00", None),
        ("CAPTURE", "2027-05-10T12:00:00", TOO_OLD),
    ],
)
def test_change_of_amount_in_time(shop: Shop, job: str, moment: str, refusal: str | None) -> None:
    shop.sandbox.set_clock("2026-11-10T12:00:00")
    trade = shop.paid(job)
    shop.sandbox.set_clock(moment)
    assert shop.change(trade, job, "900").get("ErrInfo") == refusal


def test_a_change_of_amount_starts_the_windows_again(shop: Shop) -> None:
    shop.sandbox.set_clock("2026-11-10T12:00:00")
    trade = shop.paid("CAPTURE")
    shop.sandbox.set_clock("2026-12-05T12:00:00")
    assert "ErrInfo" not in shop.change(trade, "CAPTURE", "900")
    assert "ErrInfo" not in shop.alter(trade, "VOID")


@pytest.mark.parametrize("job", ["AUTH", "CAPTURE"])
@pytest.mark.parametrize("cancel", ["VOID", "RETURN", "RETURNX"])
def test_a_cancelled_trade_can_be_authorized_again(shop: Shop, cancel: str, job: str) -> None:
    shop.sandbox.set_clock("2026-11-10T12:00:00")
    trade = shop.paid("CAPTURE")
    if cancel == "RETURNX":
        shop.sandbox.set_clock("2026-12-01T12:00:00")
    assert "ErrInfo" not in shop.alter(trade, cancel)
    assert "ErrInfo" not in shop.alter(trade, job, Amount="2000", Method="1")
    now = shop.search(trade["OrderID"])
    assert (now["Status"], now["Amount"]) == (job, "2000")


def test_only_a_cancelled_trade_can_be_authorized_again(shop: Shop) -> None:
    assert shop.alter(shop.paid("AUTH"), "AUTH", Amount="1000", Method="1")["ErrInfo"] == REFUSED
    checked = shop.paid("CHECK")
    shop.alter(checked, "VOID")
    assert shop.alter(checked, "AUTH", Amount="1000", Method="1")["ErrInfo"] == REFUSED


def test_a_cancel_with_another_amount_is_refused(shop: Shop) -> None:
    assert shop.alter(shop.paid("AUTH"), "VOID", Amount="1")["ErrInfo"] == "E01060010"


def test_nothing_can_be_altered_before_it_was_executed(shop: Shop) -> None:
    trade = shop.entry()
    assert shop.alter(trade, "VOID")["ErrInfo"] == UNSETTLED
    assert shop.change(trade, "AUTH", "1")["ErrInfo"] == UNSETTLED
    assert shop.sandbox.ledger() == []
