"""The card payments of this room: one row per tracking id, for ever."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from gateways.sandbox.sbps.cards import Card
from gateways.sandbox.sbps.desk import NAME, Desk

SCHEMA = """
CREATE TABLE IF NOT EXISTS sbps_trades (
    id INTEGER PRIMARY KEY, tracking_id TEXT NOT NULL UNIQUE, transaction_id TEXT NOT NULL UNIQUE,
    order_id TEXT NOT NULL, order_rowno TEXT NOT NULL, cust_code TEXT NOT NULL, amount INTEGER NOT NULL,
    captured INTEGER NOT NULL DEFAULT 0, status TEXT NOT NULL, is_committed TEXT NOT NULL DEFAULT '0',
    dealings_type TEXT NOT NULL, divide_times TEXT NOT NULL, card TEXT NOT NULL, recognized_no TEXT NOT NULL,
    authorized_on TEXT NOT NULL, sold_on TEXT NOT NULL DEFAULT '', returned_on TEXT NOT NULL DEFAULT '',
    UNIQUE (order_id, order_rowno)
);
CREATE TABLE IF NOT EXISTS sbps_refused_orders (
    order_id TEXT PRIMARY KEY, times INTEGER NOT NULL
) WITHOUT ROWID;
"""
# The provider's payment_status.
HELD, SOLD, VOIDED, RETURNED = "1", "2", "3", "4"


@dataclass(frozen=True, slots=True)
class Trade:
    """One row. Days are ISO dates of Tokyo's calendar."""

    id: int
    tracking_id: str
    transaction_id: str
    order_id: str
    order_rowno: str
    cust_code: str
    amount: int
    captured: int
    status: str
    is_committed: str
    dealings_type: str
    divide_times: str
    card: str
    recognized_no: str
    authorized_on: str
    sold_on: str
    returned_on: str

    @property
    def authorization_day(self) -> date:
        """When it was authorized."""
        return date.fromisoformat(self.authorized_on)

    @property
    def sale_day(self) -> date | None:
        """The day from which it counts as sold; may lie in the future."""
        return date.fromisoformat(self.sold_on) if self.sold_on else None

    @property
    def known_card(self) -> Card:
        """The card it was paid with."""
        return Card.from_json(self.card)


def enter(desk: Desk, **columns: Any) -> Trade:
    """Make a held payment."""
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    row = desk.house.storage.row(
        f"INSERT INTO sbps_trades ({names}) VALUES ({marks}) RETURNING *",  # noqa: S608 - names are ours
        *columns.values(),
    )
    assert row is not None  # noqa: S101 - RETURNING gives the row it made
    return Trade(*row)


def by_order(desk: Desk, order_id: str, order_rowno: str | None = None) -> Trade | None:
    """The payment of an order."""
    row = desk.house.storage.row(
        "SELECT * FROM sbps_trades WHERE order_id = ?1 AND (?2 IS NULL OR order_rowno = ?2)",
        order_id, order_rowno,
    )  # fmt: skip
    return None if row is None else Trade(*row)


def by_tracking(desk: Desk, tracking_id: str) -> Trade | None:
    """The payment with this tracking id."""
    row = desk.house.storage.row("SELECT * FROM sbps_trades WHERE tracking_id = ?", tracking_id)
    return None if row is None else Trade(*row)


def by_transaction(desk: Desk, transaction_id: str) -> Trade | None:
    """The payment that this authorization made."""
    row = desk.house.storage.row("SELECT * FROM sbps_trades WHERE transaction_id = ?", transaction_id)
    return None if row is None else Trade(*row)


def update(desk: Desk, trade: Trade, **columns: Any) -> None:
    """Write some columns."""
    names = ", ".join(f"{name} = ?" for name in columns)
    desk.house.storage.run(
        f"UPDATE sbps_trades SET {names} WHERE id = ?",  # noqa: S608 - names are ours
        *columns.values(),
        trade.id,
    )


def refused_times(desk: Desk, order_id: str) -> int:
    """How often an authorization of this order was refused."""
    row = desk.house.storage.row("SELECT times FROM sbps_refused_orders WHERE order_id = ?", order_id)
    return 0 if row is None else int(row["times"])


def count_refused(desk: Desk, order_id: str) -> None:
    """One refused authorization more."""
    desk.house.storage.run(
        "INSERT INTO sbps_refused_orders VALUES (?, 1) ON CONFLICT (order_id) DO UPDATE SET times = times + 1",
        order_id,
    )


def book(desk: Desk, trade: Trade, *, action: str, amount: int, call: str, source: str) -> None:
    """Write one executed movement into the ledger."""
    desk.house.ledger.add(
        provider=NAME,
        order_id=trade.order_id,
        action=action,
        job=action,
        amount=amount,
        call=call,
        source=source,
        at=desk.now,
    )
