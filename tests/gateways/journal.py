"""A journal in memory, which tests read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass
class Line:
    """One telegram as it was written down."""

    call: str
    request: str
    summary: str = ""
    response: str = ""
    duration_ms: int = -1


class MemoryJournal:
    """Implements gateways.interface.Journal."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.remembered: dict[str, str] = {}

    @property
    def progress(self) -> Mapping[str, str]:
        return self.remembered

    @property
    def calls(self) -> list[str]:
        """The names of the telegrams, in the order they were sent."""
        return [line.call for line in self.lines]

    def sending(self, *, call: str, request: str) -> int:
        self.lines.append(Line(call, request))
        return len(self.lines) - 1

    def answered(self, handle: int, *, summary: str, response: str, duration_ms: int) -> None:
        line = self.lines[handle]
        line.summary, line.response, line.duration_ms = summary, response, duration_ms

    def remember(self, **progress: str) -> None:
        self.remembered |= progress
