"""The sandbox's own SQLite file: survives a restart, needs nothing of the product.

Everything runs on the server's one event loop, so a transaction is never interleaved with another one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"


class Storage:
    """One SQLite file in `folder`, which is made if it is missing."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(
            folder / "sandbox.sqlite3", isolation_level=None, check_same_thread=False, cached_statements=256
        )
        self._database.row_factory = sqlite3.Row
        self._database.execute("PRAGMA journal_mode=WAL")
        # A killed process loses nothing with OFF; only a power cut would, and this is not a bank.
        self._database.execute("PRAGMA synchronous=OFF")
        self._database.execute("PRAGMA busy_timeout=5000")
        self.add_schema(SCHEMA)

    def add_schema(self, sql: str) -> None:
        """Make the tables of one room. Every statement must be repeatable."""
        self._database.executescript(sql)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; an exception rolls back."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def run(self, sql: str, *values: Any) -> int:
        """Run one writing statement and return the number of rows it touched."""
        return self._database.execute(sql, values).rowcount

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """The first row, or None."""
        found: sqlite3.Row | None = self._database.execute(sql, values).fetchone()
        return found

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """All rows."""
        return self._database.execute(sql, values).fetchall()

    def remember(self, key: str, value: str) -> None:
        """Keep one small value over restarts."""
        self.run("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", key, value)

    def recall(self, key: str) -> str | None:
        """What `remember` kept under this key."""
        found = self.row("SELECT value FROM meta WHERE key = ?", key)
        return None if found is None else str(found["value"])

    def wipe(self) -> None:
        """Empty every table."""
        names = self.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        with self.transaction():
            for name in names:
                self.run(f'DELETE FROM "{name["name"]}"')  # noqa: S608 - names come from our own schema

    def close(self) -> None:
        """Write everything into the main file and let go of it."""
        self._database.close()
