"""The work list in PostgreSQL: claiming rows, writing how they ended, stopping, finishing.

Every function is one short transaction. Leases and waiting times run on the database server's clock, since
the product's may be moved in demo and tests.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from uuid import UUID

from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.db.models import QuerySet

from orders.bulk.models import BulkItem, BulkRun

# A claim older than this belongs to a worker that died. Longer than any call with its read timeout, so that a
# slow provider seldom looks like a dead worker; where it does, the same key asks again and sends nothing.
LEASE_SECONDS = 180

# First half of the advisory locks' keys; the second is the run's seat. A permanent registry (7301: an operation
# that is resumed): never reuse one.
_SEATS = 7302

# MATERIALIZED: as a plain subquery the planner may look it up once per row of a small table, and each time it locks
# the next row: more would be claimed than the caller knows of.
_CLAIM_WAITING = """
    WITH due AS MATERIALIZED (
        SELECT item.id
        FROM orders_bulkitem AS item
        JOIN orders_bulkrun AS run ON run.id = item.run_id AND run.state = 'running'
        WHERE item.run_id = %s AND item.state = 'ready'
          AND (item.not_before IS NULL OR item.not_before <= clock_timestamp())
        ORDER BY item.id
        LIMIT %s
        FOR UPDATE OF item SKIP LOCKED
    )
    UPDATE orders_bulkitem SET state = 'claimed', claimed_at = clock_timestamp()
    FROM due
    WHERE orders_bulkitem.id = due.id
    RETURNING orders_bulkitem.*
"""

_RECORD = """
    UPDATE orders_bulkitem AS item
    SET state = ended.state, message = ended.message, finished_at = %s, claimed_at = NULL, not_before = NULL
    FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[], %s::text[])
         AS ended (id, claimed_at, state, message)
    WHERE item.id = ended.id AND item.state = 'claimed' AND item.claimed_at = ended.claimed_at
    RETURNING item.id
"""

_SETTLE_UNKNOWN = """
    UPDATE orders_bulkitem AS item
    SET state = known.state, message = known.message, finished_at = %s
    FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS known (id, state, message)
    WHERE item.id = known.id AND item.state = 'unknown'
