"""025, 026 and 027: cards kept for a customer of the merchant."""

from __future__ import annotations

from gateways.sandbox.messages import Answer
from gateways.sandbox.paygent import fields, tokens
from gateways.sandbox.paygent.cards import Card
from gateways.sandbox.paygent.desk import Desk
from gateways.sandbox.paygent.wire import Fields, Parameters, Refused, write_table

SCHEMA = """
CREATE TABLE IF NOT EXISTS paygent_cards (
    customer_id TEXT NOT NULL, customer_card_id INTEGER NOT NULL, card TEXT NOT NULL,
    PRIMARY KEY (customer_id, customer_card_id)
) WITHOUT ROWID;
"""
MOST_CARDS = 5
NO_SUCH_CARD = "2401"
TOO_MANY_CARDS = "2402"
DECLINED = "2003"
COLUMNS = ("customer_id", "customer_card_id", "card_number", "card_valid_term", "cardholder_name")


def store(desk: Desk, parameters: Parameters) -> Fields:
    """025: keep the card behind a token, after asking the issuer whether it is good."""
    customer_id = fields.customer_id(parameters)
    card = tokens.take(desk, fields.required(parameters, "card_token"))
    if detail := card.refusal(desk.now):
        raise Refused(DECLINED, detail)
    kept = _all(desk, customer_id)
    if len(kept) >= MOST_CARDS:
        raise Refused(TOO_MANY_CARDS)
    number = max((number for number, _ in kept), default=0) + 1
    desk.house.storage.run(
        "INSERT INTO paygent_cards (customer_id, customer_card_id, card) VALUES (?, ?, ?)",
        customer_id, number, card.to_json(),
    )  # fmt: skip
    return [("result", "0"), ("customer_card_id", str(number)), ("num_of_cards", str(len(kept) + 1))]


def delete(desk: Desk, parameters: Parameters) -> Fields:
    """026: forget one card."""
    customer_id, number = fields.customer_id(parameters), fields.required(parameters, "customer_card_id")
    find(desk, customer_id, number)
    desk.house.storage.run(
        "DELETE FROM paygent_cards WHERE customer_id = ? AND customer_card_id = ?", customer_id, number
    )
    return [("result", "0"), ("num_of_cards", str(len(_all(desk, customer_id))))]


def listing(desk: Desk, parameters: Parameters) -> Answer:
    """027: a customer's cards as CSV; one card when its number is given."""
    customer_id, wanted = fields.customer_id(parameters), parameters.get("customer_card_id", "")
    kept = [(number, card) for number, card in _all(desk, customer_id) if wanted in ("", str(number))]
    if not kept:
        raise Refused(NO_SUCH_CARD)
    rows = [(customer_id, str(number), card.masked, card.valid_term, "") for number, card in kept]
    return write_table(COLUMNS, rows)


def find(desk: Desk, customer_id: str, customer_card_id: str) -> Card:
    """One card on file. Raises Refused."""
    row = desk.house.storage.row(
        "SELECT card FROM paygent_cards WHERE customer_id = ? AND customer_card_id = ?",
        customer_id, customer_card_id,
    )  # fmt: skip
    if row is None:
        raise Refused(NO_SUCH_CARD)
    return Card.from_json(row["card"])


def _all(desk: Desk, customer_id: str) -> list[tuple[int, Card]]:
    rows = desk.house.storage.rows(
        "SELECT * FROM paygent_cards WHERE customer_id = ? ORDER BY customer_card_id", customer_id
    )
    return [(row["customer_card_id"], Card.from_json(row["card"])) for row in rows]
