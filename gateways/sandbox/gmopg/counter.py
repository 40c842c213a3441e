"""コンビニ and Pay-easy (protocol 2.9, 2.10): a number for the customer to pay with at a counter, or at a bank.

No genuine recording of the コンビニ calls exists; names, order and lengths are the vendor's SDK's. [inferred]: the
shapes of the numbers, a term of ten days where the shop names none, and that it ends with the last day's last
second; Pay-easy's CheckString is made as コンビニ's is.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import datetime, time, timedelta

from gateways.sandbox.gmopg import dues, life
from gateways.sandbox.gmopg.desk import SHOPS, Desk, stamp
from gateways.sandbox.gmopg.kinds import CVS, PAY_EASY, Kind
from gateways.sandbox.gmopg.multi_fields import ALREADY_REQUESTED, NOT_ALLOWED_NOW, MultiChecks
from gateways.sandbox.gmopg.trades import Trade
from gateways.sandbox.gmopg.wire import Fields, Parameters, Refused

STORES = frozenset({*(f"0000{n}" for n in range(1, 10)), *(f"1000{n}" for n in (1, 2, 3, 4, 5, 8))})
DEFAULT_TERM_DAYS, LONGEST_TERM_DAYS = 10, 30
NET_BANK = "E"
# Pay-easy's number of the collecting institution; one for all shops of the sandbox.
BK_CODE = "58021"


def exec_tran_cvs(desk: Desk, parameters: Parameters) -> Fields:
    """ExecTranCvs: REQSUCCESS with a receipt number and its term."""
    checks = MultiChecks(parameters)
    trade = checks.trade(desk, CVS.pay_type)
    store = checks.get("Convenience")
    if not store:
        checks.add("009001")
    elif len(store) > 5:
        checks.add("009005")
    elif store not in STORES:
        checks.add("009002")
    told = {
        "CvsCode": store,
        "CvsConfNo": f"{secrets.randbelow(10**5):05d}",
        "CvsReceiptNo": f"{desk.next_number():011d}",
    }
    sealed = ("CvsCode", "CvsConfNo", "CvsReceiptNo")
    answer = _request(desk, checks, CVS, trade, told, sealed)
    renamed = {"CvsCode": "Convenience", "CvsConfNo": "ConfNo", "CvsReceiptNo": "ReceiptNo"}
    return [(renamed.get(name, name), value) for name, value in answer]


def exec_tran_pay_easy(desk: Desk, parameters: Parameters) -> Fields:
    """ExecTranPayEasy: REQSUCCESS with the customer's number; with PaymentType=E also the bank's address."""
    checks = MultiChecks(parameters)
    trade = checks.trade(desk, PAY_EASY.pay_type)
    told = {
        "CustID": f"{desk.next_number():011d}",
        "BkCode": BK_CODE,
        "ConfNo": f"{secrets.randbelow(10**6):06d}",
        "EncryptReceiptNo": secrets.token_hex(32),
    }
    sealed = ("CustID", "BkCode", "ConfNo", "EncryptReceiptNo")
    if checks.get("PaymentType") == NET_BANK:
        told["PayeasyPaymentURL"] = f"{desk.origin}/gmopg/bank"
    answer = _request(desk, checks, PAY_EASY, trade, told, sealed)
    if url := told.get("PayeasyPaymentURL"):
        answer.append(("PaymentURL", url))
    return answer


def cancel(kind: Kind, desk: Desk, parameters: Parameters, *, source: str = "api") -> Fields:
    """CvsCancel, PayEasyCancel: only while nobody has paid."""
    checks = MultiChecks(parameters)
    trade = checks.trade(desk, kind.pay_type, shop_id=checks.shop())
    checks.stop_on_errors()
    if trade.status != "REQSUCCESS":
        raise Refused(NOT_ALLOWED_NOW)
    dues.drop(desk, trade)
    life.move(desk, trade, "CANCEL", call=f"{kind.name}Cancel", source=source)
    return [("OrderID", trade.order_id), ("Status", "CANCEL")]


def _request(
    desk: Desk, checks: MultiChecks, kind: Kind, trade: Trade, told: dict[str, str], sealed: tuple[str, ...]
) -> Fields:
    checks.payer()
    days = checks.number("PaymentTermDay", "013", LONGEST_TERM_DAYS, DEFAULT_TERM_DAYS)
    wishes = checks.client_fields()
    checks.stop_on_errors()
    if trade.status != "UNPROCESSED":
        raise Refused(ALREADY_REQUESTED)
    now = desk.now
    term = datetime.combine(now.date() + timedelta(days=days), time(23, 59, 59), tzinfo=now.tzinfo)
    told["PaymentTerm"] = stamp(term)
    details = json.dumps({"told": told})
    life.move(desk, trade, "REQSUCCESS", call=f"ExecTran{kind.name}", details=details, **wishes)
    dues.plan(desk, trade, at=term, becomes="EXPIRED")
    values = [(name, told[name]) for name in sealed]
    values += [("PaymentTerm", told["PaymentTerm"]), ("TranDate", stamp(now))]
    text = trade.order_id + "".join(value for _name, value in values) + SHOPS[trade.shop_id]
    check_string = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    answer = [("OrderID", trade.order_id), *values, ("CheckString", check_string)]
    if wishes["client_field_flag"] == "1":
        answer += [(f"ClientField{n}", wishes[f"client_field_{n}"]) for n in (1, 2, 3)]
    return answer
