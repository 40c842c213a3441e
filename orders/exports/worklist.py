"""The work list in PostgreSQL: claiming an export, writing down how far it is, stopping, ending.

Every function is one short transaction. Leases run on the database server's clock, since the product's may be
moved in demo and tests.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import QuerySet

from orders.exports.models import Export, ExportChunk

# A chunk takes well under a second; a claim this old belongs to a worker that died.
LEASE_SECONDS = 60
# Writing is work for a processor: more at once would only slow down the workers' other tasks.
AT_ONCE = 2
# How long a file waits to be fetched.
KEPT_FOR = timedelta(days=7)

_UNDER_WAY = (Export.State.WAITING, Export.State.RUNNING)
_ABANDONED = f"state = 'running' AND claimed_at < clock_timestamp() - make_interval(secs => {LEASE_SECONDS})"
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('orders_export claim', 0))"
_COUNT_HELD = f"SELECT count(*) FROM orders_export WHERE state = 'running' AND NOT ({_ABANDONED})"  # noqa: S608
_CLAIM = f"""
    UPDATE orders_export
    SET state = 'running', claimed_at = clock_timestamp(), tries = tries + (state = 'running')::int
    WHERE id = (
        SELECT id FROM orders_export WHERE state = 'waiting' OR ({_ABANDONED})
        ORDER BY claimed_at NULLS FIRST, created_at
        LIMIT 1
        FOR UPDATE
    )
    RETURNING *
"""  # noqa: S608


def claim() -> Export | None:
    """Take the export that was left alone longest, a dead worker's included; None when enough are at work.

    `claimed_at` is the claim's token, see `progress`.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_ONE_AT_A_TIME)
            cursor.execute(_COUNT_HELD)
            if cursor.fetchone()[0] >= AT_ONCE:
                return None
        return next(iter(Export.objects.raw(_CLAIM)), None)


def waiting() -> int:
    """How many exports want a worker, dead workers' included."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM orders_export WHERE state = 'waiting' OR ({_ABANDONED})"  # noqa: S608
        )
        return int(cursor.fetchone()[0])


def progress(export: Export) -> bool:
    """Write down how far the export is and hold it on. False when it was given to another worker.

    Fills in `stopped_at`, for the worker to see.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orders_export SET claimed_at = clock_timestamp(), done = %s, next_chunk = %s, size = %s,"
            " ends = %s, lines = %s, replaced = %s, missing = %s, unsummed = %s"
            " WHERE id = %s AND state = 'running' AND claimed_at = %s RETURNING claimed_at, stopped_at",
            [
                export.done,
                export.next_chunk,
                export.size,
                export.ends,
                export.lines,
                export.replaced,
                export.missing,
                export.unsummed,
                export.pk,
                export.claimed_at,
            ],
        )
        row = cursor.fetchone()
    if row is None:
        return False
    export.claimed_at, export.stopped_at = row
    return True


def let_go(export: Export) -> None:
    """Leave the rest to whoever is rung next."""
    _mine(export).update(state=Export.State.WAITING)


def finish(export: Export, now: datetime) -> bool:
    """The file is whole. False when the export was given to another worker or has been stopped."""
    return _end(export, Export.State.FINISHED, now, expires_at=now + KEPT_FOR)


def fail(export: Export, message: str, now: datetime) -> bool:
    """The file will not come, and this is why."""
    return _end(export, Export.State.FAILED, now, message=message)


def end_stopped(export: Export, now: datetime) -> bool:
    """The worker has seen the stop."""
    return _end(export, Export.State.STOPPED, now)


def stop(export: Export, now: datetime) -> bool:
    """Ask for an end. What no worker holds ends here, the rest when its worker sees it. False after the end."""
    with transaction.atomic():
        under_way = Export.objects.select_for_update().filter(pk=export.pk, state__in=_UNDER_WAY)
        found = under_way.filter(stopped_at__isnull=True).first()
        if found is None:
            return False
        found.stopped_at = now
        if found.state == Export.State.WAITING:
            found.state, found.finished_at = Export.State.STOPPED, now
            ExportChunk.objects.filter(export=found).delete()
        found.save(update_fields=["stopped_at", "state", "finished_at"])
    return True


def _end(export: Export, state: Export.State, now: datetime, **more: object) -> bool:
    with transaction.atomic():
        ended = bool(_mine(export).update(state=state, finished_at=now, **more))
        if ended:
            ExportChunk.objects.filter(export=export).delete()
    return ended


def _mine(export: Export) -> QuerySet[Export]:
    return Export.objects.filter(pk=export.pk, state=Export.State.RUNNING, claimed_at=export.claimed_at)
