"""The payments of this room: one row per payment_id; trading_id is the merchant's and not unique."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from gateways.sandbox.paygent import notices
from gateways.sandbox.paygent.cards import Card
from gateways.sandbox.paygent.desk import CANCEL_DAYS, NAME, VALID_DAYS, Desk, stamp
from gateways.sandbox.paygent.rules import AUTHORIZED, CANCEL_LIMIT_PASSED, CAPTURED, EXPIRED
from gateways.sandbox.paygent.wire import Refused

SCHEMA = """
CREATE TABLE IF NOT EXISTS paygent_payments (
    payment_id INTEGER PRIMARY KEY, trading_id TEXT NOT NULL, status TEXT NOT NULL, amount INTEGER NOT NULL,
    card TEXT NOT NULL, payment_class TEXT NOT NULL, split_count TEXT NOT NULL,
    init_date TEXT NOT NULL, authorized_date TEXT NOT NULL DEFAULT '', payment_date TEXT NOT NULL DEFAULT '',
    cancel_date TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS paygent_payments_trading ON paygent_payments (trading_id);
CREATE INDEX IF NOT EXISTS paygent_payments_held ON paygent_payments (status, authorized_date);
CREATE INDEX IF NOT EXISTS paygent_payments_sold ON paygent_payments (status, payment_date);
"""
FIRST_ID = 28_569_258

# Codes of this sandbox: what the provider itself says here stands only in its merchants' documents.
NO_SUCH_PAYMENT = "2101"
SEVERAL_PAYMENTS = "2102"


@dataclass(frozen=True, slots=True)
class Payment:
    """One row. Dates are YYYYMMDDHHMMSS in Tokyo or empty."""

    payment_id: int
    trading_id: str
    status: str
    amount: int
    card: str
    payment_class: str
    split_count: str
    init_date: str
    authorized_date: str
    payment_date: str
    cancel_date: str

    @property
    def known_card(self) -> Card:
        """What is kept of the card."""
        return Card.from_json(self.card)


def enter(desk: Desk, *, trading_id: str, status: str, amount: int, card: Card, **columns: str) -> Payment:
    """Make a payment in its first state and queue the notice of it."""
    values: dict[str, Any] = {
        "trading_id": trading_id,
        "status": status,
        "amount": amount,
        "card": card.to_json(),
        "init_date": stamp(desk.now),
        **columns,
    }
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    row = desk.house.storage.row(
        f"INSERT INTO paygent_payments (payment_id, {names}) VALUES"  # noqa: S608 - names are ours
        f" ((SELECT COALESCE(MAX(payment_id) + 1, {FIRST_ID}) FROM paygent_payments), {marks}) RETURNING *",
        *values.values(),
    )
    assert row is not None  # noqa: S101 - RETURNING gives the row it made
    payment = Payment(*row)
    _notify(desk, payment)
    return payment


def move(desk: Desk, payment: Payment, status: str, **columns: Any) -> None:
    """Bring a payment into another state and queue the notice of it."""
    columns = {"status": status, **columns}
    names = ", ".join(f"{name} = ?" for name in columns)
    row = desk.house.storage.row(
        f"UPDATE paygent_payments SET {names} WHERE payment_id = ? RETURNING *",  # noqa: S608 - names are ours
        *columns.values(),
        payment.payment_id,
    )
    assert row is not None  # noqa: S101 - the payment was read in this transaction
    _notify(desk, Payment(*row))


def book(desk: Desk, payment: Payment, *, action: str, amount: int, call: str, source: str = "api") -> None:
    """Write one executed movement into the ledger, under the trading_id."""
    desk.house.ledger.add(
        provider=NAME,
        order_id=payment.trading_id or str(payment.payment_id),
        action=action,
        job=action,
        amount=amount,
        call=call,
        source=source,
        at=desk.now,
    )


def by_id(desk: Desk, payment_id: str) -> Payment:
    """The payment with this id. Raises Refused."""
    row = desk.house.storage.row("SELECT * FROM paygent_payments WHERE payment_id = ?", payment_id)
    if row is None:
        raise Refused(NO_SUCH_PAYMENT)
    return Payment(*row)


def by_trading_id(desk: Desk, trading_id: str) -> list[Payment]:
    """All payments under one trading_id, oldest first."""
    rows = desk.house.storage.rows(
        "SELECT * FROM paygent_payments WHERE trading_id = ? ORDER BY payment_id", trading_id
    )
    return [Payment(*row) for row in rows]


def only_one(desk: Desk, *, payment_id: str, trading_id: str) -> Payment:
    """The payment that a question means. Raises Refused where none or several match."""
    if payment_id:
        return by_id(desk, payment_id)
    found = by_trading_id(desk, trading_id)
    if len(found) == 1:
        return found[0]
    raise Refused(SEVERAL_PAYMENTS if found else NO_SUCH_PAYMENT)


def age(desk: Desk) -> None:
    """Let authorizations expire and captures pass their limit for cancels. Cheap: runs before every call."""
    for status, column, limit, later in (
        (AUTHORIZED, "authorized_date", VALID_DAYS, EXPIRED),
        (CAPTURED, "payment_date", CANCEL_DAYS, CANCEL_LIMIT_PASSED),
    ):
        first_valid_day = desk.now.date() - timedelta(days=desk.house.settings[limit])
        rows = desk.house.storage.rows(
            f"SELECT * FROM paygent_payments WHERE status = ? AND {column} < ?",  # noqa: S608 - ours
            status,
            first_valid_day.strftime("%Y%m%d"),
        )
        for row in rows:
            move(desk, Payment(*row), later)


def _notify(desk: Desk, payment: Payment) -> None:
    notices.queue(
        desk,
        payment_id=payment.payment_id,
        trading_id=payment.trading_id,
        status=payment.status,
        amount=payment.amount,
        init_date=payment.init_date,
    )
