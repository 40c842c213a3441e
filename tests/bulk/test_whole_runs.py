"""Runs as a day brings them: payments of three providers, every kind of cancel, trouble on the way, a stop in the
middle, and what failed once more. At the end each provider has done once what was asked for, and no more."""

from __future__ import annotations

from collections import Counter
from itertools import count
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cagolab import clock
from gateways.vocabulary import Action
from gateways.vocabulary import PaymentStatus as S
from orders.bulk import engine, preview, queries, results_csv, worklist
from orders.bulk.models import BulkItem, BulkRun
from orders.bulk.registry import registry
from orders.models import Order
from orders.statuses import OrderStatus
from payments import batches, recovery
from payments.models import GatewayAccount, Operation, Payment
from payments.throttle import CALLS_KEPT_FOR_CLICKS
from tests.bulk.shop import in_threads, make_due, make_user, states
from tests.gateway_world import World

Asked = list[tuple[World, Payment, S]]


@pytest.fixture
def operator(transactional_db: None) -> User:
    return make_user("operator", "決済操作")


def author(operator: User) -> preview.Author:
    return preview.Author(user=operator, name="会計 花子", ip_address=None)


def previewed(asked: Asked, action: Action, operator: User) -> BulkRun:
    kind = registry[action.value]
    return preview.preview(
        kind=kind,
        selection=preview.Selection(order_ids=[payment.order_id for _world, payment, _goal in asked]),
        parameters={},
        author=author(operator),
        back="/payments/",
        now=clock.now(),
    )


def worked_off(run: BulkRun, *, workers: int = 2) -> BulkRun:
    """Started with 対応状況 to follow, and executed by crews that work at the same time."""
    assert worklist.start(run, follow=True, now=clock.now())
    in_threads(workers, lambda: engine.work(run.pk, seconds=60))
    while states(run).get("ready"):
        make_due(run)
        engine.work(run.pk, seconds=60)
    run.refresh_from_db()
    return run


def find_out(world: World) -> None:
    """Recovery, until nothing is open any more."""
    for _ in range(6):
        world.later(seconds=700)
        recovery.recover_due(clock.now())
        if not Operation.objects.filter(state__in=Operation.OPEN_STATES).exists():
            break
    engine.confirm_unknown(clock.now())


def assert_each_was_done_once(asked: Asked, order_status: OrderStatus) -> None:
    for world, payment, goal in asked:
        fresh = Payment.objects.get(pk=payment.pk)
        assert (fresh.status, fresh.is_open) == (goal, False)
        moved = Counter(action for action, _amount in world.moved(payment))
        assert moved[goal] == 1
        cancelled = moved[S.VOID] + moved[S.RETURN] + moved[S.RETURNX]
        assert cancelled == (0 if goal is S.SALES else 1)
        assert Order.objects.get(pk=payment.order_id).status == order_status


def adds_up(run: BulkRun) -> bool:
    return queries.counts_of([run.pk])[run.pk].taken == run.taken


def test_captures_with_trouble_on_the_way_end_right_and_once(
    world: World, paygent: World, sbps: World, operator: User
) -> None:
    asked: Asked = [(each, each.held(), S.SALES) for _ in range(5) for each in (world, paygent, sbps)]
    troubles: list[tuple[str, dict[str, Any]]] = [
        ("lost_answer", {}),
        ("http_503", {}),
        ("http_503", {"before": True}),
        ("reset_before", {}),
    ]
    for (each, payment, _goal), (kind, more) in zip(asked, troubles * 3, strict=False):
        each.sandbox.post_fault(kind, order=each.name_of(payment), **more)
    run = worked_off(previewed(asked, Action.CAPTURE, operator))
    assert adds_up(run)
    assert states(run)["unknown"] > 0
    find_out(world)
    assert adds_up(run)
    assert "unknown" not in states(run)
    assert states(run)["failed"] > 0, "what was not executed waits for somebody who wants it once more"
    again = preview.preview_again(kind=registry["capture"], run=run, author=author(operator), now=clock.now())
    assert again.taken == states(run)["failed"]
    worked_off(again)
    assert set(states(again)) == {"succeeded"}
    assert_each_was_done_once(asked, OrderStatus.PAID)


