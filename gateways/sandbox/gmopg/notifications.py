"""結果通知: after each change of a trade the shop's address is told, until it answers `0`.

Nothing is sent before POST /_notifications has named a target. As at GMO-PG the order of arrival is not promised,
and whether the change came from the shop or from the admin screen makes no difference.
"""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from gateways.sandbox.gmopg.desk import NAME
from gateways.sandbox.gmopg.trades import Trade
from gateways.sandbox.storage import Storage

SCHEMA = """
CREATE TABLE IF NOT EXISTS gmopg_notifications (
    id INTEGER PRIMARY KEY, fields TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'waiting',
    tries INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL, answers TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX IF NOT EXISTS gmopg_notifications_waiting ON gmopg_notifications (state, due);
"""
WISHES = "gmopg.notifications"
# GMO-PG tries five times, an hour apart; the pause is shorter here so that it can be watched.
DEFAULTS: dict[str, Any] = {
    "target": None, "retries": 5, "retry_ms": 1000, "copies": 1, "paused": False, "newest_first": False,
}  # fmt: skip
RECEIVED = b"0"
POLL_SECONDS = 0.05
AT_ONCE = 8
POST_TIMEOUT_SECONDS = 10
SHOWN = 200


class BadWish(ValueError):
    """No such wish about notifications, or not a value for it."""


class Notifier:
    """The outbox of one sandbox and what is wished about it; both survive a restart."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        storage.add_schema(SCHEMA)
        kept = storage.recall(WISHES)
        self._wishes: dict[str, Any] = DEFAULTS | (json.loads(kept) if kept else {})
        self._booked = self._newest_booking()

    def change(self, wishes: Mapping[str, Any]) -> None:
        """Set target, retries, retry_ms, copies, paused, newest_first; `forge` sends exactly these fields."""
        changed = {name: value for name, value in wishes.items() if name != "forge"}
        for name, value in changed.items():
            if name not in DEFAULTS or not _fits(name, value):
                raise BadWish(f"no such wish: {name}={value!r}; there are forge, {', '.join(DEFAULTS)}")
        forged = wishes.get("forge")
        if forged is not None and not isinstance(forged, dict):
            raise BadWish("forge must be an object of fields")
        self._wishes |= changed
        self._storage.remember(WISHES, json.dumps(self._wishes))
        self._booked = self._newest_booking()
        if forged is not None:
            self._put({str(name): str(value) for name, value in forged.items()}, copies=1)

    def reset(self) -> None:
        """Forget the target; the outbox was wiped."""
        self._wishes = dict(DEFAULTS)
        self._booked = 0

    def queue_booked(self) -> None:
        """Queue a notification for each movement booked since the last call; inside its transaction."""
        if self._wishes["target"] is None:
            return
        rows = self._storage.rows(
            "SELECT ledger.id AS booking, trade.* FROM ledger JOIN gmopg_trades AS trade USING (order_id)"
            " WHERE provider = ? AND ledger.id > ? ORDER BY ledger.id",
            NAME, self._booked,
        )  # fmt: skip
        for row in rows:
            self._booked = row["booking"]
            self.queue(Trade(*tuple(row)[1:]))

    def queue(self, trade: Trade) -> None:
        """Tell how a trade stands now."""
        if self._wishes["target"] is not None:
            self._put(fields_of(trade), copies=self._wishes["copies"])

    def state(self) -> dict[str, Any]:
        """The wishes, and the newest notifications, oldest first, with the answers they got."""
        rows = self._storage.rows("SELECT * FROM gmopg_notifications ORDER BY id DESC LIMIT ?", SHOWN)
        sent = [
            {
                "id": row["id"],
                "fields": json.loads(row["fields"]),
                "state": row["state"],
                "tries": row["tries"],
                "answers": json.loads(row["answers"]),
            }
            for row in reversed(rows)
        ]
        return {**self._wishes, "notifications": sent}

    async def push(self) -> None:
        """Deliver what is due, for as long as the sandbox runs."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            if self._wishes["target"] is None or self._wishes["paused"]:
                continue
            rows = self._storage.rows(
                "SELECT id, fields FROM gmopg_notifications WHERE state = 'waiting' AND due <= ?"
                " ORDER BY CASE WHEN ? THEN -id ELSE id END LIMIT ?",
                time.time(), self._wishes["newest_first"], AT_ONCE,
            )  # fmt: skip
            if self._wishes["newest_first"]:
                for row in rows:
                    await self._deliver(row["id"], row["fields"])
            else:
                await asyncio.gather(*(self._deliver(row["id"], row["fields"]) for row in rows))

    async def _deliver(self, number: int, fields: str) -> None:
        target = self._wishes["target"]
        if target is None:
            return
        body = urlencode(json.loads(fields), encoding="cp932", errors="replace").encode()
        answer = await asyncio.to_thread(_post, target, body)
        row = self._storage.row("SELECT tries, answers FROM gmopg_notifications WHERE id = ?", number)
        if row is None:
            return
        tries = row["tries"] + 1
        not_received = "waiting" if tries <= self._wishes["retries"] else "given up"
        state = "received" if answer == RECEIVED else not_received
        answers = [*json.loads(row["answers"]), answer.decode("utf-8", "replace")[:200]]
        self._storage.run(
            "UPDATE gmopg_notifications SET state = ?, tries = ?, due = ?, answers = ? WHERE id = ?",
            state, tries, time.time() + self._wishes["retry_ms"] / 1000, json.dumps(answers), number,
        )  # fmt: skip

    def _put(self, fields: Mapping[str, str], *, copies: int) -> None:
        for _ in range(copies):
            self._storage.run(
                "INSERT INTO gmopg_notifications (fields, due) VALUES (?, ?)", json.dumps(fields), time.time()
            )

    def _newest_booking(self) -> int:
        row = self._storage.row("SELECT COALESCE(MAX(id), 0) AS newest FROM ledger")
        return 0 if row is None else int(row["newest"])


def fields_of(trade: Trade) -> dict[str, str]:
    """What GMO-PG tells about a trade; passwords come as asterisks."""
    return {
        "ShopID": trade.shop_id,
        "ShopPass": "*" * 10,
        "AccessID": trade.access_id,
        "AccessPass": "*" * 32,
        "OrderID": trade.order_id,
        "Status": trade.status,
        "JobCd": trade.job,
        "Amount": str(trade.amount or 0),
        "Tax": str(trade.tax),
        "Currency": "JPN",
        "Forward": trade.forward,
        "Method": trade.method,
        "PayTimes": trade.pay_times,
        "TranID": trade.tran_id,
        "Approve": trade.approve,
        "TranDate": trade.tran_date or trade.process_date,
        "ErrCode": "",
        "ErrInfo": "",
        "PayType": trade.pay_type,
    }


def _fits(name: str, value: object) -> bool:
    if name == "target":
        return value is None or (isinstance(value, str) and value.startswith(("http://", "https://")))
    if isinstance(DEFAULTS[name], bool):
        return isinstance(value, bool)
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _post(target: str, body: bytes) -> bytes:
    """The body of a 200, or in words what came instead."""
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked
        target, data=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    try:
        with urllib.request.urlopen(request, timeout=POST_TIMEOUT_SECONDS) as answer:  # noqa: S310
            text: bytes = answer.read(1000)
            return text if answer.status == 200 else f"HTTP {answer.status}".encode()
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code}".encode()
    except OSError as error:
        return type(error).__name__.encode()
