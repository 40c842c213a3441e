"""What the clock alone brings about: a number whose term is over, a request that Rakuten has dealt with.

One row per trade at most. Nothing runs at the moment itself: whoever looks next finds it done, with the time at
which it was due.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateways.sandbox.gmopg import trades
from gateways.sandbox.gmopg.desk import Desk, stamp
from gateways.sandbox.gmopg.trades import Trade

SCHEMA = """
CREATE TABLE IF NOT EXISTS gmopg_dues (
    trade_id INTEGER PRIMARY KEY, at TEXT NOT NULL, becomes TEXT NOT NULL, columns TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX IF NOT EXISTS gmopg_dues_at ON gmopg_dues (at);
"""


def plan(
    desk: Desk, trade: Trade, *, at: datetime, becomes: str, columns: Mapping[str, Any] | None = None
) -> None:
    """After `at` the trade is `becomes`, with these columns; replaces what was planned for it before."""
    desk.house.storage.run(
        "INSERT OR REPLACE INTO gmopg_dues (trade_id, at, becomes, columns) VALUES (?, ?, ?, ?)",
        trade.id, stamp(at), becomes, json.dumps(columns or {}),
    )  # fmt: skip


def drop(desk: Desk, trade: Trade) -> None:
    """Nothing is going to happen to the trade by itself any more."""
    desk.house.storage.run("DELETE FROM gmopg_dues WHERE trade_id = ?", trade.id)


def take_over(desk: Desk) -> list[tuple[Trade, str, datetime, dict[str, Any]]]:
    """What is due by now, oldest first: trade, its new status, since when, further columns. Taken only once."""
    rows = desk.house.storage.rows(
        "SELECT * FROM gmopg_dues WHERE at < ? ORDER BY at, trade_id", stamp(desk.now)
    )
    due = []
    for row in rows:
        trade = trades.by_number(desk, row["trade_id"])
        drop(desk, trade)
        at = datetime.strptime(row["at"], "%Y%m%d%H%M%S").replace(tzinfo=desk.now.tzinfo)
        due.append((trade, str(row["becomes"]), at, json.loads(row["columns"])))
    return due
