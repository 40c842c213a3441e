"""What it costs to take in an order, to edit it, and to claim and settle a capture, at 10,000 and at a million orders.

`make bench-writes WRITES_ROWS=10000,1000000 SEED=1`. The rows are those of `make bench-lists`, made where they are
not there yet; the writes go to a copy of that database, which is dropped afterwards. They are committed as in
production: the server runs with fsync and synchronous_commit.
"""

from __future__ import annotations

import os
import statistics
import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from tests.bench import million
from tests.bench.million import Stage, say

DEFAULT_ROWS = "10000,1000000"
DEFAULT_ROUNDS = 200
# Of a write, on the wall: database and Python together, the commit included.
WRITE_MS = 15.0
# Of a settlement, processor time of our process.
SETTLE_PROCESSOR_MS = 5.0
NAMES = {
    "checkout": "受注の取り込み (購入画面)",
    "create": "受注の取り込み (新規受注入力)",
    "edit": "受注編集 (明細1行の変更)",
    "claim": "売上確定: claim",
    "settle": "売上確定: settle",
}


def main() -> int:
    """Run the bench; the exit code is 1 when a goal was missed or the bench could not run."""
    parser = million.parser("tests.bench.writes", __doc__)
    parser.add_argument("--rows", default=DEFAULT_ROWS, help="orders; several sizes separated by commas")
    parser.add_argument("--rounds", type=int, default=DEFAULT_ROUNDS, help="writes of each kind")
    arguments = parser.parse_args()
    return million.run(lambda stage: write(stage, arguments), seed=arguments.seed, durable=True)


def write(stage: Stage, arguments: Namespace) -> int:
    """All sizes; the exit code."""
    misses: list[str] = []
    sizes: dict[str, Any] = {}
    for rows in (int(each) for each in arguments.rows.split(",")):
        with stage.copy(rows, "writes") as environment:
            load = os.getloadavg()[0]
            (measured,) = stage.figures(
                environment,
                "tests.bench.writes.work",
                f"--rounds={arguments.rounds}",
                f"--seed={arguments.seed}",
            )
        say(f"\n{rows:,} orders; load of the machine before: {load:.1f}; {measured['settings']}")
        misses += table(measured["figures"])
        sizes[str(rows)] = measured | {"load": load}
    say(f"\n{len(misses)} goals missed." if misses else "\nEvery goal was reached.")
    stage.keep("writes.json", {"seed": arguments.seed, "sizes": sizes})
    return 1 if misses else 0


def table(figures: Sequence[dict[str, Any]]) -> list[str]:
    """Print one line per kind of write; what misses its goal."""
    say(
        f"{'milliseconds':<34}{'median':>8}{'p95':>8}{'goal':>6}{'our processor':>15}{'PostgreSQL':>12}{'queries':>9}{'n':>5}"
    )
    missed = []
    for each in figures:
        name, wall = NAMES[each["key"]], sorted(each["wall"])
        p95 = wall[-(-len(wall) * 95 // 100) - 1]
        misses = []
        if p95 > WRITE_MS:
            misses.append(f"MISS p95 {p95:.1f} ms, goal {WRITE_MS:.0f} ms")
        if each["key"] == "settle" and each["python"] > SETTLE_PROCESSOR_MS:
            misses.append(f"MISS our processor {each['python']:.1f} ms, goal {SETTLE_PROCESSOR_MS:.0f} ms")
        wide = sum(ord(character) > 0x2E7F for character in name)
        say(
            f"{name:<{34 - wide}}{statistics.median(wall):>8.1f}{p95:>8.1f}{WRITE_MS:>6.0f}{each['python']:>15.1f}"
            f"{each['postgres']:>12.1f}{each['queries']:>9}{len(wall):>5}"
            + "".join(f"   {m}" for m in misses)
        )
        missed += misses
    return missed


if __name__ == "__main__":
    sys.exit(main())
