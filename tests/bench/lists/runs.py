"""One size: the data, the servers one after another, and the figures."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

import psycopg

from cagolab.launcher.embedded import Servers
from cagolab.launcher.errors import LauncherError
from cagolab.launcher.processes import Supervisor
from tests.bench.lists import cases, load, rows
from tests.bench.lists import servers as sites
from tests.bench.lists.cases import Case
from tests.bench.lists.measure import Client, Timing, WrongPage

CREATE_USER = """
from django.contrib.auth.models import User
User.objects.filter(username="{user}").exists() or User.objects.create_superuser("{user}", password="{password}")
"""


@dataclass
class Line:
    """One case with the figures of everybody who was asked."""

    case: Case
    timings: dict[str, Timing] = field(default_factory=dict)
    misses: list[str] = field(default_factory=list)


@dataclass
class Result:
    """One size."""

    rows: int
    lines: list[Line]
    skipped: dict[str, str]
    seconds_to_fill: float | None

    @property
    def misses(self) -> list[str]:
        """Every goal that was not reached."""
        return [f"{line.case.name}: {miss}" for line in self.lines for miss in line.misses]


class Run:
    """Prepares a database for one size and measures everybody on it."""

    def __init__(
        self,
        supervisor: Supervisor,
        servers: Servers,
        folder: Path,
        *,
        rows: int,
        arguments: argparse.Namespace,
        say: Callable[[str], None],
        keep: Callable[[Result], None],
    ) -> None:
        """`keep` is given the result after each of those measured: a run that is stopped has not been in vain."""
        self.keep = keep
        self.supervisor, self.servers, self.folder = supervisor, servers, folder
        self.rows, self.arguments, self.say = rows, arguments, say
        self.database = f"lists_{rows}_{arguments.seed}"
        self.environment = sites.environment(servers, folder, self.database)
        self.url = self.environment["DATABASE_URL"]

    def measure(self) -> Result:
        """All cases."""
        seconds = self._prepare()
        wanted = [
            case
            for case in cases.cases(self.url, rows=self.rows, seed=self.arguments.seed)
            if self.arguments.only in case.name
        ]
        result = Result(self.rows, [Line(case) for case in wanted], {}, seconds)
        site = sites.start_product(self.supervisor, self.environment, self.folder / "web.log")
        client = self._client(site, "web")
        if wanted:
            client.warm_up(wanted[0].paths[0])
        for line in result.lines:
            seen = [] if line.case.is_first_look else line.case.paths
            self._ask(client, "ours", line, line.case.paths, warm=len(seen))
        sites.stop(self.supervisor, "web")
        self._keep(result)
        if not self.arguments.no_rivals and self.rows <= self.arguments.rivals_up_to:
            self._rivals(result)
        return result

    def _keep(self, result: Result) -> None:
        for line in result.lines:
            line.misses = _misses(line, self.rows)
        self.keep(result)

    def _prepare(self) -> float | None:
        began = time.monotonic()
        with psycopg.connect(self.servers.database_url, autocommit=True) as connection:
            row = connection.execute(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
                [self.database],
            ).fetchone()
            if row and row[0] == "filled":
                self.say(f"{self.rows:,} orders are there from an earlier run")
                self._manage("migrate", "--verbosity", "0")
                return None
            connection.execute(f"DROP DATABASE IF EXISTS {self.database}")
            connection.execute(f"CREATE DATABASE {self.database}")
            self._manage("migrate", "--verbosity", "0")
            self._manage("shell", "-c", CREATE_USER.format(user=sites.USER, password=sites.PASSWORD))
            load.fill(self.url, count=self.rows, seed=self.arguments.seed, now=rows.today(), say=self.say)
            connection.execute(f"COMMENT ON DATABASE {self.database} IS 'filled'")
            # Or gigabytes would be written to disk while pages are measured.
            connection.execute("CHECKPOINT")
        seconds = time.monotonic() - began
        self.say(f"{self.rows:,} orders made in {seconds:.0f} s")
        return seconds

    def _rivals(self, result: Result) -> None:
        """Measure those that can be had; what fails is skipped with the reason, and the others go on."""
        rivals: tuple[tuple[str, Callable[[], sites.Site], list[Sequence[str]]], ...] = (
            ("admin", lambda: self._start_admin("shipped"), [line.case.admin for line in result.lines]),
            ("admin-tuned", lambda: self._start_admin("tuned"), [line.case.admin for line in result.lines]),
            ("oscar", self._start_oscar, [line.case.oscar for line in result.lines]),
        )
        for name, start, paths in rivals:
            if not any(paths):
                continue
            try:
                self._measure_rival(result, name, start(), paths)
            except (sites.Skipped, WrongPage, LauncherError, OSError, HTTPException, psycopg.Error) as error:
                result.skipped[name] = f"{type(error).__name__}: {error}".splitlines()[0]
                self.say(f"SKIPPED {name}: {result.skipped[name]}")
            finally:
                sites.stop(self.supervisor, name)
            self._keep(result)

    def _start_admin(self, variant: str) -> sites.Site:
        return sites.start_admin(
            self.supervisor, self.environment, self.folder / "admin.log", variant=variant
        )

    def _start_oscar(self) -> sites.Site:
        python = sites.install_oscar(self.folder)
        return sites.start_oscar(
            self.supervisor, python, self.servers, self.folder, self.database, self.folder / "oscar.log"
        )

    def _measure_rival(self, result: Result, name: str, site: sites.Site, paths: list[Sequence[str]]) -> None:
        client = self._client(site, name)
        client.warm_up(next(asked[0] for asked in paths if asked))
        for line, asked in zip(result.lines, paths, strict=True):
            if asked:
                self._ask(client, name, line, asked, warm=1)

    def _client(self, site: sites.Site, name: str) -> Client:
        return Client(site, [self.supervisor.named(each).pid for each in (name, "postgres")])

    def _ask(self, client: Client, who: str, line: Line, paths: Sequence[str], *, warm: int) -> None:
        self.supervisor.check()
        rounds = self.arguments.rounds
        if line.case.is_first_look:
            rounds = min(rounds, len(paths))
        elif line.case.is_of_each:
            rounds = max(rounds, len(paths))
        timing = client.measure(paths, warm=warm, rounds=rounds)
        line.timings[who] = timing
        counting = f", with total {timing.p95_with_total:,.1f} ms" if any(timing.counting) else ""
        self.say(
            f"  {who}: {line.case.name}: {timing.median:,.1f} / {timing.p95:,.1f} ms{counting},"
            f" processor {timing.processor:,.1f} ms"
        )

    def _manage(self, *arguments: str) -> None:
        sites.manage(self.supervisor, self.environment, *arguments)


def _misses(line: Line, size: int) -> list[str]:
    ours = line.timings["ours"]
    found = []
    if line.case.goal_ms is not None and ours.p95_with_total > line.case.goal_ms:
        found.append(f"p95 {ours.p95_with_total:.1f} ms, goal {line.case.goal_ms:.0f} ms")
    if size < cases.COMPARED_ROWS:
        return found
    for rival, times in (line.case.times or {}).items():
        if rival not in line.timings:
            continue
        ratio = line.timings[rival].median / ours.median_with_total
        if ratio < times:
            found.append(f"{ratio:.{1 if ratio < 10 else 0}f} times {rival}, goal {times:.0f} times")
    return found
