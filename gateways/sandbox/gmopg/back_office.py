"""What GMO-PG's own admin screen and the customers do behind the shop's back (POST /_admin)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from gateways.sandbox.gmopg import alter, consent, counter, life, trades
from gateways.sandbox.gmopg import desk as desks
from gateways.sandbox.gmopg.desk import NAME, Desk, Handler, stamp
from gateways.sandbox.gmopg.kinds import BY_PAY_TYPE, CVS, PAY_EASY, RAKUTEN, Kind
from gateways.sandbox.gmopg.trades import Trade
from gateways.sandbox.gmopg.wire import Refused
from gateways.sandbox.rooms import AdminRefused

# What the admin screen may do with a trade that is not a card's.
_RAKUTEN_ACTIONS: Mapping[str, Handler] = {
    "SALES": partial(consent.rakuten_sales, source="admin"),
    "CANCEL": partial(consent.rakuten_cancel, source="admin"),
    "CHANGE": partial(consent.rakuten_change, source="admin"),
}


def change(desk: Desk, order_id: str, wish: Mapping[str, Any]) -> Trade:
    """Do what is wished for and return the trade as it then stands. Raises AdminRefused."""
    pay_type = None if "pay_type" not in wish else str(wish["pay_type"])
    if "enter" in wish:
        _enter(desk, order_id, pay_type or trades.CARD, wish)
    trade = _find(desk, order_id, pay_type)
    try:
        if "customer" in wish:
            _let_customer(desk, trade, str(wish["customer"]))
        elif action := wish.get("action"):
            _act(desk, trade, str(action), wish)
        elif "enter" not in wish:
            _overwrite(desk, trade, wish)
    except Refused as refused:
        raise AdminRefused(str(refused)) from refused
    return trades.by_number(desk, trade.id)


def _find(desk: Desk, order_id: str, pay_type: str | None) -> Trade:
    """The trade of that pay type; without one the card's, or else the only one there is."""
    row = desk.house.storage.row(
        "SELECT * FROM gmopg_trades WHERE order_id = ?1 AND (?2 IS NULL OR pay_type = ?2) ORDER BY pay_type LIMIT 1",
        order_id, pay_type,
    )  # fmt: skip
    if row is None:
        raise AdminRefused(f"no trade {order_id}")
    return Trade(*row)


def _let_customer(desk: Desk, trade: Trade, wish: str) -> None:
    if wish not in life.CUSTOMER_WISHES:
        raise AdminRefused(f"a customer {', '.join(life.CUSTOMER_WISHES)}")
    life.customer(desk, trade, wish)


def _act(desk: Desk, trade: Trade, action: str, wish: Mapping[str, Any]) -> None:
    kind = BY_PAY_TYPE.get(trade.pay_type)
    handler = _card_handler(action) if kind is None else _handlers(kind).get(action)
    if handler is None:
        raise AdminRefused(f"no {action} for pay type {trade.pay_type}")
    job = (
        str(wish.get("job") or ("AUTH" if trade.status == "AUTH" else "CAPTURE"))
        if action == "CHANGE"
        else action
    )
    parameters = {
        "ShopID": trade.shop_id,
        "ShopPass": desks.SHOPS[trade.shop_id],
        "OrderID": trade.order_id,
        "AccessID": trade.access_id,
        "AccessPass": trade.access_pass,
        "JobCd": job,
        "Amount": str(wish.get("amount", trade.amount or "")),
        "Tax": str(trade.tax) if "amount" not in wish else "",
        "CancelAmount": str(trade.amount or ""),
        "CancelTax": str(trade.tax),
        "Method": trade.method or "1",
        "PayTimes": trade.pay_times,
    }
    handler(desk, parameters)


def _card_handler(action: str) -> Handler:
    return partial(alter.change_tran if action == "CHANGE" else alter.alter_tran, source="admin")


def _handlers(kind: Kind) -> Mapping[str, Handler]:
    if kind is RAKUTEN:
        return _RAKUTEN_ACTIONS
    if kind in (CVS, PAY_EASY):
        return {"CANCEL": partial(counter.cancel, kind, source="admin")}
    return {
        "SALES": partial(consent.sales, kind, source="admin"),
        "CANCEL": partial(consent.cancel, kind, source="admin"),
    }


def _enter(desk: Desk, order_id: str, pay_type: str, wish: Mapping[str, Any]) -> None:
    shop_id = next(iter(desks.SHOPS))
    if pay_type == trades.CARD or trades.by_order(desk, shop_id, order_id, pay_type) is not None:
        raise AdminRefused("only a new trade of another kind than a card can be entered")
    trade = trades.enter(
        desk,
        shop_id=shop_id,
        order_id=order_id,
        job="",
        entry_job="",
        pay_type=pay_type,
        amount=int(wish.get("amount", 0)),
        tax=0,
        item_code="",
        td_flag="0",
        tds2_type="",
    )
    now = stamp(desk.now)
    trades.update(desk, trade, status=str(wish["enter"]), tran_date=now, process_date=now)


def _overwrite(desk: Desk, trade: Trade, wish: Mapping[str, Any]) -> None:
    known = {"status", "amount"}
    columns = {name: wish[name] for name in known if name in wish}
    if not columns:
        raise AdminRefused("expected action, status or amount")
    now = stamp(desk.now)
    trades.update(desk, trade, tran_date=now, process_date=now, **columns)


def shown(trade: Trade) -> dict[str, object]:
    """The trade as an operator of GMO-PG sees it, without secrets."""
    card = trade.known_card
    return {
        "provider": NAME,
        "order_id": trade.order_id,
        "shop_id": trade.shop_id,
        "pay_type": trade.pay_type,
        "status": trade.status,
        "job": trade.job,
        "amount": trade.amount,
        "tax": trade.tax,
        "access_id": f"{trade.access_id[:4]}{'*' * 28}",
        "card": card.masked if card else "",
        "approve": trade.approve,
        "tran_id": trade.tran_id,
        "tran_date": trade.tran_date,
        "process_date": trade.process_date,
    }
