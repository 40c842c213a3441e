"""au, docomo, SoftBank and 楽天ペイ (protocol 2.11, 2.12): the customer agrees on the payer's own pages.

The shop's later operations go by state alone: the windows of 4.3 are not watched here, and a part of an amount is
not cancelled, since what a partial cancel leaves behind is not documented. [inferred]: a cancelled sale is RETURN at
au and CANCEL at the others; Rakuten changes the amount of what is held or taken.
"""

from __future__ import annotations

import json
import secrets
from datetime import timedelta

from gateways.sandbox.gmopg import dues, life
from gateways.sandbox.gmopg.desk import RAKUTEN_SECONDS, Desk, stamp
from gateways.sandbox.gmopg.fields import is_digits
from gateways.sandbox.gmopg.kinds import AU, DOCOMO, RAKUTEN, SOFTBANK, Kind
from gateways.sandbox.gmopg.multi_fields import ALREADY_REQUESTED, NOT_ALLOWED_NOW, MultiChecks
from gateways.sandbox.gmopg.trades import Trade
from gateways.sandbox.gmopg.wire import Fields, Parameters, Refused

DEFAULT_TERM_SECONDS, LONGEST_TERM_SECONDS = 120, 86_400
MONEY = frozenset({"AUTH", "CAPTURE", "SALES"})
AMOUNT_DIFFERS = "M01055010"
CANCEL_MISSING, CANCEL_DIFFERS = "M01085001", "M01085010"
# Key of the cancelled amount in SearchTradeMulti.
CANCELLED_KEYS = {AU: "AuCancelAmount", DOCOMO: "DocomoCancelAmount", SOFTBANK: "SbCancelAmount"}


def exec_tran(kind: Kind, desk: Desk, parameters: Parameters) -> Fields:
    """ExecTran<kind>: REQSUCCESS, with the address and the token with which the browser goes there by POST."""
    checks = MultiChecks(parameters)
    trade = checks.trade(desk, kind.pay_type, shop_id=checks.shop())
    return_url = checks.text("RetURL", "059", 2048 if kind is RAKUTEN else 256, required=True)
    seconds = checks.number("PaymentTermSec", "048", LONGEST_TERM_SECONDS, DEFAULT_TERM_SECONDS)
    if kind is AU:
        for name, item in (("Commodity", "080"), ("ServiceName", "082")):
            checks.text(name, item, 48, required=True)
        checks.text("ServiceTel", "083", 15, required=True)
    if kind is DOCOMO:
        checks.text("DocomoDisp1", "087", 40)
        checks.text("DocomoDisp2", "088", 40)
    wishes = checks.client_fields()
    checks.stop_on_errors()
    if trade.status != "UNPROCESSED":
        raise Refused(ALREADY_REQUESTED)
    until = desk.now + timedelta(seconds=seconds)
    token = secrets.token_urlsafe(48)
    details = json.dumps({"token": token, "return_url": return_url, "until": stamp(until)})
    life.move(desk, trade, "REQSUCCESS", call=f"ExecTran{kind.name}", details=details, **wishes)
    if kind.expires:
        dues.plan(desk, trade, at=until, becomes="EXPIRED")
    return [
        ("AccessID", trade.access_id),
        ("Token", token),
        ("StartURL", f"{desk.origin}/gmopg/payment/{kind.name}Start.idPass"),
        ("StartLimitDate", stamp(until)),
    ]


def sales(kind: Kind, desk: Desk, parameters: Parameters, *, source: str = "api") -> Fields:
    """AuSales, DocomoSales, SbSales: capture the whole amount."""
    checks, trade = _find(kind, desk, parameters)
    amount, tax = checks.total(digits=kind.digits, highest=kind.highest)
    checks.stop_on_errors()
    if trade.status != "AUTH":
        raise Refused(NOT_ALLOWED_NOW)
    if amount + tax != trade.total:
        raise Refused(AMOUNT_DIFFERS)
    life.move(desk, trade, "SALES", call=f"{kind.name}Sales", source=source, job="SALES")
    return [("OrderID", trade.order_id), ("Status", "SALES"), ("Amount", str(amount)), ("Tax", str(tax))]


def cancel(kind: Kind, desk: Desk, parameters: Parameters, *, source: str = "api") -> Fields:
    """AuCancelReturn, DocomoCancelReturn, SbCancel: give the whole amount back."""
    checks, trade = _find(kind, desk, parameters)
    wished = [checks.get(name) or "0" for name in ("CancelAmount", "CancelTax")]
    if not checks.get("CancelAmount"):
        raise Refused(CANCEL_MISSING)
    if trade.status not in MONEY:
        raise Refused(NOT_ALLOWED_NOW)
    if not all(is_digits(text) for text in wished) or sum(map(int, wished)) != trade.total:
        raise Refused(CANCEL_DIFFERS)
    status = "RETURN" if kind is AU and trade.status != "AUTH" else "CANCEL"
    key = CANCELLED_KEYS[kind]
    told = {key: wished[0], key.replace("Amount", "Tax"): wished[1]}
    life.move(desk, trade, status, call=f"{kind.name}CancelReturn", source=source, told=told)
    rest = [("Amount", "0"), ("Tax", "0")] if kind is not SOFTBANK else []
    return [
        ("OrderID", trade.order_id),
        ("Status", status),
        *rest,
        ("CancelAmount", wished[0]),
        ("CancelTax", wished[1]),
    ]


def rakuten_sales(desk: Desk, parameters: Parameters, *, source: str = "api") -> Fields:
    """RakutenIdSales: REQSALES, and SALES once Rakuten has dealt with it."""
    return _ask_rakuten(desk, parameters, "REQSALES", frozenset({"AUTH"}), "SALES", source)


def rakuten_cancel(desk: Desk, parameters: Parameters, *, source: str = "api") -> Fields:
    """RakutenIdCancel: REQCANCEL, and CANCEL once Rakuten has dealt with it."""
    return _ask_rakuten(desk, parameters, "REQCANCEL", MONEY, "CANCEL", source)


def rakuten_change(desk: Desk, parameters: Parameters, *, source: str = "api") -> Fields:
    """RakutenIdChange: REQCHANGE, and then the status before with the new amount."""
    return _ask_rakuten(desk, parameters, "REQCHANGE", MONEY, "", source)


def _ask_rakuten(
    desk: Desk, parameters: Parameters, status: str, allowed: frozenset[str], becomes: str, source: str
) -> Fields:
    checks, trade = _find(RAKUTEN, desk, parameters)
    amount, tax = trade.amount or 0, trade.tax
    if not becomes:
        amount, tax = checks.total(digits=RAKUTEN.digits, highest=RAKUTEN.highest)
        checks.stop_on_errors()
    if trade.status not in allowed:
        raise Refused(NOT_ALLOWED_NOW)
    life.move(desk, trade, status, call=f"RakutenId{status.removeprefix('REQ').capitalize()}", source=source)
    done_at = desk.now + timedelta(seconds=desk.house.settings[RAKUTEN_SECONDS])
    columns = {} if becomes else {"amount": amount, "tax": tax}
    dues.plan(desk, trade, at=done_at, becomes=becomes or trade.status, columns=columns)
    return [("OrderID", trade.order_id), ("Status", status), ("Amount", str(amount)), ("Tax", str(tax))]


def _find(kind: Kind, desk: Desk, parameters: Parameters) -> tuple[MultiChecks, Trade]:
    checks = MultiChecks(parameters)
    trade = checks.trade(desk, kind.pay_type, shop_id=checks.shop())
    checks.stop_on_errors()
    return checks, trade
