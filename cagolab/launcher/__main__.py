"""`python -m cagolab.launcher run -- COMMAND` and `python -m cagolab.launcher demo`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from cagolab.launcher.demo import start_demo
from cagolab.launcher.embedded import start_servers
from cagolab.launcher.errors import Interrupted, LauncherError
from cagolab.launcher.ports import data_folder, only_one
from cagolab.launcher.processes import Supervisor

REPOSITORY = Path(__file__).resolve().parent.parent.parent


def main() -> int:
    """Do what the command line says; the exit code is that of the command, or 1 after a readable line."""
    arguments = _parser().parse_args()
    try:
        if arguments.task == "run":
            return run_with_servers(arguments.command)
        return start_demo(
            REPOSITORY, port=arguments.port, sandbox_port=arguments.sandbox_port, reset=arguments.reset
        )
    except LauncherError as error:
        print(error, file=sys.stderr)
        return 1
    except Interrupted:
        # How a demo ends; a command that was interrupted has its own exit code.
        return 0 if arguments.task == "demo" else 130


def run_with_servers(command: list[str]) -> int:
    """Run a command with DATABASE_URL and REDIS_URL set; start servers where either is missing.

    Without ENVIRONMENT it is a test one: the data is not meant to last.
    """
    given = {"ENVIRONMENT": "test"} | {name: value for name, value in os.environ.items() if value}
    with Supervisor() as supervisor:
        if "DATABASE_URL" in given and "REDIS_URL" in given:
            return supervisor.run_in_foreground(command, environment=given)
        folder = data_folder(REPOSITORY, "run")
        with only_one(folder):
            try:
                servers = start_servers(supervisor, folder, durable=False)
                started = {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
                return supervisor.run_in_foreground(command, environment={**started, **given})
            finally:
                supervisor.stop()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cagolab.launcher", description=__doc__)
    tasks = parser.add_subparsers(dest="task", required=True)
    run = tasks.add_parser("run", help="run a command with PostgreSQL and Valkey beside it")
    run.add_argument("command", nargs="+", help="the command, after --")
    demo = tasks.add_parser("demo", help="start the whole product with its sandbox and demo data")
    demo.add_argument("--port", type=int, default=8000)
    demo.add_argument("--sandbox-port", type=int, default=8001)
    demo.add_argument("--reset", action="store_true", help="delete the demo's data first")
    return parser


if __name__ == "__main__":
    sys.exit(main())
