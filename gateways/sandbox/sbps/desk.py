"""What every call of this room works with: the documented merchant, the settings, the numbers handed out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateways.sandbox.rooms import House

NAME = "sbps"
MERCHANT_ID, SERVICE_ID = "99999", "001"
HASH_KEY = "0123456789abcdef0123456789abcdef01234567"
# In the provider's shared test environments both come out of the hash key, too.
CIPHER_KEY, CIPHER_IV = HASH_KEY[:24].encode(), HASH_KEY[24:32].encode()

# 1: the contract sells at the commit; nothing is left to capture.
AUTO_CAPTURE = "sbps_auto_capture"
# 1: an order_id is used up by a refused authorization, too (the protocol leaves it open).
USED_BY_REFUSED = "sbps_refused_uses_order_id"
# 1: no sale can be paid back any more, as after the card companies' closing date.
REFUNDS_CLOSED = "sbps_refunds_closed"
SETTINGS = {AUTO_CAPTURE: 0, USED_BY_REFUSED: 0, REFUNDS_CLOSED: 0}

SCHEMA = """
CREATE TABLE IF NOT EXISTS sbps_counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""
FIRST_NUMBERS = {"tracking": 64_000_001, "transaction": 100_361_052}


@dataclass(frozen=True, slots=True)
class Desk:
    """The house, seen by one call."""

    house: House

    @property
    def now(self) -> datetime:
        """The sandbox's time in Tokyo."""
        return self.house.clock.now()

    def next_number(self, name: str) -> int:
        """Counts over restarts."""
        row = self.house.storage.row(
            "INSERT INTO sbps_counters (name, value) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            name, FIRST_NUMBERS[name],
        )  # fmt: skip
        assert row is not None  # noqa: S101 - RETURNING gives the row it made
        return int(row["value"])

    def new_tracking_id(self) -> str:
        """14 digits, filled with zeros."""
        return f"{self.next_number('tracking'):014d}"

    def new_transaction_id(self, api_id: str) -> str:
        """32 characters: B, merchant, service, the call without its hyphens, a number and a last digit."""
        number = self.next_number("transaction")
        return f"B{MERCHANT_ID}{SERVICE_ID}{api_id.replace('-', '')}{number:010d}{number % 9}"


def stamp(moment: datetime) -> str:
    """YYYYMMDDHHMMSS."""
    return moment.strftime("%Y%m%d%H%M%S")
