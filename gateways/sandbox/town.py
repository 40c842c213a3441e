"""All rooms under one roof: the one place that knows which providers there are."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from gateways.sandbox.clock import Clock
from gateways.sandbox.faults import Faults
from gateways.sandbox.gmopg.room import GmoPgRoom
from gateways.sandbox.ledger import Ledger
from gateways.sandbox.notifier import Notifier
from gateways.sandbox.paygent.room import PaygentRoom
from gateways.sandbox.rooms import House, Room
from gateways.sandbox.sbps.room import SbpsRoom
from gateways.sandbox.settings import Settings
from gateways.sandbox.storage import Storage

TICK_SECONDS = 0.2


class Town:
    """The state of one running sandbox. A new provider is one more line in `rooms`."""

    def __init__(self, data_dir: Path) -> None:
        storage = Storage(data_dir)
        self.house = House(storage, Clock(storage), Ledger(storage), Settings(storage))
        self.faults = Faults()
        gmopg, paygent = GmoPgRoom(self.house), PaygentRoom(self.house)
        self.rooms: tuple[Room, ...] = (gmopg, paygent, SbpsRoom(self.house))
        # SBPS tells the shop nothing by itself.
        self.notifiers: Mapping[str, Notifier] = {gmopg.name: gmopg.notifier, paygent.name: paygent.notifier}
        self._gmopg = gmopg

    async def tick(self) -> None:
        """Let happen what the clock alone brings about, for as long as the sandbox runs."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self._gmopg.let_time_pass()

    def room_of(self, path: str) -> Room | None:
        """The room that a path leads to."""
        return next((room for room in self.rooms if path.startswith(room.prefix)), None)

    def room_named(self, name: str) -> Room | None:
        """The room of a provider."""
        return next((room for room in self.rooms if room.name == name), None)

    def reset(self) -> None:
        """Forget everything: trades, tokens, members, ledger, faults, settings; the clock is real again."""
        self.house.storage.wipe()
        self.faults.clear()
        self.house.settings.reset()
        self.house.clock.follow_real_time()
        for room in self.rooms:
            room.reset()

    def close(self) -> None:
        """Let go of the storage."""
        self.house.storage.close()
