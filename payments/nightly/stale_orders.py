"""決済処理中の注文の取消 (PG-5): starting a run, working it off, finishing it. By button or by night."""

from __future__ import annotations

import logging
import time
from collections import Counter
from datetime import datetime
from uuid import UUID

from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.db.models import Count

from cagolab import clock
from payments.actors import By
from payments.models import NightlyJob, Operation, StaleCase, StaleRun
from payments.nightly import bells, reports, shop_mails, stale_cases, stale_worklist
from payments.nightly.settings_row import nightly_settings

logger = logging.getLogger(__name__)

NIGHTLY = By(name="夜間処理", source=Operation.Source.NIGHTLY)
# One bell works this long and then queues behind the other tasks.
BELL_SECONDS = 20.0
# How many may work on one run at a time; so many bells are rung at its start.
WORKERS = 4
# What is due later than the next minute is left to the minute's bell (seconds).
SOON_SECONDS = 60


def lock_job(kind: NightlyJob.Kind) -> None:
    """Let one transaction at a time start a job of this kind; released when the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"nightly:{kind.value}"])


def running() -> StaleRun | None:
    """The run under way, if any."""
    return StaleRun.objects.filter(state=StaleRun.State.RUNNING).first()


def start(*, by: By, until: datetime, now: datetime, is_nightly: bool = False) -> tuple[StaleRun, bool]:
    """Freeze the orders that were given up at `until` (at most `now`) and ring for workers.

    Returns the run, and False where one was under way already: then that one, and nothing new was begun.
    """
    with transaction.atomic():
        lock_job(NightlyJob.Kind.STALE_ORDERS)
        if (under_way := running()) is not None:
            return under_way, False
        rules = nightly_settings()
        run = StaleRun.objects.create(
            is_nightly=is_nightly,
            pending_days=rules.pending_days,
            cart_days=rules.cart_days,
            started_by=by.user,
            started_by_name=by.name,
            ip_address=by.ip,
            started_at=now,
        )
        cases = stale_worklist.freeze(run, min(until, now))
        if cases:
            bells.ring(run.pk, bells=min(WORKERS, cases))
        else:
            finish(run.pk, now)
    return run, True


def work(run_id: UUID, *, seconds: float = BELL_SECONDS) -> int:
    """Work cases off until none is due or the time is over, and finish the run after the last one.

    Returns the number of cases. Any number of workers may do this at once.
    """
    run = (
        StaleRun.objects.select_related("started_by").filter(pk=run_id, state=StaleRun.State.RUNNING).first()
    )
    if run is None:
        return 0
    by = By(name=run.started_by_name, source=NIGHTLY.source, user=run.started_by, ip=run.ip_address)
    until = time.monotonic() + seconds
    done = 0
    while time.monotonic() < until and (case := stale_worklist.claim(run_id)) is not None:
        _handle(case, by)
        done += 1
    finish(run_id, clock.now())
    return done


def _handle(case: StaleCase, by: By) -> None:
    try:
        stale_cases.handle(case, by)
    except DatabaseError:
        raise  # nothing can be written now; the lease brings the case back
    except Exception:
        logger.exception("stale order %s of run %s broke", case.order_id, case.run_id)
        message = "システムエラーのため処理できませんでした。注文は取り消していません。"
        if case.tries < len(stale_cases.TRY_AGAIN):
            stale_worklist.put_back(case, seconds=stale_cases.TRY_AGAIN[case.tries], message=message)
        else:
            stale_worklist.record(case, state=StaleCase.State.LEFT, message=message, now=clock.now())


def finish(run_id: UUID, now: datetime) -> bool:
    """End the run when no case is open, and write the night's mail with it. Whoever comes second does nothing."""
    with transaction.atomic():
        run = StaleRun.objects.select_for_update().get(pk=run_id)
        if run.state != StaleRun.State.RUNNING or stale_worklist.has_open_cases(run):
            return False
        run.ended = ended = counts(run)
        run.state, run.finished_at = StaleRun.State.FINISHED, now
        run.save(update_fields=["ended", "state", "finished_at"])
        if run.is_nightly and ended:
            shop_mails.write(key=f"stale-orders-{run.pk}", words=reports.of_stale_run(run, ended), now=now)
    return True


def counts(run: StaleRun) -> Counter[str]:
    """How many cases of the run stand in each state."""
    if run.ended is not None:
        return Counter(run.ended)
    cases = StaleCase.objects.filter(run=run)
    return Counter(dict(cases.values_list("state").annotate(number=Count("*")).order_by()))


def ring_again() -> None:
    """Every minute: ring for the run under way, in case a bell was lost or its worker died."""
    if (run := running()) is not None and stale_worklist.active_workers(run.pk) < WORKERS:
        bells.ring(run.pk, bells=1)


def answer(run_id: UUID) -> None:
    """Work on a run for a while; ring again for what is due soon.

    A bell too many does not live on: it finds every place taken, or nothing to do.
    """
    if stale_worklist.active_workers(run_id) >= WORKERS or not work(run_id):
        return
    waiting = stale_worklist.seconds_until_due(run_id)
    if waiting is not None and waiting < SOON_SECONDS:
        bells.ring(run_id, bells=1, countdown=waiting)
