"""Telegrams of a comparison: kept in memory, and written down where the answer differs from our record.

At a million orders most answers of a night say nothing new; a row and its texts for each would be most of the
database. That the provider was asked is in the case, which is written before the telegram leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from cagolab import clock
from payments.models import Call, Operation


@dataclass(kw_only=True)
class _Telegram:
    name: str
    request: str
    sent_at: datetime
    summary: str = ""
    response: str = ""
    duration_ms: int | None = None


class MemoryJournal:
    """Holds the telegrams of one inquiry. Implements gateways.interface.Journal; texts are masked already."""

    def __init__(self) -> None:
        self._telegrams: list[_Telegram] = []

    @property
    def progress(self) -> Mapping[str, str]:
        """An inquiry has no steps to go on from."""
        return MappingProxyType({})

    def sending(self, *, call: str, request: str) -> int:
        """Note the telegram; its place identifies it for `answered`."""
        self._telegrams.append(_Telegram(name=call, request=request, sent_at=clock.now()))
        return len(self._telegrams) - 1

    def answered(self, handle: int, *, summary: str, response: str, duration_ms: int) -> None:
        """Complete the telegram with what came back."""
        telegram = self._telegrams[handle]
        telegram.summary, telegram.response, telegram.duration_ms = summary[:200], response, duration_ms

    def remember(self, **progress: str) -> None:
        """Nothing to go on from."""

    def write_under(self, operation: Operation) -> None:
        """Write what was noted as the operation's telegrams."""
        Call.objects.bulk_create(
            Call(
                operation=operation,
                name=telegram.name,
                request=telegram.request,
                response=telegram.response,
                summary=telegram.summary,
                sent_at=telegram.sent_at,
                duration_ms=telegram.duration_ms,
            )
            for telegram in self._telegrams
        )
