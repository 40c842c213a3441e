"""The time for telegrams that carry it. The application may register a clock of its own at start."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

TOKYO = ZoneInfo("Asia/Tokyo")


def _machine_time() -> datetime:
    return datetime.now(UTC)


# Returns an aware time.
now: Callable[[], datetime] = _machine_time


def tokyo() -> datetime:
    """The time now in Asia/Tokyo, as providers write it."""
    return now().astimezone(TOKYO)
