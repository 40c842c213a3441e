"""GMO-PG's room: which path is which call, and what its own admin screen may do."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from gateways.sandbox.gmopg import (
    alter,
    card_calls,
    entry,
    execute,
    members,
    search,
    stored_cards,
    three_d_secure,
    tokens,
    trades,
)
from gateways.sandbox.gmopg import (
    desk as desks,
)
from gateways.sandbox.gmopg.desk import NAME, SETTINGS, Desk, Handler, stamp
from gateways.sandbox.gmopg.notifications import Notifier
from gateways.sandbox.gmopg.trades import Trade
from gateways.sandbox.gmopg.wire import Parameters, Refused, read_form, write_errors, write_fields
from gateways.sandbox.messages import NOT_FOUND, Answer, Request
from gateways.sandbox.rooms import AdminRefused, House, Visit

CALLS: Mapping[str, Handler] = {
    "EntryTran": entry.entry_tran,
    "ExecTran": execute.exec_tran,
    "SecureTran2": execute.secure_tran_2,
    "AlterTran": alter.alter_tran,
    "ChangeTran": alter.change_tran,
    "SearchTrade": search.search_trade,
    "SearchTradeMulti": search.search_trade_multi,
    "SaveMember": members.save_member,
    "UpdateMember": members.update_member,
    "SearchMember": members.search_member,
    "DeleteMember": members.delete_member,
    "SaveCard": card_calls.save_card,
    "SearchCard": card_calls.search_card,
    "DeleteCard": card_calls.delete_card,
    "TradedCard": card_calls.traded_card,
    "SearchCardDetail": card_calls.search_card_detail,
}
WRONG_METHOD, WRONG_ACCEPT, WRONG_TYPE, NO_BODY = "E00000001", "E00000002", "E00000003", "E00000010"
NO_SUCH_CALL = "E91099997"
FORM = "application/x-www-form-urlencoded"
ACCEPTABLE = ("*", "text/plain", "text/*")
LISTED_TRADES = 1000


class GmoPgRoom:
    """Serves `/gmopg/payment/<Call>.idPass`, the token endpoint with its script, and the 3-D Secure pages."""

    name = NAME
    prefix = "/gmopg/"

    def __init__(self, house: House) -> None:
        self._house = house
        house.settings.declare(SETTINGS)
        for module in (desks, trades, tokens, members, stored_cards):
            house.storage.add_schema(module.SCHEMA)
        self.notifier = Notifier(house.storage)

    def receive(self, request: Request) -> Visit:
        """Calls can be faulty and slow; pages and scripts cannot."""
        desk = Desk(self._house, origin=f"http://{request.headers.get('host', '')}")
        path = request.path.removeprefix(self.prefix)
        if path.startswith("payment/") and path.endswith(".idPass"):
            return self._call(desk, path.removeprefix("payment/").removesuffix(".idPass"), request)
        if path == "token" and request.method == "OPTIONS":
            return Visit(None, lambda: tokens.PREFLIGHT)
        if path == "token" and request.method == "POST":
            return Visit(None, partial(tokens.token_answer, desk, request))
        if path == "ext/js/token.js" and request.method == "GET":
            return Visit(None, lambda: tokens.SCRIPT_ANSWER)
        if path == "tds2/callback" and request.method in ("GET", "POST"):
            return Visit(None, partial(three_d_secure.callback, desk, request))
        return Visit(None, lambda: NOT_FOUND)

    def _call(self, desk: Desk, name: str, request: Request) -> Visit:
        if refusal := _transport_refusal(request):
            return Visit(None, lambda: refusal)
        parameters = read_form(request.body)
        return Visit(
            name,
            partial(self._execute, desk, name, parameters),
            partial(_order_of, desk, parameters),
            lambda code: write_errors([code]),
        )

    def _execute(self, desk: Desk, name: str, parameters: Parameters) -> Answer:
        handler = CALLS.get(name)
        if handler is None:
            return write_errors([NO_SUCH_CALL])
        with self._house.storage.transaction():
            try:
                fields = handler(desk, parameters)
                self.notifier.queue_booked()
                return write_fields(fields)
            except Refused as refused:
                return write_errors(refused.codes)

    def trades(self, order_id: str | None) -> list[dict[str, object]]:
        """The newest thousand, or those of one order."""
        rows = self._house.storage.rows(
            "SELECT * FROM gmopg_trades WHERE (?1 IS NULL OR order_id = ?1) ORDER BY id DESC LIMIT ?2",
            order_id, LISTED_TRADES,
        )  # fmt: skip
        return [_shown(Trade(*row)) for row in rows]

    def change_behind_the_back(self, order_id: str, wish: Mapping[str, Any]) -> dict[str, object]:
        """`action` goes through the same rules as the shop's calls; `status` and `amount` overwrite; `enter` makes a
        trade of another kind in that status, as the shop's checkout would."""
        desk, pay_type = Desk(self._house), str(wish.get("pay_type", trades.CARD))
        with self._house.storage.transaction():
            if "enter" in wish:
                _enter(desk, order_id, pay_type, wish)
            trade = self._trade(order_id, pay_type)
            if action := wish.get("action"):
                _act(desk, trade, str(action), wish)
                self.notifier.queue_booked()
            else:
                if "enter" not in wish:
                    _overwrite(desk, trade, wish)
                self.notifier.queue(self._trade(order_id, pay_type))
        return self.trades(order_id)[0]

    def _trade(self, order_id: str, pay_type: str) -> Trade:
        row = self._house.storage.row(
            "SELECT * FROM gmopg_trades WHERE order_id = ? AND pay_type = ?", order_id, pay_type
        )
        if row is None:
            raise AdminRefused(f"no trade {order_id}")
        return Trade(*row)

    def reset(self) -> None:
        """All state is in the storage, but for the address that is notified."""
        self.notifier.reset()


def _transport_refusal(request: Request) -> Answer | None:
    if request.method != "POST":
        return write_errors([WRONG_METHOD], status=405)
    accept = request.headers.get("accept", "*/*")
    if not any(word.strip().startswith(ACCEPTABLE) for word in accept.split(",")):
        return write_errors([WRONG_ACCEPT], status=406)
    if not request.headers.get("content-type", FORM).lower().startswith(FORM):
        return write_errors([WRONG_TYPE], status=415)
    return None if request.body.strip() else write_errors([NO_BODY])


def _order_of(desk: Desk, parameters: Parameters) -> str | None:
    if order_id := parameters.get("OrderID"):
        return order_id
    trade = trades.by_access(desk, parameters.get("AccessID", ""), parameters.get("AccessPass", ""))
    return None if trade is None else trade.order_id


def _act(desk: Desk, trade: Trade, action: str, wish: Mapping[str, Any]) -> None:
    handler = alter.change_tran if action == "CHANGE" else alter.alter_tran
    job = (
        str(wish.get("job") or ("AUTH" if trade.status == "AUTH" else "CAPTURE"))
        if action == "CHANGE"
        else action
    )
    parameters = {
        "ShopID": trade.shop_id,
        "ShopPass": desks.SHOPS[trade.shop_id],
        "AccessID": trade.access_id,
        "AccessPass": trade.access_pass,
        "JobCd": job,
        "Amount": str(wish.get("amount", trade.amount or "")),
        "Tax": str(trade.tax) if "amount" not in wish else "",
        "Method": trade.method or "1",
        "PayTimes": trade.pay_times,
    }
    try:
        handler(desk, parameters, source="admin")
    except Refused as refused:
        raise AdminRefused(str(refused)) from refused


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


def _shown(trade: Trade) -> dict[str, object]:
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
