"""MG02: the one card that SBPS keeps for a customer of the shop."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateways.sandbox.sbps import tokens
from gateways.sandbox.sbps.cards import Card
from gateways.sandbox.sbps.desk import Desk, stamp
from gateways.sandbox.sbps.fields import refusal
from gateways.sandbox.sbps.wire import Tree, encrypt

SCHEMA = """
CREATE TABLE IF NOT EXISTS sbps_customers (
    cust_code TEXT PRIMARY KEY, card TEXT NOT NULL, payinfo_key TEXT NOT NULL
) WITHOUT ROWID;
"""
REGISTER, UPDATE, DELETE, REFER = "MG02-00131-101", "MG02-00132-101", "MG02-00103-101", "MG02-00104-101"
INCONSISTENT = "95"

Values = Mapping[str, str]


def register(desk: Desk, values: Values) -> Tree:
    """Keep a first card."""
    if find(desk, values["cust_code"]) is not None:
        raise refusal(REGISTER, INCONSISTENT, by_front=False)
    return _kept(desk, REGISTER, values)


def update(desk: Desk, values: Values) -> Tree:
    """Keep another card instead."""
    require(desk, UPDATE, values["cust_code"])
    return _kept(desk, UPDATE, values)


def delete(desk: Desk, values: Values) -> Tree:
    """Forget the card."""
    require(desk, DELETE, values["cust_code"])
    desk.house.storage.run("DELETE FROM sbps_customers WHERE cust_code = ?", values["cust_code"])
    return _answer(desk, DELETE, [])


def refer(desk: Desk, values: Values) -> Tree:
    """Show the card, masked."""
    card = require(desk, REFER, values["cust_code"])
    hide = encrypt if values.get("encrypted_flg") == "1" else str
    info: list[tuple[str, str | Tree]] = []
    info_type = values.get("response_info_type") or "0"
    if info_type != "0":
        info.append(("cc_number", hide(card.masked(info_type))))
        info.append(("cc_expiration", hide(card.expiration if info_type == "2" else "******")))
    if values.get("cardbrand_return_flg") == "1":
        info.append(("cardbrand_code", hide(card.brand)))
    info += [("resrv1", ""), ("resrv2", ""), ("resrv3", "")]
    return _answer(desk, REFER, info)


def find(desk: Desk, cust_code: str) -> Card | None:
    """The customer's card."""
    row = desk.house.storage.row("SELECT card FROM sbps_customers WHERE cust_code = ?", cust_code)
    return None if row is None else Card.from_json(row["card"])


def require(desk: Desk, api_id: str, cust_code: str) -> Card:
    """The customer's card. Raises Refused where none is kept."""
    card = find(desk, cust_code)
    if card is None:
        raise refusal(api_id, INCONSISTENT, by_front=False)
    return card


def keep(desk: Desk, cust_code: str, card: Card) -> str:
    """Keep the card, instead of an earlier one; gives its key."""
    key = f"{desk.next_number('transaction'):032x}"
    desk.house.storage.run(
        "INSERT OR REPLACE INTO sbps_customers VALUES (?, ?, ?)", cust_code, card.to_json(), key
    )
    return key


def _kept(desk: Desk, api_id: str, values: Values) -> Tree:
    try:
        card = tokens.use(desk, values["token"], values.get("token_key", ""))
    except tokens.BadToken as error:
        raise refusal(api_id, str(error), by_front=False) from error
    if card.refusal:
        raise refusal(api_id, card.refusal, by_front=False)
    hide: Callable[[str], str] = encrypt if values.get("encrypted_flg") == "1" else str
    info: list[tuple[str, str | Tree]] = []
    if values.get("cardbrand_return_flg") == "1":
        info.append(("cardbrand_code", hide(card.brand)))
    info.append(("res_payinfo_key", hide(keep(desk, values["cust_code"], card))))
    return _answer(desk, api_id, info)


def _answer(desk: Desk, api_id: str, info: list[tuple[str, str | Tree]]) -> Tree:
    now = stamp(desk.now)
    return [
        ("res_result", "OK"),
        ("res_sps_transaction_id", desk.new_transaction_id(api_id)),
        *([("res_pay_method_info", info)] if info else []),
        ("res_sps_info", [("res_sps_cust_no", ""), ("res_sps_payment_no", "")]),
        ("res_process_date", now),
        ("res_err_code", ""),
        ("res_date", now),
    ]
