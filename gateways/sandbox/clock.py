"""The sandbox's clock: Tokyo time that can be moved, frozen and given back to the real one."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from gateways.sandbox.storage import Storage

TOKYO = ZoneInfo("Asia/Tokyo")


class Clock:
    """Ticks in Tokyo with an offset against the machine's clock. Where it stands survives a restart."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._offset = timedelta()
        self._frozen_at: datetime | None = None
        if offset := storage.recall("clock.offset"):
            self._offset = timedelta(seconds=float(offset))
        if frozen_at := storage.recall("clock.frozen_at"):
            self._frozen_at = datetime.fromisoformat(frozen_at).astimezone(TOKYO)

    def now(self) -> datetime:
        """The present moment, aware, in Asia/Tokyo."""
        return self._frozen_at or datetime.now(TOKYO) + self._offset

    def set(self, moment: datetime) -> None:
        """Jump to `moment`, forwards or backwards, and go on from there. A naive moment is Tokyo time."""
        moment = moment.replace(tzinfo=TOKYO) if moment.tzinfo is None else moment.astimezone(TOKYO)
        self._offset = moment - datetime.now(TOKYO)
        if self._frozen_at is not None:
            self._frozen_at = moment
        self._save()

    def advance(self, seconds: float) -> None:
        """Jump by `seconds`; negative goes back."""
        self.set(self.now() + timedelta(seconds=seconds))

    def freeze(self, frozen: bool) -> None:
        """Stop at the present moment, or tick again from where it stood."""
        now = self.now()
        self._frozen_at = now if frozen else None
        self._offset = now - datetime.now(TOKYO)
        self._save()

    def follow_real_time(self) -> None:
        """Show the machine's own time again."""
        self._offset, self._frozen_at = timedelta(), None
        self._save()

    def state(self) -> dict[str, object]:
        """What GET /_clock answers."""
        now = self.now()
        offset = (
            (now - datetime.now(TOKYO)).total_seconds() if self._frozen_at else self._offset.total_seconds()
        )
        return {"now": now.isoformat(), "offset": round(offset, 6), "frozen": self._frozen_at is not None}

    def _save(self) -> None:
        self._storage.remember("clock.offset", str(self._offset.total_seconds()))
        self._storage.remember("clock.frozen_at", self._frozen_at.isoformat() if self._frozen_at else "")
