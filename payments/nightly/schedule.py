"""The per-minute tick (PG-6): which job's hour has come, read from the database; a missed hour is made up once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

from django.db import transaction

from payments.models import NightlyJob
from payments.nightly import deadline_watch, rules, stale_orders
from payments.reconciliation import run as reconciliation

logger = logging.getLogger(__name__)


def _cancel_stale_orders(now: datetime) -> bool:
    _run, is_new = stale_orders.start(by=stale_orders.NIGHTLY, until=now, now=now, is_nightly=True)
    return is_new  # behind a run that somebody has just started, the next minute tries again


def _watch_deadlines(now: datetime) -> bool:
    deadline_watch.watch(now)
    return True


# Each runs inside the tick's transaction and only writes work lists; True when its day is done.
JOBS: Mapping[NightlyJob.Kind, Callable[[datetime], bool]] = MappingProxyType(
    {
        NightlyJob.Kind.STALE_ORDERS: _cancel_stale_orders,
        NightlyJob.Kind.DEADLINE_WATCH: _watch_deadlines,
        NightlyJob.Kind.RECONCILIATION: reconciliation.start_night,
    }
)


def tick(now: datetime) -> list[NightlyJob.Kind]:
    """Start every job whose hour has come since it last ran. Returns which were started."""
    started = []
    for kind in JOBS:
        try:
            if _start_if_due(kind, now):
                started.append(kind)
        except Exception:
            # One job's trouble is not the others'; the next minute tries again.
            logger.exception("the nightly job %s could not be started", kind)
    return started


def _start_if_due(kind: NightlyJob.Kind, now: datetime) -> bool:
    if not NightlyJob.objects.filter(kind=kind, is_on=True).exists():
        return False
    with transaction.atomic():
        stale_orders.lock_job(kind)
        job = NightlyJob.objects.select_for_update().get(kind=kind)
        day = rules.slot(job.hour, now)
        if not job.is_on or (job.last_run_on is not None and job.last_run_on >= day):
            return False
        if not JOBS[kind](now):
            return False
        job.last_run_on = day
        job.save(update_fields=["last_run_on"])
    return True


def switch(kind: NightlyJob.Kind, *, is_on: bool, hour: int, now: datetime) -> NightlyJob:
    """Change a job's schedule; switched on or moved, it first runs when its hour next comes."""
    with transaction.atomic():
        NightlyJob.objects.get_or_create(kind=kind)
        job = NightlyJob.objects.select_for_update().get(kind=kind)
        if is_on and (not job.is_on or job.hour != hour or _is_ahead(job, now)):
            job.last_run_on = rules.day_already_run(hour, job.last_run_on, now)
        job.is_on, job.hour = is_on, hour
        job.save()
    return job


def _is_ahead(job: NightlyJob, now: datetime) -> bool:
    return job.last_run_on is not None and job.last_run_on > rules.slot(0, now)
