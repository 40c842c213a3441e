"""Runs against the real sandbox: what somebody did behind our back is found, once, whatever happens to the run."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections

from cagolab import clock
from gateways.vocabulary import Action
from gateways.vocabulary import PaymentStatus as S
from orders.models import Order
from orders.statuses import OrderStatus
from payments import calling
from payments.actors import By
from payments.models import (
    Call,
    GatewayAccount,
    NightlyJob,
    Operation,
    Payment,
    PaymentDifference,
    ReconciliationCase,
    ReconciliationRun,
)
from payments.nightly import schedule
from payments.reconciliation import bells, findings, planning, worklist
from payments.reconciliation import run as runs
from tests.dying import dying
from tests.gateway_world import World

K = PaymentDifference.Kind
State = PaymentDifference.State
BY = By(name="会計 花子", source=Operation.Source.DIFFERENCES)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting between tries."""
    monkeypatch.setattr(runs, "TRY_AGAIN", (0, 0))
    monkeypatch.setattr(runs, "MOST_PER_SECOND", 200)
    monkeypatch.setattr(runs, "SHARE", 1)


def started(world: World, **more: Any) -> ReconciliationRun:
    result = runs.start(account=world.account, by=BY, now=clock.now(), **more)
    assert isinstance(result, runs.Started)
    return result.run


def run_through(world: World, **more: Any) -> ReconciliationRun:
    run = started(world, **more)
    runs.work(run.pk, seconds=30)
    run.refresh_from_db()
    assert run.state == ReconciliationRun.State.FINISHED
    return run


def counts(run: ReconciliationRun) -> tuple[int | None, int, int, int, int]:
    return (run.planned, run.equal, run.different, run.unanswered, run.passed_over)


def open_kinds(payment: Payment) -> set[str]:
    return set(
        PaymentDifference.objects.filter(payment=payment, state=State.OPEN).values_list("kind", flat=True)
    )


def test_nothing_differs_and_nothing_is_written_but_the_counts(world: World) -> None:
    held, sold = world.held(), world.held()
    world.done(sold, Action.CAPTURE)
    before = (Operation.objects.count(), Call.objects.count())
    run = run_through(world)
    assert counts(run) == (2, 2, 0, 0, 0)
    assert (Operation.objects.count(), Call.objects.count()) == before
    assert ReconciliationCase.objects.count() == 0
    assert Payment.objects.get(pk=held.pk).status == S.AUTH


@pytest.mark.parametrize(
    ("wish", "expected", "their_status", "their_amount"),
    [
        ({"action": "SALES"}, {K.STATUS}, "SALES", 3200),
        ({"action": "VOID"}, {K.STATUS}, "VOID", 3200),
        ({"action": "CHANGE", "amount": 2700}, {K.AMOUNT}, "AUTH", 2700),
        ({"status": "SALES", "amount": 100}, {K.STATUS, K.AMOUNT}, "SALES", 100),
    ],
)
def test_what_was_done_behind_our_back_is_found_with_both_sides(
    world: World, wish: dict[str, Any], expected: set[str], their_status: str, their_amount: int
) -> None:
    payment = world.held()
    world.sandbox.admin(order=payment.provider_order_id, **wish)
    run = run_through(world)
    assert counts(run) == (1, 0, 1, 0, 0)
    assert open_kinds(payment) == expected
    row = PaymentDifference.objects.filter(payment=payment).first()
    assert row is not None
    assert (row.our_status, row.our_amount) == ("AUTH", 3200)
    assert (row.their_status, row.their_amount) == (their_status, their_amount)
    assert row.seen_by is not None
    assert row.seen_by.actor_name == "会計 花子"
    assert [call.name for call in row.seen_by.calls.all()] == ["SearchTrade"]
    payment.refresh_from_db()
    assert (payment.status, payment.amount) == (S.AUTH, 3200), "finding out changes nothing"


def test_a_hold_made_again_on_another_day_differs_by_its_date(world: World) -> None:
    world.at("2026-11-20 10:00:00")
    payment = world.held()
    world.at("2026-11-22 10:00:00")
    world.sandbox.admin(order=payment.provider_order_id, action="RETURN")
    world.sandbox.admin(order=payment.provider_order_id, action="AUTH")
    run_through(world)
    assert open_kinds(payment) == {K.DATE}


