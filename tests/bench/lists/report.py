"""The figures as a table and as JSON."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg

from tests.bench.lists.measure import Timing
from tests.bench.lists.runs import Line, Result

RIVALS = ("admin", "admin-tuned", "oscar")


def machine(url: str) -> str:
    """What the figures were measured on."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SHOW server_version").fetchone()
        memory = connection.execute("SHOW shared_buffers").fetchone()
    assert row is not None
    assert memory is not None
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return (
        f"{os.cpu_count()} cores ({_processor()}), {gigabytes:.0f} GB; Python {platform.python_version()},"
        f" Django {version('Django')}, PostgreSQL {row[0]} (shared_buffers {memory[0]}),"
        f" gunicorn {version('gunicorn')} with 2 workers of 8 threads"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def table(result: Result) -> str:
    """All lines of one size; milliseconds as median / p95."""
    lines = [
        "",
        f"{result.rows:,} orders, milliseconds (median / 95th percentile); times = their median by ours, total"
        " included; processor = time computed for a page and its total by web server and PostgreSQL",
        f"{'':<44}{'ours':>15} {'with total':>11} {'processor':>9} {'load':>5}"
        + "".join(f"{name:>36}" for name in RIVALS),
    ]
    for line in result.lines:
        cells = "".join(f"{_rival(line, name):>36}" for name in RIVALS)
        ours = line.timings["ours"]
        wide = sum(ord(character) > 0x2E7F for character in line.case.name)
        lines.append(
            f"{line.case.name:<{44 - wide}}{_pair(ours):>15} {_counting(ours):>11} {ours.processor:>9.1f}"
            f" {ours.load:>5.1f}{cells}" + "".join(f"   MISS {miss}" for miss in line.misses)
        )
    lines += [f"SKIPPED {name}: {reason}" for name, reason in result.skipped.items()]
    lines.append(f"{len(result.misses)} goals missed." if result.misses else "Every goal was reached.")
    return "\n".join(lines)


def markdown(results: list[Result]) -> str:
    """For the README: the largest size that was compared with rivals in full, then the others' 95th percentiles."""
    parts = []
    compared = [result for result in results if any(len(line.timings) > 1 for line in result.lines)]
    whole = max(compared or results, key=lambda result: result.rows)
    names = [name for name in RIVALS if any(name in line.timings for line in whole.lines)]
    parts += [
        " | ".join(
            [
                f"| {whole.rows:,} orders",
                "median",
                "p95",
                "with its total, p95",
                "goal",
                *names,
                "goal missed |",
            ]
        ),
        "| --- " * (6 + len(names)) + "|",
    ]
    for line in whole.lines:
        ours = line.timings["ours"]
        rivals = [_times(line, name) for name in names]
        total = _counting(ours)
        missed = "; ".join(f"MISS {miss}" for miss in line.misses)
        figures = [
            f"{ours.median:.1f}",
            f"{ours.p95:.1f}",
            total,
            "" if line.case.goal_ms is None else f"{line.case.goal_ms:.0f}",
        ]
        parts.append(" | ".join([f"| {line.case.name}", *figures, *rivals, f"{missed} |"]))
    if len(results) > 1:
        sizes = sorted(results, key=lambda result: result.rows)
        parts += [
            "",
            "| p95 with the total, ms | " + " | ".join(f"{result.rows:,}" for result in sizes) + " |",
        ]
        parts.append("| --- " * (1 + len(sizes)) + "|")
        for at, line in enumerate(whole.lines):
            figures = [f"{result.lines[at].timings['ours'].p95_with_total:.1f}" for result in sizes]
            parts.append(f"| {line.case.name} | " + " | ".join(figures) + " |")
    return "\n".join([*parts, ""])


def _times(line: Line, name: str) -> str:
    if name not in line.timings:
        return ""
    median = line.timings[name].median
    times = median / line.timings["ours"].median_with_total
    return f"{median:,.0f} ms ({times:,.{1 if times < 10 else 0}f}x)"


def _pair(timing: Timing) -> str:
    digits = 1 if timing.median < 1000 else 0
    return f"{timing.median:,.{digits}f} / {timing.p95:,.{digits}f}"


def _counting(timing: Timing) -> str:
    """The 95th percentile until the total was there too, where the rows came before it."""
    return f"{timing.p95_with_total:,.1f}" if any(timing.counting) else ""


def _rival(line: Line, name: str) -> str:
    if name not in line.timings:
        return ""
    timing = line.timings[name]
    times = timing.median / line.timings["ours"].median_with_total
    return f"{_pair(timing)} {times:,.0f}x ({timing.processor:,.0f})"


def write_json(path: Path, machine: str, seed: int, results: list[Result]) -> None:
    """Everything, down to the single requests."""
    sizes: list[dict[str, Any]] = [
        {
            "rows": result.rows,
            "seconds_to_fill": result.seconds_to_fill,
            "skipped": result.skipped,
            "cases": [
                {
                    "name": line.case.name,
                    "goal_ms": line.case.goal_ms,
                    "misses": line.misses,
                    "figures": {
                        name: {"median": round(timing.median, 2), "p95": round(timing.p95, 2)}
                        | {
                            key: [round(each, 2) for each in value] if isinstance(value, list) else value
                            for key, value in asdict(timing).items()
                        }
                        for name, timing in line.timings.items()
                    },
                }
                for line in result.lines
            ],
        }
        for result in results
    ]
    found = {"machine": machine, "at": datetime.now(UTC).isoformat(timespec="seconds"), "seed": seed}
    path.write_text(json.dumps(found | {"sizes": sizes}, ensure_ascii=False, indent=1))
