"""What the benches on the rows of bench-lists share: their command, the servers, the rows, a copy to write to.

The rows have bench-lists' names and its mark, so that each bench finds what another one has made.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
import psycopg

from cagolab.launcher.embedded import Servers, start_servers
from cagolab.launcher.errors import Interrupted, LauncherError
from cagolab.launcher.ports import data_folder, only_one
from cagolab.launcher.processes import Supervisor
from tests.bench.lists import servers as sites

FILLED = "filled"
# How soon a stop is heard while something is measured.
LOOK_SECONDS = 0.5


def say(text: str = "") -> None:
    """One line of the report, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def parser(module: str, purpose: str | None) -> argparse.ArgumentParser:
    """The arguments that all of them have."""
    found = argparse.ArgumentParser(prog=f"python -m {module}", description=purpose)
    found.add_argument("--seed", type=int, default=1)
    return found


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The servers in their folder, and what their machine is."""

    supervisor: Supervisor
    servers: Servers
    folder: Path
    seed: int
    machine: str

    @contextmanager
    def copy(self, rows: int, purpose: str) -> Iterator[dict[str, str]]:
        """The product's variables for a database of so many orders to write to; it is dropped afterwards."""
        database = self._filled(rows)
        say(f"copying {database}")
        copy = f"{database}_{purpose}"
        with psycopg.connect(self.servers.database_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {copy} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {copy} TEMPLATE {database} STRATEGY FILE_COPY")
            try:
                environment = sites.environment(self.servers, self.folder, copy)
                sites.manage(self.supervisor, environment, "migrate", "--verbosity", "0")
                yield environment
            finally:
                connection.execute(f"DROP DATABASE {copy} WITH (FORCE)")

    def figures(self, environment: dict[str, str], module: str, *arguments: str) -> Iterator[dict[str, Any]]:
        """What a process of its own measures and prints, a line of JSON each, as they come.

        Raises LauncherError where it fails, Interrupted when asked to stop.
        """
        with subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env=os.environ | environment,
            cwd=sites.REPOSITORY,
            stdout=subprocess.PIPE,
            bufsize=0,  # what was read ahead would not be waited for
            start_new_session=True,
        ) as process:
            try:
                while line := self._next_line(process):
                    yield json.loads(line)
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            raise LauncherError(f"{module} ended with {process.returncode}")

    def _next_line(self, process: subprocess.Popen[bytes]) -> bytes:
        """Empty at the end."""
        assert process.stdout is not None
        while not select.select([process.stdout], [], [], LOOK_SECONDS)[0]:
            self.supervisor.check()
        return process.stdout.readline()

    def keep(self, name: str, found: dict[str, Any]) -> None:
        """Write the figures as JSON into the folder."""
        path = self.folder / name
        path.write_text(json.dumps(found | {"machine": self.machine}, ensure_ascii=False, indent=1))
        say(f"written: {path}")

    def _filled(self, rows: int) -> str:
        """The name of the database with so many orders, made where it is not there yet."""
        database = f"lists_{rows}_{self.seed}"
        with psycopg.connect(self.servers.database_url, autocommit=True) as connection:
            mark = connection.execute(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [database]
            ).fetchone()
            if mark == (FILLED,):
                say(f"{rows:,} orders are there from an earlier run")
                return database
            began = time.monotonic()
            connection.execute(f"DROP DATABASE IF EXISTS {database}")
            connection.execute(f"CREATE DATABASE {database}")
            self._fill(database, rows)
            connection.execute(f"COMMENT ON DATABASE {database} IS '{FILLED}'")
        say(f"{rows:,} orders made in {time.monotonic() - began:.0f} s")
        return database

    def _fill(self, database: str, count: int) -> None:
        from tests.bench.lists import load, rows  # models: only after Django was set up
        from tests.bench.lists.runs import CREATE_USER

        environment = sites.environment(self.servers, self.folder, database)
        sites.manage(self.supervisor, environment, "migrate", "--verbosity", "0")
        create_user = CREATE_USER.format(user=sites.USER, password=sites.PASSWORD)
        sites.manage(self.supervisor, environment, "shell", "-c", create_user)
        load.fill(environment["DATABASE_URL"], count=count, seed=self.seed, now=rows.today(), say=say)


def run(bench: Callable[[Stage], int], *, seed: int, durable: bool) -> int:
    """Start the servers, run a bench, stop them; its exit code, or 1 when it could not run."""
    try:
        folder = data_folder(sites.REPOSITORY, "bench-lists")
        with only_one(folder), Supervisor() as supervisor:
            return bench(_stage(supervisor, folder, seed=seed, durable=durable))
    except Interrupted:
        say("The bench was stopped.")
    except (LauncherError, psycopg.Error) as error:
        say(f"The bench cannot go on: {error}")
    return 1


def _stage(supervisor: Supervisor, folder: Path, *, seed: int, durable: bool) -> Stage:
    servers = start_servers(supervisor, folder, durable=durable)
    # Models name the columns to fill; no query goes through this connection.
    os.environ.update(sites.environment(servers, folder, "postgres"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "cagolab.settings"
    django.setup()
    from tests.bench.lists import report

    machine = report.machine(servers.database_url)
    say(machine)
    return Stage(supervisor=supervisor, servers=servers, folder=folder, seed=seed, machine=machine)
