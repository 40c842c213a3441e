"""Every export of everything, written by the worker's own code in a process of its own; a line of JSON per file."""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cagolab.settings")
django.setup()

from django.contrib.auth.models import User  # noqa: E402

from cagolab import clock  # noqa: E402
from orders.exports import files, start, tasks, writer  # noqa: E402
from orders.exports.models import Export  # noqa: E402
from orders.exports.registry import registry  # noqa: E402
from orders.models import Order  # noqa: E402
from orders.selection import Selection  # noqa: E402
from tests.bench.lists.servers import USER  # noqa: E402

# Written once before anything is measured, so that what every process loads once is not counted as growth.
WARM_ORDERS = 1000
LOOK_SECONDS = 0.02
# Kind and encoding; documents are no CSV and are written as many at once as the product allows.
WANTED = (
    ("orders", Export.Encoding.CP932),
    ("orders", Export.Encoding.UTF8),
    ("order_lines", Export.Encoding.UTF8),
    ("payments", Export.Encoding.CP932),
    ("documents", Export.Encoding.UTF8),
)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One file: seconds on the wall and of our processor, bytes, and resident memory before, at most, after."""

    label: str
    encoding: str
    orders: int
    freeze_seconds: float
    seconds: float
    processor_seconds: float
    bytes: int
    # How often a worker came back to it and how often an operator could see it go on.
    turns: int
    rss_before: int
    rss_peak: int
    rss_after: int


class Watch:
    """The most resident memory while something runs."""

    def __init__(self) -> None:
        self.peak = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self.peak = max(self.peak, resident())


def resident() -> int:
    """Bytes of this process that are in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Measure every kind once."""
    user = User.objects.get(username=USER)
    for code, encoding in WANTED:
        write(user, code, encoding, WARM_ORDERS)
    for code, encoding in WANTED:
        sys.stdout.write(json.dumps(asdict(write(user, code, encoding, None)), ensure_ascii=False) + "\n")
        sys.stdout.flush()


def write(user: User, code: str, encoding: Export.Encoding, orders: int | None) -> Figures:
    """One export, of everything or of so many orders, in turns as long as a worker's."""
    kind = registry[code]
    orders = orders or kind.max_orders
    newest = Order.objects.order_by("-ordered_at").values_list("pk", flat=True)
    selection = Selection(order_ids=tuple(newest[:orders])) if orders else Selection(all_that_match=True)
    gc.collect()
    before, began, busy = resident(), time.monotonic(), time.process_time()
    turns = 0
    with Watch() as watch:
        export = start.start(
            kind=kind,
            encoding=encoding,
            selection=selection,
            author=start.Author(user=user, name=USER),
            back="/orders/",
            now=clock.now(),
        )
        frozen = time.monotonic()
        while writer.work(seconds=tasks.BELL_SECONDS):
            turns += 1
        ended = time.monotonic()
    export.refresh_from_db()
    if export.state != Export.State.FINISHED:
        raise SystemExit(f"{kind.label} ended as {export.state}: {export.message}")
    found = Figures(
        label=kind.label,
        encoding=export.encoding,
        orders=export.done,
        freeze_seconds=frozen - began,
        seconds=ended - frozen,
        processor_seconds=time.process_time() - busy,
        bytes=export.size,
        turns=turns,
        rss_before=before,
        rss_peak=max(watch.peak, before),
        rss_after=resident(),
    )
    files.remove(export)
    return found


if __name__ == "__main__":
    main()
