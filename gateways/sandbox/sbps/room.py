"""SBPS's room: one address for all calls, told apart by the id of the XML, and what its own screen may do."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from gateways.sandbox.messages import NOT_FOUND, Answer, Request, page
from gateways.sandbox.rooms import AdminRefused, House, Visit
from gateways.sandbox.sbps import customers, payments, tokens, trades, wire
from gateways.sandbox.sbps import desk as desks
from gateways.sandbox.sbps.desk import HASH_KEY, MERCHANT_ID, NAME, SERVICE_ID, SETTINGS, Desk, stamp
from gateways.sandbox.sbps.fields import REQUIRED, authorization_header, read_values
from gateways.sandbox.sbps.trades import HELD, RETURNED, SOLD, VOIDED, Trade
from gateways.sandbox.sbps.wire import Malformed, Refused, Telegram, Tree

CALLS: Mapping[str, Callable[[Desk, payments.Values], Tree]] = {
    payments.AUTHORIZE: payments.authorize,
    payments.COMMIT: payments.commit,
    payments.CAPTURE: payments.capture,
    payments.CANCEL: payments.cancel_or_refund,
    payments.INQUIRE: payments.inquire,
    customers.REGISTER: customers.register,
    customers.UPDATE: customers.update,
    customers.DELETE: customers.delete,
    customers.REFER: customers.refer,
}
MALFORMED, UNKNOWN_CALL, WRONG_MERCHANT = "99900999", "02000", "14001"
AUTHORIZATION = authorization_header(MERCHANT_ID + SERVICE_ID, HASH_KEY)
UNAUTHORIZED = page("401 Unauthorized", "認証に失敗しました。", status=401)
STATUS_NAMES = {HELD: "AUTH", SOLD: "SALES", VOIDED: "VOID", RETURNED: "RETURN"}
LISTED_TRADES = 1000


class SbpsRoom:
    """Serves `/sbps/api/xmlapi.do` and the token endpoint with its script."""

    name = NAME
    prefix = "/sbps/"

    def __init__(self, house: House) -> None:
        self._house = house
        house.settings.declare(SETTINGS)
        for module in (desks, trades, tokens, customers):
            house.storage.add_schema(module.SCHEMA)

    def receive(self, request: Request) -> Visit:
        """Calls can be faulty and slow; the token page and its script cannot."""
        desk, path = Desk(self._house), request.path.removeprefix(self.prefix)
        if path == "api/xmlapi.do" and request.method == "POST":
            return self._call(desk, request)
        if path == "token" and request.method == "OPTIONS":
            return Visit(None, lambda: tokens.PREFLIGHT)
        if path == "token" and request.method == "POST":
            return Visit(None, partial(tokens.token_answer, desk, request))
        if path == "sbpstoken/com_sbps_system_token.js" and request.method == "GET":
            return Visit(None, lambda: tokens.SCRIPT_ANSWER)
        return Visit(None, lambda: NOT_FOUND)

    def _call(self, desk: Desk, request: Request) -> Visit:
        if not hmac.compare_digest(request.headers.get("authorization", ""), AUTHORIZATION):
            return Visit(None, lambda: UNAUTHORIZED)
        try:
            telegram = wire.read(request.body)
        except Malformed:
            return Visit(None, partial(_refuse, desk, "", MALFORMED))
        return Visit(
            telegram.api_id or "?",
            partial(self._execute, desk, telegram),
            partial(_order_of, desk, telegram),
            lambda code: _refuse(desk, telegram.api_id, _whole_code(telegram.api_id, code)),
        )

    def _execute(self, desk: Desk, telegram: Telegram) -> Answer:
        method = telegram.api_id[-3:] if telegram.api_id in CALLS else "999"
        if telegram.api_id not in REQUIRED:
            return _refuse(desk, "", f"{method}{UNKNOWN_CALL}")
        sent = dict(telegram.leaves)
        ids = sent.get("merchant_id"), sent.get("service_id")
        if all(ids) and ids != (MERCHANT_ID, SERVICE_ID):
            return _refuse(desk, "", f"{method}{WRONG_MERCHANT}")
        with self._house.storage.transaction():
            try:
                values = read_values(telegram, desk.now)
                return wire.write(telegram.api_id, CALLS[telegram.api_id](desk, values))
            except Refused as refused:
                # What was written before (a used token, a counted refusal) stays written.
                return _refuse(desk, "" if refused.by_front else telegram.api_id, refused.code)

    def trades(self, order_id: str | None) -> list[dict[str, object]]:
        """The newest thousand, or those of one order."""
        rows = self._house.storage.rows(
            "SELECT * FROM sbps_trades WHERE (?1 IS NULL OR order_id = ?1) ORDER BY id DESC LIMIT ?2",
            order_id, LISTED_TRADES,
        )  # fmt: skip
        return [_shown(Trade(*row)) for row in rows]

    def change_behind_the_back(self, order_id: str, wish: Mapping[str, Any]) -> dict[str, object]:
        """`action` SALES, VOID or RETURN (`on` YYYYMMDD) follows the rules; `status`, `amount` overwrite."""
        desk = Desk(self._house)
        trade = trades.by_order(desk, order_id)
        if trade is None:
            raise AdminRefused(f"no trade {order_id}")
        with self._house.storage.transaction():
            if action := wish.get("action"):
                _act(desk, trade, str(action), wish)
            else:
                _overwrite(desk, trade, wish)
        return self.trades(order_id)[0]

    def reset(self) -> None:
        """All state is in the storage."""


def _refuse(desk: Desk, api_id: str, code: str) -> Answer:
    """Result, code and date: a refusal never tells a tracking id."""
    tree = [("res_result", "NG"), ("res_err_code", code), ("res_date", stamp(desk.now))]
    return wire.write(api_id, tree)


def _whole_code(api_id: str, code: str) -> str:
    return f"{api_id[-3:]}{code}999" if len(code) == 2 else code


def _order_of(desk: Desk, telegram: Telegram) -> str | None:
    sent = dict(telegram.leaves)
    if order_id := sent.get("order_id"):
        return order_id
    trade = trades.by_tracking(desk, sent.get("tracking_id", ""))
    return None if trade is None else trade.order_id


def _act(desk: Desk, trade: Trade, action: str, wish: Mapping[str, Any]) -> None:
    needed = {"SALES": HELD, "VOID": HELD, "RETURN": SOLD}.get(action)
    if needed is None or (trade.status != needed and action != "SALES"):
        raise AdminRefused(f"{action} is not possible in {STATUS_NAMES[trade.status]}")
    values = {"tracking_id": trade.tracking_id, "processing_datetime": f"{wish.get('on') or ''}"}
    if "amount" in wish:
        values["amount"] = str(wish["amount"])
    handler = payments.capture if action == "SALES" else payments.cancel_or_refund
    try:
        handler(desk, values, source="admin")
    except Refused as refused:
        raise AdminRefused(refused.code) from refused


def _overwrite(desk: Desk, trade: Trade, wish: Mapping[str, Any]) -> None:
    columns: dict[str, Any] = {}
    if "status" in wish:
        numbers = {name: number for number, name in STATUS_NAMES.items()}
        columns["status"] = numbers.get(str(wish["status"]), str(wish["status"]))
    if "amount" in wish:
        columns["amount"] = wish["amount"]
    if not columns:
        raise AdminRefused("expected action, status or amount")
    trades.update(desk, trade, **columns)


def _shown(trade: Trade) -> dict[str, object]:
    return {
        "provider": NAME,
        "order_id": trade.order_id,
        "tracking_id": trade.tracking_id,
        "cust_code": trade.cust_code,
        "status": STATUS_NAMES.get(trade.status, trade.status),
        "is_committed": trade.is_committed == "1",
        "amount": trade.amount,
        "captured": trade.captured,
        "card": trade.known_card.masked("2"),
        "recognized_no": trade.recognized_no,
        "authorized_on": trade.authorized_on,
        "sold_on": trade.sold_on,
        "returned_on": trade.returned_on,
    }
