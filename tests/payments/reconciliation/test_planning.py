"""The list of a run: who comes first, what a short night leaves to the next, and what making it costs."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cagolab import clock
from gateways.vocabulary import PaymentStatus as S
from payments.models import GatewayAccount, Payment, PaymentDifference, ReconciliationCase
from payments.models import ReconciliationRun as Run
from payments.reconciliation import planning, standing, worklist
from payments.reconciliation import run as runs
from tests.bulk.shop import in_threads
from tests.screens.payment_shop import make_payment

pytestmark = pytest.mark.django_db


def started(account: GatewayAccount, *, is_nightly: bool = True) -> Run:
    result = runs.start(account=account, by=runs.NIGHTLY, now=clock.now(), is_nightly=is_nightly)
    assert isinstance(result, runs.Started)
    return result.run


def planned(account: GatewayAccount, **more: Any) -> Run:
    run = started(account, **more)
    planning.plan(run.pk, clock.now())
    run.refresh_from_db()
    return run


def quiet(status: S = S.SALES, *, days: int = 10, **fields: Any) -> Payment:
    """A payment that nobody has touched for some days."""
    payment = make_payment(status)
    then = clock.now() - timedelta(days=days)
    times = {"authorized_at": then, "created_at": then, "updated_at": then}
    captured = {"captured_at": then} if status in (S.SALES, S.CAPTURE) else {}
    Payment.objects.filter(pk=payment.pk).update(**(times | captured | fields))
    payment.refresh_from_db()
    return payment


def order_of_turns(run: Run) -> list[int]:
    """The payments as workers come to them."""
    turns = []
    while case := worklist.claim(run.pk):
        turns.append(case.payment_id)
    return turns


def end_early(run: Run, *, asked: int) -> None:
    """Let the run's time be over when so many payments have been asked about."""
    for _ in range(asked):
        case = worklist.claim(run.pk)
        assert case is not None
        assert worklist.record(case, worklist.End.EQUAL)
    Run.objects.filter(pk=run.pk).update(give_up_at=run.started_at - timedelta(days=400))
    assert worklist.finish(run.pk, clock.now())
    run.refresh_from_db()


def test_what_somebody_works_on_comes_first_and_the_newest_of_the_rest_next() -> None:
    older, newer = quiet(), quiet()
    differing = quiet()
    PaymentDifference.objects.create(
        account=differing.account,
        payment=differing,
        provider_order_id=differing.provider_order_id,
        kind="status",
        first_seen_at=clock.now(),
        last_seen_at=clock.now(),
    )
    capture_days = older.account.capture_days
    near_its_deadline = quiet(S.AUTH, days=capture_days - 2)
    far_from_it, past_it = quiet(S.AUTH, days=2 + 1), quiet(S.AUTH, days=capture_days + 2)
    changed_lately = quiet(updated_at=clock.now() - timedelta(hours=20))
    turns = order_of_turns(planned(older.account))
    assert turns[:3] == [changed_lately.pk, near_its_deadline.pk, differing.pk]
    assert turns[3:] == [past_it.pk, far_from_it.pk, newer.pk, older.pk]


def test_what_was_not_reached_tonight_is_reached_first_tomorrow() -> None:
    account = quiet().account
    others = [quiet() for _ in range(4)]
    first = planned(account)
    end_early(first, asked=2)
    assert (first.planned, first.done, first.left_over) == (5, 2, 3)
    left = set(ReconciliationCase.objects.values_list("payment_id", flat=True))
    urgent = quiet(updated_at=clock.now())
    turns = order_of_turns(planned(account))
    assert turns[0] == urgent.pk
    assert set(turns[1:4]) == left
    assert set(turns[4:]) == {others[3].pk, others[2].pk}
    assert not ReconciliationCase.objects.filter(run=first).exists()


