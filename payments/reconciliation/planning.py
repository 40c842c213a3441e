"""Which payments a run asks about, and in which order: the list is made window by window along the payments' key.

Each window is a short transaction that notes how far the list is made, so that a million payments hold no lock for
long, no memory at all, and whoever comes after a process that died goes on where it was. The newest come first.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max

from gateways.vocabulary import PaymentStatus
from payments.deadlines import tokyo_day
from payments.models import LIVE_STATUSES, Payment, ReconciliationCase, ReconciliationRun
from payments.trade_dates import HELD, SOLD

# What has changed lately is compared every night; by then a customer's claim or a slip of ours has shown.
RECENT = timedelta(days=45)
# Older sales can still be changed at the provider, but seldom are: each is compared once a week.
ROUNDS = 7
# What somebody works on these days is asked about before everything else: what has changed within this time, and
# holds whose last day for the capture is as near as this.
LATELY = timedelta(days=2)
NEAR_DAYS = 7
# So many payments are looked at in one transaction.
WINDOW = 10_000

# A payment's turn in the run, the lowest first. What the run before did not reach or got no answer about goes
# before what is new in the list, and after several such runs earlier still, so that nothing is left over for ever.
URGENT = 0
NEXT = 1
ORDINARY = 100

_LIST = """
    INSERT INTO payments_reconciliationcase (run_id, payment_id, state, tries, rank)
    SELECT %(run)s, id, 'waiting', 0,
           CASE WHEN is_urgent THEN %(urgent)s
                WHEN left_rank IS NOT NULL THEN greatest(%(next)s, left_rank - 1)
                ELSE %(ordinary)s END
    FROM (
        SELECT *, differs OR updated_at >= %(lately)s
               OR (status = ANY(%(held)s) AND authorized_at < %(near)s
                   AND authorized_at >= %(capturable)s) AS is_urgent
        FROM (
            SELECT payment.*, left_over.rank AS left_rank,
                   EXISTS (SELECT 1 FROM payments_paymentdifference
                           WHERE payment_id = payment.id AND state = 'open') AS differs
            FROM payments_payment AS payment
            -- LIMIT: a lookup per payment, whatever the planner believes of a table that was filled a moment ago.
            LEFT JOIN LATERAL (SELECT rank FROM payments_reconciliationcase
                               WHERE payment_id = payment.id AND run_id = %(before)s LIMIT 1) AS left_over ON true
            WHERE payment.id > %(above)s AND payment.id <= %(up_to)s
              AND payment.account_id = %(account)s AND NOT payment.is_open
        ) AS looked_at
    ) AS chosen
    WHERE updated_at >= %(recent)s
       OR coalesce(captured_at, authorized_at, created_at) >= %(recent)s
       OR (status = ANY(%(unsold)s) AND coalesce(authorized_at, created_at) >= %(changeable)s)
       OR (status = ANY(%(sold)s) AND captured_at >= %(changeable)s AND (%(all)s OR id %% %(rounds)s = %(round)s))
       OR differs OR left_rank IS NOT NULL
    ORDER BY id DESC
"""
_FORGET = """
    DELETE FROM payments_reconciliationcase WHERE id IN (
        SELECT id FROM payments_reconciliationcase WHERE run_id = %s AND state = %s LIMIT %s
    )
"""


def plan(run_id: UUID, now: datetime) -> None:
    """Make the list of a run, from where it is made already. Any number of workers may."""
    while _plan_window(run_id, now):
        pass


def _plan_window(run_id: UUID, now: datetime) -> bool:
    """One more window. False when the list is made."""
    with transaction.atomic():
        run = (
            ReconciliationRun.objects.select_for_update(of=("self",)).select_related("account").get(pk=run_id)
        )
        if run.planned is not None:
            return False
        if run.plan_from is None:
            run.plan_from = Payment.objects.aggregate(last=Max("pk"))["last"] or 0
        before = _run_before(run)
        if run.plan_from > 0:
            above = _end_of_window(run.plan_from)
            run.listed += _list_window(run, before, now, above=above)
            run.plan_from = above
        elif before is None or not _forget(before.pk):
            run.planned = run.listed
        run.save(update_fields=["plan_from", "listed", "planned"])
    return True


def _end_of_window(up_to: int) -> int:
    """The key below which the next window begins; 0 when no payment is left there. Gaps in the keys cost nothing."""
    keys = Payment.objects.filter(pk__lte=up_to).order_by("-pk").values_list("pk", flat=True)
    return next(iter(keys[WINDOW : WINDOW + 1]), 0)


def _list_window(
    run: ReconciliationRun, before: ReconciliationRun | None, now: datetime, *, above: int
) -> int:
    account = run.account
    with connection.cursor() as cursor:
        cursor.execute(
            _LIST,
            {
                "run": run.pk,
                "account": account.pk,
                "before": before.pk if before else None,
                "above": above,
                "up_to": run.plan_from,
                "urgent": URGENT,
                "next": NEXT,
                "ordinary": ORDINARY,
                "lately": now - LATELY,
                "recent": now - RECENT,
                "near": now - timedelta(days=account.capture_days - NEAR_DAYS),
                "capturable": now - timedelta(days=account.capture_days + 1),
                "changeable": now - timedelta(days=account.change_days + 1),
                "held": _values(HELD),
                "unsold": _values(LIVE_STATUSES - SOLD),
                "sold": _values(SOLD),
                "all": not run.is_nightly,
                "rounds": ROUNDS,
                "round": tokyo_day(now).toordinal() % ROUNDS,
            },
        )
        return int(cursor.rowcount)


def _run_before(run: ReconciliationRun) -> ReconciliationRun | None:
    """The account's run before this one: what it did not reach is still there."""
    others = ReconciliationRun.objects.filter(account=run.account).exclude(pk=run.pk)
    return others.order_by("-started_at").first()


def _forget(run_id: UUID) -> bool:
    """Delete some cases of a run whose rest has been taken over. False when none was left."""
    with connection.cursor() as cursor:
        for state in ReconciliationCase.State.values:  # most of them by an index of their state
            cursor.execute(_FORGET, [run_id, state, WINDOW])
            if cursor.rowcount:
                return True
    return False


def _values(statuses: frozenset[PaymentStatus]) -> list[str]:
    return sorted(status.value for status in statuses)
