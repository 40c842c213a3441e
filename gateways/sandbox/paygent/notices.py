"""The queue of notices (決済情報差分通知): one for every change of a payment's state."""

from __future__ import annotations

import json
from collections.abc import Iterator

from gateways.sandbox.paygent.desk import Desk, stamp
from gateways.sandbox.paygent.wire import Fields, Parameters, Refused
from gateways.sandbox.storage import Storage

SCHEMA = """
CREATE TABLE IF NOT EXISTS paygent_notices (
    id INTEGER PRIMARY KEY, fields TEXT NOT NULL, fetched INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS paygent_notices_waiting ON paygent_notices (fetched, id);
"""
FIRST_ID = 90_001
NO_SUCH_NOTICE = "2121"


def queue(desk: Desk, *, payment_id: int, trading_id: str, status: str, amount: int, init_date: str) -> None:
    """Write down that a payment reached a state; call it inside the transaction that moves it."""
    fields = {
        "payment_id": str(payment_id),
        "trading_id": trading_id,
        "payment_type": "02",
        "payment_status": status,
        "payment_amount": str(amount),
        "payment_init_date": init_date,
        "change_date": stamp(desk.now),
    }
    desk.house.storage.run(
        "INSERT INTO paygent_notices (id, fields) VALUES"
        " ((SELECT COALESCE(MAX(id) + 1, ?) FROM paygent_notices), ?)",
        FIRST_ID, json.dumps(fields),
    )  # fmt: skip


def next_notice(desk: Desk, parameters: Parameters) -> Fields:
    """091: the oldest notice that was not fetched yet, or the one named, again."""
    wanted = parameters.get("payment_notice_id", "")
    if wanted:
        row = desk.house.storage.row("SELECT * FROM paygent_notices WHERE id = ?", wanted)
        if row is None:
            raise Refused(NO_SUCH_NOTICE)
    else:
        row = desk.house.storage.row("SELECT * FROM paygent_notices WHERE fetched = 0 ORDER BY id LIMIT 1")
        if row is None:
            return [("result", "0"), ("success_code", "1")]
        desk.house.storage.run("UPDATE paygent_notices SET fetched = 1 WHERE id = ?", row["id"])
    fields: dict[str, str] = json.loads(row["fields"])
    return [("result", "0"), ("success_code", "0"), ("payment_notice_id", str(row["id"])), *fields.items()]


def newest_id(storage: Storage) -> int:
    """The id of the newest notice; 0 where there is none."""
    row = storage.row("SELECT COALESCE(MAX(id), 0) AS newest FROM paygent_notices")
    return 0 if row is None else int(row["newest"])


def after(storage: Storage, number: int) -> Iterator[tuple[int, dict[str, str]]]:
    """The notices after one, oldest first: id and fields."""
    for row in storage.rows("SELECT id, fields FROM paygent_notices WHERE id > ? ORDER BY id", number):
        yield row["id"], json.loads(row["fields"])
