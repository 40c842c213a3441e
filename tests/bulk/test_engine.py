"""Working a run off, with several workers, dying workers and lost answers, against a real PostgreSQL."""

from __future__ import annotations

import os
import threading
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from orders.bulk import crew, engine, preview, queries, tasks, worklist
from orders.bulk.models import BulkItem, BulkRun
from orders.bulk.places import Places
from orders.bulk.registry import Ending, Task
from orders.models import Order
from orders.statuses import OrderStatus
from tests.bulk.shop import (
    NOW,
    OutsideKind,
    age_claims,
    in_threads,
    make_due,
    make_orders,
    make_preview,
    make_user,
    states,
    wait_until,
)
from tests.dying import child_doing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operator() -> User:
    return make_user("operator", "決済操作")


def started(kind: OutsideKind, operator: User, count: int = 3) -> BulkRun:
    run = make_preview(kind, make_orders(count), operator)
    assert worklist.start(run, follow=False, now=NOW)
    run.refresh_from_db()
    return run


def bells(monkeypatch: pytest.MonkeyPatch, *, answers: bool = True) -> list[str]:
    """The run of every bell that is rung from now on, instead of ringing it."""
    rung: list[str] = []

    def ring(run_id: UUID, *, countdown: float = 0) -> bool:
        rung.append(str(run_id))
        return answers

    monkeypatch.setattr(tasks, "_ring", ring)
    return rung


def adds_up(run: BulkRun) -> bool:
    run.refresh_from_db()
    counts = queries.counts_of([run.pk])[run.pk]
    return (
        run.taken + run.skipped == run.ticked
        and counts.taken == run.taken
        and counts.ready + counts.claimed + counts.ended == run.taken
    )


def test_a_run_executes_every_row_once_and_finishes(outside: OutsideKind, operator: User) -> None:
    in_transaction: list[bool] = []
    outside.before_answer = lambda task: in_transaction.append(connection.in_atomic_block)
    run = started(outside, operator, 5)
    assert engine.work(run.pk, seconds=30) == 5
    assert states(run) == {"succeeded": 5}
    assert in_transaction == [False] * 5
    assert sorted(outside.executions) == sorted(run.items.values_list("order_id", flat=True))
    run.refresh_from_db()
    assert run.state == BulkRun.State.FINISHED
    assert run.finished_at is not None


def test_a_run_finishes_even_when_the_time_was_over_with_its_last_row(
    outside: OutsideKind, operator: User
) -> None:
    run = started(outside, operator, 1)
    item = worklist.claim(run.pk)
    assert item
    worklist.record(item, state=BulkItem.State.SUCCEEDED, message="", now=NOW)
    assert engine.work(run.pk, seconds=0) == 0
    run.refresh_from_db()
    assert run.state == BulkRun.State.FINISHED


def test_eight_workers_at_once_execute_each_row_exactly_once(outside: OutsideKind, operator: User) -> None:
    run = started(outside, operator, 200)
    in_threads(8, lambda: engine.work(run.pk, seconds=30))
    assert len(outside.executions) == len(set(outside.executions)) == 200
    assert states(run) == {"succeeded": 200}
    assert adds_up(run)
    assert run.state == BulkRun.State.FINISHED


def test_a_run_is_started_once_by_many_clicks(outside: OutsideKind, operator: User) -> None:
    run = make_preview(outside, make_orders(2), operator)
    successes: list[bool] = []
    in_threads(6, lambda: successes.append(worklist.start(run, follow=False, now=NOW)))
    assert sorted(successes) == [False] * 5 + [True]


def test_a_run_that_was_not_started_executes_nothing(outside: OutsideKind, operator: User) -> None:
    run = make_preview(outside, make_orders(2), operator)
    assert engine.work(run.pk, seconds=5) == 0
    assert worklist.claim(run.pk) is None
    assert outside.executions == []


def test_a_worker_that_died_before_sending_leaves_a_row_that_is_executed_later(
    outside: OutsideKind, operator: User
) -> None:
    run = started(outside, operator, 2)
    assert worklist.claim(run.pk)
    assert engine.work(run.pk, seconds=5) == 1
    assert states(run) == {"claimed": 1, "succeeded": 1}
    age_claims(run, worklist.LEASE_SECONDS + 1)
    assert engine.work(run.pk, seconds=5) == 1
    assert states(run) == {"succeeded": 2}
    assert len(outside.executions) == 2
    run.refresh_from_db()
    assert run.state == BulkRun.State.FINISHED


