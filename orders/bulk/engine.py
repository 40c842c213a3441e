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
from orders.bulk import worklist
from orders.bulk.models import BulkItem, BulkRun
from orders.bulk.registry import BulkKind, Ending, Result, Task, registry

logger = logging.getLogger(__name__)

# How long to wait before a row that was not sent is tried again, in seconds; after the last it has failed.
RETRY_AFTER_SECONDS = (5, 20, 60)

_STATES = {
    Ending.SUCCEEDED: BulkItem.State.SUCCEEDED,
    Ending.FAILED: BulkItem.State.FAILED,
    Ending.UNKNOWN: BulkItem.State.UNKNOWN,
    Ending.RECHECK: BulkItem.State.RECHECK,
    Ending.NOT_SENT: BulkItem.State.FAILED,
}
_TROUBLE = "システムエラーのため実行できませんでした。受注の状態を確認してから、もう一度実行してください。"


class _ClaimLost(Exception):
    """Another worker has taken the row over; what this one did to our own database is rolled back."""


def work(run_id: UUID, *, seconds: float) -> int:
    """Execute rows of a run until none is due or the time is over. Returns the number of rows.

    The time bound lets other tasks have their turn; the caller rings again for the rest.
    """
    run = BulkRun.objects.select_related("created_by").filter(pk=run_id, state=BulkRun.State.RUNNING).first()
    if run is None:
        return 0
    kind = registry[run.kind]
    until = time.monotonic() + seconds
    done = 0
    while time.monotonic() < until:
        if item := worklist.claim(run_id):
            _execute(run, kind, item)
        elif item := worklist.claim_abandoned(run_id):
            _take_over(run, kind, item)
        else:
            worklist.finish(run_id, clock.now())
            break
        done += 1
    return done


def confirm_unknown(now: datetime) -> int:
    """Look up rows that are being confirmed and move those whose outcome is known now. Returns how many moved."""
    unconfirmed: dict[str, list[BulkItem]] = {}
    for item in BulkItem.objects.filter(state=BulkItem.State.UNKNOWN).select_related("run").order_by("id"):
        unconfirmed.setdefault(item.run.kind, []).append(item)
    moved = 0
    for code, items in unconfirmed.items():
        results = registry[code].known_results([item.key() for item in items])
        settled = {
            item.pk: (_STATES[result.ending], result.message)
            for item in items
            if (result := results.get(item.key())) and result.ending is not Ending.UNKNOWN
        }
        moved += worklist.settle_unknown(settled, now)
    return moved


def _take_over(run: BulkRun, kind: BulkKind, item: BulkItem) -> None:
    """A dead worker's row: written down when something was begun, executed again when nothing was."""
    begun = kind.known_results([item.key()]).get(item.key())
    if begun is not None:
        _write_down(item, begun, clock.now())
        return
    run.refresh_from_db(fields=["stopped_at"])
    if run.stopped_at is not None:
        message = "中止されたため、実行していません。"
        worklist.record(item, state=BulkItem.State.STOPPED, message=message, now=clock.now())
        return
    _execute(run, kind, item)


def _execute(run: BulkRun, kind: BulkKind, item: BulkItem) -> None:
    task = Task(
        order_id=item.order_id,
        payment_id=item.payment_id,
        shown=item.shown,
        key=item.key(),
        parameters=run.parameters,
        follow=run.follow,
        actor=run.created_by,
        actor_name=run.created_by_name,
        ip_address=run.ip_address,
    )
    try:
        if kind.is_atomic:
            now = clock.now()
            with transaction.atomic():
                if not _write_down(item, kind.execute(task, now), now):
                    raise _ClaimLost
        else:
            _write_down(item, kind.execute(task, clock.now()), clock.now())
    except _ClaimLost:
        logger.warning("bulk item %s was taken over by another worker", item.pk)
    except DatabaseError:
        raise  # nothing can be written now; the lease brings the row back
    except Exception:
        logger.exception("bulk item %s of run %s broke", item.pk, run.pk)
        begun = kind.known_results([item.key()]).get(item.key())
        _write_down(item, begun or Result(ending=Ending.FAILED, message=_TROUBLE), clock.now())


def _write_down(item: BulkItem, result: Result, now: datetime) -> bool:
    if result.ending is Ending.NOT_SENT and item.tries < len(RETRY_AFTER_SECONDS):
        wait = RETRY_AFTER_SECONDS[item.tries]
        return worklist.put_back(item, wait_seconds=wait, message=result.message, now=now)
    return worklist.record(item, state=_STATES[result.ending], message=result.message, now=now)
