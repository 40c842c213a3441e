"""What a run costs beside its captures: its preview, the page that asks how far it is, memory, the file of results."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.bulk import results_csv
from orders.bulk.models import BulkRun

Made = TypeVar("Made")

# How often an operator's page is imitated and memory is looked at; rarely, since both cost the machine something.
LOOK_SECONDS = 4.0


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What something took: statements, their time in the database and all of it (milliseconds)."""

    statements: int
    database_ms: float
    ms: float

    def __str__(self) -> str:
        return f"{self.statements} statements, {self.database_ms:.1f} ms in the database, {self.ms:.0f} ms in all"


def measured(act: Callable[[], Made]) -> tuple[Made, Cost]:
    """What came of an act, and what it took."""
    began = time.perf_counter()
    with CaptureQueriesContext(connection) as captured:
        made = act()
    return made, Cost(
        statements=len(captured),
        database_ms=sum(float(query["time"]) for query in captured) * 1000,
        ms=(time.perf_counter() - began) * 1000,
    )


class Watch:
    """An operator's open page and the workers' memory while a run goes on."""

    def __init__(self, run: BulkRun, pids: Mapping[str, int]) -> None:
        self._run = run
        self._pids = pids
        self._next_look = 0.0
        self._client = Client(SERVER_NAME="127.0.0.1")
        author = User.objects.get(username="bench")
        self._client.force_login(author)
        self.polls: list[Cost] = []
        self.megabytes: list[dict[str, int]] = []

    def is_finished(self) -> bool:
        """Whether no row waits any more; looks around now and then."""
        time.sleep(0.2)  # asking costs processor time that the workers need
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + LOOK_SECONDS
            self.look()
        return BulkRun.objects.filter(pk=self._run.pk, state=BulkRun.State.FINISHED).exists()

    def look(self) -> None:
        """Ask once as the page does every other second, and note the memory of the workers."""
        answer, cost = measured(lambda: self._client.get(reverse("bulk:progress", args=[self._run.pk])))
        assert answer.status_code == 200, answer.status_code
        self.polls.append(cost)
        self.megabytes.append({name: resident_megabytes(pid) for name, pid in self._pids.items()})

    def report(self) -> tuple[str, str]:
        """The page's cost in the middle of the run, and the memory at its beginning, its most, and its end."""
        polls = sorted(self.polls, key=lambda cost: cost.database_ms)
        memory = "; ".join(
            f"{name} {sizes[0]} at the beginning, at most {max(sizes)}, {sizes[-1]} at the end"
            for name, sizes in ((name, [look[name] for look in self.megabytes]) for name in self._pids)
        )
        return (
            f"the page's question how far it is, median of {len(polls)}: {polls[len(polls) // 2]}",
            f"memory of the workers in MB: {memory}",
        )


def resident_megabytes(pid: int) -> int:
    """What a process holds in memory."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    kilobytes = next(line.split()[1] for line in lines if line.startswith("VmRSS"))
    return int(kilobytes) // 1024


def result_lines(run: BulkRun) -> int:
    """Read the file of results to its end; its lines without the head."""
    return sum(piece.count(b"\r\n") for piece in results_csv.lines(run, encoding="utf-8-sig")) - 1
