"""ST01, ST02 and MG01: hold, commit, capture, cancel or refund, tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

from gateways.sandbox.sbps import customers, rules, tokens, trades
from gateways.sandbox.sbps.cards import Card
from gateways.sandbox.sbps.desk import AUTO_CAPTURE, REFUNDS_CLOSED, USED_BY_REFUSED, Desk, stamp
from gateways.sandbox.sbps.fields import refusal
from gateways.sandbox.sbps.trades import HELD, RETURNED, SOLD, VOIDED, Trade
from gateways.sandbox.sbps.wire import Tree, encrypt

AUTHORIZE, COMMIT = "ST01-00131-101", "ST02-00101-101"
CAPTURE, CANCEL, INQUIRE = "ST02-00201-101", "ST02-00303-101", "MG01-00101-101"
MOST_REFUSALS = 5

Values = Mapping[str, str]


def authorize(desk: Desk, values: Values) -> Tree:
    """Hold the amount. The token is used up by a refusal, too; the order only where the setting says so."""
    order_id, rowno = values["order_id"], values.get("order_rowno", "")
    refused_times = trades.refused_times(desk, order_id)
    if trades.by_order(desk, order_id, rowno) or (refused_times and desk.house.settings[USED_BY_REFUSED]):
        raise refusal(AUTHORIZE, "96")
    if refused_times >= MOST_REFUSALS:
        raise refusal(AUTHORIZE, "93")
    card = _card(desk, values)
    if card.refusal:
        trades.count_refused(desk, order_id)
        raise refusal(AUTHORIZE, card.refusal, by_front=False)
    now = desk.now
    trade = trades.enter(
        desk, tracking_id=desk.new_tracking_id(), transaction_id=desk.new_transaction_id(AUTHORIZE),
        order_id=order_id, order_rowno=rowno, cust_code=values["cust_code"], amount=int(values["amount"]),
        status=HELD, dealings_type=values.get("dealings_type") or "10",
        divide_times=values.get("divide_times", ""), card=card.to_json(),
        recognized_no=f"{desk.next_number('transaction') * 7919 % 1_000_000:06d}",
        authorized_on=now.date().isoformat(),
    )  # fmt: skip
    if values.get("cust_manage_flg") == "1":
        customers.keep(desk, values["cust_code"], card)
    trades.book(desk, trade, action="AUTH", amount=trade.amount, call=AUTHORIZE, source="api")
    hide = _hiding(values)
    card_info = [("cc_company_code", hide(card.company))]
    if values.get("cardbrand_return_flg") == "1":
        card_info.append(("cardbrand_code", hide(card.brand)))
    return [
        ("res_result", "OK"),
        ("res_sps_transaction_id", trade.transaction_id),
        ("res_tracking_id", trade.tracking_id),
        ("res_pay_method_info", [*card_info, ("recognized_no", hide(trade.recognized_no))]),
        ("res_sps_info", [("res_sps_cust_no", ""), ("res_sps_payment_no", "")]),
        *_ending(now, now),
    ]


def commit(desk: Desk, values: Values) -> Tree:
    """Make the hold final; a contract with automatic sales sells now."""
    trade = find(desk, COMMIT, values)
    if trade.is_committed == "1" or trade.status != HELD:
        raise refusal(COMMIT, rules.COMMITTED_ALREADY, by_front=False)
    if desk.house.settings[AUTO_CAPTURE]:
        trades.update(
            desk, trade, is_committed="1", status=SOLD, captured=trade.amount,
            sold_on=desk.now.date().isoformat(),
        )  # fmt: skip
        trades.book(desk, trade, action="CAPTURE", amount=trade.amount, call=COMMIT, source="api")
    else:
        trades.update(desk, trade, is_committed="1")
    return _done(desk, COMMIT, desk.now)


def capture(desk: Desk, values: Values, *, source: str = "api") -> Tree:
    """Sell the whole hold, or less, once; the date of processing_datetime is the day of the sale."""
    trade = find(desk, CAPTURE, values)
    on = _day(desk, values)
    amount = int(values.get("amount") or trade.amount)
    code = rules.capture_refusal(
        status=trade.status,
        is_auto=bool(desk.house.settings[AUTO_CAPTURE]),
        authorized_on=trade.authorization_day,
        on=on,
        today=desk.now.date(),
        amount=amount,
        held=trade.amount,
    )
    if code:
        raise refusal(CAPTURE, code, by_front=False)
    trades.update(desk, trade, status=SOLD, captured=amount, sold_on=on.isoformat())
    trades.book(desk, trade, action="SALES", amount=amount, call=CAPTURE, source=source)
    return _done(desk, CAPTURE, _midnight(on))


def cancel_or_refund(desk: Desk, values: Values, *, source: str = "api") -> Tree:
    """Free a hold, or give a sale back as of the date of processing_datetime."""
    trade = find(desk, CANCEL, values)
    on = _day(desk, values)
    code = rules.cancel_refusal(
        status=trade.status,
        is_auto=bool(desk.house.settings[AUTO_CAPTURE]),
        is_committed=trade.is_committed == "1",
        sold_on=trade.sale_day,
        on=on,
        today=desk.now.date(),
        closed=bool(desk.house.settings[REFUNDS_CLOSED]),
    )
    if code:
        raise refusal(CANCEL, code, by_front=False)
    if trade.status == HELD:
        trades.update(desk, trade, status=VOIDED)
        trades.book(desk, trade, action="VOID", amount=trade.amount, call=CANCEL, source=source)
        return _done(desk, CANCEL, desk.now)
    trades.update(desk, trade, status=RETURNED, returned_on=on.isoformat())
    trades.book(desk, trade, action="RETURN", amount=trade.captured, call=CANCEL, source=source)
    return _done(desk, CANCEL, _midnight(on))


def inquire(desk: Desk, values: Values) -> Tree:
    """How the payment stands. No amount, no order, no history: the provider does not tell."""
    trade = find(desk, INQUIRE, values)
    card, hide = trade.known_card, _hiding(values)
    info_type = values.get("response_info_type") or "0"
    info: list[tuple[str, str | Tree]] = []
    if info_type != "0":
        details = [
            ("cc_number", hide(card.masked(info_type))),
            ("cc_expiration", hide(card.expiration if info_type == "2" else "******")),
            ("dealings_type", hide(trade.dealings_type)),
            ("divide_times", hide(trade.divide_times)),
            ("bonus_details_times", ""),
        ]
        info.append(("res_pay_method_info_detail", details))
    info.append(("cc_company_code", hide(card.company)))
    if values.get("cardbrand_return_flg") == "1":
        info.append(("cardbrand_code", hide(card.brand)))
    info += [
        ("recognized_no", hide(trade.recognized_no)),
        ("commit_status", hide(trade.is_committed)),
        ("payment_status", hide(trade.status)),
    ]
    return [
        ("res_result", "OK"),
        ("res_sps_transaction_id", desk.new_transaction_id(INQUIRE)),
        ("res_status", "0"),
        ("res_pay_method_info", info),
        *_ending(desk.now, desk.now),
    ]


def find(desk: Desk, api_id: str, values: Values) -> Trade:
    """The payment that a call names. Raises Refused."""
    if tracking_id := values.get("tracking_id"):
        trade, code = trades.by_tracking(desk, tracking_id), "12"
    else:
        trade, code = trades.by_transaction(desk, values["sps_transaction_id"]), "11"
    if trade is None:
        raise refusal(api_id, code)
    return trade


def _card(desk: Desk, values: Values) -> Card:
    token = values.get("token")
    if not token:
        return customers.require(desk, AUTHORIZE, values["cust_code"])
    try:
        return tokens.use(desk, token, values.get("token_key", ""))
    except tokens.BadToken as error:
        raise refusal(AUTHORIZE, str(error), by_front=False) from error


def _day(desk: Desk, values: Values) -> date:
    text = values.get("processing_datetime")
    if not text:
        return desk.now.date()
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - only written out


def _hiding(values: Values) -> Callable[[str], str]:
    def as_it_is(text: str) -> str:
        return text

    return encrypt if values.get("encrypted_flg") == "1" else as_it_is


def _done(desk: Desk, api_id: str, processed: datetime) -> Tree:
    return [
        ("res_result", "OK"),
        ("res_sps_transaction_id", desk.new_transaction_id(api_id)),
        *_ending(processed, desk.now),
    ]


def _ending(processed: datetime, answered: datetime) -> list[tuple[str, str]]:
    return [("res_process_date", stamp(processed)), ("res_err_code", ""), ("res_date", stamp(answered))]
