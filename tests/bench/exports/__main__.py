"""How much a worker's memory grows while it writes the orders of a million customers into files, and how long it takes.

`make bench-exports EXPORT_ROWS=1000000 SEED=1`. The rows are those of `make bench-lists`, made where they are not there
yet; the work lists are written to a copy of that database, which is dropped afterwards, like the files.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import django
import psycopg

from cagolab.launcher.embedded import start_servers
from cagolab.launcher.errors import Interrupted, LauncherError
from cagolab.launcher.ports import data_folder, only_one
from cagolab.launcher.processes import Supervisor
from tests.bench.lists import servers as sites

DEFAULT_ROWS = 1_000_000
GROWTH_MEGABYTES = 100
MEGABYTE = 1024**2


def say(text: str = "") -> None:
    """One line of the report, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Run the bench; the exit code is 1 when memory grew too much or the bench could not run."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.exports", description=__doc__)
    parser.add_argument("--rows", type=int, default=DEFAULT_ROWS, help="orders")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    try:
        folder = data_folder(sites.REPOSITORY, "bench-lists")
        with only_one(folder), Supervisor() as supervisor:
            return run(supervisor, folder, arguments)
    except Interrupted:
        say("The bench was stopped.")
    except (LauncherError, psycopg.Error) as error:
        say(f"The bench cannot go on: {error}")
    return 1


def run(supervisor: Supervisor, folder: Path, arguments: argparse.Namespace) -> int:
    """Every kind of file; the exit code."""
    servers = start_servers(supervisor, folder, durable=False)
    # Models name the columns to fill; no query goes through this connection.
    os.environ.update(sites.environment(servers, folder, "postgres"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "cagolab.settings"
    django.setup()
    from tests.bench import million
    from tests.bench.lists import report

    machine = report.machine(servers.database_url)
    say(machine)
    database = million.prepare(supervisor, servers, folder, rows=arguments.rows, seed=arguments.seed, say=say)
    say(f"copying {database}")
    with million.copy_of(servers, database, "exports") as copy:
        environment = sites.environment(servers, folder, copy)
        sites.manage(supervisor, environment, "migrate", "--verbosity", "0")
        measured = million.figures(environment, "tests.bench.exports.work")
    (folder / "exports.json").write_text(
        json.dumps(measured | {"machine": machine}, ensure_ascii=False, indent=1)
    )
    missed = 0
    for each in measured["figures"]:
        growth = (each["rss_peak"] - each["rss_before"]) / MEGABYTE
        miss = growth > GROWTH_MEGABYTES
        missed += miss
        say(
            f"{each['label']} {each['encoding']}: {each['orders']:,} orders, {each['bytes'] / MEGABYTE:,.0f} MB,"
            f" frozen in {each['freeze_seconds']:.1f} s, written in {each['seconds'] / 60:.1f} minutes"
            f" (our processor {each['processor_seconds']:.0f} s, {each['turns']} turns); memory before"
            f" {each['rss_before'] / MEGABYTE:.0f} MB, at most {each['rss_peak'] / MEGABYTE:.0f} MB, after"
            f" {each['rss_after'] / MEGABYTE:.0f} MB: grows by {growth:.0f} MB, goal {GROWTH_MEGABYTES} MB"
            + ("   MISS" if miss else "")
        )
    say(f"written: {folder / 'exports.json'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
