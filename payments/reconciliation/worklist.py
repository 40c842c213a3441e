"""The work list of a run in PostgreSQL: freezing its payments, whose turn it is, claiming, writing how it ended.

Every function is one short transaction. Leases, turns and waiting times run on the database server's clock,
since the product's may be moved in demo and tests.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from payments.deadlines import tokyo_day
from payments.models import LIVE_STATUSES, ReconciliationCase, ReconciliationRun
from payments.trade_dates import SOLD

# What has changed lately is compared every night; by then a customer's claim or a slip of ours has shown.
RECENT = timedelta(days=45)
# Older sales can still be changed at the provider, but seldom are: each is compared once a week.
ROUNDS = 7
# Longer than an inquiry with its timeouts; asking twice does no harm.
LEASE_SECONDS = 180

_FREEZE = """
    INSERT INTO payments_reconciliationcase (run_id, payment_id, state, tries)
    SELECT %(run)s, id, 'waiting', 0
    FROM payments_payment
    WHERE account_id = %(account)s AND NOT is_open AND (
        updated_at >= %(recent)s
        OR coalesce(captured_at, authorized_at, created_at) >= %(recent)s
        OR (status = ANY(%(unsold)s) AND coalesce(authorized_at, created_at) >= %(changeable)s)
        OR (status = ANY(%(sold)s) AND captured_at >= %(changeable)s
            AND (%(all)s OR id %% %(rounds)s = %(round)s))
        OR id IN (SELECT payment_id FROM payments_paymentdifference
                  WHERE account_id = %(account)s AND state = 'open' AND payment_id IS NOT NULL)
    )
    ORDER BY id
"""

_CLAIM = """
    UPDATE payments_reconciliationcase SET state = 'claimed', claimed_at = clock_timestamp()
    WHERE id = (
        SELECT id FROM payments_reconciliationcase
        WHERE run_id = %s AND state = 'waiting'
          AND (not_before IS NULL OR not_before <= clock_timestamp())
        ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
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
_TAKE_TURN = """
    UPDATE payments_reconciliationrun
    SET next_call_at = clock_timestamp() + make_interval(secs => %s)
    WHERE id = %s AND next_call_at <= clock_timestamp()
"""


def freeze(run_id: UUID, now: datetime) -> None:
    """Write the cases of a run, once: all or none of them, whoever comes first."""
    with transaction.atomic():
        run = (
            ReconciliationRun.objects.select_for_update(of=("self",)).select_related("account").get(pk=run_id)
        )
        if run.planned is not None:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                _FREEZE,
                {
                    "run": run.pk,
                    "account": run.account_id,
                    "recent": now - RECENT,
                    "changeable": now - timedelta(days=run.account.change_days + 1),
                    "unsold": sorted(LIVE_STATUSES - SOLD),
                    "sold": sorted(SOLD),
                    "all": not run.is_nightly,
                    "rounds": ROUNDS,
                    "round": tokyo_day(now).toordinal() % ROUNDS,
                },
            )
            run.planned = cursor.rowcount
        run.save(update_fields=["planned"])


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


def record(case: ReconciliationCase, state: ReconciliationCase.State) -> bool:
    """Write how a claimed case ended. False when the claim was lost to another worker: nothing is written."""
    return bool(
        ReconciliationCase.objects.filter(
            pk=case.pk, state=ReconciliationCase.State.CLAIMED, claimed_at=case.claimed_at
        ).update(state=state, claimed_at=None, not_before=None)
    )


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


def give_up_if_due(run_id: UUID) -> None:
    """End the cases of a run whose time is over: the next run takes them up."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE payments_reconciliationcase SET state = 'unanswered'"
            " WHERE run_id = %s AND state = 'waiting' AND EXISTS (SELECT 1 FROM payments_reconciliationrun"
            " WHERE id = %s AND give_up_at <= clock_timestamp())",
            [run_id, run_id],
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
        cursor.execute(
            "SELECT extract(epoch FROM greatest(run.next_call_at,"
            " min(coalesce(kase.not_before, clock_timestamp()))) - clock_timestamp())::float8"
            " FROM payments_reconciliationcase AS kase"
            " JOIN payments_reconciliationrun AS run ON run.id = kase.run_id"
            " WHERE kase.run_id = %s AND kase.state = 'waiting' GROUP BY run.next_call_at",
            [run_id],
        )
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


def finish(run_id: UUID, now: datetime) -> bool:
    """RUNNING to FINISHED once no case is open: its counts are kept, its cases go. False when it is not over."""
    with transaction.atomic():
        run = ReconciliationRun.objects.select_for_update(of=("self",)).get(pk=run_id)
        cases = ReconciliationCase.objects.filter(run=run)
        if (
            run.state != ReconciliationRun.State.RUNNING
            or run.planned is None
            or cases.filter(state__in=ReconciliationCase.OPEN_STATES).exists()
        ):
            return False
        counts = counts_of(run)
        run.equal = counts[ReconciliationCase.State.EQUAL]
        run.different = counts[ReconciliationCase.State.DIFFERENT]
        run.unanswered = counts[ReconciliationCase.State.UNANSWERED]
        run.passed_over = counts[ReconciliationCase.State.PASSED_OVER]
        run.state = ReconciliationRun.State.FINISHED
        run.finished_at = now
        run.save()
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM payments_reconciliationcase WHERE run_id = %s", [run_id])
    return True


def counts_of(run: ReconciliationRun) -> dict[ReconciliationCase.State, int]:
    """The cases of a running run per state."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state, count(*) FROM payments_reconciliationcase WHERE run_id = %s GROUP BY state",
            [run.pk],
        )
        found = dict(cursor.fetchall())
    return {state: found.get(state.value, 0) for state in ReconciliationCase.State}
