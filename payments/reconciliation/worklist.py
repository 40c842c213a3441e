"""The work list of a run in PostgreSQL: whose turn it is, claiming, counting how a case ended.

A case that has ended is counted by its run and goes; what a run did not reach, and what the provider did not answer
about, stays for the next one. Every function
is one short transaction. Leases, turns and waiting times run on the database server's clock, since the product's may
be moved in demo and tests.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from payments.models import ReconciliationCase, ReconciliationRun

# Longer than an inquiry with its timeouts; asking twice does no harm.
LEASE_SECONDS = 180

_CLAIM = """
    UPDATE payments_reconciliationcase SET state = 'claimed', claimed_at = clock_timestamp()
    WHERE id = (
        SELECT id FROM payments_reconciliationcase
        WHERE run_id = %s AND state = 'waiting'
          AND (not_before IS NULL OR not_before <= clock_timestamp())
        ORDER BY rank, id LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING *
"""
_CLAIM_ABANDONED = """
    UPDATE payments_reconciliationcase SET claimed_at = clock_timestamp()
    WHERE id = (
        SELECT id FROM payments_reconciliationcase
        WHERE run_id = %s AND state = 'claimed'
          AND claimed_at < clock_timestamp() - make_interval(secs => %s)
        ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING *
"""
_DUE = """
    SELECT extract(epoch FROM greatest(run.next_call_at, CASE
        WHEN EXISTS (SELECT 1 FROM payments_reconciliationcase
                     WHERE run_id = run.id AND state = 'waiting' AND not_before IS NULL) THEN clock_timestamp()
        ELSE (SELECT min(not_before) FROM payments_reconciliationcase
              WHERE run_id = run.id AND state = 'waiting') END) - clock_timestamp())::float8
    FROM payments_reconciliationrun AS run
    WHERE run.id = %s AND EXISTS (SELECT 1 FROM payments_reconciliationcase
                                  WHERE run_id = run.id AND state = 'waiting')
"""
_TAKE_TURN = """
    UPDATE payments_reconciliationrun
    SET next_call_at = clock_timestamp() + make_interval(secs => %s)
    WHERE id = %s AND next_call_at <= clock_timestamp()
"""


class End(StrEnum):
    """How a case ended: the column of its run that counts it."""

    EQUAL = "equal"
    DIFFERENT = "different"
    UNANSWERED = "unanswered"
    PASSED_OVER = "passed_over"


def claim(run_id: UUID) -> ReconciliationCase | None:
    """Take the next case for this worker, also one whose worker died; None when none is due."""
    for case in ReconciliationCase.objects.raw(_CLAIM, [run_id]):
        return case
    for case in ReconciliationCase.objects.raw(_CLAIM_ABANDONED, [run_id, LEASE_SECONDS]):
        return case
    return None


def take_turn(run_id: UUID, *, seconds_between: float) -> bool:
    """Whether the run's next inquiry may go now; if so, the one after it waits `seconds_between`."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_TURN, [seconds_between, run_id])
        return bool(cursor.rowcount)


def record(case: ReconciliationCase, end: End) -> bool:
    """Count how a claimed case ended; it goes, or stays for the next run where nobody answered. False when the claim
    was lost to another worker: nothing is written."""
    with transaction.atomic():
        mine = ReconciliationCase.objects.filter(
            pk=case.pk, state=ReconciliationCase.State.CLAIMED, claimed_at=case.claimed_at
        )
        stays = {"state": ReconciliationCase.State.UNANSWERED, "claimed_at": None}
        if not (mine.update(**stays) if end is End.UNANSWERED else mine.delete()[0]):
            return False
        running = ReconciliationRun.objects.filter(pk=case.run_id, state=ReconciliationRun.State.RUNNING)
        running.update(**{end.value: F(end.value) + 1})
    return True


def release(case: ReconciliationCase) -> None:
    """Give a claimed case back untouched: its turn did not come."""
    ReconciliationCase.objects.filter(
        pk=case.pk, state=ReconciliationCase.State.CLAIMED, claimed_at=case.claimed_at
    ).update(state=ReconciliationCase.State.WAITING, claimed_at=None)


def put_back(case: ReconciliationCase, *, seconds: float) -> None:
    """Let a case wait for its next try."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE payments_reconciliationcase SET state = 'waiting', tries = tries + 1, claimed_at = NULL,"
            " not_before = clock_timestamp() + make_interval(secs => %s)"
            " WHERE id = %s AND state = 'claimed' AND claimed_at = %s",
            [seconds, case.pk, case.claimed_at],
        )


def answered(run_id: UUID) -> None:
    """The provider answers: forget the failures before."""
    ReconciliationRun.objects.filter(pk=run_id, failures_in_a_row__gt=0).update(failures_in_a_row=0)


def failed(run_id: UUID, *, most: int, pause_seconds: int) -> None:
    """The provider did not answer. After `most` times in a row nobody asks for a while."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE payments_reconciliationrun SET"
            " failures_in_a_row = CASE WHEN failures_in_a_row + 1 >= %s THEN 0 ELSE failures_in_a_row + 1 END,"
            " next_call_at = CASE WHEN failures_in_a_row + 1 >= %s"
            " THEN clock_timestamp() + make_interval(secs => %s) ELSE next_call_at END WHERE id = %s",
            [most, most, pause_seconds, run_id],
        )


def active_workers(run_id: UUID) -> int:
    """How many cases are being asked about under a lease that still holds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM payments_reconciliationcase WHERE run_id = %s AND state = 'claimed'"
            " AND claimed_at >= clock_timestamp() - make_interval(secs => %s)",
            [run_id, LEASE_SECONDS],
        )
        return int(cursor.fetchone()[0])


def seconds_until_due(run_id: UUID) -> float | None:
    """How long until a case may be asked about, 0 when now; None when no case waits."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [run_id])
        row = cursor.fetchone()
    return max(0.0, float(row[0])) if row else None


def seconds_until_turn(run_id: UUID) -> float:
    """How long until the run's next inquiry may go."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM next_call_at - clock_timestamp())::float8"
            " FROM payments_reconciliationrun WHERE id = %s",
            [run_id],
        )
        return max(0.0, float(cursor.fetchone()[0]))


def is_over(run_id: UUID) -> bool:
    """Whether the run's time is over: what it has not reached is left to the next one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT give_up_at <= clock_timestamp() FROM payments_reconciliationrun WHERE id = %s", [run_id]
        )
        return bool(cursor.fetchone()[0])


def finish(run_id: UUID, now: datetime) -> bool:
    """RUNNING to FINISHED once no case is left, or the time is over. False when it goes on."""
    with transaction.atomic():
        run = ReconciliationRun.objects.select_for_update(of=("self",)).get(pk=run_id)
        if run.state != ReconciliationRun.State.RUNNING or run.planned is None:
            return False
        if _has_more(run_id) and not is_over(run_id):
            return False
        run.left_over = run.planned - run.done
        run.state = ReconciliationRun.State.FINISHED
        run.finished_at = now
        run.save(update_fields=["left_over", "state", "finished_at"])
    return True


def _has_more(run_id: UUID) -> bool:
    """Whether cases wait or are being asked about; each state has an index of its own."""
    cases = ReconciliationCase.objects.filter(run=run_id)
    return any(cases.filter(state=state).exists() for state in ReconciliationCase.OPEN_STATES)
