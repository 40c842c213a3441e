"""The work list of 決済処理中の注文の取消 in PostgreSQL: freezing, claiming, writing down, finishing.

Every function is one short transaction. Leases run on the database server's clock, since the product's may be
moved in demo and tests.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from orders.models import Order
from orders.statuses import OrderStatus
from payments.models import StaleCase, StaleRun
from payments.nightly import rules

# A claim older than this belongs to a worker that died; longer than asking about and cancelling one payment.
LEASE_SECONDS = 400

_FREEZE = """
    INSERT INTO payments_stalecase (run_id, order_id, state, tries, message)
    SELECT %s, given_up.order_id, 'waiting', 0, ''
    FROM ({given_up}) AS given_up (order_id, ordered_at)
"""

_CLAIM = """
    UPDATE payments_stalecase SET state = 'claimed', claimed_at = clock_timestamp()
    WHERE id = (
        SELECT id
        FROM payments_stalecase
        WHERE run_id = %s
          AND (
            (state = 'waiting' AND (not_before IS NULL OR not_before <= clock_timestamp()))
            OR (state = 'claimed' AND claimed_at < clock_timestamp() - make_interval(secs => %s))
          )
        ORDER BY id
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    RETURNING *
"""

_PUT_BACK = """
    UPDATE payments_stalecase
    SET state = 'waiting', tries = tries + 1, claimed_at = NULL, message = %s,
        not_before = clock_timestamp() + make_interval(secs => %s)
    WHERE id = %s AND state = 'claimed' AND claimed_at = %s
"""

_SECONDS_UNTIL_DUE = """
    SELECT greatest(0, extract(epoch FROM min(
        CASE state WHEN 'waiting' THEN coalesce(not_before, clock_timestamp())
                   ELSE claimed_at + make_interval(secs => %s) END
    ) - clock_timestamp()))
    FROM payments_stalecase WHERE run_id = %s AND state IN ('waiting', 'claimed')
"""


def stale_by_status(now: datetime, *, pending_days: int, cart_days: int) -> tuple[QuerySet[Order], ...]:
    """Orders that were given up: 決済処理中, and 購入処理中, each older than its days."""
    return (
        Order.objects.filter(
            status=OrderStatus.PENDING, ordered_at__lt=rules.given_up_before(now, pending_days)
        ),
        Order.objects.filter(
            status=OrderStatus.PROCESSING, ordered_at__lt=rules.given_up_before(now, cart_days)
        ),
    )


def freeze(run: StaleRun, until: datetime) -> int:
    """Write a case for every order that was given up at `until`, oldest first. Returns how many."""
    given_up = stale_by_status(until, pending_days=run.pending_days, cart_days=run.cart_days)
    rows = [each.values("pk", "ordered_at") for each in given_up]
    sql, parameters = rows[0].union(*rows[1:], all=True).order_by("ordered_at", "pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_FREEZE.replace("{given_up}", sql), [run.pk, *parameters])
        return int(cursor.rowcount)


def claim(run_id: UUID) -> StaleCase | None:
    """Take the next case that is due, or one whose worker died. `claimed_at` is the claim's token."""
    return next(iter(StaleCase.objects.raw(_CLAIM, [run_id, LEASE_SECONDS])), None)


def record(case: StaleCase, *, state: StaleCase.State, message: str, now: datetime) -> bool:
    """Write how a claimed case ended. False when the claim was lost to another worker: nothing is written."""
    return bool(
        _mine(case).update(
            state=state, message=message[:400], finished_at=now, claimed_at=None, not_before=None
        )
    )


def put_back(case: StaleCase, *, seconds: int, message: str) -> bool:
    """Let a claimed case wait for its next try, under a new key."""
    with connection.cursor() as cursor:
        cursor.execute(_PUT_BACK, [message[:400], seconds, case.pk, case.claimed_at])
        return bool(cursor.rowcount)


def seconds_until_due(run_id: UUID) -> float | None:
    """How long until a case of the run is due; None when none is left."""
    with connection.cursor() as cursor:
        cursor.execute(_SECONDS_UNTIL_DUE, [LEASE_SECONDS, run_id])
        (seconds,) = cursor.fetchone()
    return None if seconds is None else float(seconds)


def active_workers(run_id: UUID) -> int:
    """How many cases of the run are being worked on under a lease that still holds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM payments_stalecase WHERE run_id = %s AND state = 'claimed'"
            " AND claimed_at >= clock_timestamp() - make_interval(secs => %s)",
            [run_id, LEASE_SECONDS],
        )
        return int(cursor.fetchone()[0])


def has_open_cases(run: StaleRun) -> bool:
    """Whether anything of the run is still to be done."""
    return _open(run).exists()


def _open(run: StaleRun) -> QuerySet[StaleCase]:
    return StaleCase.objects.filter(run=run, state__in=(StaleCase.State.WAITING, StaleCase.State.CLAIMED))


def _mine(case: StaleCase) -> QuerySet[StaleCase]:
    return StaleCase.objects.filter(pk=case.pk, state=StaleCase.State.CLAIMED, claimed_at=case.claimed_at)