def test_money_against_the_order_is_found(world: World) -> None:
    cancelled, shipped = world.held(), world.held()
    Order.objects.filter(pk=cancelled.order_id).update(status=OrderStatus.CANCELLED)
    Order.objects.filter(pk=shipped.order_id).update(status=OrderStatus.SHIPPED)
    run_through(world)
    assert open_kinds(cancelled) == {K.CANCELLED_CHARGED}
    assert open_kinds(shipped) == {K.SHIPPED_NOT_CAPTURED}
    world.done(shipped, Action.CAPTURE)
    run_through(world)
    assert open_kinds(shipped) == set()


def test_a_trade_that_is_not_there_is_found(world: World) -> None:
    payment = world.held()
    Payment.objects.filter(pk=payment.pk).update(provider_order_id="nowhere-1")
    run_through(world)
    assert open_kinds(payment) == {K.MISSING}


def test_seen_again_it_is_the_same_row_and_gone_it_closes_by_itself(world: World) -> None:
    payment = world.held()
    world.sandbox.admin(order=payment.provider_order_id, status="SALES")
    run_through(world)
    first = PaymentDifference.objects.get(payment=payment)
    world.later(seconds=60)
    run_through(world)
    again = PaymentDifference.objects.get(payment=payment)
    assert (again.pk, again.first_seen_at) == (first.pk, first.first_seen_at)
    assert again.last_seen_at > first.last_seen_at
    assert Operation.objects.filter(payment=payment, action="inquire").count() == 1
    world.sandbox.admin(order=payment.provider_order_id, status="AUTH")
    run_through(world)
    again.refresh_from_db()
    assert (again.state, again.closed_by_name) == (State.GONE, "差異確認")


def test_what_a_person_has_dealt_with_does_not_come_back_until_it_says_something_else(world: World) -> None:
    payment = world.held()
    world.sandbox.admin(order=payment.provider_order_id, status="SALES")
    run_through(world)
    row = PaymentDifference.objects.get(payment=payment)
    PaymentDifference.objects.filter(pk=row.pk).update(
        state=State.HANDLED, closed_at=clock.now(), closed_by_name="会計 花子", reason="電話で確認済み"
    )
    run_through(world)
    assert open_kinds(payment) == set()
    world.sandbox.admin(order=payment.provider_order_id, status="RETURN")
    run_through(world)
    assert open_kinds(payment) == {K.STATUS}


def test_open_payments_are_left_alone(world: World) -> None:
    unconfirmed, busy_later = world.held(), world.held()
    world.sandbox.post_fault(call="AlterTran", kind="lost_answer", times=1)
    world.done(unconfirmed, Action.CAPTURE)
    run = started(world)
    planning.plan(run.pk, clock.now())
    Payment.objects.filter(pk=busy_later.pk).update(is_open=True)
    runs.work(run.pk, seconds=30)
    run.refresh_from_db()
    assert counts(run) == (1, 0, 0, 0, 1)
    assert not PaymentDifference.objects.exists()


def test_a_payment_that_moved_while_we_asked_is_asked_about_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = world.held()
    real = calling.ask_noting
    calls: list[Payment] = []

    def capture_in_between(asked: Payment, journal: Any) -> Any:
        answer = real(asked, journal)
        if not calls:
            calls.append(asked)
            world.done(payment, Action.CAPTURE)
        return answer

    monkeypatch.setattr(calling, "ask_noting", capture_in_between)
    run = run_through(world)
    assert counts(run) == (1, 1, 0, 0, 0)
    assert not PaymentDifference.objects.exists()


def test_a_provider_that_does_not_answer_is_counted_and_changes_nothing(world: World) -> None:
    world.held()
    world.sandbox.post_fault(call="SearchTrade", kind="http_500", times=None)
    run = run_through(world)
    assert counts(run) == (1, 0, 0, 1, 0)
    assert not PaymentDifference.objects.exists()
    world.sandbox.clear_faults()
    assert counts(run_through(world)) == (1, 1, 0, 0, 0)


