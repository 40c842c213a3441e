"""差異確認: start a run, work it off, finish it (X-4).

A run is a work list in PostgreSQL. A process may die between any two statements: the case it was at is asked
about again, which moves nothing. Inquiries go at a pace of the run's own, below the account's throttle.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import IntegrityError, connection, transaction

from cagolab import clock
from gateways.outcomes import Found, NotFound
from payments import calling
from payments.actors import By
from payments.models import GatewayAccount, Operation, Payment, ReconciliationCase, ReconciliationRun
from payments.reconciliation import findings, planning, worklist
from payments.reconciliation.compare import compare
from payments.reconciliation.journal import MemoryJournal
from payments.reconciliation.worklist import End

logger = logging.getLogger(__name__)

# The night's author.
NIGHTLY = By(name="夜間処理", source=Operation.Source.NIGHTLY)
# A fifth of what the account allows, and never more than this, is left to comparing (calls per second).
SHARE = 5
MOST_PER_SECOND = 10
# Waiting times before another try (seconds); after the last one the case ends as 確認できず.
TRY_AGAIN = (60, 300)
# So many silences in a row, and nobody asks for so long (seconds).
SILENCES = 5
PAUSE_SECONDS = 300
# A run ends after this time, before the next night's begins, which asks first about what this one did not reach.
LONGEST_HOURS = 20
# A worker waits for its turn this long before it lets other tasks go first (seconds).
PATIENCE_SECONDS = 3.0


@dataclass(frozen=True, kw_only=True)
class Started:
    """This call started the run."""

    run: ReconciliationRun


@dataclass(frozen=True, kw_only=True)
class AlreadyRunning:
    """One is under way for the account; nothing was started."""

    run: ReconciliationRun


class _ClaimLost(Exception):
    """Another worker has taken the case over; what this one found is rolled back."""


def start(
    *, account: GatewayAccount, by: By, now: datetime, is_nightly: bool = False
) -> Started | AlreadyRunning:
    """Start a run for one account, unless one is running. Its list is made by the worker that comes first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT clock_timestamp(), clock_timestamp() + make_interval(hours => %s)", [LONGEST_HOURS]
        )
        server_now, give_up_at = cursor.fetchone()
    try:
        with transaction.atomic():
            run = ReconciliationRun.objects.create(
                account=account,
                is_nightly=is_nightly,
                started_by=by.user,
                started_by_name=by.name,
                ip_address=by.ip,
                started_at=now,
                next_call_at=server_now,
                give_up_at=give_up_at,
            )
    except IntegrityError:
        running = ReconciliationRun.objects.filter(account=account, state=ReconciliationRun.State.RUNNING)
        return AlreadyRunning(run=running.get())
    return Started(run=run)


def work(run_id: UUID, *, seconds: float) -> int:
    """Ask about the cases of a run until none is due or the time is over. Returns how many were asked about."""
    run = (
        ReconciliationRun.objects.select_related("account", "started_by")
        .filter(pk=run_id, state=ReconciliationRun.State.RUNNING)
        .first()
    )
    if run is None:
        return 0
    if run.planned is None:
        planning.plan(run.pk, clock.now())
    until = time.monotonic() + seconds
    done = 0
    while time.monotonic() < until:
        if worklist.is_over(run.pk):
            worklist.finish(run.pk, clock.now())
            break
        if worklist.seconds_until_turn(run.pk) > PATIENCE_SECONDS:
            break
        case = worklist.claim(run.pk)
        if case is None:
            worklist.finish(run.pk, clock.now())
            break
        if not _await_turn(run):
            worklist.release(case)
            break
        _handle(run, case)
        done += 1
    return done


def author(run: ReconciliationRun) -> By:
    """Who stands behind the inquiries of a run."""
    if run.is_nightly:
        return NIGHTLY
    return By(
        name=run.started_by_name,
        source=Operation.Source.DIFFERENCES,
        user=run.started_by,
        ip=run.ip_address,
    )


def start_night(now: datetime) -> bool:
    """Start tonight's run for every account; one that is running already is as good."""
    for account in GatewayAccount.objects.order_by("pk"):
        if can_ask(account):
            start(account=account, by=NIGHTLY, now=now, is_nightly=True)
    return True


def can_ask(account: GatewayAccount) -> bool:
    """Whether the account's credentials are in the environment."""
    return account.code in settings.GATEWAY_ACCOUNTS


def _await_turn(run: ReconciliationRun) -> bool:
    seconds_between = 1 / calls_per_second(run.account)
    while not worklist.take_turn(run.pk, seconds_between=seconds_between):
        wait = worklist.seconds_until_turn(run.pk)
        if wait > PATIENCE_SECONDS:
            return False
        time.sleep(wait)
    return True


def calls_per_second(account: GatewayAccount) -> int:
    """How many payments of the account are asked about per second, at the most."""
    return min(MOST_PER_SECOND, max(1, account.max_calls_per_second // SHARE))


def _handle(run: ReconciliationRun, case: ReconciliationCase) -> None:
    try:
        _ask(run, case)
    except _ClaimLost:
        logger.warning("reconciliation case %s was taken over by another worker", case.pk)
    except DatabaseError:
        raise  # nothing can be written now; the lease brings the case back
    except Exception:
        # One bad case must not stop the others.
        logger.exception("reconciliation case %s of run %s broke", case.pk, run.pk)
        worklist.record(case, End.UNANSWERED)


def _ask(run: ReconciliationRun, case: ReconciliationCase) -> None:
    payment = Payment.objects.select_related("account").get(pk=case.payment_id)
    if payment.is_open:
        worklist.record(case, End.PASSED_OVER)
        return
    journal = MemoryJournal()
    answer = calling.ask_noting(payment, journal)
    if not isinstance(answer, Found | NotFound):
        worklist.failed(run.pk, most=SILENCES, pause_seconds=PAUSE_SECONDS)
        _later(case, End.UNANSWERED)
        return
    worklist.answered(run.pk)
    if isinstance(answer, Found) and answer.trade.status is None:
        _later(case, End.UNANSWERED)  # the provider is at work on it
        return
    if not _write(run, case, payment, answer, journal):
        _later(case, End.PASSED_OVER)


def _write(
    run: ReconciliationRun,
    case: ReconciliationCase,
    asked: Payment,
    answer: Found | NotFound,
    journal: MemoryJournal,
) -> bool:
    """Compare and keep what differs. False when our record has changed since the provider was asked."""
    now = clock.now()
    with transaction.atomic():
        payment = (
            Payment.objects.select_for_update(of=("self",))
            .select_related("order", "account")
            .get(pk=asked.pk)
        )
        if payment.is_open or payment.updated_at != asked.updated_at:
            return False
        found = compare(findings.ours(payment), answer)
        findings.keep(payment, found, journal=journal, by=author(run), now=now)
        if not worklist.record(case, End.DIFFERENT if found else End.EQUAL):
            raise _ClaimLost
    return True


def _later(case: ReconciliationCase, end: End) -> None:
    if case.tries < len(TRY_AGAIN):
        worklist.put_back(case, seconds=TRY_AGAIN[case.tries])
    else:
        worklist.record(case, end)
