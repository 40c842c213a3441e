"""Telling the shop by itself: an outbox per provider, delivered until the shop's address says "received".

Nothing is sent before POST /_notifications has named a target. As at the providers the order of arrival is not
promised, and whether a change came from the shop or from the admin screen makes no difference.
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

from gateways.sandbox.storage import Storage

_SCHEMA = """
CREATE TABLE IF NOT EXISTS {table} (
    id INTEGER PRIMARY KEY, fields TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'waiting',
    tries INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL, answers TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX IF NOT EXISTS {table}_waiting ON {table} (state, due);
"""
# Providers try again for hours; the pause is shorter here so that it can be watched.
DEFAULTS: dict[str, Any] = {
    "target": None, "retries": 5, "retry_ms": 1000, "delay_ms": 0, "copies": 1, "paused": False,
    "newest_first": False,
}  # fmt: skip
POLL_SECONDS = 0.05
AT_ONCE = 8
POST_TIMEOUT_SECONDS = 10
SHOWN = 200


class BadWish(ValueError):
    """No such wish about notifications, or not a value for it."""


class Notifier:
    """One provider's outbox and what is wished about it; both survive a restart. `received` ends a repetition."""

    def __init__(self, storage: Storage, *, provider: str, received: bytes) -> None:
        self._storage = storage
        self._received = received
        self._wishes_key = f"{provider}.notifications"
        self._table = f"{provider}_notifications"
        storage.add_schema(_SCHEMA.format(table=self._table))
        kept = storage.recall(self._wishes_key)
        self._wishes: dict[str, Any] = DEFAULTS | (json.loads(kept) if kept else {})
        # Deliveries that wait for the shop's answer.
        self._under_way = 0

    @property
    def is_on(self) -> bool:
        """Whether there is an address to tell."""
        return self._wishes["target"] is not None

    def change(self, wishes: Mapping[str, Any]) -> None:
        """Set target, retries, retry_ms, delay_ms, copies, paused, newest_first; `forge` sends exactly these fields."""
        changed = {name: value for name, value in wishes.items() if name != "forge"}
        for name, value in changed.items():
            if name not in DEFAULTS or not _fits(name, value):
                raise BadWish(f"no such wish: {name}={value!r}; there are forge, {', '.join(DEFAULTS)}")
        forged = wishes.get("forge")
        if forged is not None and not isinstance(forged, dict):
            raise BadWish("forge must be an object of fields")
        if changed.get("target", self._wishes["target"]) != self._wishes["target"]:
            # What waited for another address is not told to this one.
            self._storage.run(f"DELETE FROM {self._table} WHERE state = 'waiting'")  # noqa: S608 - ours
        self._wishes |= changed
        self._storage.remember(self._wishes_key, json.dumps(self._wishes))
        if forged is not None:
            self._insert({str(name): str(value) for name, value in forged.items()}, copies=1, delay_ms=0)

    def reset(self) -> None:
        """Forget the target; the outbox was wiped."""
        self._wishes = dict(DEFAULTS)

    def put(self, fields: Mapping[str, str]) -> None:
        """Tell this, as often and as late as is wished; nobody is told where there is no target."""
        if self.is_on:
            self._insert(fields, copies=self._wishes["copies"], delay_ms=self._wishes["delay_ms"])

    def state(self) -> dict[str, Any]:
        """The wishes, and the newest notifications, oldest first, with the answers they got."""
        rows = self._storage.rows(
            f"SELECT * FROM {self._table} ORDER BY id DESC LIMIT ?",  # noqa: S608 - the name is ours
            SHOWN,
        )
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
        return {**self._wishes, "under_way": self._under_way, "notifications": sent}

    async def push(self) -> None:
        """Deliver what is due, for as long as the sandbox runs."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            if not self.is_on or self._wishes["paused"]:
                continue
            rows = self._storage.rows(
                f"SELECT id, fields FROM {self._table} WHERE state = 'waiting' AND due <= ?"  # noqa: S608 - ours
                " ORDER BY CASE WHEN ? THEN -id ELSE id END LIMIT ?",
                time.time(),
                self._wishes["newest_first"],
                AT_ONCE,
            )
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
        self._under_way += 1
        try:
            answer = await asyncio.to_thread(_post, target, body)
        finally:
            self._under_way -= 1
        row = self._storage.row(
            f"SELECT tries, answers FROM {self._table} WHERE id = ?",  # noqa: S608 - the name is ours
            number,
        )
        if row is None:
            return
        tries = row["tries"] + 1
        not_received = "waiting" if tries <= self._wishes["retries"] else "given up"
        state = "received" if answer == self._received else not_received
        answers = [*json.loads(row["answers"]), answer.decode("utf-8", "replace")[:200]]
        self._storage.run(
            f"UPDATE {self._table} SET state = ?, tries = ?, due = ?, answers = ? WHERE id = ?",  # noqa: S608 - ours
            state,
            tries,
            time.time() + self._wishes["retry_ms"] / 1000,
            json.dumps(answers),
            number,
        )

    def _insert(self, fields: Mapping[str, str], *, copies: int, delay_ms: int) -> None:
        for _ in range(copies):
            self._storage.run(
                f"INSERT INTO {self._table} (fields, due) VALUES (?, ?)",  # noqa: S608 - the name is ours
                json.dumps(fields),
                time.time() + delay_ms / 1000,
            )


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