def test_an_old_sale_without_an_answer_does_not_wait_for_its_next_week(world: World) -> None:
    sold = world.held()
    world.done(sold, Action.CAPTURE)
    long_ago = clock.now() - timedelta(days=100)
    Payment.objects.filter(pk=sold.pk).update(
        captured_at=long_ago, authorized_at=long_ago, created_at=long_ago, updated_at=long_ago
    )
    world.sandbox.post_fault(call="SearchTrade", kind="http_500", times=None)
    assert counts(run_through(world)) == (1, 0, 0, 1, 0)
    for _night in range(2):
        assert counts(run_through(world, is_nightly=True)) == (1, 0, 0, 1, 0)
    world.sandbox.clear_faults()
    assert run_through(world, is_nightly=True).compared == 1
    assert ReconciliationCase.objects.count() == 0


def test_a_silent_provider_is_left_in_peace_for_a_while(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "SILENCES", 2)
    for _ in range(3):
        world.held()
    world.sandbox.post_fault(call="SearchTrade", kind="http_500", times=2)
    run = started(world)
    assert runs.work(run.pk, seconds=30) == 2
    assert worklist.seconds_until_turn(run.pk) > 200
    run.refresh_from_db()
    assert run.state == ReconciliationRun.State.RUNNING
    ReconciliationRun.objects.filter(pk=run.pk).update(next_call_at=clock.now() - timedelta(days=1))
    runs.work(run.pk, seconds=30)
    run.refresh_from_db()
    assert counts(run) == (3, 3, 0, 0, 0)


def test_a_run_whose_time_is_over_leaves_the_rest_to_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        world.held()
    with monkeypatch.context() as patched:
        patched.setattr(runs, "LONGEST_HOURS", -1)
        run = run_through(world)
    assert counts(run) == (3, 0, 0, 0, 0)
    assert run.left_over == 3
    run = run_through(world)
    assert counts(run) == (3, 3, 0, 0, 0)
    assert run.left_over == 0
    assert ReconciliationCase.objects.count() == 0


@pytest.mark.parametrize("point", ["planning", "asking", "comparing", "finishing"])
def test_killed_in_the_middle_the_next_worker_goes_on(world: World, point: str) -> None:
    payments = [world.held() for _ in range(3)]
    world.sandbox.admin(order=payments[2].provider_order_id, action="SALES")
    run = started(world)

    where: tuple[Any, str] = {
        "planning": (planning, "_list_window"),
        "asking": (calling, "ask_noting"),
        "comparing": (findings, "keep"),
        "finishing": (worklist, "finish"),
    }[point]
    with dying(*where, when="before"):
        runs.work(run.pk, seconds=30)
    run.refresh_from_db()
    assert run.state == ReconciliationRun.State.RUNNING
    runs.work(run.pk, seconds=30)
    if point in ("asking", "comparing"):
        assert ReconciliationCase.objects.filter(run=run, state="claimed").count() == 1
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE payments_reconciliationcase SET claimed_at = claimed_at - make_interval(secs => 600)"
                " WHERE state = 'claimed'"
            )
        runs.work(run.pk, seconds=30)
    run.refresh_from_db()
    assert run.state == ReconciliationRun.State.FINISHED
    assert counts(run) == (3, 2, 1, 0, 0)
    assert PaymentDifference.objects.count() == 1


def test_started_twice_it_is_one_run_and_the_database_says_so(world: World) -> None:
    run = started(world)
    again = runs.start(account=world.account, by=BY, now=clock.now())
    assert isinstance(again, runs.AlreadyRunning)
    assert again.run == run
    run.pk = None
    with pytest.raises(IntegrityError):
        run.save(force_insert=True)


