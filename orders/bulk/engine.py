"""Working a run off: claim a row, execute it through its kind, write how it ended.

A process may die between any two statements. What it leaves behind is a claimed row; whoever takes it over
first asks the kind, by the row's key, whether anything was begun.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime
from uuid import UUID

from django.db import Error as DatabaseError
from django.db import transaction

from cagolab import clock
from orders.bulk import rights, worklist
from orders.bulk.crew import Crew
from orders.bulk.endings import BROKEN, STATES, STOPPED, task_of, write_down
from orders.bulk.models import BulkItem, BulkRun
from orders.bulk.registry import AtomicKind, BulkKind, Ending, SendingKind, registry

logger = logging.getLogger(__name__)

# How many rows of one run a crew has at the provider at the same time, at the most.
CREW_SIZE = 16


class _ClaimLost(Exception):
    """Another worker has taken the row over; what this one did to our own database is rolled back."""


def seats(kind: BulkKind) -> int:
    """How many bells may work on one run of this kind at the same time."""
    return kind.concurrency if kind.is_atomic else -(-kind.concurrency // CREW_SIZE)


def work(run_id: UUID, *, seconds: float) -> int:
    """Execute rows of a run until none is due or the time is over. Returns the number of rows.

    The time bound lets other tasks have their turn; the caller rings again for the rest.
    """
    run = BulkRun.objects.select_related("created_by").filter(pk=run_id, state=BulkRun.State.RUNNING).first()
    if run is None:
        return 0
    kind = registry[run.kind]
    rights.withdraw(run, kind.permission, clock.now())
    done = _row_by_row(run, kind, seconds) if kind.is_atomic else _crew(run, kind).work(seconds=seconds)
    # Also when the time was over with the very last row: nobody would look at the run again.
    worklist.finish(run_id, clock.now())
    return done


def confirm_unknown(now: datetime) -> int:
    """Look up rows that are being confirmed and move those whose outcome is known now. Returns how many moved."""
    unconfirmed: dict[str, list[BulkItem]] = {}
    for item in BulkItem.objects.filter(state=BulkItem.State.UNKNOWN).select_related("run").order_by("id"):
        unconfirmed.setdefault(item.run.kind, []).append(item)
    moved = 0
    for code, items in unconfirmed.items():
        kind = registry[code]
        if kind.is_atomic:
            continue
        results = kind.known_results([item.key() for item in items])
        settled = {
            item.pk: (STATES[result.ending], result.message)
            for item in items
            if (result := results.get(item.key())) and result.ending is not Ending.UNKNOWN
        }
        moved += worklist.settle_unknown(settled, now)
    return moved


def _crew(run: BulkRun, kind: SendingKind) -> Crew:
    most = -(-kind.concurrency // seats(kind))
    return Crew(run, kind, callers=max(1, worklist.unfinished(run.pk, at_most=most)))


def _row_by_row(run: BulkRun, kind: AtomicKind, seconds: float) -> int:
    until = time.monotonic() + seconds
    done = 0
    while time.monotonic() < until:
        if item := worklist.claim(run.pk):
            _execute(run, kind, item)
        elif item := worklist.claim_abandoned(run.pk):
            _take_over(run, kind, item)
        else:
            break
        done += 1
    return done


def _take_over(run: BulkRun, kind: AtomicKind, item: BulkItem) -> None:
    """A dead worker's row: what was not written down was rolled back with it."""
    if worklist.is_stopped(run.pk):
        worklist.record(item, state=BulkItem.State.STOPPED, message=STOPPED, now=clock.now())
    else:
        _execute(run, kind, item)


def _execute(run: BulkRun, kind: AtomicKind, item: BulkItem) -> None:
    now = clock.now()
    try:
        with transaction.atomic():
            if not write_down(item, kind.execute(task_of(run, item), now), now):
                raise _ClaimLost
    except _ClaimLost:
        logger.warning("bulk item %s was taken over by another worker", item.pk)
    except DatabaseError:
        raise  # nothing can be written now; the lease brings the row back
    except Exception:
        logger.exception("bulk item %s of run %s broke", item.pk, run.pk)
        write_down(item, BROKEN, clock.now())
