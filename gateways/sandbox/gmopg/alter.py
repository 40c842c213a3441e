"""AlterTran and ChangeTran: capture, cancel, reauthorize, change the amount."""

from __future__ import annotations

from gateways.sandbox.gmopg import trades
from gateways.sandbox.gmopg.desk import VALID_DAYS, Desk, stamp
from gateways.sandbox.gmopg.fields import Checks
from gateways.sandbox.gmopg.rules import (
    ALTER_JOBS,
    CANCEL_JOBS,
    CHANGE_JOBS,
    REAUTHORIZE_JOBS,
    alter_refusal,
    change_refusal,
)
from gateways.sandbox.gmopg.trades import Trade
from gateways.sandbox.gmopg.wire import Fields, Parameters, Refused

NO_TRADE = "E01110002"
AMOUNT_DIFFERS = "E01060010"


def alter_tran(desk: Desk, parameters: Parameters, *, source: str = "api") -> Fields:
    """One of SALES, VOID, RETURN, RETURNX, AUTH, CAPTURE, SAUTH on an executed trade."""
    checks = Checks(parameters)
    trade, job = _find(desk, checks, ALTER_JOBS)
    amount, tax = trade.amount, trade.tax
    changes: dict[str, object] = {}
    if job not in CANCEL_JOBS:
        amount = checks.amount()
        tax = checks.tax(amount)
        if job in REAUTHORIZE_JOBS:
            changes["method"], changes["pay_times"] = checks.method()
            changes |= {"amount": amount, "tax": tax}
    elif checks.get("Amount"):
        amount = checks.amount()
    checks.stop_on_errors()
    refusal = alter_refusal(
        status=trade.status,
        entry_job=trade.entry_job,
        job=job,
        last_operation=trade.last_operation,
        today=desk.now.date(),
        valid_days=desk.house.settings[VALID_DAYS],
    )
    if refusal is None and job not in REAUTHORIZE_JOBS and (amount, tax) != (trade.amount, trade.tax):
        refusal = AMOUNT_DIFFERS
    if refusal is not None:
        raise Refused(refusal)
    if job in REAUTHORIZE_JOBS:
        _ask_issuer(desk, trade)
    return _settle(
        desk, trade, job=job, action=job, total=(amount or 0) + tax, keeps_approval=job == "SALES", step=1,
        call="AlterTran", source=source, changes=changes,
    )  # fmt: skip


def change_tran(desk: Desk, parameters: Parameters, *, source: str = "api") -> Fields:
    """A new total for a live trade; afterwards it is what JobCd says."""
    checks = Checks(parameters)
    trade, job = _find(desk, checks, CHANGE_JOBS)
    amount = checks.amount()
    tax = checks.tax(amount)
    checks.stop_on_errors()
    refusal = change_refusal(
        status=trade.status,
        job=job,
        last_operation=trade.last_operation,
        today=desk.now.date(),
        valid_days=desk.house.settings[VALID_DAYS],
    )
    if refusal is not None:
        raise Refused(refusal)
    _ask_issuer(desk, trade)
    # The numbers skip one: inside, the old hold is cancelled and a new one made.
    return _settle(
        desk, trade, job=job, action="CHANGE", total=amount + tax, keeps_approval=False, step=2,
        call="ChangeTran", source=source, changes={"amount": amount, "tax": tax},
    )  # fmt: skip


def _find(desk: Desk, checks: Checks, allowed: frozenset[str]) -> tuple[Trade, str]:
    shop_id = checks.shop()
    job = checks.job(allowed)
    access_id, access_pass = checks.access()
    trade = trades.by_access(desk, access_id, access_pass, shop_id)
    if trade is None:
        checks.codes.append(NO_TRADE)
        raise Refused(*checks.codes)
    checks.stop_on_errors()
    return trade, job


def _ask_issuer(desk: Desk, trade: Trade) -> None:
    card = trade.known_card
    if card is not None and (decline := card.decline(desk.now)):
        raise Refused(decline)


def _settle(
    desk: Desk,
    trade: Trade,
    *,
    job: str,
    action: str,
    total: int,
    keeps_approval: bool,
    step: int,
    call: str,
    source: str,
    changes: dict[str, object],
) -> Fields:
    now = desk.now
    approve, tran_id = (trade.approve, trade.tran_id) if keeps_approval else desk.new_approval(now, step=step)
    tran_date = stamp(now)
    trades.update(
        desk, trade, status=job, job=job, approve=approve, tran_id=tran_id, tran_date=tran_date,
        process_date=tran_date, **changes,
    )  # fmt: skip
    trades.book(desk, trade, action=action, job=job, amount=total, call=call, source=source, at=now)
    return [
        ("AccessID", trade.access_id),
        ("AccessPass", trade.access_pass),
        ("Forward", trade.forward),
        ("Approve", approve),
        ("TranID", tran_id),
        ("TranDate", tran_date),
    ]
