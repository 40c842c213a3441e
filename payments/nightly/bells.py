"""Ringing for the run of 決済処理中の注文の取消. A bell lost, late or rung twice does no harm: cases are claimed one by one."""

from __future__ import annotations

import logging
from uuid import UUID

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

_WORK = "payments.nightly.tasks.work_stale_orders"


def ring(run_id: UUID, *, bells: int, countdown: float = 0) -> None:
    """Tell workers, after the transaction that made the cases. Unheard, the minute job rings again."""

    def ring_all() -> None:
        for _ in range(bells):
            if not _send(run_id, countdown):
                break  # the page must not wait for every bell of a broker that is away

    transaction.on_commit(ring_all)


def _send(run_id: UUID, countdown: float) -> bool:
    try:
        current_app.send_task(_WORK, args=[str(run_id)], countdown=countdown or None, retry=False)
    except OperationalError:
        logger.warning("the bell for run %s could not be rung; the minute job will", run_id)
        return False
    return True
