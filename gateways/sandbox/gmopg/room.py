"""GMO-PG's room: which path is which call, and what its own admin screen may do."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from gateways.sandbox.gmopg import (
    alter,
    back_office,
    card_calls,
    consent,
    consent_pages,
    counter,
    dues,
    entry,
    execute,
    life,
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
from gateways.sandbox.gmopg.desk import NAME, SETTINGS, Desk, Handler
from gateways.sandbox.gmopg.kinds import AT_A_COUNTER, AU, BY_CONSENT, CVS, DOCOMO, PAY_EASY, SOFTBANK
from gateways.sandbox.gmopg.notifications import Notifier
from gateways.sandbox.gmopg.trades import Trade
from gateways.sandbox.gmopg.wire import Parameters, Refused, read_form, write_errors, write_fields
from gateways.sandbox.messages import NOT_FOUND, Answer, Request, page
from gateways.sandbox.rooms import House, Visit

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
    **{f"EntryTran{kind.name}": partial(entry.entry_tran_of, kind) for kind in (*AT_A_COUNTER, *BY_CONSENT)},
    "ExecTranCvs": counter.exec_tran_cvs,
    "ExecTranPayEasy": counter.exec_tran_pay_easy,
    "CvsCancel": partial(counter.cancel, CVS),
    "PayEasyCancel": partial(counter.cancel, PAY_EASY),
    **{f"ExecTran{kind.name}": partial(consent.exec_tran, kind) for kind in BY_CONSENT},
    **{f"{kind.name}Sales": partial(consent.sales, kind) for kind in (AU, DOCOMO, SOFTBANK)},
    "AuCancelReturn": partial(consent.cancel, AU),
    "DocomoCancelReturn": partial(consent.cancel, DOCOMO),
    "SbCancel": partial(consent.cancel, SOFTBANK),
    "RakutenIdSales": consent.rakuten_sales,
    "RakutenIdCancel": consent.rakuten_cancel,
    "RakutenIdChange": consent.rakuten_change,
}
WRONG_METHOD, WRONG_ACCEPT, WRONG_TYPE, NO_BODY = "E00000001", "E00000002", "E00000003", "E00000010"
NO_SUCH_CALL = "E91099997"
FORM = "application/x-www-form-urlencoded"
ACCEPTABLE = ("*", "text/plain", "text/*")
LISTED_TRADES = 1000
# Where PaymentURL of Pay-easy leads: the banks are not part of the sandbox.
BANK_PAGE = page(
    "ネットバンク(サンドボックス)",
    "練習用のため、銀行の画面はありません。POST /_admin の customer で支払えます。",
)


class GmoPgRoom:
    """Serves `/gmopg/payment/<Call>.idPass`, the token endpoint with its script, and the 3-D Secure pages."""

    name = NAME
    prefix = "/gmopg/"

    def __init__(self, house: House) -> None:
        self._house = house
        house.settings.declare(SETTINGS)
        for module in (desks, trades, dues, tokens, members, stored_cards):
            house.storage.add_schema(module.SCHEMA)
        self.notifier = Notifier(house.storage)

    def receive(self, request: Request) -> Visit:
        """Calls can be faulty and slow; pages and scripts cannot."""
        desk = Desk(self._house, origin=f"http://{request.headers.get('host', '')}")
        path = request.path.removeprefix(self.prefix)
        if path.startswith("payment/") and path.endswith(".idPass"):
            name = path.removeprefix("payment/").removesuffix(".idPass")
            if name in consent_pages.START_PAGES and request.method == "POST":
                return Visit(None, partial(self._show_start_page, desk, request))
            return self._call(desk, name, request)
        if path == "token" and request.method == "OPTIONS":
            return Visit(None, lambda: tokens.PREFLIGHT)
        if path == "token" and request.method == "POST":
            return Visit(None, partial(tokens.token_answer, desk, request))
        if path == "ext/js/token.js" and request.method == "GET":
            return Visit(None, lambda: tokens.SCRIPT_ANSWER)
        if path == "bank" and request.method == "GET":
            return Visit(None, lambda: BANK_PAGE)
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
            life.let_time_pass(desk)
            try:
                answer = write_fields(handler(desk, parameters))
                self.notifier.queue_booked()
            except Refused as refused:
                answer = write_errors(refused.codes)
            self._tell(desk)
            return answer

    def _show_start_page(self, desk: Desk, request: Request) -> Answer:
        with self._house.storage.transaction():
            life.let_time_pass(desk)
            answer = consent_pages.start_page(desk, request)
            self._tell(desk)
        return answer

    def _tell(self, desk: Desk) -> None:
        for number in desk.changed:
            self.notifier.queue(trades.by_number(desk, number))
        desk.changed.clear()

    def let_time_pass(self) -> None:
        """What is due by the clock happens, whether or not anybody calls."""
        desk = Desk(self._house)
        with self._house.storage.transaction():
            life.let_time_pass(desk)
            self._tell(desk)

    def trades(self, order_id: str | None) -> list[dict[str, object]]:
        """The newest thousand, or those of one order."""
        self.let_time_pass()
        rows = self._house.storage.rows(
            "SELECT * FROM gmopg_trades WHERE (?1 IS NULL OR order_id = ?1) ORDER BY id DESC LIMIT ?2",
            order_id, LISTED_TRADES,
        )  # fmt: skip
        return [back_office.shown(Trade(*row)) for row in rows]

    def change_behind_the_back(self, order_id: str, wish: Mapping[str, Any]) -> dict[str, object]:
        """`customer` and `action` go through the same rules as calls; `status` and `amount` overwrite; `enter` makes
        a trade of another kind in that status, as the shop's checkout would."""
        desk = Desk(self._house)
        with self._house.storage.transaction():
            life.let_time_pass(desk)
            trade = back_office.change(desk, order_id, wish)
            self.notifier.queue_booked()
            if not {"customer", "action"} & wish.keys():
                desk.changed.append(trade.id)
            self._tell(desk)
        return back_office.shown(trade)

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
