"""2,000 captures (or as many as asked for) at 200 ms through the bulk engine, beside the loop that sends one after another.

`make bench-bulk`. The ideal is what physics allows: captures x latency / calls at a time.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path

import celery
import django
import psycopg

from cagolab.launcher.errors import Interrupted, LauncherError
from cagolab.launcher.processes import Supervisor
from tests.stack import Stack

LATENCY_MS = 200
CALLS_AT_A_TIME = 32
WORKERS = 2
CAPTURES = 2000
ONE_BY_ONE = 50
PATIENCE_SECONDS = 300.0
# A run may take so many times the ideal before the bench gives up.
PATIENCE = 20


def say(text: str = "") -> None:
    """One line of the report, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Run the bench; the exit code is 0 when every capture was executed exactly once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--captures", type=int, default=CAPTURES)
    parser.add_argument("--workers", type=int, default=WORKERS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, Supervisor() as supervisor:
        try:
            stack = Stack(supervisor, Path(folder))
            stack.start_servers()
            return measure(stack, captures=arguments.captures, workers=arguments.workers)
        except (LauncherError, Interrupted) as error:
            say(f"The bench was stopped: {error}")
            return 1


def measure(stack: Stack, *, captures: int, workers: int) -> int:
    """Prepare, run both ways, print the figures."""
    from tests.bench import shop, watch  # models: only after Django was set up

    print_machine()
    payments = shop.Payments(stack.sandbox)
    say(f"preparing {captures + ONE_BY_ONE} authorizations")
    order_ids = payments.held(captures + ONE_BY_ONE)
    reserve = shop.raise_limits(CALLS_AT_A_TIME)
    say(
        f"limits of the account for this bench: {CALLS_AT_A_TIME + reserve} calls at a time, of which {reserve}"
        " are kept for single clicks; no limit per second"
    )
    stack.sandbox.settings(latency_ms=LATENCY_MS)

    seconds, busy = shop.one_by_one(order_ids[captures:])
    alone = seconds / ONE_BY_ONE * captures
    say(
        f"one after another: {ONE_BY_ONE} captures in {seconds:.1f} s, {ONE_BY_ONE / seconds:.1f} per second;"
        f" {captures} of them would take {alone:.0f} s (computed); {busy / ONE_BY_ONE * 1000:.1f} ms of processor each"
    )

    names = [f"worker{number}" for number in range(1, workers + 1)]
    for name in names:
        stack.start_worker(name, threads=CALLS_AT_A_TIME // workers)
    # A worker that is still loading would be counted as slow.
    if not stack.supervisor.wait_until(
        lambda: shop.workers_that_answer() == workers, seconds=PATIENCE_SECONDS
    ):
        say(f"not all workers answer after {PATIENCE_SECONDS:.0f} s")
        return 1
    before = {name: stack.cpu_seconds(name) for name in (*names, "sandbox")}
    transactions = shop.transactions()
    run, preview_cost = watch.measured(lambda: shop.previewed(order_ids[:captures]))
    say(f"preview of {captures} rows: {preview_cost}")
    shop.start(run)
    watched = watch.Watch(run, {name: stack.processes[name].pid for name in names})
    ideal = captures * LATENCY_MS / 1000 / CALLS_AT_A_TIME
    patience = max(PATIENCE_SECONDS, PATIENCE * ideal)
    if not stack.supervisor.wait_until(watched.is_finished, seconds=patience):
        say(f"not finished after {patience:.0f} s: {shop.states(run)}")
        return 1
    watched.look()
    load = os.getloadavg()[0]
    transactions = shop.transactions() - transactions
    cpu = {name: stack.cpu_seconds(name) - begun for name, begun in before.items()}
    ours = sum(cpu[name] for name in names)

    wall = shop.seconds_from_first_to_last(run)
    say(
        f"bulk run: {captures} captures in {wall:.2f} s from the first claim to the last settle,"
        f" {captures / wall:.0f} per second, {alone / wall:.0f} times the loop"
    )
    say(
        f"our own side: {ours / captures * 1000:.2f} ms of processor and {transactions / captures:.2f} transactions"
        f" per capture in {workers} worker processes; the sandbox beside it: {cpu['sandbox'] / captures * 1000:.2f} ms;"
        f" load of the machine at the end: {load:.1f}"
    )
    for line in watched.report():
        say(line)
    lines, file_cost = watch.measured(lambda: watch.result_lines(run))
    say(f"file of results: {lines} lines; {file_cost}")
    wrong = payments.not_captured_once(order_ids)
    say(f"rows: {shop.states(run)}; captures in the provider's ledger that are not exactly one: {wrong}")
    say(
        f"{wall / ideal:.2f} x the ideal ({ideal:.1f} s = {captures} x {LATENCY_MS / 1000} s / {CALLS_AT_A_TIME})"
    )
    return 1 if wrong else 0


def print_machine() -> None:
    """What the figures were measured on."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    load = os.getloadavg()[0]
    say(
        f"machine: {len(models)} x {models[0] if models else platform.machine()}, Linux {platform.release()},"
        f" load {load:.1f} before the start"
    )
    say(
        f"versions: Python {platform.python_version()}, Django {django.get_version()}, Celery {celery.__version__},"
        f" psycopg {psycopg.__version__}; PostgreSQL, Valkey and the sandbox run on the same machine"
    )


if __name__ == "__main__":
    sys.exit(main())
