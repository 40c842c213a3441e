"""The bells: tasks that make workers look at the bulk work list. The list itself is in PostgreSQL."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from celery import shared_task
from celery.signals import worker_shutting_down
from django.db import transaction
from kombu.exceptions import OperationalError

from cagolab import clock
from orders.bulk import crew, engine, worklist
from orders.bulk.models import BulkItem, BulkRun
from orders.bulk.registry import registry

logger = logging.getLogger(__name__)

# One bell works this long and then queues behind the other tasks, so that a long run holds up nobody.
BELL_SECONDS = 20.0
# A bell that broke, or found no place in its process, is rung again after so many seconds.
RING_AGAIN_SECONDS = 3.0
# A preview that nobody started is thrown away after this time.
PREVIEW_LIFE = timedelta(days=7)


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def work(run_id: str) -> None:
    """Work on a run for a while. Delivered twice, lost or late, it does no harm: rows are claimed."""
    run = BulkRun.objects.filter(pk=UUID(run_id), state=BulkRun.State.RUNNING).first()
    if run is None:
        return
    with worklist.seat(run.pk, engine.seats(registry[run.kind])) as is_free:
        if not is_free:
            return  # whoever sits there rings again for what is left
        try:
            done = engine.work(run.pk, seconds=BELL_SECONDS)
        except BaseException:
            _ring(run.pk, countdown=RING_AGAIN_SECONDS)
            raise
    waiting = worklist.seconds_until_due(run.pk)
    if waiting is not None:
        _ring(run.pk, countdown=waiting if done else max(waiting, RING_AGAIN_SECONDS))


@worker_shutting_down.connect  # type: ignore[untyped-decorator]  # Celery has no types
def begin_nothing_new(**_: object) -> None:
    """The process is asked to end: what is being sent is waited for, what is not sent yet is given back."""
    crew.closing.set()


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def ring() -> None:
    """Every minute: confirm what is settled by now, ring for running runs again, throw old previews away."""
    now = clock.now()
    engine.confirm_unknown(now)
    for run in BulkRun.objects.filter(state=BulkRun.State.RUNNING):
        ring_for(run)
    BulkRun.objects.filter(state=BulkRun.State.PREVIEW, created_at__lt=now - PREVIEW_LIFE).delete()


def ring_for(run: BulkRun) -> None:
    """Ring as many bells as may work on the run, after the transaction that made it run.

    Those that find every seat taken do nothing.
    """
    kind = registry[run.kind]
    waiting = BulkItem.objects.filter(
        run=run, state__in=(BulkItem.State.READY, BulkItem.State.CLAIMED)
    ).count()
    bells = max(1, min(engine.seats(kind), waiting))

    def ring_all() -> None:
        for _ in range(bells):
            if not _ring(run.pk):
                break  # the page must not wait for every bell of a broker that is away

    transaction.on_commit(ring_all)


def _ring(run_id: UUID, *, countdown: float = 0) -> bool:
    try:
        work.apply_async(args=[str(run_id)], countdown=countdown or None, retry=False)
    except OperationalError:
        logger.warning("the bell for bulk run %s could not be rung; the minute job will", run_id)
        return False
    return True
