"""ExecTran and SecureTran2: the card is charged, held or only checked."""

from __future__ import annotations

import json
import secrets
from datetime import datetime
from typing import Any

from gateways.sandbox.gmopg import card_source, tokens, trades
from gateways.sandbox.gmopg.card_source import ChosenCard
from gateways.sandbox.gmopg.cards import CHALLENGE, Card
from gateways.sandbox.gmopg.desk import FORWARD, Desk, stamp
from gateways.sandbox.gmopg.fields import Checks
from gateways.sandbox.gmopg.trades import Trade
from gateways.sandbox.gmopg.wire import Fields, Parameters, Refused

NO_TRADE = "E01110002"
ALREADY_EXECUTED = "E11010001"
MAY_BE_COMPLETE = "E11010999"
NOT_SETTLED = "E11010002"
ILLEGAL_COMBINATION = "E01840010"
NOT_ENROLLED = "E21030201"
AUTHENTICATION_FAILED = "E21030007"

ORDINARY_AUTHORIZATION = "3"


def exec_tran(desk: Desk, parameters: Parameters) -> Fields:
    """Execute an entered trade once. A declined one stays UNPROCESSED and may be tried again."""
    checks = Checks(parameters)
    access_id, access_pass = checks.access()
    order_id = checks.order_id()
    trade = trades.by_access(desk, access_id, access_pass)
    if trade is None or order_id != trade.order_id:
        if order_id:
            checks.codes.append(NO_TRADE)
        if checks.get("CardNo"):
            card_source.check_number(checks)
        checks.stop_on_errors()
        raise Refused(NO_TRADE)
    if trade.status != "UNPROCESSED":
        raise Refused(MAY_BE_COMPLETE if trade.status == "AUTHENTICATED" else ALREADY_EXECUTED)
    method, pay_times = ("", "") if trade.entry_job == "CHECK" else checks.method()
    wishes = {
        "client_field_1": checks.limited("ClientField1", 100, "320012"),
        "client_field_2": checks.limited("ClientField2", 100, "330012"),
        "client_field_3": checks.limited("ClientField3", 100, "340012"),
        "client_field_flag": checks.get("ClientFieldFlag"),
        "method": method,
        "pay_times": pay_times,
    }
    chosen = card_source.choose(desk, checks)
    if trade.td_flag == "2":
        if chosen.card.three_d_secure:
            return _to_three_d_secure(desk, trade, chosen, checks, wishes)
        if trade.tds2_type != ORDINARY_AUTHORIZATION:
            raise Refused(NOT_ENROLLED)
    if chosen.token:
        tokens.use_up(desk, chosen.token)
    return [("ACS", "0"), *_authorize(desk, trade, chosen, wishes, call="ExecTran", padded=False)]


def _authorize(
    desk: Desk, trade: Trade, chosen: ChosenCard, wishes: dict[str, str], *, call: str, padded: bool
) -> Fields:
    now = desk.now
    if refusal := chosen.card.decline(now):
        trades.update(desk, trade, status="UNPROCESSED", process_date=stamp(now))
        raise Refused(refusal)
    approve, tran_id = desk.new_approval(now)
    if padded:
        # Seen on trades after 3-D Secure: six digits behind a space, and the space counts in CheckString.
        approve = f" {approve[1:]}"
    tran_date = stamp(now)
    trades.update(
        desk, trade, status=trade.entry_job, job=trade.entry_job, card=chosen.card.to_json(), forward=FORWARD,
        site_id=chosen.site_id, member_id=chosen.member_id, approve=approve, tran_id=tran_id,
        tran_date=tran_date, process_date=tran_date, details="{}", **wishes,
    )  # fmt: skip
    trades.book(
        desk,
        trade,
        action=trade.entry_job,
        job=trade.entry_job,
        amount=trade.total,
        call=call,
        source="api",
        at=now,
    )
    return _approved_fields(trade, wishes, approve, tran_id, tran_date)


def _approved_fields(
    trade: Trade, wishes: dict[str, str], approve: str, tran_id: str, tran_date: str
) -> Fields:
    method, pay_times = wishes["method"], wishes["pay_times"]
    sealed = trades.check_string(
        trade,
        forward=FORWARD,
        method=method,
        pay_times=pay_times,
        approve=approve,
        tran_id=tran_id,
        tran_date=tran_date,
    )
    fields = [
        ("OrderID", trade.order_id),
        ("Forward", FORWARD),
        ("Method", method),
        ("PayTimes", pay_times),
        ("Approve", approve),
        ("TranID", tran_id),
        ("TranDate", tran_date),
        ("CheckString", sealed),
    ]
    if wishes["client_field_flag"] == "1":
        fields += [(f"ClientField{n}", wishes[f"client_field_{n}"]) for n in (1, 2, 3)]
    return fields


def _to_three_d_secure(
    desk: Desk, trade: Trade, chosen: ChosenCard, checks: Checks, wishes: dict[str, str]
) -> Fields:
    return_url, callback = checks.get("RetUrl"), checks.get("CallbackType") or "1"
    if not return_url.startswith(("http://", "https://")) or callback not in ("1", "3"):
        raise Refused(ILLEGAL_COMBINATION)
    if chosen.token:
        tokens.use_up(desk, chosen.token)
    transaction = secrets.token_hex(16)
    pending: dict[str, Any] = {
        "transaction": transaction,
        "return_url": return_url,
        "callback": callback,
        "result": "pending",
        "challenge": chosen.card.behaviour == CHALLENGE,
        "card": chosen.card.to_json(),
        "site_id": chosen.site_id,
        "member_id": chosen.member_id,
        "wishes": wishes,
    }
    now: datetime = desk.now
    trades.update(
        desk, trade, status="AUTHENTICATED", process_date=stamp(now), transaction_id=transaction,
        details=json.dumps(pending),
    )  # fmt: skip
    url = f"{desk.origin}/gmopg/tds2/callback?transId={transaction}&t={secrets.token_hex(8)}"
    return [("ACS", "2"), ("RedirectUrl", url)]


def secure_tran_2(desk: Desk, parameters: Parameters) -> Fields:
    """Finish a trade whose customer has come back from 3-D Secure."""
    checks = Checks(parameters)
    access_id, access_pass = checks.access()
    trade = trades.by_access(desk, access_id, access_pass)
    if trade is None:
        checks.codes.append(NO_TRADE)
    checks.stop_on_errors()
    if trade is None or trade.status == "UNPROCESSED":
        raise Refused(NOT_SETTLED)
    if trade.status != "AUTHENTICATED":
        raise Refused(ALREADY_EXECUTED)
    pending = trade.kept
    if pending["result"] == "pending":
        raise Refused(NOT_SETTLED)
    if pending["result"] != "passed":
        trades.update(desk, trade, status="UNPROCESSED", process_date=stamp(desk.now), details="{}")
        raise Refused(AUTHENTICATION_FAILED)
    chosen = ChosenCard(Card.from_json(pending["card"]), pending["site_id"], pending["member_id"])
    return _authorize(desk, trade, chosen, pending["wishes"], call="SecureTran2", padded=True)
