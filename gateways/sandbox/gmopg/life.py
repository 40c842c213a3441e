"""The life of a trade that is not a card's (protocol, section 3): what the customer does, and what time does.

コンビニ, Pay-easy   UNPROCESSED -> REQSUCCESS -> PAYSUCCESS | EXPIRED | CANCEL | PAYFAIL
carriers           UNPROCESSED -> REQSUCCESS -> AUTHPROCESS -> AUTH | CAPTURE -> SALES -> CANCEL | RETURN
楽天ペイ             UNPROCESSED -> REQSUCCESS -> PAYSTART -> AUTH | CAPTURE, then requests: REQSALES -> SALES,
                   REQCANCEL -> CANCEL, REQCHANGE -> the status before with the new amount
A customer who refuses makes it PAYFAIL, one who never comes EXPIRED where the kind does that (kinds.py).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateways.sandbox.gmopg import dues, trades
from gateways.sandbox.gmopg.desk import Desk, stamp
from gateways.sandbox.gmopg.kinds import AU, BY_PAY_TYPE, DOCOMO, RAKUTEN, SOFTBANK, Kind
from gateways.sandbox.gmopg.multi_fields import NOT_ALLOWED_NOW
from gateways.sandbox.gmopg.trades import Trade
from gateways.sandbox.gmopg.wire import Refused

WAITING_FOR_THE_CUSTOMER = frozenset({"REQSUCCESS", "AUTHPROCESS", "PAYSTART"})
# What the ledger calls a movement that ends in this status.
BOOKED_AS = {
    "PAYSUCCESS": "PAY", "AUTH": "AUTH", "CAPTURE": "CAPTURE", "SALES": "SALES", "CANCEL": "CANCEL", "RETURN": "RETURN",
}  # fmt: skip
CUSTOMER_WISHES = ("opens", "pays", "fails")


def move(
    desk: Desk,
    trade: Trade,
    status: str,
    *,
    call: str,
    source: str = "api",
    at: datetime | None = None,
    told: Mapping[str, str] | None = None,
    booked_as: str = "",
    **columns: Any,
) -> None:
    """Make a trade `status`, since `at` or now, and note that the shop is to be told.

    `told` adds to what SearchTradeMulti answers. `booked_as` overrides the ledger's word; money that was never held
    or taken is not booked.
    """
    at = at or desk.now
    moved = stamp(at)
    action = booked_as or BOOKED_AS.get(status, "")
    if told:
        columns["details"] = json.dumps({**trade.kept, "told": {**trade.told, **told}})
    trades.update(desk, trade, status=status, tran_date=moved, process_date=moved, **columns)
    if action and (status != "CANCEL" or trade.status not in WAITING_FOR_THE_CUSTOMER):
        total = int(columns.get("amount", trade.amount or 0)) + int(columns.get("tax", trade.tax))
        trades.book(desk, trade, action=action, job=status, amount=total, call=call, source=source, at=at)
    desk.changed.append(trade.id)


def let_time_pass(desk: Desk) -> None:
    """Do what is due by the clock."""
    for trade, becomes, at, columns in dues.take_over(desk):
        told = {"CompletionDate": stamp(at)} if becomes == "SALES" else None
        booked_as = "CHANGE" if trade.status == "REQCHANGE" else ""
        move(
            desk,
            trade,
            becomes,
            call="clock",
            source="provider",
            at=at,
            told=told,
            booked_as=booked_as,
            **columns,
        )


def customer(desk: Desk, trade: Trade, wish: str) -> None:
    """What the customer does: opens the payer's pages, pays (or agrees), or fails to. Raises Refused."""
    kind = BY_PAY_TYPE.get(trade.pay_type)
    if kind is None or trade.status not in WAITING_FOR_THE_CUSTOMER:
        raise Refused(NOT_ALLOWED_NOW)
    if wish == "opens":
        if trade.status != "REQSUCCESS" or not kind.opened:
            raise Refused(NOT_ALLOWED_NOW)
        move(desk, trade, kind.opened, call="customer", source="customer")
        return
    if wish != "pays":
        dues.drop(desk, trade)
        move(desk, trade, "PAYFAIL", call="customer", source="customer")
        return
    dues.drop(desk, trade)
    if kind.opened:
        told = _told_of_consent(desk, kind, trade)
        move(desk, trade, trade.entry_job, call="customer", source="customer", told=told)
    else:
        told = {"FinishDate": stamp(desk.now), "ReceiptDate": stamp(desk.now)}
        move(desk, trade, "PAYSUCCESS", call="customer", source="customer", told=told)


def _told_of_consent(desk: Desk, kind: Kind, trade: Trade) -> dict[str, str]:
    """The payer's own numbers; their shapes are [inferred] from the documented lengths."""
    digits = f"{secrets.randbelow(10**16):016d}"
    if kind is AU:
        # 03 would be a payment that can never be returned (EC2); 01 and the others are not documented.
        return {"AuPayInfoNo": digits, "AuPayMethod": "01"}
    if kind is DOCOMO:
        return {"DocomoSettlementCode": digits[:12]}
    if kind is SOFTBANK:
        return {"SbTrackingId": digits[:14]}
    assert kind is RAKUTEN  # noqa: S101 - the table of kinds ends here
    completed = {"CompletionDate": stamp(desk.now)} if trade.entry_job == "CAPTURE" else {}
    return {"OrderDate": stamp(desk.now), **completed}
