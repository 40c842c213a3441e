"""Bells of the nightly jobs. The work lists are in PostgreSQL; a bell lost or rung twice does no harm."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from cagolab import clock
from payments.models import StaleRun
from payments.nightly import schedule, shop_mails, stale_orders, stale_worklist


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def tick() -> None:
    """Every minute: start jobs whose hour has come, ring for the run under way, send mails to the shop."""
    schedule.tick(clock.now())
    stale_orders.ring_again()
    shop_mails.send_queued()


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def work_stale_orders(run_id: str) -> None:
    """Work on a run for a while, and come back when the next case is due."""
    stale_orders.work(UUID(run_id))
    run = StaleRun.objects.filter(pk=UUID(run_id), state=StaleRun.State.RUNNING).first()
    waiting = stale_worklist.seconds_until_due(UUID(run_id)) if run else None
    if run is None:
        shop_mails.send_queued()
    elif waiting is not None and waiting < 60:
        stale_orders.ring_for(run, bells=1, countdown=waiting)
