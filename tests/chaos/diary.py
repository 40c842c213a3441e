"""What people asked for and what they saw, kept outside the product: the other half of the evidence."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Diary:
    """Shared by everybody's threads; `lock` is for writing more than one thing."""

    # Idempotency keys that an operator or a customer really sent.
    confirmed: set[str] = field(default_factory=set)
    # Keys that somebody without the money permission sent.
    stolen: set[str] = field(default_factory=set)
    # The cancel type that the dialog named, by the key of its form.
    cancels_shown: dict[str, str] = field(default_factory=dict)
    # Requests as operators sent them, and runs that they made: what an intruder copies.
    forms: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    # Markers of forged notifications, with how each must end.
    forged: dict[str, str] = field(default_factory=dict)
    # Words that must stand on no page.
    secrets: tuple[str, ...] = ()
    done: Counter[str] = field(default_factory=Counter)
    # What did not hold while it was seen: (number of the invariant, sentence).
    troubles: list[tuple[int, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str) -> None:
        """Count one act."""
        with self.lock:
            self.done[what] += 1

    def trouble(self, invariant: int, sentence: str) -> None:
        """Write down that an invariant did not hold; 0 for what belongs to none of them."""
        with self.lock:
            self.troubles.append((invariant, sentence))
