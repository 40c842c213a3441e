"""What a provider's room must offer to the server and to the control interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gateways.sandbox.clock import Clock
from gateways.sandbox.ledger import Ledger
from gateways.sandbox.messages import Answer, Request
from gateways.sandbox.settings import Settings
from gateways.sandbox.storage import Storage


class AdminRefused(ValueError):
    """The provider's own admin screen cannot do that; the text says why."""


@dataclass(frozen=True, slots=True)
class House:
    """What all rooms share."""

    storage: Storage
    clock: Clock
    ledger: Ledger
    settings: Settings


@dataclass(frozen=True, slots=True)
class Visit:
    """One request, understood by a room.

    `name` is the call's name for faults; pages and scripts for browsers have none and are never delayed.
    `order` finds the order number at the price of a query; `execute` runs the call in its own transaction;
    `refuse` is the answer of a provider that refuses with that code without executing.
    """

    name: str | None
    execute: Callable[[], Answer]
    order: Callable[[], str | None] = lambda: None
    refuse: Callable[[str], Answer] | None = None


class Room(Protocol):
    """One provider. Rooms keep tables of their own and know nothing of each other."""

    name: str
    prefix: str

    def receive(self, request: Request) -> Visit:
        """Understand one request below `prefix`; executes nothing."""

    def trades(self, order_id: str | None) -> list[dict[str, object]]:
        """The trades as an operator of the provider sees them, without secrets."""

    def change_behind_the_back(self, order_id: str, wish: Mapping[str, Any]) -> dict[str, object]:
        """What the provider's own admin screen does. Raises AdminRefused."""

    def reset(self) -> None:
        """Called after the storage was wiped."""