def test_two_workers_at_once_ask_about_each_payment_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(6):
        world.held()
    run = started(world)
    real = calling.ask_noting
    asked: list[int] = []

    def note(payment: Payment, journal: Any) -> Any:
        asked.append(payment.pk)
        return real(payment, journal)

    monkeypatch.setattr(calling, "ask_noting", note)

    def worker() -> None:
        try:
            runs.work(run.pk, seconds=30)
        finally:
            connections.close_all()

    threads = [Thread(target=worker) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    runs.work(run.pk, seconds=5)
    run.refresh_from_db()
    assert counts(run) == (6, 6, 0, 0, 0)
    assert len(asked) == len(set(asked)) == 6


@pytest.mark.parametrize("left", [20_000, 50])
def test_the_next_case_is_found_without_reading_the_others(world: World, left: int) -> None:
    payment, run = world.held(), started(world)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO payments_payment SELECT (json_populate_record(p, json_build_object("
            "'id', p.id + g, 'provider_order_id', 'copy-' || g, 'attempt', g, 'status', 'VOID'))).*"
            " FROM payments_payment AS p, generate_series(2, 20001) AS g WHERE p.id = %s",
            [payment.pk],
        )
        cursor.execute(
            "INSERT INTO payments_reconciliationcase (run_id, payment_id, state, claimed_at, tries, rank)"
            " SELECT %s, %s + g, CASE WHEN g > %s THEN 'claimed' ELSE 'waiting' END, now(), 0, g %% 3"
            " FROM generate_series(20001, 2, -1) AS g",
            [run.pk, payment.pk, left],
        )
        cursor.execute(f"EXPLAIN {worklist._CLAIM}", [run.pk])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "using reconciliationcase_next" in plan
    assert "Sort" not in plan


def test_inquiries_keep_their_own_pace(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    run = started(world)
    assert worklist.take_turn(run.pk, seconds_between=60)
    assert not worklist.take_turn(run.pk, seconds_between=60)
    monkeypatch.undo()
    world.account.max_calls_per_second = 50
    assert runs.calls_per_second(world.account) == 10
    world.account.max_calls_per_second = 1
    assert runs.calls_per_second(world.account) == 1


def test_old_sales_are_compared_once_a_week_and_all_of_them_on_demand(world: World) -> None:
    world.at("2026-11-30 10:00:00")
    sold = world.held()
    world.done(sold, Action.CAPTURE)
    long_ago = clock.now() - timedelta(days=100)
    Payment.objects.filter(pk=sold.pk).update(
        captured_at=long_ago, authorized_at=long_ago, created_at=long_ago, updated_at=long_ago
    )
    planned: list[int] = []
    for night in range(7):
        run = started(world, is_nightly=True)
        planning.plan(run.pk, clock.now() + timedelta(days=night))
        run.refresh_from_db()
        planned.append(run.planned or 0)
        run.delete()
    assert sorted(planned) == [0, 0, 0, 0, 0, 0, 1]
    run = started(world)
    planning.plan(run.pk, clock.now())
    run.refresh_from_db()
    assert run.planned == 1


def test_every_night_at_its_hour_once(world: World) -> None:
    world.at("2026-11-30 10:00:00")
    world.held()
    schedule.switch(NightlyJob.Kind.RECONCILIATION, is_on=True, hour=4, now=clock.now())
    assert schedule.tick(clock.now()) == []
    world.at("2026-12-01 05:30:00")  # the hour was missed
    assert schedule.tick(clock.now()) == [NightlyJob.Kind.RECONCILIATION]
    assert schedule.tick(clock.now()) == []
    started = ReconciliationRun.objects.order_by("account").values_list("account", flat=True)
    assert list(started) == list(GatewayAccount.objects.order_by("pk").values_list("pk", flat=True))
    run = ReconciliationRun.objects.get(account=world.account)
    assert (run.is_nightly, run.started_by_name) == (True, "夜間処理")


def test_the_bell_works_the_run_off(world: World) -> None:
    world.held()
    run = started(world)
    bells.ring_again()
    bells.answer(run.pk)
    run.refresh_from_db()
    assert run.state == ReconciliationRun.State.FINISHED
    bells.answer(run.pk)


def test_a_trade_nobody_knows_is_one_row_however_often_it_is_told(world: World) -> None:
    def tell(amount: int) -> PaymentDifference | None:
        return findings.record_unknown_trade(
            account=world.account,
            provider_order_id="stranger-1",
            status=S.AUTH,
            amount=amount,
            now=clock.now(),
        )

    first, again = tell(500), tell(500)
    assert first is not None
    assert first == again
    PaymentDifference.objects.update(
        state=State.HANDLED, reason="他店の取引", closed_at=clock.now(), closed_by_name="会計 花子"
    )
    assert tell(500) is None
    assert tell(900) is not None
    assert PaymentDifference.objects.filter(kind=K.UNKNOWN_TRADE).count() == 2
