"""Ringing for the work list of a run. A bell lost, late or rung twice does no harm: cases are claimed one by one."""

from __future__ import annotations

import logging
from uuid import UUID

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from payments.models import ReconciliationRun
from payments.reconciliation import run as runs
from payments.reconciliation import worklist

logger = logging.getLogger(__name__)

# Two cases at a time hide the provider's answering time; the pace is one for both.
WORKERS = 2
# One bell works this long and then queues behind the other tasks (seconds).
BELL_SECONDS = 20.0
# What is due later than the next minute is left to the minute's bell (seconds).
SOON_SECONDS = 60


def ring(run: ReconciliationRun) -> None:
    """Ring for a run after the transaction that started it."""
    missing = WORKERS - worklist.active_workers(run.pk)

    def ring_all() -> None:
        for _ in range(missing):
            if not _send(run.pk):
                break  # the page must not wait for every bell of a broker that is away

    transaction.on_commit(ring_all)


def ring_again() -> None:
    """Ring for every run under way."""
    for run in ReconciliationRun.objects.filter(state=ReconciliationRun.State.RUNNING):
        ring(run)


def answer(run_id: UUID) -> None:
    """Work on a run for a while; ring again for what is due soon."""
    if worklist.active_workers(run_id) >= WORKERS:
        return
    runs.work(run_id, seconds=BELL_SECONDS)
    running = ReconciliationRun.objects.filter(pk=run_id, state=ReconciliationRun.State.RUNNING)
    waiting = worklist.seconds_until_due(run_id) if running.exists() else None
    if waiting is not None and waiting < SOON_SECONDS:
        _send(run_id, countdown=waiting)


def _send(run_id: UUID, *, countdown: float = 0) -> bool:
    try:
        current_app.send_task(
            "payments.tasks.reconcile", args=[str(run_id)], countdown=countdown or None, retry=False
        )
    except OperationalError:
        logger.warning("the bell for reconciliation %s could not be rung; the minute job will", run_id)
        return False
    return True