def test_nothing_is_left_over_for_ever() -> None:
    account = quiet().account
    for _ in range(5):
        quiet()
    asked: set[int] = set()
    for _night in range(3):
        run = planned(account)
        before = set(ReconciliationCase.objects.filter(run=run).values_list("payment_id", flat=True))
        end_early(run, asked=2)
        asked |= before - set(ReconciliationCase.objects.filter(run=run).values_list("payment_id", flat=True))
    assert len(asked) == 6


def test_an_old_sale_that_was_left_over_does_not_wait_for_its_next_week() -> None:
    payment = quiet(days=100)
    run = planned(payment.account, is_nightly=False)
    end_early(run, asked=0)
    for _night in range(3):
        run = planned(payment.account)
        assert run.planned == 1
        end_early(run, asked=0)


def test_a_list_that_a_dead_process_began_is_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "WINDOW", 2)
    payments = [quiet() for _ in range(9)]
    run = started(payments[0].account)
    for _ in range(2):
        assert planning._plan_window(run.pk, clock.now())
    run.refresh_from_db()
    assert run.planned is None
    assert run.listed == 4
    planning.plan(run.pk, clock.now())
    run.refresh_from_db()
    assert run.planned == 9
    assert order_of_turns(run) == [payment.pk for payment in reversed(payments)]


@pytest.mark.django_db(transaction=True)
def test_two_workers_list_each_payment_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "WINDOW", 1)
    payments = [quiet() for _ in range(8)]
    run = started(payments[0].account)
    in_threads(2, lambda: planning.plan(run.pk, clock.now()))
    run.refresh_from_db()
    assert run.planned == ReconciliationCase.objects.filter(run=run).count() == 8


@pytest.mark.parametrize("others", [20, 60])
def test_a_window_takes_the_same_statements_whatever_is_in_it(others: int) -> None:
    account = quiet().account
    _copy(Payment.objects.get(), others)
    with CaptureQueriesContext(connection) as captured:
        run = planned(account)
    assert run.planned == others + 1
    inserts = [
        query["sql"] for query in captured if "INSERT INTO payments_reconciliationcase" in query["sql"]
    ]
    assert len(inserts) == 1
    # Two windows' worth: one with the payments, one that says that the list is made, and what `started` asks.
    assert len(captured) <= 22, [query["sql"][:90] for query in captured]


def test_a_window_is_found_by_key_among_all_payments() -> None:
    account = quiet(days=300).account
    _copy(Payment.objects.get(), 30_000)
    run = started(account)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE payments_payment")
    with CaptureQueriesContext(connection) as captured:
        assert planning._plan_window(run.pk, clock.now())
    insert = next(query["sql"] for query in captured if "INSERT INTO payments_reconcil" in query["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {insert}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "payments_payment_pkey" in plan, plan
    # Not payments_paymentdifference, which is short and is read whole.
    assert not re.search(r"Seq Scan on payments_payment\b", plan), plan
    assert "Seq Scan on payments_reconciliationcase" not in plan, plan


def test_the_screen_says_how_long_it_takes_and_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    run = started(quiet().account)
    Run.objects.filter(pk=run.pk).update(planned=300_000, equal=12_000)

    def shown() -> standing.Standing:
        return next(each for each in standing.of_accounts() if each.run is not None)

    assert shown().per_second == 10
    assert shown().time_left == "約8時間"
    assert not shown().goes_beyond_its_time
    GatewayAccount.objects.filter(pk=run.account_id).update(max_calls_per_second=10)
    assert shown().time_left == "約40時間"
    assert shown().goes_beyond_its_time
    Run.objects.filter(pk=run.pk).update(planned=400)
    Run.objects.filter(pk=run.pk).update(equal=300)
    assert shown().time_left == "1分ほど"


def _copy(payment: Payment, copies: int) -> None:
    """More payments like this one, of the same order and no longer live."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO payments_payment SELECT (json_populate_record(p, json_build_object('id', p.id + g,"
            " 'provider_order_id', 'copy-' || g, 'attempt', 1 + g, 'status', 'VOID'))).*"
            " FROM payments_payment AS p, generate_series(1, %s) AS g WHERE p.id = %s",
            [copies, payment.pk],
        )
