"""What every call handler of this room works with, and the numbers GMO-PG hands out."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from gateways.sandbox.gmopg.wire import Fields, Parameters
from gateways.sandbox.rooms import House

NAME = "gmopg"
SHOPS = {"tshop00000001": "shoppass01"}
SITES = {"tsite00000001": "sitepass01"}

# Every card of the test environment goes to this processor.
FORWARD = "2a99662"
RAW_CARDS = "gmopg_raw_cards"
VALID_DAYS = "gmopg_auth_valid_days"
# How long Rakuten takes to deal with a request (REQSALES and the like), in seconds.
RAKUTEN_SECONDS = "gmopg_rakuten_seconds"
SETTINGS = {RAW_CARDS: 1, VALID_DAYS: 90, RAKUTEN_SECONDS: 60}

SCHEMA = """
CREATE TABLE IF NOT EXISTS gmopg_counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""
FIRST_TRAN_NUMBER = 192_829


@dataclass(slots=True)
class Desk:
    """The house, seen by one call; `origin` is the URL under which the client reached us."""

    house: House
    origin: str = ""
    # Numbers of the trades that this call (or the clock) has moved and whose shop is to be told.
    changed: list[int] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        """The sandbox's time in Tokyo."""
        return self.house.clock.now()

    def next_number(self, step: int = 1) -> int:
        """The number behind TranID and Approve; counts over restarts."""
        row = self.house.storage.row(
            "INSERT INTO gmopg_counters (name, value) VALUES ('tran', ?)"
            " ON CONFLICT (name) DO UPDATE SET value = value + ? RETURNING value",
            FIRST_TRAN_NUMBER, step,
        )  # fmt: skip
        return int(row["value"]) if row is not None else FIRST_TRAN_NUMBER

    def new_approval(self, now: datetime, *, step: int = 1) -> tuple[str, str]:
        """A fresh Approve (7) and TranID (28: minute, twelve ones, counter)."""
        number = self.next_number(step)
        approve = str(1_000_000 + number * 7_919 % 9_000_000)
        return approve, f"{now:%y%m%d%H%M}{'1' * 12}{number % 1_000_000:06d}"

    def access_id(self, shop_id: str, order_id: str) -> str:
        """The same for one order in every pay type; only the pair with AccessPass names a trade."""
        salt = self.house.storage.recall("gmopg.salt")
        if salt is None:
            salt = secrets.token_hex(16)
            self.house.storage.remember("gmopg.salt", salt)
        return hashlib.md5(f"{salt}{shop_id}{order_id}".encode(), usedforsecurity=False).hexdigest()


def stamp(moment: datetime) -> str:
    """yyyyMMddHHmmss."""
    return moment.strftime("%Y%m%d%H%M%S")


Handler = Callable[[Desk, Parameters], Fields]
