"""Faults on demand: what may go wrong between a shop and a provider, switched on per call and order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any

# Kind -> may it be switched on "before" (the provider does not execute the call at all)?
KINDS: Mapping[str, bool] = {
    "lost_answer": True,
    "http_500": True,
    "http_503": True,
    "html": True,
    "empty": True,
    "delay_ms": True,
    "error_code": True,
    "reset_before": True,
    "half": False,
    "slow_body": False,
    "wrong_encoding": False,
    "duplicate_answer": False,
}
# These stand for a provider that did nothing; the others happen to the answer of an executed call.
NOT_EXECUTED_BY_DEFAULT = frozenset({"error_code", "reset_before"})
NEEDS_MS = frozenset({"delay_ms", "slow_body"})


class BadFault(ValueError):
    """The description of a fault makes no sense; the text says why."""


@dataclass(slots=True)
class Fault:
    """One switched-on fault. `remaining` None = until it is cleared; `ms` is waited before the answer."""

    id: int
    call: str
    order: str | None
    kind: str
    before: bool
    ms: int
    code: str
    remaining: int | None
    hits: int = 0

    def wants(self, provider: str, call: str) -> bool:
        """Whether the call's name matches; "*" means every call of a provider's interface."""
        return self.call in ("*", call, f"{provider}.{call}", f"{provider}.*")


class Faults:
    """The active faults, the oldest matching one strikes first. Kept in memory: a restart clears them."""

    def __init__(self) -> None:
        self._active: list[Fault] = []
        self._spent: list[Fault] = []
        self._ids = count(1)

    def add(self, description: Mapping[str, Any]) -> Fault:
        """Switch one fault on. Raises BadFault."""
        kind = str(description.get("kind"))
        if kind not in KINDS:
            raise BadFault(f"kind must be one of {', '.join(KINDS)}")
        before = bool(description.get("before", kind in NOT_EXECUTED_BY_DEFAULT))
        if before and not KINDS[kind]:
            raise BadFault(f"{kind} needs an executed call: leave out before")
        if kind == "reset_before" and not before:
            raise BadFault("reset_before never executes the call")
        ms, times, code = description.get("ms", 0), description.get("times", 1), description.get("code", "")
        if not isinstance(ms, int) or ms < 0 or (kind in NEEDS_MS and ms == 0):
            raise BadFault("ms must be a number of milliseconds")
        if times is not None and (not isinstance(times, int) or times < 1):
            raise BadFault("times must be a number from 1, or null for until cleared")
        if not isinstance(code, str) or (kind == "error_code" and not code):
            raise BadFault('error_code needs a code such as "E92000001"')
        fault = Fault(
            id=next(self._ids),
            call=str(description.get("call") or "*"),
            order=description.get("order"),
            kind=kind,
            before=before,
            ms=ms,
            code=code,
            remaining=times,
        )
        self._active.append(fault)
        return fault

    def take(self, provider: str, call: str, order: Callable[[], str | None]) -> Fault | None:
        """The fault that strikes this call, used up once; `order` is asked only when a fault names one."""
        for fault in self._active:
            if not fault.wants(provider, call) or (fault.order is not None and fault.order != order()):
                continue
            fault.hits += 1
            if fault.remaining is not None:
                fault.remaining -= 1
                if fault.remaining == 0:
                    self._active.remove(fault)
                    self._spent = [*self._spent[-99:], fault]
            return fault
        return None

    def clear(self, fault_id: int | None = None) -> None:
        """Switch one fault off, or all; the hits of used-up ones are forgotten with all."""
        self._active = [fault for fault in self._active if fault_id is not None and fault.id != fault_id]
        if fault_id is None:
            self._spent = []

    def state(self) -> dict[str, object]:
        """What GET /_faults answers: active ones with their counts, and the last hundred used up."""
        return {
            "faults": [asdict(fault) for fault in self._active],
            "spent": [asdict(f) for f in self._spent],
        }
