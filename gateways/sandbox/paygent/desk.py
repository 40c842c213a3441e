"""What every handler of this room works with, and who may come in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from gateways.sandbox.paygent.wire import Fields, Parameters
from gateways.sandbox.rooms import House

NAME = "paygent"


@dataclass(frozen=True, slots=True)
class Merchant:
    """The credentials of one merchant. The sandbox asks for no client certificate."""

    connect_id: str
    connect_password: str
    hash_key: str


MERCHANTS = {"100000001": Merchant("sandbox", "sandboxpass", "sandboxhashkey01")}

VALID_DAYS = "paygent_auth_valid_days"
CANCEL_DAYS = "paygent_cancel_days"
SETTINGS = {VALID_DAYS: 60, CANCEL_DAYS: 60}


@dataclass(slots=True)
class Desk:
    """The house, seen by one call."""

    house: House

    @property
    def now(self) -> datetime:
        """The sandbox's time in Tokyo."""
        return self.house.clock.now()


def stamp(moment: datetime) -> str:
    """YYYYMMDDHHMMSS."""
    return moment.strftime("%Y%m%d%H%M%S")


Handler = Callable[[Desk, Parameters], Fields]