def test_a_worker_that_died_after_sending_is_not_repeated(outside: OutsideKind, operator: User) -> None:
    run = started(outside, operator, 1)
    item = worklist.claim(run.pk)
    assert item
    outside.ledger[item.key()] = Ending.SUCCEEDED
    age_claims(run, worklist.LEASE_SECONDS + 1)
    engine.work(run.pk, seconds=5)
    assert outside.executions == []
    assert states(run) == {"succeeded": 1}


def test_a_worker_that_only_looked_dead_cannot_write_over_the_other_one(
    outside: OutsideKind, operator: User
) -> None:
    run = started(outside, operator, 1)
    slow = worklist.claim(run.pk)
    assert slow
    age_claims(run, worklist.LEASE_SECONDS + 1)
    engine.work(run.pk, seconds=5)
    assert not worklist.record(slow, state=BulkItem.State.FAILED, message="", now=NOW)
    assert states(run) == {"succeeded": 1}


def test_what_was_not_sent_is_tried_again_under_a_new_key_and_fails_after_four_tries(
    outside: OutsideKind, operator: User
) -> None:
    outside.answer = lambda task: Ending.NOT_SENT
    run = started(outside, operator, 1)
    for tries in range(1, 4):
        assert engine.work(run.pk, seconds=5) == 1
        assert states(run) == {"ready": 1}
        assert engine.work(run.pk, seconds=5) == 0, "the next try waits"
        assert BulkItem.objects.get(run=run).tries == tries
        make_due(run)
    engine.work(run.pk, seconds=5)
    assert states(run) == {"failed": 1}
    assert len(outside.ledger) == 4
    assert adds_up(run)
    assert run.state == BulkRun.State.FINISHED


def test_an_unknown_outcome_ends_the_run_and_is_settled_later_without_sending(
    outside: OutsideKind, operator: User
) -> None:
    outside.answer = lambda task: Ending.UNKNOWN
    run = started(outside, operator, 2)
    engine.work(run.pk, seconds=5)
    assert states(run) == {"unknown": 2}
    assert adds_up(run)
    assert run.state == BulkRun.State.FINISHED
    assert engine.confirm_unknown(NOW) == 0
    first, second = list(outside.ledger)
    outside.ledger[first], outside.ledger[second] = Ending.SUCCEEDED, Ending.FAILED
    assert engine.confirm_unknown(NOW) == 2
    assert states(run) == {"succeeded": 1, "failed": 1}
    assert len(outside.executions) == 2


def test_a_row_whose_decision_has_changed_is_not_sent(outside: OutsideKind, operator: User) -> None:
    run = started(outside, operator, 2)
    Order.objects.filter(pk=run.items.first().order_id).update(status=OrderStatus.PAID)  # type: ignore[union-attr]
    engine.work(run.pk, seconds=5)
    assert states(run) == {"recheck": 1, "succeeded": 1}
    assert len(outside.executions) == 1


def test_batches_of_which_nothing_is_sent_do_not_end_the_work(outside: OutsideKind, operator: User) -> None:
    run = started(outside, operator, 30)
    sent = [row.order_id for row in run.items.order_by("id")][-1]
    Order.objects.exclude(pk=sent).update(status=OrderStatus.PAID)
    assert engine.work(run.pk, seconds=30) == 30
    assert states(run) == {"recheck": 29, "succeeded": 1}
    assert outside.executions == [sent]


