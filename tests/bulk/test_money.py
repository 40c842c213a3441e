"""The money kinds against the sandbox: what the preview said is what the provider executed, once."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from cagolab import clock
from gateways.vocabulary import Action
from gateways.vocabulary import PaymentStatus as S
from orders.bulk import engine, preview, worklist
from orders.bulk.models import BulkItem, BulkRun
from orders.bulk.registry import registry
from orders.models import Order
from orders.statuses import OrderStatus
from payments import recovery
from payments.models import Operation, Payment
from tests.bulk.shop import age_claims, in_threads, make_due, make_user, states
from tests.gateway_world import World


@pytest.fixture
def operator(transactional_db: None) -> User:
    return make_user("operator", "決済操作")


def previewed(action: Action, orders: list[Order], operator: User, **parameters: str) -> BulkRun:
    return preview.preview(
        kind=registry[action.value],
        selection=preview.Selection(order_ids=[order.pk for order in orders]),
        parameters=dict(parameters),
        author=preview.Author(user=operator, name="operator", ip_address="192.0.2.1"),
        back="/payments/",
        now=clock.now(),
    )


def run_off(run: BulkRun, *, follow: bool = False) -> None:
    worklist.start(run, follow=follow, now=clock.now())
    engine.work(run.pk, seconds=30)


def orders_of(*payments: Payment) -> list[Order]:
    return [payment.order for payment in payments]


def moved(world: World, payment: Payment) -> list[str]:
    return [action for action, _amount in world.moved(payment)]


def state_of(run: BulkRun, payment: Payment) -> str:
    return BulkItem.objects.get(run=run, order=payment.order_id).state


def test_a_bulk_cancel_shows_each_type_before_and_sends_exactly_these(world: World, operator: User) -> None:
    world.at("2026-10-20 10:00:00")
    sold = world.held(total=500)
    world.done(sold, Action.CAPTURE)
    world.at("2026-11-10 10:00:00")
    held_before, void = world.held(total=300), world.held(total=900)
    world.done(void, Action.CANCEL)
    by_hand = world.order()
    world.at("2026-11-11 10:00:00")
    held_today = world.held(total=100)
    run = previewed(Action.CANCEL, [*orders_of(sold, held_before, void, held_today), by_hand], operator)
    groups = {group["label"]: (group["count"], group["amount"]) for group in run.groups}
    assert groups == {
        "月跨返品(実売上済みから)": (1, 500),
        "返品(仮売上済みから)": (1, 300),
        "取消(仮売上済みから)": (1, 100),
    }
    assert {skip["reason"]: skip["count"] for skip in run.skips} == {
        "すでに取り消されています。": 1,
        "決済代行会社の決済がない受注です(銀行振込、手入力の受注など)。": 1,
    }
    run_off(run)
    assert states(run) == {"succeeded": 3, "skipped": 2}
    assert moved(world, sold) == ["AUTH", "SALES", "RETURNX"]
    assert moved(world, held_before) == ["AUTH", "RETURN"]
    assert moved(world, held_today) == ["AUTH", "VOID"]
    assert moved(world, void) == ["AUTH", "VOID"]
    message = BulkItem.objects.get(run=run, order=sold.order_id).message
    assert message == "月跨ぎ返品済みになりました。"


def test_amounts_that_differ_and_cancelled_orders_are_left_to_a_person(world: World, operator: User) -> None:
    plain, differs, cancelled = world.held(), world.held(), world.held()
    Order.objects.filter(pk=differs.order_id).update(payment_total=2700)
    Order.objects.filter(pk=cancelled.order_id).update(status=OrderStatus.CANCELLED)
    run = previewed(Action.CAPTURE, orders_of(plain, differs, cancelled), operator)
    assert (run.taken, run.skipped) == (1, 2)
    assert "差異があります" in BulkItem.objects.get(run=run, order=differs.order_id).reason
    assert "3,200円" in BulkItem.objects.get(run=run, order=differs.order_id).words
    run_off(run)
    assert moved(world, plain) == ["AUTH", "SALES"]
    assert moved(world, differs) == moved(world, cancelled) == ["AUTH"]


def test_the_order_status_follows_success_only_when_ticked(world: World, operator: User) -> None:
    followed, left = world.held(), world.held()
    run_off(previewed(Action.CAPTURE, orders_of(followed), operator), follow=True)
    run_off(previewed(Action.CAPTURE, orders_of(left), operator))
    assert Order.objects.get(pk=followed.order_id).status == OrderStatus.PAID
    assert Order.objects.get(pk=left.order_id).status == OrderStatus.NEW
    operation = Operation.objects.get(payment=followed, action="capture")
    assert (operation.source, operation.actor, operation.ip_address) == ("bulk", operator, "192.0.2.1")


def test_at_midnight_the_cancel_type_changes_and_nothing_is_sent(world: World, operator: User) -> None:
    world.at("2026-11-30 23:59:30")
    payment = world.held()
    run = previewed(Action.CANCEL, orders_of(payment), operator)
    assert run.groups[0]["label"].startswith("取消")
    world.at("2026-12-01 00:00:05")
    run_off(run)
    assert states(run) == {"recheck": 1}
    assert moved(world, payment) == ["AUTH"]
    assert "返品" in BulkItem.objects.get(run=run).message


def test_a_lost_answer_is_being_confirmed_and_settled_without_a_second_call(
    world: World, operator: User
) -> None:
    payment = world.held()
    run = previewed(Action.CAPTURE, orders_of(payment), operator)
    world.sandbox.post_fault(call="AlterTran", kind="lost_answer", times=1)
    run_off(run)
    assert states(run) == {"unknown": 1}
    again = previewed(Action.CAPTURE, orders_of(payment), operator)
    assert again.skips[0]["reason"].startswith("売上確定の結果を確認中です")
    world.later(seconds=60)
    recovery.recover_due(clock.now())
    assert engine.confirm_unknown(clock.now()) == 1
    assert states(run) == {"succeeded": 1}
    assert moved(world, payment) == ["AUTH", "SALES"]


def test_two_runs_over_the_same_payments_capture_each_once(world: World, operator: User) -> None:
    payments = [world.held() for _ in range(8)]
    runs = [previewed(Action.CAPTURE, orders_of(*payments), operator) for _ in range(2)]
    for run in runs:
        worklist.start(run, follow=False, now=clock.now())
    world.sandbox.settings(latency_ms=100)
    in_threads(4, lambda: [engine.work(run.pk, seconds=30) for run in runs])
    world.sandbox.settings(latency_ms=0)
    for payment in payments:
        assert moved(world, payment) == ["AUTH", "SALES"]
    assert sum(states(run).get("succeeded", 0) for run in runs) == 8
    refused = BulkItem.objects.filter(run__in=runs).exclude(state="succeeded")
    assert {item.state for item in refused} <= {"failed", "recheck"}
    assert len(refused) == 8


def test_a_row_whose_payment_is_busy_fails_and_says_with_whom(world: World, operator: User) -> None:
    payment = world.held()
    run = previewed(Action.CAPTURE, orders_of(payment), operator)
    world.sandbox.post_fault(call="AlterTran", kind="lost_answer", times=1)
    world.do(payment, Action.CAPTURE)
    run_off(run)
    item = BulkItem.objects.get(run=run)
    assert item.state == "failed"
    assert item.message.startswith("別の操作(売上確定(実売上))が実行中です(会計 花子さん ")
    assert moved(world, payment) == ["AUTH", "SALES"]


def test_a_worker_that_died_after_the_provider_acted_charges_nobody_twice(
    world: World, operator: User
) -> None:
    payment = world.held()
    run = previewed(Action.CAPTURE, orders_of(payment), operator)
    worklist.start(run, follow=False, now=clock.now())
    item = worklist.claim(run.pk)
    assert item
    world.do(payment, Action.CAPTURE, key=item.key(), shown=item.shown)
    age_claims(run, worklist.LEASE_SECONDS + 1)
    engine.work(run.pk, seconds=10)
    assert states(run) == {"succeeded": 1}
    assert moved(world, payment) == ["AUTH", "SALES"]


def test_a_busy_provider_is_tried_again_under_a_new_key(world: World, operator: User) -> None:
    payment = world.held()
    run = previewed(Action.CAPTURE, orders_of(payment), operator)
    world.sandbox.post_fault(call="AlterTran", kind="error_code", code="E92000001", times=1)
    run_off(run)
    assert states(run) == {"ready": 1}
    make_due(run)
    engine.work(run.pk, seconds=10)
    assert states(run) == {"succeeded": 1}
    assert moved(world, payment) == ["AUTH", "SALES"]
    assert Operation.objects.filter(payment=payment, action="capture").count() == 2


def test_a_declined_row_fails_with_the_providers_reason_and_the_others_go_on(
    world: World, operator: User
) -> None:
    payments = [world.held() for _ in range(3)]
    for payment in payments:
        world.done(payment, Action.CANCEL)
    run = previewed(Action.REAUTHORIZE, orders_of(*payments), operator, target="AUTH")
    victim = payments[1]
    world.sandbox.post_fault(
        call="AlterTran", kind="error_code", code="42G020000", times=1, order=victim.provider_order_id
    )
    run_off(run)
    assert [state_of(run, payment) for payment in payments] == ["succeeded", "failed", "succeeded"]
    assert Payment.objects.get(pk=victim.pk).status == S.VOID
    assert BulkItem.objects.get(run=run, order=victim.order_id).message


def test_a_bulk_amount_change_takes_the_saved_total(world: World, operator: User) -> None:
    payment, same = world.held(total=3200), world.held(total=3200)
    Order.objects.filter(pk=payment.order_id).update(payment_total=2700)
    run = previewed(Action.CHANGE_AMOUNT, orders_of(payment, same), operator)
    assert (run.taken, run.skipped) == (1, 1)
    assert BulkItem.objects.get(run=run, order=payment.order_id).amount == 2700
    run_off(run)
    assert Payment.objects.get(pk=payment.pk).amount == 2700


def test_withdrawing_a_charge_asks_for_a_confirmation_of_its_own(world: World, operator: User) -> None:
    payment = world.held(total=3200)
    world.done(payment, Action.CAPTURE)
    Order.objects.filter(pk=payment.order_id).update(payment_total=2700)
    run = previewed(Action.CHANGE_AMOUNT, orders_of(payment), operator, target="AUTH")
    assert "取り下げ" in preview.confirmations(run)[0]


def test_another_target_is_a_new_preview_of_the_same_rows(world: World, operator: User) -> None:
    payment = world.held()
    world.done(payment, Action.CANCEL)
    run = previewed(Action.REAUTHORIZE, orders_of(payment), operator)
    client = Client()
    client.force_login(operator)
    address = client.post(reverse("bulk:choose", args=[run.pk]), {"target": "CAPTURE"})["Location"]
    other = BulkRun.objects.exclude(pk=run.pk).get()
    assert address == reverse("bulk:run", args=[other.pk])
    assert (run.groups[0]["label"], other.groups[0]["label"]) == (
        "取消済み → 仮売上済み",
        "取消済み → 即時売上済み",
    )
    assert "この条件で判定し直す" in client.get(address).content.decode()
    run_off(other)
    assert Payment.objects.get(pk=payment.pk).status == S.CAPTURE
    client.post(reverse("bulk:choose", args=[run.pk]), {"target": "SALES"})
    assert BulkRun.objects.count() == 2
