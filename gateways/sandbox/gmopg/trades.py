"""The trades of this room: one row per shop, pay type and order number, for ever."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from gateways.sandbox.gmopg.cards import Card
from gateways.sandbox.gmopg.desk import NAME, SHOPS, Desk, stamp

CARD = "0"

SCHEMA = """
CREATE TABLE IF NOT EXISTS gmopg_trades (
    id INTEGER PRIMARY KEY, shop_id TEXT NOT NULL, pay_type TEXT NOT NULL, order_id TEXT NOT NULL,
    access_id TEXT NOT NULL, access_pass TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'UNPROCESSED',
    job TEXT NOT NULL, entry_job TEXT NOT NULL, amount INTEGER, tax INTEGER NOT NULL,
    item_code TEXT NOT NULL, td_flag TEXT NOT NULL, tds2_type TEXT NOT NULL,
    site_id TEXT NOT NULL DEFAULT '', member_id TEXT NOT NULL DEFAULT '', card TEXT NOT NULL DEFAULT '',
    method TEXT NOT NULL DEFAULT '', pay_times TEXT NOT NULL DEFAULT '', forward TEXT NOT NULL DEFAULT '',
    approve TEXT NOT NULL DEFAULT '', tran_id TEXT NOT NULL DEFAULT '', tran_date TEXT NOT NULL DEFAULT '',
    process_date TEXT NOT NULL, client_field_1 TEXT NOT NULL DEFAULT '',
    client_field_2 TEXT NOT NULL DEFAULT '', client_field_3 TEXT NOT NULL DEFAULT '',
    client_field_flag TEXT NOT NULL DEFAULT '', details TEXT NOT NULL DEFAULT '{}',
    transaction_id TEXT NOT NULL DEFAULT '',
    UNIQUE (shop_id, pay_type, order_id)
);
CREATE INDEX IF NOT EXISTS gmopg_trades_access ON gmopg_trades (access_id);
CREATE INDEX IF NOT EXISTS gmopg_trades_transaction ON gmopg_trades (transaction_id);
CREATE INDEX IF NOT EXISTS gmopg_trades_order ON gmopg_trades (order_id);
"""


@dataclass(frozen=True, slots=True)
class Trade:
    """One row. `tran_date` is the last successful operation, `process_date` the last one at all."""

    id: int
    shop_id: str
    pay_type: str
    order_id: str
    access_id: str
    access_pass: str
    status: str
    job: str
    entry_job: str
    amount: int | None
    tax: int
    item_code: str
    td_flag: str
    tds2_type: str
    site_id: str
    member_id: str
    card: str
    method: str
    pay_times: str
    forward: str
    approve: str
    tran_id: str
    tran_date: str
    process_date: str
    client_field_1: str
    client_field_2: str
    client_field_3: str
    client_field_flag: str
    details: str
    transaction_id: str

    @property
    def total(self) -> int:
        """Amount and tax in yen."""
        return (self.amount or 0) + self.tax

    @property
    def last_operation(self) -> date:
        """The day in Tokyo from which the windows count."""
        text = self.tran_date or self.process_date
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))

    @property
    def known_card(self) -> Card | None:
        """The card, once one was charged."""
        return Card.from_json(self.card) if self.card else None

    @property
    def kept(self) -> dict[str, Any]:
        """What the trade's kind has to remember: a pending 3-D Secure authentication, numbers of a slip ..."""
        kept: dict[str, Any] = json.loads(self.details)
        return kept

    @property
    def told(self) -> dict[str, str]:
        """What SearchTradeMulti and notifications tell of it beyond the common keys."""
        told: dict[str, str] = self.kept.get("told", {})
        return told


def enter(
    desk: Desk, *, shop_id: str, order_id: str, job: str, pay_type: str = CARD, **columns: Any
) -> Trade:
    """Make a trade that nothing has happened to yet."""
    values = {
        "shop_id": shop_id,
        "pay_type": pay_type,
        "order_id": order_id,
        "access_id": desk.access_id(shop_id, order_id),
        "access_pass": secrets.token_hex(16),
        "job": job,
        "entry_job": job,
        "process_date": stamp(desk.now),
        **columns,
    }
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    row = desk.house.storage.row(
        f"INSERT INTO gmopg_trades ({names}) VALUES ({marks}) RETURNING *",  # noqa: S608 - names are ours
        *values.values(),
    )
    assert row is not None  # noqa: S101 - RETURNING gives the row it made
    return Trade(*row)


def by_order(desk: Desk, shop_id: str, order_id: str, pay_type: str = CARD) -> Trade | None:
    """The trade of an order."""
    row = desk.house.storage.row(
        "SELECT * FROM gmopg_trades WHERE shop_id = ? AND pay_type = ? AND order_id = ?",
        shop_id, pay_type, order_id,
    )  # fmt: skip
    return None if row is None else Trade(*row)


def by_number(desk: Desk, number: int) -> Trade:
    """The trade with this row's number, which is known to exist."""
    row = desk.house.storage.row("SELECT * FROM gmopg_trades WHERE id = ?", number)
    assert row is not None  # noqa: S101 - trades are never deleted
    return Trade(*row)


def by_access(desk: Desk, access_id: str, access_pass: str, shop_id: str | None = None) -> Trade | None:
    """The trade that the pair names; of another shop it is not found either."""
    row = desk.house.storage.row(
        "SELECT * FROM gmopg_trades WHERE access_id = ? AND access_pass = ? AND (?3 IS NULL OR shop_id = ?3)",
        access_id, access_pass, shop_id,
    )  # fmt: skip
    return None if row is None else Trade(*row)


def by_transaction(desk: Desk, transaction_id: str) -> Trade | None:
    """The trade that waits for this 3-D Secure transaction."""
    row = desk.house.storage.row("SELECT * FROM gmopg_trades WHERE transaction_id = ?", transaction_id)
    return None if row is None else Trade(*row)


def update(desk: Desk, trade: Trade, **columns: Any) -> None:
    """Write some columns."""
    names = ", ".join(f"{name} = ?" for name in columns)
    desk.house.storage.run(
        f"UPDATE gmopg_trades SET {names} WHERE id = ?",  # noqa: S608 - names are ours
        *columns.values(),
        trade.id,
    )


def book(
    desk: Desk, trade: Trade, *, action: str, job: str, amount: int, call: str, source: str, at: datetime
) -> None:
    """Write one executed movement into the ledger."""
    desk.house.ledger.add(
        provider=NAME,
        order_id=trade.order_id,
        action=action,
        job=job,
        amount=amount,
        call=call,
        source=source,
        at=at,
    )


def check_string(
    trade: Trade, *, forward: str, method: str, pay_times: str, approve: str, tran_id: str, tran_date: str
) -> str:
    """MD5 over OrderID to TranDate and the shop's password; Approve counts with its padding."""
    text = trade.order_id + forward + method + pay_times + approve + tran_id + tran_date
    return hashlib.md5((text + SHOPS[trade.shop_id]).encode(), usedforsecurity=False).hexdigest()
