"""The rows of bench-lists, under its names and its mark, so that either bench finds what the other has made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from cagolab.launcher.embedded import Servers
from cagolab.launcher.errors import LauncherError
from cagolab.launcher.processes import Supervisor
from tests.bench.lists import load, rows
from tests.bench.lists import servers as sites
from tests.bench.lists.runs import CREATE_USER

FILLED = "filled"


def prepare(
    supervisor: Supervisor,
    servers: Servers,
    folder: Path,
    *,
    rows: int,
    seed: int,
    say: Callable[[str], None],
) -> str:
    """The name of the database with so many orders, made where it is not there yet."""
    database = f"lists_{rows}_{seed}"
    if _is_filled(servers, database):
        say(f"{rows:,} orders are there from an earlier run")
        return database
    began = time.monotonic()
    _make(supervisor, servers, folder, database, count=rows, seed=seed, say=say)
    say(f"{rows:,} orders made in {time.monotonic() - began:.0f} s")
    return database


def _is_filled(servers: Servers, database: str) -> bool:
    with psycopg.connect(servers.database_url) as connection:
        row = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [database]
        ).fetchone()
    return row is not None and row[0] == FILLED


def _make(
    supervisor: Supervisor,
    servers: Servers,
    folder: Path,
    database: str,
    *,
    count: int,
    seed: int,
    say: Callable[[str], None],
) -> None:
    environment = sites.environment(servers, folder, database)
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {database}")
        connection.execute(f"CREATE DATABASE {database}")
        sites.manage(supervisor, environment, "migrate", "--verbosity", "0")
        create_user = CREATE_USER.format(user=sites.USER, password=sites.PASSWORD)
        sites.manage(supervisor, environment, "shell", "-c", create_user)
        load.fill(environment["DATABASE_URL"], count=count, seed=seed, now=rows.today(), say=say)
        connection.execute(f"COMMENT ON DATABASE {database} IS '{FILLED}'")


@contextmanager
def copy_of(servers: Servers, database: str, purpose: str) -> Iterator[str]:
    """A copy of a database to write to, by its name; dropped afterwards."""
    copy = f"{database}_{purpose}"
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {copy} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {copy} TEMPLATE {database} STRATEGY FILE_COPY")
        try:
            yield copy
        finally:
            connection.execute(f"DROP DATABASE {copy} WITH (FORCE)")


def figures(environment: dict[str, str], module: str, *arguments: str) -> dict[str, Any]:
    """What a process of its own has measured and prints as JSON. Raises LauncherError."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(
        command,
        env=os.environ | environment,
        cwd=sites.REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LauncherError(f"{module} ended with {done.returncode}")
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured
