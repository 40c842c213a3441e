"""Lists, searches and single pages at a million orders, beside Django's admin and django-oscar.

`make bench-lists ROWS=1000000 SEED=1 ROUNDS=30`. The same PostgreSQL and the same rows for all; one client, one
request after another over HTTP. Databases stay in the data folder, so that a second run measures at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import django

from cagolab.launcher.embedded import start_servers
from cagolab.launcher.errors import Interrupted, LauncherError
from cagolab.launcher.ports import data_folder, only_one
from cagolab.launcher.processes import Supervisor
from tests.bench.lists import servers as sites
from tests.bench.lists.measure import WrongPage

DEFAULT_ROWS = "1000000"


def say(text: str = "") -> None:
    """One line of the report, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Run the bench; the exit code is 1 when a goal was missed or the bench could not run."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.lists", description=__doc__)
    parser.add_argument("--rows", default=DEFAULT_ROWS, help="orders; several sizes separated by commas")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=30, help="requests of each case")
    parser.add_argument("--only", default="", help="cases whose name holds this")
    parser.add_argument("--no-rivals", action="store_true", help="measure our own pages alone")
    parser.add_argument(
        "--rivals-up-to",
        type=int,
        default=1_000_000,
        help="beyond so many orders a page of theirs takes minutes",
    )
    parser.add_argument(
        "--output", type=Path, help="folder for lists.json, lists.md and lists.svg (default: data folder)"
    )
    arguments = parser.parse_args()
    try:
        folder = data_folder(sites.REPOSITORY, "bench-lists")
        with only_one(folder), Supervisor() as supervisor:
            return Bench(supervisor, folder, arguments).run()
    except Interrupted:
        say("The bench was stopped.")
    except (LauncherError, WrongPage) as error:
        say(f"The bench cannot go on: {error}")
    return 1


class Bench:
    """One run over all sizes."""

    def __init__(self, supervisor: Supervisor, folder: Path, arguments: argparse.Namespace) -> None:
        self.supervisor = supervisor
        self.folder = folder
        self.arguments = arguments

    def run(self) -> int:
        """Everything; the exit code."""
        # A quarter of the memory, as PostgreSQL's manual advises for a server of its own.
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4 // 1024**2
        servers = start_servers(self.supervisor, self.folder, durable=False, shared_buffers=f"{memory}MB")
        # Models name the columns to fill; no query goes through this connection.
        os.environ.update(sites.environment(servers, self.folder, "postgres"))
        os.environ["DJANGO_SETTINGS_MODULE"] = "cagolab.settings"
        django.setup()
        from tests.bench.lists import plot, report
        from tests.bench.lists.runs import Result, Run

        machine = report.machine(servers.database_url)
        say(machine)
        output = self.arguments.output or self.folder
        output.mkdir(parents=True, exist_ok=True)
        results: list[Result] = []

        def write(found: list[Result]) -> None:
            report.write_json(output / "lists.json", machine, self.arguments.seed, found)
            (output / "lists.svg").write_text(plot.draw(found))
            (output / "lists.md").write_text(report.markdown(found))

        for rows in (int(each) for each in self.arguments.rows.split(",")):
            run = Run(
                self.supervisor,
                servers,
                self.folder,
                rows=rows,
                arguments=self.arguments,
                say=say,
                keep=lambda result: write([*results, result]),
            )
            results.append(run.measure())
            say(report.table(results[-1]))
        say(f"written: lists.json, lists.md and lists.svg in {output}")
        return 1 if any(result.misses for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