"""

_CLAIM_ABANDONED = """
    UPDATE orders_bulkitem SET claimed_at = clock_timestamp()
    WHERE id = (
        SELECT id
        FROM orders_bulkitem
        WHERE run_id = %s AND state = 'claimed'
          AND claimed_at < clock_timestamp() - make_interval(secs => %s)
        ORDER BY id
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    RETURNING *
"""


def claim(run_id: UUID) -> BulkItem | None:
    """Take the next waiting row of a running run for this worker, or None when none is due.

    SKIP LOCKED keeps workers out of each other's way; `claimed_at` is the claim's token, see `record`.
    """
    return next(iter(claim_some(run_id, 1)), None)


def claim_some(run_id: UUID, most: int) -> list[BulkItem]:
    """As `claim` for up to `most` rows, the longest waiting first."""
    return sorted(BulkItem.objects.raw(_CLAIM_WAITING, [run_id, most]), key=lambda item: item.pk)


def claim_abandoned(run_id: UUID) -> BulkItem | None:
    """Take over a row whose worker died, with its key unchanged; also in a stopped run, since it may be sent."""
    return next(iter(BulkItem.objects.raw(_CLAIM_ABANDONED, [run_id, LEASE_SECONDS])), None)


def record(item: BulkItem, *, state: BulkItem.State, message: str, now: datetime) -> bool:
    """Write how a claimed row ended. False when the claim was lost to another worker: then nothing is written."""
    return bool(
        _mine(item).update(
            state=state, message=message[:400], finished_at=now, claimed_at=None, not_before=None
        )
    )


def record_many(ended: Sequence[tuple[BulkItem, BulkItem.State, str]], *, now: datetime) -> set[int]:
    """As `record` for many rows in one statement; the ids of those that were written."""
    if not ended:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            _RECORD,
            [
                now,
                [item.pk for item, _, _ in ended],
                [item.claimed_at for item, _, _ in ended],
                [state.value for _, state, _ in ended],
                [message[:400] for _, _, message in ended],
            ],
        )
        return {row[0] for row in cursor.fetchall()}


def put_back(item: BulkItem, *, wait_seconds: int, message: str, now: datetime) -> bool:
    """Let a row that was not sent wait for its next try, under a new key; in a stopped run it is stopped."""
    with transaction.atomic():
        run = BulkRun.objects.select_for_update(of=("self",), no_key=True).get(pk=item.run_id)
        if run.stopped_at is not None:
            return record(item, state=BulkItem.State.STOPPED, message=message, now=now)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE orders_bulkitem SET state = 'ready', tries = tries + 1, claimed_at = NULL, message = %s,"
                " not_before = clock_timestamp() + make_interval(secs => %s)"
                " WHERE id = %s AND state = 'claimed' AND claimed_at = %s",
                [message[:400], wait_seconds, item.pk, item.claimed_at],
            )
            return bool(cursor.rowcount)


def settle_unknown(results: Mapping[int, tuple[BulkItem.State, str]], now: datetime) -> int:
    """Move rows that were being confirmed to what has turned out, by row id. Returns how many moved."""
    with connection.cursor() as cursor:
        cursor.execute(
            _SETTLE_UNKNOWN,
            [
                now,
                sorted(results),
                [results[item_id][0].value for item_id in sorted(results)],
                [results[item_id][1][:400] for item_id in sorted(results)],
            ],
        )
        return int(cursor.rowcount)


def start(run: BulkRun, *, follow: bool, now: datetime) -> bool:
    """PREVIEW to RUNNING, once. False when it was started before."""
    return bool(
        BulkRun.objects.filter(pk=run.pk, state=BulkRun.State.PREVIEW, taken__gt=0).update(
            state=BulkRun.State.RUNNING, started_at=now, follow=follow
        )
    )


def stop(
    run: BulkRun, *, by_name: str, now: datetime, message: str = "中止されたため、実行していません。"
) -> bool:
    """Stop a running run: rows that nobody has claimed end as 中止 with the message, claimed ones by themselves.

    An empty name says that it stopped by itself.
    """
    with transaction.atomic():
        stopped = BulkRun.objects.filter(
            pk=run.pk, state=BulkRun.State.RUNNING, stopped_at__isnull=True
        ).update(stopped_at=now, stopped_by_name=by_name)
        if stopped:
            BulkItem.objects.filter(run=run, state=BulkItem.State.READY).update(
                state=BulkItem.State.STOPPED,
                message=message,
                finished_at=now,
            )
    finish(run.pk, now)
    return bool(stopped)


def unfinished(run_id: UUID, *, at_most: int) -> int:
    """How many rows wait or are being executed; counted no further than asked."""
    rows = BulkItem.objects.filter(run_id=run_id, state__in=(BulkItem.State.READY, BulkItem.State.CLAIMED))
    return rows[:at_most].count()


def finish(run_id: UUID, now: datetime) -> bool:
    """RUNNING to FINISHED once no row waits or is being executed. Rows in UNKNOWN may still be confirmed."""
    if unfinished(run_id, at_most=1):
        return False
    return bool(
        BulkRun.objects.filter(pk=run_id, state=BulkRun.State.RUNNING).update(
            state=BulkRun.State.FINISHED, finished_at=now
        )
    )


@contextmanager
def seat(run_id: UUID, seats: int) -> Iterator[bool]:
    """One of the run's seats for as long as the block lasts; False when others sit on all of them.

    A session's advisory lock: it is free again in the moment in which the worker that sat on it dies.
    """
    keys = [zlib.crc32(f"{run_id}:{number}".encode()) - 2**31 for number in range(seats)]
    taken = next((key for key in keys if _advisory("pg_try_advisory_lock", key)), None)
    try:
        yield taken is not None
    finally:
        if taken is not None:
            with suppress(DatabaseError):  # a lost connection has given the seat back already
                _advisory("pg_advisory_unlock", taken)


def _advisory(function: str, key: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s, %s)", [_SEATS, key])
        row = cursor.fetchone()
    return bool(row and row[0])


def is_stopped(run_id: UUID) -> bool:
    """Whether somebody has pulled the brake."""
    return BulkRun.objects.filter(pk=run_id, stopped_at__isnull=False).exists()


def seconds_until_due(run_id: UUID) -> float | None:
    """How long until a waiting row is due, 0 when one is already; None when no row waits."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM min(coalesce(not_before, clock_timestamp())) - clock_timestamp())::float8"
            " FROM orders_bulkitem WHERE run_id = %s AND state = 'ready'",
            [run_id],
        )
        row = cursor.fetchone()
    return max(0.0, row[0]) if row and row[0] is not None else None


def _mine(item: BulkItem) -> QuerySet[BulkItem]:
    return BulkItem.objects.filter(pk=item.pk, state=BulkItem.State.CLAIMED, claimed_at=item.claimed_at)