def test_cancels_of_every_kind_and_day_end_right_and_once(
    world: World, paygent: World, sbps: World, operator: User
) -> None:
    asked: Asked = []

    def bought(each: World, goal: S, *, is_sold: bool) -> None:
        for _ in range(2):
            payment = each.held()
            if is_sold:
                each.done(payment, Action.CAPTURE)
            asked.append((each, payment, goal))

    world.at("2026-11-15 10:00:00")
    bought(world, S.RETURNX, is_sold=True)
    world.at("2026-12-01 10:00:00")
    bought(world, S.RETURN, is_sold=False)
    bought(world, S.RETURN, is_sold=True)
    world.at("2026-12-02 10:00:00")
    bought(world, S.VOID, is_sold=False)
    for each in (paygent, sbps):
        bought(each, S.VOID, is_sold=False)
        bought(each, S.RETURN, is_sold=True)
    for each, payment, _goal in asked[::3]:
        each.sandbox.post_fault("lost_answer", order=each.name_of(payment))
    run = previewed(asked, Action.CANCEL, operator)
    assert sorted(group["count"] for group in run.groups) == [2] * 8
    worked_off(run)
    find_out(world)
    assert adds_up(run)
    assert states(run) == {"succeeded": len(asked)}
    assert_each_was_done_once(asked, OrderStatus.CANCELLED)


def test_a_run_that_was_stopped_in_the_middle_is_gone_on_with_and_nothing_twice(
    world: World, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: Asked = [(world, world.held(), S.SALES) for _ in range(12)]
    run = previewed(asked, Action.CAPTURE, operator)
    GatewayAccount.objects.update(max_concurrent_calls=CALLS_KEPT_FOR_CLICKS + 2)
    call, calls = batches.call, count(1)

    def stop_before_the_fourth(operation: Operation) -> batches.Success | Operation:
        if next(calls) == 4:
            assert worklist.stop(run, by_name="会計 花子", now=clock.now())
        return call(operation)

    with monkeypatch.context() as patched:
        patched.setattr(batches, "call", stop_before_the_fourth)
        worked_off(run, workers=1)
    # What was claimed and not sent when the brake was pulled ends as stopped too.
    done = states(run)
    assert run.state == BulkRun.State.FINISHED
    assert set(done) == {"succeeded", "stopped"}
    assert adds_up(run)
    again = preview.preview_again(kind=registry["capture"], run=run, author=author(operator), now=clock.now())
    assert again.taken == done["stopped"]
    worked_off(again)
    assert states(again) == {"succeeded": done["stopped"]}
    assert_each_was_done_once(asked, OrderStatus.PAID)
    lines = b"".join(results_csv.lines(run, encoding="utf-8-sig")).count(b"\r\n") - 1
    assert lines == len(asked)


@pytest.mark.parametrize("rows", [3, 300])
def test_the_page_of_a_run_asks_as_little_of_the_database_whatever_its_size(
    world: World, operator: User, client: Client, rows: int
) -> None:
    run = previewed([(world, world.held(), S.SALES)], Action.CAPTURE, operator)
    orders = Order.objects.values_list("pk", flat=True)
    template = Order.objects.get(pk=orders[0])
    more = Order.objects.bulk_create(
        Order(
            number=f"P{number}",
            ordered_at=template.ordered_at,
            payment_method=template.payment_method,
            payment_method_name=template.payment_method_name,
        )
        for number in range(rows)
    )
    BulkItem.objects.bulk_create(BulkItem(run=run, order=order, state="succeeded") for order in more)
    BulkRun.objects.filter(pk=run.pk).update(ticked=rows + 1, taken=rows + 1, state="running")
    client.force_login(operator)
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(f"/bulk/{run.pk}/progress/")
    assert f"{rows} / {rows + 1}件" in answer.content.decode()
    # Session, user, roles, the run, and one count over the index.
    assert len(captured) <= 7, [query["sql"][:90] for query in captured]
    assert len(answer.content) < 6000
