"""The bells: tasks that make workers look at the exports. The work list itself is in PostgreSQL."""

from __future__ import annotations

import logging

from celery import shared_task
from django.db import transaction
from kombu.exceptions import OperationalError

from cagolab import clock
from orders.exports import endings, worklist, writer

logger = logging.getLogger(__name__)

# One bell works this long and then queues behind the other tasks, so that a long export holds up nobody.
BELL_SECONDS = 20.0


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def work() -> None:
    """Write on the export that is next. Delivered twice, lost or late, it does no harm: exports are claimed."""
    if writer.work(seconds=BELL_SECONDS) and worklist.waiting():
        _ring()


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def ring() -> None:
    """Every minute: delete what is out of date, and ring for exports that nobody writes on."""
    endings.remove_expired(clock.now())
    for _ in range(min(worklist.waiting(), worklist.AT_ONCE)):
        if not _ring():
            break


def ring_after_commit() -> None:
    """Tell a worker that an export waits; where nobody hears it, the minute job rings again."""
    transaction.on_commit(_ring)


def _ring() -> bool:
    try:
        work.apply_async(retry=False)
    except OperationalError:
        logger.warning("the bell for exports could not be rung; the minute job will")
        return False
    return True