def test_a_stop_in_the_middle_of_a_batch_leaves_what_is_not_sent_undone(
    outside: OutsideKind, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started(outside, operator, 40)
    all_are_sending, stopped = threading.Barrier(outside.concurrency + 1), threading.Event()

    def pause(task: Task) -> None:
        all_are_sending.wait(30)
        assert stopped.wait(30)

    outside.before_answer = pause
    looks = threading.Semaphore(0)
    is_stopped = worklist.is_stopped

    def looked(run_id: UUID) -> bool:
        if answer := is_stopped(run_id):
            looks.release()
        return answer

    monkeypatch.setattr(worklist, "is_stopped", looked)

    def work() -> None:
        engine.work(run.pk, seconds=30)
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    all_are_sending.wait(30)
    assert worklist.stop(run, by_name="operator", now=NOW)
    run.refresh_from_db()
    assert run.state == BulkRun.State.RUNNING, "the rows under way still end"
    for _ in range(2):  # by the second look the first has pulled the brake
        assert looks.acquire(timeout=30)
    stopped.set()
    worker.join()
    assert states(run) == {"succeeded": outside.concurrency, "stopped": 40 - outside.concurrency}
    assert len(outside.executions) == outside.concurrency
    assert adds_up(run)
    assert run.state == BulkRun.State.FINISHED
    assert not worklist.stop(run, by_name="operator", now=NOW)


def test_a_row_not_sent_in_a_stopped_run_is_stopped_not_repeated(
    outside: OutsideKind, operator: User
) -> None:
    run = started(outside, operator, 1)
    outside.answer = lambda task: Ending.NOT_SENT

    def stop(task: Task) -> None:
        worklist.stop(run, by_name="operator", now=NOW)

    outside.before_answer = stop
    engine.work(run.pk, seconds=5)
    assert states(run) == {"stopped": 1}


def test_an_abandoned_row_of_a_stopped_run_is_not_begun(outside: OutsideKind, operator: User) -> None:
    run = started(outside, operator, 3)
    assert worklist.claim(run.pk)
    worklist.stop(run, by_name="operator", now=NOW)
    age_claims(run, worklist.LEASE_SECONDS + 1)
    engine.work(run.pk, seconds=5)
    assert outside.executions == []
    assert states(run) == {"stopped": 3}
    assert adds_up(run)
    assert run.state == BulkRun.State.FINISHED


def test_an_error_in_one_row_does_not_end_the_run(outside: OutsideKind, operator: User) -> None:
    run = started(outside, operator, 3)

    def break_first(task: Task) -> None:
        if task.order_id == BulkItem.objects.filter(run=run).earliest("id").order_id:
            raise RuntimeError("a defect")

    outside.before_answer = break_first
    engine.work(run.pk, seconds=5)
    assert states(run) == {"failed": 1, "succeeded": 2}
    assert "システムエラー" in BulkItem.objects.get(run=run, state="failed").message


def test_a_retry_takes_failed_and_stopped_rows_only(outside: OutsideKind, operator: User) -> None:
    run = started(outside, operator, 4)
    endings = [BulkItem.State.SUCCEEDED, BulkItem.State.FAILED, BulkItem.State.UNKNOWN]
    for ending in endings:
        item = worklist.claim(run.pk)
        assert item
        worklist.record(item, state=ending, message="", now=NOW)
    worklist.stop(run, by_name="operator", now=NOW)
    assert states(run) == {"succeeded": 1, "failed": 1, "unknown": 1, "stopped": 1}
    author = preview.Author(user=operator, name="operator", ip_address=None)
    again = preview.preview_again(kind=outside, run=run, author=author, now=NOW)
    assert again.retry_of == run
    assert again.state == BulkRun.State.PREVIEW
    wanted = run.items.filter(state__in=["failed", "stopped"]).values_list("order_id", flat=True)
    assert set(again.items.values_list("order_id", flat=True)) == set(wanted)


def test_the_minute_job_rings_for_running_runs_and_drops_old_previews(
    outside: OutsideKind, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung = bells(monkeypatch)
    running = started(outside, operator, 10)
    old = make_preview(outside, make_orders(1), operator)
    BulkRun.objects.filter(pk=old.pk).update(created_at=NOW - tasks.PREVIEW_LIFE * 2)
    fresh = make_preview(outside, make_orders(1), operator)
    monkeypatch.setattr("cagolab.clock.now", lambda: NOW)
    tasks.ring()
    assert rung == [str(running.pk)] * engine.seats(outside)
    assert not BulkRun.objects.filter(pk=old.pk).exists()
    assert BulkRun.objects.filter(pk=fresh.pk).exists()


def test_no_more_workers_than_the_kind_allows(
    outside: OutsideKind, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung = bells(monkeypatch)
    outside.concurrency = 2 * engine.CREW_SIZE
    run = started(outside, operator, 10)
    elsewhere: list[bool] = []

    def sit_down() -> None:
        with worklist.seat(run.pk, 2) as is_free:
            elsewhere.append(is_free)
            if len(elsewhere) == 2:
                in_threads(1, lambda: tasks.work(str(run.pk)))
            else:
                in_threads(1, sit_down)

    sit_down()
    assert elsewhere == [True, True]
    assert outside.executions == []
    assert rung == []
    tasks.work(str(run.pk))
    assert states(run) == {"succeeded": 10}


def test_the_seat_of_a_worker_that_died_is_free_at_once(outside: OutsideKind, operator: User) -> None:
    run = started(outside, operator, 1)
    reading, writing = os.pipe()

    def die_seated() -> None:
        with worklist.seat(run.pk, 1):
            os.write(writing, b"1")
            os._exit(9)

    child = child_doing(die_seated)
    os.read(reading, 1)
    os.waitpid(child, 0)

    def is_free() -> bool:
        with worklist.seat(run.pk, 1) as free:
            return free

    # The server notices the lost connection in a moment of its own.
    wait_until(is_free)


def test_a_run_that_finds_no_place_in_its_process_is_rung_again_a_little_later(
    outside: OutsideKind, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def ring(run_id: UUID, *, countdown: float = 0) -> bool:
        waits.append(countdown)
        return True

    monkeypatch.setattr(tasks, "_ring", ring)
    taken = Places()
    while taken.take(2):
        pass
    run = started(outside, operator, 2)
    with monkeypatch.context() as patched:
        patched.setattr(crew, "_places", taken)
        tasks.work(str(run.pk))
    assert outside.executions == []
    assert waits == [tasks.RING_AGAIN_SECONDS]
    tasks.work(str(run.pk))
    assert states(run) == {"succeeded": 2}


def test_a_run_of_three_rows_begins_at_once_beside_five_large_ones(
    outside: OutsideKind, operator: User
) -> None:
    outside.concurrency = 6
    large = [started(outside, operator, 12) for _ in range(5)]
    of_large = set(BulkItem.objects.filter(run__in=large).values_list("order_id", flat=True))
    small_is_done = threading.Event()
    at_work: set[int] = set()

    def hold_up_large_runs(task: Task) -> None:
        if task.order_id in of_large:
            at_work.add(task.order_id)
            assert small_is_done.wait(60)

    outside.before_answer = hold_up_large_runs
    waiting = iter(large)
    crews = [
        threading.Thread(target=in_threads, args=[1, lambda: engine.work(next(waiting).pk, seconds=60)])
        for _ in large
    ]
    for each in crews:
        each.start()
    # Four have their six callers, the fifth has the few of a small place.
    wait_until(lambda: len(at_work) == 4 * 6 + 4)
    small = started(outside, operator, 3)
    try:
        assert engine.work(small.pk, seconds=30) == 3
        assert states(small) == {"succeeded": 3}
    finally:
        small_is_done.set()
        for each in crews:
            each.join()
    assert [states(run) for run in large] == [{"succeeded": 12}] * 5
    assert len(outside.executions) == 5 * 12 + 3


def test_places_are_given_back_and_small_runs_keep_some_of_theirs() -> None:
    places = Places()
    large = [places.take(16) for _ in range(9)]
    assert large == [16] * 4 + [4] * 4 + [0]
    small = [places.take(wanted) for wanted in (1, 2, 3, 4, 1)]
    assert small == [1, 2, 3, 4, 0]
    places.give_back(16)
    places.give_back(3)
    assert (places.take(4), places.take(4), places.take(16), places.take(16)) == (4, 0, 16, 0)


def test_a_bell_that_breaks_is_rung_again(
    outside: OutsideKind, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung = bells(monkeypatch)
    run = started(outside, operator, 1)
    monkeypatch.setattr(engine, "work", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tasks.work(str(run.pk))
    assert rung == [str(run.pk)]


def test_a_broker_that_is_away_is_rung_once_and_the_run_waits_for_the_minute_job(
    outside: OutsideKind, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung = bells(monkeypatch, answers=False)
    tasks.ring_for(started(outside, operator, 10))
    assert len(rung) == 1


def test_the_database_refuses_counts_that_do_not_add_up(outside: OutsideKind, operator: User) -> None:
    run = make_preview(outside, make_orders(1), operator)
    with pytest.raises(IntegrityError), transaction.atomic():
        BulkRun.objects.filter(pk=run.pk).update(skipped=5)


def test_a_worker_killed_in_the_middle_of_a_batch_loses_nothing(outside: OutsideKind, operator: User) -> None:
    """A real process that dies at once, when the outside world has acted on some rows and nothing is written."""
    run = started(outside, operator, 12)
    reading, writing = os.pipe()

    def die(task: Task) -> None:
        os.write(writing, task.key.bytes)
        if len(outside.executions) == 2:
            os._exit(9)

    def work_until_death() -> None:
        outside.before_answer = die
        engine.work(run.pk, seconds=5)

    os.waitpid(child_doing(work_until_death), 0)
    os.close(writing)
    sent = os.read(reading, 16 * 12)
    for start in range(0, len(sent), 16):
        outside.ledger[UUID(bytes=sent[start : start + 16])] = Ending.SUCCEEDED
    left = states(run)
    assert set(left) <= {"claimed", "ready"}
    assert sum(left.values()) == 12
    age_claims(run, worklist.LEASE_SECONDS + 1)
    engine.work(run.pk, seconds=30)
    assert states(run) == {"succeeded": 12}
    assert len(outside.executions) == 12 - len(sent) // 16
