"""Every money movement the sandbox executed: the truth that tests count against (invariant 2)."""

from __future__ import annotations

from datetime import datetime

from gateways.sandbox.storage import Storage

SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger (
    id INTEGER PRIMARY KEY, provider TEXT NOT NULL, order_id TEXT NOT NULL, action TEXT NOT NULL,
    job TEXT NOT NULL, amount INTEGER NOT NULL, call TEXT NOT NULL, source TEXT NOT NULL, at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS ledger_order ON ledger (order_id);
"""
NEWEST_ROWS = 10_000


class Ledger:
    """Append-only lines; nothing but a reset of the whole sandbox removes one."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        storage.add_schema(SCHEMA)

    def add(
        self,
        *,
        provider: str,
        order_id: str,
        action: str,
        job: str,
        amount: int,
        call: str,
        source: str,
        at: datetime,
    ) -> None:
        """Book one executed movement; call it inside the transaction that executes it. `amount` in yen."""
        self._storage.run(
            "INSERT INTO ledger (provider, order_id, action, job, amount, call, source, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            provider, order_id, action, job, amount, call, source, at.isoformat(timespec="milliseconds"),
        )  # fmt: skip

    def lines(
        self, *, provider: str | None = None, order_id: str | None = None, since: str | None = None
    ) -> list[dict[str, object]]:
        """The newest 10,000 lines that match, oldest first. `since` is the ISO time of the sandbox's clock."""
        rows = self._storage.rows(
            "SELECT * FROM ledger WHERE (?1 IS NULL OR provider = ?1) AND (?2 IS NULL OR order_id = ?2)"
            " AND (?3 IS NULL OR julianday(at) >= julianday(?3)) ORDER BY id DESC LIMIT ?4",
            provider, order_id, since, NEWEST_ROWS,
        )  # fmt: skip
        return [dict(row) for row in reversed(rows)]
