"""Many rows in one transaction: what goes wrong with one of them, and who dies where, against the sandbox."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from cagolab import clock
from gateways import transport
from gateways.outcomes import NotSent
from gateways.vocabulary import Action
from gateways.vocabulary import PaymentStatus as S
from orders.bulk import crew, engine, preview, queries, worklist
from orders.bulk.endings import task_of
from orders.bulk.models import BulkItem, BulkRun
from orders.bulk.registry import Begun, Result, registry
from orders.models import Customer, Order, OrderChange, PointEntry, Product, StockEntry
from orders.statuses import OrderStatus
from payments import batches, calling, inquiry, operations, order_copy, recovery
from payments.actors import By
from payments.journal import HeldJournal
from payments.models import Call, Operation, Payment
from tests.bulk.shop import age_claims, in_threads, make_due, make_user, states, wait_until
from tests.dying import child_doing
from tests.gateway_world import World


@pytest.fixture
def operator(transactional_db: None) -> User:
    return make_user("operator", "決済操作")


def started(
    payments: list[Payment], operator: User, *, follow: bool = False, kind: str = "capture"
) -> BulkRun:
    run = preview.preview(
        kind=registry[kind],
        selection=preview.Selection(order_ids=[payment.order_id for payment in payments]),
        parameters={},
        author=preview.Author(user=operator, name="operator", ip_address=None),
        back="/payments/",
        now=clock.now(),
    )
    assert worklist.start(run, follow=follow, now=clock.now())
    return BulkRun.objects.select_related("created_by").get(pk=run.pk)


def held(world: World, count: int) -> list[Payment]:
    return [world.held() for _ in range(count)]


def moved(world: World, payment: Payment) -> list[str]:
    return [action for action, _amount in world.moved(payment)]


def state_of(run: BulkRun, payment: Payment) -> str:
    return BulkItem.objects.get(run=run, order=payment.order_id).state


def adds_up(run: BulkRun) -> bool:
    return queries.counts_of([run.pk])[run.pk].taken == run.taken


def claimed(run: BulkRun, most: int) -> list[Operation]:
    """Rows of the run claimed in one transaction, as a crew does."""
    kind = registry[run.kind]
    assert not kind.is_atomic
    with transaction.atomic():
        tasks = [task_of(run, item) for item in worklist.claim_some(run.pk, most)]
        begun = kind.begin(tasks, clock.now())
    assert not any(isinstance(one, Result) for one in begun.values())
    return [one.handle for one in begun.values() if isinstance(one, Begun)]


def statements(captured: CaptureQueriesContext) -> list[str]:
    return [query["sql"][:120] for query in captured if not query["sql"].startswith(("BEGIN", "COMMIT"))]


def test_ten_rows_are_claimed_and_settled_in_the_statements_of_one(world: World, operator: User) -> None:
    run = started(held(world, 10), operator)
    with CaptureQueriesContext(connection) as captured:
        operations_of_batch = claimed(run, 10)
    assert len(statements(captured)) <= 6, statements(captured)
    assert Operation.objects.filter(state=Operation.State.STARTED).count() == 10
    successes = [batches.call(operation) for operation in operations_of_batch]
    with CaptureQueriesContext(connection) as captured, transaction.atomic():
        batches.settle([one for one in successes if isinstance(one, batches.Success)], clock.now())
    assert len(statements(captured)) <= 9, statements(captured)
    assert Payment.objects.filter(status=S.SALES, is_open=False).count() == 10


@pytest.mark.parametrize("follow", [False, True])
def test_a_batch_leaves_what_the_ordinary_door_leaves(world: World, operator: User, follow: bool) -> None:
    alone, *together = held(world, 3)
    world.done(alone, Action.CAPTURE, user=operator, follow=follow)
    run = started(together, operator, follow=follow)
    engine.work(run.pk, seconds=30)

    def left(payment: Payment) -> dict[str, Any]:
        order = Order.objects.get(pk=payment.order_id)
        operation = Operation.objects.get(payment=payment, action="capture")
        fresh = Payment.objects.get(pk=payment.pk)
        call = Call.objects.get(operation=operation)
        changes = OrderChange.objects.filter(order=order).values_list("field", "old", "actor_name", "version")
        assert fresh.captured_at is not None
        assert order.paid_at == fresh.captured_at
        assert operation.settled_at is not None
        assert call.duration_ms is not None
        return {
            "payment": (fresh.status, fresh.amount, fresh.is_open, sorted(fresh.references)),
            "secrets": bool(fresh.sealed_secrets),
            "order": (order.status, order.payment_status, order.payment_amount, order.payment_is_open),
            "copy": (order.payment_id == fresh.pk, order.payment_deadline, order.payment_kind),
            "operation": (
                operation.state,
                operation.ask_at,
                operation.message,
                operation.actor,
                operation.step,
            ),
            "call": (call.name, call.summary, bool(call.request), bool(call.response)),
            "history": [(field, old, bool(name), version) for field, old, name, version in changes],
        }

    expected = left(alone)
    assert [left(payment) for payment in together] == [expected, expected]


def test_one_refused_and_one_unknown_row_leave_the_others_of_the_batch_alone(
    world: World, operator: User
) -> None:
    payments = held(world, 6)
    refused, unknown, busy = payments[1:4]
    world.sandbox.admin(order=refused.provider_order_id, action="VOID")
    world.sandbox.post_fault(call="AlterTran", kind="lost_answer", order=unknown.provider_order_id)
    world.sandbox.post_fault(
        call="AlterTran", kind="error_code", code="E92000001", order=busy.provider_order_id
    )
    run = started(payments, operator)
    engine.work(run.pk, seconds=30)
    assert states(run) == {"succeeded": 3, "failed": 1, "unknown": 1, "ready": 1}
    assert [state_of(run, payment) for payment in (refused, unknown, busy)] == ["failed", "unknown", "ready"]
    assert adds_up(run)
    make_due(run)
    engine.work(run.pk, seconds=30)
    world.later(seconds=60)
    recovery.recover_due(clock.now())
    engine.confirm_unknown(clock.now())
    assert states(run) == {"succeeded": 5, "failed": 1}
    assert moved(world, refused) == ["AUTH", "VOID"]
    for payment in payments:
        if payment is not refused:
            assert moved(world, payment) == ["AUTH", "SALES"]


def test_an_answer_that_the_database_refuses_blocks_no_other(
    world: World, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    payments = held(world, 5)
    victim = payments[2]
    call = batches.call

    def nonsense_for_one(operation: Operation) -> batches.Success | Operation:
        came = call(operation)
        if isinstance(came, batches.Success) and operation.payment_id == victim.pk:
            return replace(came, trade=replace(came.trade, amount=-1))
        return came

    with monkeypatch.context() as patched:
        patched.setattr(batches, "call", nonsense_for_one)
        run = started(payments, operator)
        engine.work(run.pk, seconds=30)
    assert states(run) == {"succeeded": 4, "claimed": 1}
    assert Payment.objects.get(pk=victim.pk).is_open
    world.later(seconds=600)
    recovery.recover_due(clock.now())
    age_claims(run, worklist.LEASE_SECONDS + 1)
    engine.work(run.pk, seconds=30)
    assert states(run) == {"succeeded": 5}
    for payment in payments:
        assert moved(world, payment) == ["AUTH", "SALES"]


def test_a_key_that_was_used_before_is_found_when_its_batch_is_claimed_row_by_row(
    world: World, operator: User
) -> None:
    payments = held(world, 4)
    run = started(payments, operator)
    item = BulkItem.objects.get(run=run, order=payments[1].order_id)
    world.sandbox.post_fault(call="AlterTran", kind="error_code", code="E92000001")
    not_sent = world.done(payments[1], Action.CAPTURE, key=item.key(), shown=item.shown)
    assert not_sent.state == Operation.State.NOT_SENT
    engine.work(run.pk, seconds=30)
    assert states(run) == {"succeeded": 3, "ready": 1}
    make_due(run)
    engine.work(run.pk, seconds=30)
    assert states(run) == {"succeeded": 4}
    for payment in payments:
        assert moved(world, payment) == ["AUTH", "SALES"]


def test_an_operation_that_recovery_settled_meanwhile_is_settled_once(world: World, operator: User) -> None:
    payments = held(world, 3)
    run = started(payments, operator)
    successes = [one for one in map(batches.call, claimed(run, 3)) if isinstance(one, batches.Success)]
    assert len(successes) == 3
    inquiry.ask_and_settle(operation_id=successes[1].operation.pk, now=clock.now())
    with pytest.raises(batches.SettledMeanwhile), transaction.atomic():
        batches.settle(successes, clock.now())
    assert Payment.objects.filter(status=S.SALES).count() == 1
    for success in successes:
        assert batches.settle_alone(success).state == Operation.State.SUCCEEDED
    assert OrderChange.objects.filter(field="入金日").count() == 3


def test_no_telegram_leaves_under_an_operation_that_recovery_has_closed(world: World) -> None:
    payment = world.held()
    claim = operations.claim(
        payment_id=payment.pk,
        action=Action.CAPTURE,
        key=uuid.uuid4(),
        shown=world.permit(payment, Action.CAPTURE).fingerprint,
        by=By(name="operator", source=Operation.Source.BULK),
        now=clock.now(),
    )
    assert isinstance(claim, operations.Executed)
    world.later(seconds=600)
    recovery.recover_due(clock.now())
    claim.operation.payment.refresh_from_db()
    outcome = calling.call_step(claim.operation.payment, claim.operation)
    assert isinstance(outcome, NotSent)
    assert operations.conclude(claim.operation, outcome).state == Operation.State.NOT_SENT
    assert not Call.objects.filter(operation=claim.operation).exists()
    assert moved(world, payment) == ["AUTH"]


def test_the_order_follows_each_success_of_a_batch(world: World, operator: User) -> None:
    payments = held(world, 4)
    failing = payments[0]
    world.sandbox.admin(order=failing.provider_order_id, action="VOID")
    run = started(payments, operator, follow=True)
    engine.work(run.pk, seconds=30)
    followed = dict(Order.objects.values_list("pk", "status"))
    assert followed.pop(failing.order_id) == OrderStatus.NEW
    assert set(followed.values()) == {OrderStatus.PAID}


def test_rows_whose_orders_follow_are_settled_together(
    world: World, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started(held(world, 10), operator, follow=True)
    successes = [one for one in map(batches.call, claimed(run, 10)) if isinstance(one, batches.Success)]
    assert len(successes) == 10
    with CaptureQueriesContext(connection) as captured, transaction.atomic():
        batches.settle(successes, clock.now())
    assert len(statements(captured)) <= 12, statements(captured)
    assert set(Order.objects.values_list("status", "version")) == {(OrderStatus.PAID, 2)}
    assert Payment.objects.filter(status=S.SALES, is_open=False).count() == 10


def test_an_order_that_may_not_follow_is_told_and_its_money_stays_a_success(
    world: World, operator: User
) -> None:
    payments = held(world, 3)
    Order.objects.filter(pk=payments[0].order_id).update(status=OrderStatus.SHIPPED)
    run = started(payments, operator, follow=True)
    engine.work(run.pk, seconds=30)
    assert states(run) == {"succeeded": 3}
    statuses = dict(Order.objects.values_list("pk", "status"))
    assert [statuses[payment.order_id] for payment in payments] == [
        OrderStatus.SHIPPED,
        OrderStatus.PAID,
        OrderStatus.PAID,
    ]
    told = BulkItem.objects.get(run=run, order=payments[0].order_id).message
    assert "対応状況は変更できませんでした" in told
    assert Operation.objects.get(payment=payments[0], action="capture").message in told


def test_cancelled_orders_of_a_batch_give_stock_and_points_back_once(world: World, operator: User) -> None:
    payments = held(world, 4)
    product = Product.objects.create(code="shirt-1", name="白シャツ", price=2000, stock=6)
    customer = Customer.objects.create(name="山田 太郎", email="yamada@example.jp", points=0)
    for payment in payments:
        Order.objects.filter(pk=payment.order_id).update(customer=customer, used_points=50)
        booked = {"order_id": payment.order_id, "reason": "注文", "booked_at": clock.now()}
        StockEntry.objects.create(product=product, quantity=-1, key=f"taken-{payment.pk}", **booked)
        PointEntry.objects.create(
            customer=customer, kind="used", points=-50, key=f"used-{payment.pk}", **booked
        )
    run = started(payments, operator, follow=True, kind="cancel")
    engine.work(run.pk, seconds=30)
    engine.work(run.pk, seconds=30)
    assert states(run) == {"succeeded": 4}
    assert set(Order.objects.values_list("status", flat=True)) == {OrderStatus.CANCELLED}
    product.refresh_from_db()
    customer.refresh_from_db()
    assert (product.stock, customer.points) == (10, 200)
    for payment in payments:
        booked_stock = StockEntry.objects.filter(order=payment.order_id).values_list("quantity", flat=True)
        booked_points = PointEntry.objects.filter(order=payment.order_id).values_list("points", flat=True)
        assert sorted(booked_stock) == [-1, 1]
        assert sorted(booked_points) == [-50, 50]


def test_batches_that_return_the_same_goods_do_not_wait_for_each_other_for_ever(
    world: World, operator: User
) -> None:
    shirt, hat = (
        Product.objects.create(code=code, name=code, price=2000, stock=0) for code in ("shirt", "hat")
    )
    payments = held(world, 12)
    for position, payment in enumerate(payments):
        for product in (shirt, hat) if position % 2 else (hat, shirt):
            StockEntry.objects.create(
                product=product,
                order_id=payment.order_id,
                quantity=-1,
                reason="注文",
                booked_at=clock.now(),
                key=f"taken-{payment.pk}-{product.pk}",
            )
    runs = [started(payments[half::2], operator, follow=True, kind="cancel") for half in (0, 1)]
    waiting = iter(runs)
    in_threads(2, lambda: engine.work(next(waiting).pk, seconds=30))
    assert [states(run) for run in runs] == [{"succeeded": 6}, {"succeeded": 6}]
    assert set(Product.objects.values_list("stock", flat=True)) == {12}


def test_rows_that_waited_too_long_for_a_caller_go_back_unsent(
    world: World, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    payments = held(world, 3)
    run = started(payments, operator)
    with monkeypatch.context() as patched:
        patched.setattr(crew, "PATIENCE_SECONDS", -1.0)
        engine.work(run.pk, seconds=30)
    assert states(run) == {"ready": 3}
    assert set(Operation.objects.filter(action="capture").values_list("state", flat=True)) == {"not_sent"}
    assert not Payment.objects.filter(is_open=True).exists()
    make_due(run)
    engine.work(run.pk, seconds=30)
    for payment in payments:
        assert moved(world, payment) == ["AUTH", "SALES"]


def test_two_crews_on_one_run_stay_within_the_accounts_limit(
    world: World, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.account.max_concurrent_calls = 4 + 2
    world.account.save()
    payments = held(world, 12)
    run = started(payments, operator)
    under_way, most, lock = 0, 0, threading.Lock()
    send = calling._send

    def counted(*given: Any) -> Any:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        try:
            return send(*given)
        finally:
            with lock:
                under_way -= 1

    monkeypatch.setattr(calling, "_send", counted)
    world.sandbox.settings(latency_ms=50)
    in_threads(2, lambda: engine.work(run.pk, seconds=30))
    world.sandbox.settings(latency_ms=0)
    assert states(run) == {"succeeded": 12}
    assert most <= 2
    for payment in payments:
        assert moved(world, payment) == ["AUTH", "SALES"]


def test_a_long_run_does_not_keep_a_short_one_of_the_same_account_waiting(
    world: World, operator: User
) -> None:
    world.account.max_concurrent_calls = 4 + 2
    world.account.save()
    payments = held(world, 33)
    long, short = started(payments[:30], operator), started(payments[30:], operator)
    world.sandbox.settings(latency_ms=50)
    working = threading.Thread(target=in_threads, args=[1, lambda: engine.work(long.pk, seconds=60)])
    working.start()
    try:
        wait_until(lambda: queries.counts_of([long.pk])[long.pk].ended > 0)
        engine.work(short.pk, seconds=60)
        assert states(short) == {"succeeded": 3}
        assert queries.counts_of([long.pk])[long.pk].remaining > 0
    finally:
        world.sandbox.settings(latency_ms=0)
        working.join()
    assert states(long) == {"succeeded": 30}
    for payment in payments:
        assert moved(world, payment) == ["AUTH", "SALES"]


def kill_at(point: str, deaths: Callable[[], bool]) -> None:
    """In the child: let the process die where `point` says, once `deaths` allows it."""

    def dies_before(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def die(*given: Any, **named: Any) -> Any:
            if deaths():
                os._exit(9)
            return real(*given, **named)

        setattr(owner, name, die)

    match point:
        case "while claiming":
            dies_before(crew, "write_down_many")
        case "between claim and call":
            dies_before(batches, "call")
        case "when the telegram is written and not sent":
            dies_before(transport._Session, "send")
        case "between the answer and its note":
            dies_before(HeldJournal, "answered")
        case "between answer and settle":
            dies_before(batches, "settle")
        case "while settling":
            dies_before(order_copy, "write_successes")
        case "when the settlement is written and not committed":
            dies_before(worklist, "record_many")


@pytest.mark.parametrize(
    ("point", "survived"),
    [
        ("while claiming", 0),
        ("between claim and call", 2),
        ("when the telegram is written and not sent", 2),
        ("between the answer and its note", 2),
        ("between answer and settle", 0),
        ("while settling", 0),
        ("when the settlement is written and not committed", 1),
    ],
)
def test_a_worker_killed_within_a_batch_loses_nothing_and_repeats_nothing(
    world: World, operator: User, point: str, survived: int
) -> None:
    payments = held(world, 6)
    run = started(payments, operator)
    reached = iter([False] * survived)

    def work_until_death() -> None:
        kill_at(point, lambda: next(reached, True))
        engine.work(run.pk, seconds=30)

    _, status = os.waitpid(child_doing(work_until_death), 0)
    assert os.waitstatus_to_exitcode(status) == 9, "the point was reached"
    assert adds_up(run)
    assert Operation.objects.filter(action="capture", state=Operation.State.STARTED).exists() == (
        point != "while claiming"
    )
    for _ in range(3):
        world.later(seconds=600)
        recovery.recover_due(clock.now())
    age_claims(run, worklist.LEASE_SECONDS + 1)
    for _ in range(3):
        engine.work(run.pk, seconds=30)
        make_due(run)
    engine.confirm_unknown(clock.now())
    run.refresh_from_db()
    assert run.state == BulkRun.State.FINISHED
    assert adds_up(run)
    for payment in payments:
        fresh = Payment.objects.get(pk=payment.pk)
        succeeded = state_of(run, payment) == "succeeded"
        assert moved(world, payment) == (["AUTH", "SALES"] if succeeded else ["AUTH"])
        assert (fresh.status == S.SALES, fresh.is_open) == (succeeded, False)
    if point == "while claiming":
        assert states(run) == {"succeeded": 6}
    if point == "when the telegram is written and not sent":  # perhaps sent: never repeated by itself
        assert states(run)["failed"] >= 1
