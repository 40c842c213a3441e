"""Bells of the nightly jobs. The work lists are in PostgreSQL; a bell lost or rung twice does no harm."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from cagolab import clock
from payments.nightly import schedule, shop_mails, stale_orders


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def tick() -> None:
    """Every minute: start jobs whose hour has come, ring for the run under way, send mails to the shop."""
    schedule.tick(clock.now())
    stale_orders.ring_again()
    shop_mails.send_queued()


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def work_stale_orders(run_id: str) -> None:
    """Work on a run for a while, and come back when the next case is due."""
    stale_orders.answer(UUID(run_id))
    shop_mails.send_queued()
