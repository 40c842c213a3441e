"""When an open operation is asked about: soon at first, then ever more rarely, but for ever."""

from __future__ import annotations

from datetime import datetime, timedelta

# The first question after a lost answer; the provider usually knows by then.
FIRST = timedelta(seconds=20)
AGAIN = (
    timedelta(seconds=60),
    timedelta(seconds=120),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(minutes=30),
    timedelta(hours=1),
)


def next_ask(asks: int, now: datetime) -> datetime:
    """When to ask next after `asks` questions."""
    return now + (FIRST if asks == 0 else AGAIN[min(asks, len(AGAIN)) - 1])
