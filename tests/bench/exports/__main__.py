"""How much a worker's memory grows while it writes the orders of a million customers into files, and how long it takes.

`make bench-exports EXPORT_ROWS=1000000 SEED=1`. The rows are those of `make bench-lists`, made where they are not there
yet; the work lists are written to a copy of that database, which is dropped afterwards, like the files.
"""

from __future__ import annotations

import sys
from typing import Any

from tests.bench import million
from tests.bench.million import Stage, say

DEFAULT_ROWS = 1_000_000
GROWTH_MEGABYTES = 100
MEGABYTE = 1024**2


def main() -> int:
    """Run the bench; the exit code is 1 when memory grew too much or the bench could not run."""
    parser = million.parser("tests.bench.exports", __doc__)
    parser.add_argument("--rows", type=int, default=DEFAULT_ROWS, help="orders")
    arguments = parser.parse_args()
    return million.run(lambda stage: write(stage, arguments.rows), seed=arguments.seed, durable=False)


def write(stage: Stage, rows: int) -> int:
    """Every kind of file; the exit code."""
    found = []
    missed = 0
    with stage.copy(rows, "exports") as environment:
        for each in stage.figures(environment, "tests.bench.exports.work"):
            found.append(each)
            missed += told(each)
    stage.keep("exports.json", {"figures": found})
    return 1 if missed else 0


def told(each: dict[str, Any]) -> bool:
    """Print the line of one file; whether it missed the goal."""
    growth = (each["rss_peak"] - each["rss_before"]) / MEGABYTE
    miss: bool = growth > GROWTH_MEGABYTES
    say(
        f"{each['label']} {each['encoding']}: {each['orders']:,} orders, {each['bytes'] / MEGABYTE:,.0f} MB,"
        f" frozen in {each['freeze_seconds']:.1f} s, written in {each['seconds'] / 60:.1f} minutes"
        f" (our processor {each['processor_seconds']:.0f} s, {each['turns']} turns); memory before"
        f" {each['rss_before'] / MEGABYTE:.0f} MB, at most {each['rss_peak'] / MEGABYTE:.0f} MB, after"
        f" {each['rss_after'] / MEGABYTE:.0f} MB: grows by {growth:.0f} MB, goal {GROWTH_MEGABYTES} MB"
        + ("   MISS" if miss else "")
    )
    return miss


if __name__ == "__main__":
    sys.exit(main())
