"""反映 and 対応済みにする: the provider is asked again at the click, and nothing is written by another door."""

from __future__ import annotations

from typing import Any

import pytest

from cagolab import clock
from gateways.vocabulary import Action
from gateways.vocabulary import PaymentStatus as S
from orders.models import Order, OrderChange
from orders.statuses import OrderStatus
from payments import inquiry
from payments.actors import By
from payments.models import Operation, Payment, PaymentDifference
from payments.reconciliation import adopt as adoption
from payments.reconciliation import run as runs
from tests.gateway_world import World

K = PaymentDifference.Kind
State = PaymentDifference.State
BY = By(name="会計 花子", source=Operation.Source.DIFFERENCES)


def found(world: World, payment: Payment, kind: PaymentDifference.Kind = K.STATUS) -> PaymentDifference:
    """The difference that a run finds about the payment."""
    started = runs.start(account=world.account, by=BY, now=clock.now())
    runs.work(started.run.pk, seconds=30)
    return PaymentDifference.objects.get(payment=payment, kind=kind, state=State.OPEN)


def adopt(difference: PaymentDifference, reason: str = "管理画面で売上にした") -> adoption.Result:
    return adoption.adopt(difference_id=difference.pk, reason=reason, by=BY, now=clock.now())


def fresh(payment: Payment) -> Payment:
    return Payment.objects.select_related("order").get(pk=payment.pk)


@pytest.mark.parametrize(
    ("wish", "kind", "status", "amount"),
    [
        ({"action": "SALES"}, K.STATUS, S.SALES, 3200),
        ({"action": "VOID"}, K.STATUS, S.VOID, 3200),
        ({"action": "CHANGE", "amount": 2700}, K.AMOUNT, S.AUTH, 2700),
    ],
)
def test_adopted_our_record_equals_the_providers_and_who_and_why_are_kept(
    world: World, wish: dict[str, Any], kind: PaymentDifference.Kind, status: S, amount: int
) -> None:
    payment = world.held()
    world.sandbox.admin(order=payment.provider_order_id, **wish)
    difference = found(world, payment, kind)
    result = adopt(difference)
    assert isinstance(result, adoption.Done), result
    assert "反映しました" in result.text
    now = fresh(payment)
    assert (now.status, now.amount) == (status, amount)
    assert (now.order.payment_status, now.order.payment_amount) == (status, amount)
    difference.refresh_from_db()
    assert (difference.state, difference.closed_by_name) == (State.ADOPTED, "会計 花子")
    assert difference.reason == "管理画面で売上にした"
    change = OrderChange.objects.get(order_id=payment.order_id, field="決済の差異の反映")
    assert change.old.startswith("仮売上済み 3,200円")
    assert "管理画面で売上にした" in change.new
    assert now.order.payment_total == 3200, "the shop's total is never overwritten"
    assert not PaymentDifference.objects.filter(state=State.OPEN).exists()


def test_asking_on_the_panel_closes_the_difference_at_once(world: World) -> None:
    payment = world.held()
    world.sandbox.admin(order=payment.provider_order_id, action="VOID")
    difference = found(world, payment)
    by = By(name="会計 花子", source=Operation.Source.ORDER_EDIT)
    inquiry.inquire_now(payment_id=payment.pk, by=by, now=clock.now())
    difference.refresh_from_db()
    assert (difference.state, difference.closed_by_name) == (State.GONE, "会計 花子")


def test_asking_leaves_open_what_the_order_says_against_its_payment(world: World) -> None:
    payment = world.held()
    Order.objects.filter(pk=payment.order_id).update(status=OrderStatus.CANCELLED)
    difference = found(world, payment, K.CANCELLED_CHARGED)
    by = By(name="会計 花子", source=Operation.Source.ORDER_EDIT)
    inquiry.inquire_now(payment_id=payment.pk, by=by, now=clock.now())
    difference.refresh_from_db()
    assert difference.state == State.OPEN


def test_capturing_what_was_shipped_closes_its_difference_at_once(world: World) -> None:
    payment = world.held()
    Order.objects.filter(pk=payment.order_id).update(status=OrderStatus.SHIPPED)
    difference = found(world, payment, K.SHIPPED_NOT_CAPTURED)
    world.done(payment, Action.CAPTURE)
    difference.refresh_from_db()
    assert difference.state == State.GONE


def test_adopting_a_date_moves_the_deadline(world: World) -> None:
    world.at("2026-11-20 10:00:00")
    payment = world.held()
    world.at("2026-11-22 10:00:00")
    world.sandbox.admin(order=payment.provider_order_id, action="RETURN")
    world.sandbox.admin(order=payment.provider_order_id, action="AUTH")
    before = fresh(payment).order.payment_deadline
    assert before is not None
    assert isinstance(adopt(found(world, payment, K.DATE)), adoption.Done)
    after = fresh(payment).order.payment_deadline
    assert after is not None
    assert (after - before).days == 2


def test_what_the_provider_says_at_the_click_counts_not_what_the_run_saw(world: World) -> None:
    payment = world.held()
    world.sandbox.admin(order=payment.provider_order_id, status="SALES")
    difference = found(world, payment)
    world.sandbox.admin(order=payment.provider_order_id, status="VOID")
    assert isinstance(adopt(difference), adoption.Done)
    assert fresh(payment).status == S.VOID


def test_put_right_at_the_provider_meanwhile_it_is_simply_gone(world: World) -> None:
    payment = world.held()
    world.sandbox.admin(order=payment.provider_order_id, status="SALES")
    difference = found(world, payment)
    world.sandbox.admin(order=payment.provider_order_id, status="AUTH")
    result = adopt(difference)
    assert isinstance(result, adoption.Done)
    assert "一致していました" in result.text
    difference.refresh_from_db()
    assert difference.state == State.GONE
    assert not OrderChange.objects.filter(field="決済の差異の反映").exists()


def test_a_provider_that_does_not_answer_leaves_everything(world: World) -> None:
    payment = world.held()
    world.sandbox.admin(order=payment.provider_order_id, action="SALES")
    difference = found(world, payment)
    world.sandbox.post_fault(call="SearchTrade", kind="http_500", times=1)
    result = adopt(difference)
    assert isinstance(result, adoption.NotDone)
    assert "反映していません" in result.text
    difference.refresh_from_db()
    assert (difference.state, fresh(payment).status) == (State.OPEN, S.AUTH)


def test_twice_is_once(world: World) -> None:
    payment = world.held()
    world.sandbox.admin(order=payment.provider_order_id, action="SALES")
    difference = found(world, payment)
    assert isinstance(adopt(difference), adoption.Done)
    asked = Operation.objects.count()
    again = adopt(difference)
    assert isinstance(again, adoption.NotDone)
    assert "反映済みになっています(会計 花子)" in again.text
    assert Operation.objects.count() == asked


def test_while_an_outcome_is_being_confirmed_nothing_is_adopted(world: World) -> None:
    payment = world.held()
    world.sandbox.admin(order=payment.provider_order_id, status="AUTH", amount=2700)
    difference = found(world, payment, K.AMOUNT)
    world.sandbox.post_fault(call="AlterTran", kind="reset_before", times=1)
    world.done(payment, Action.CAPTURE)
    result = adopt(difference)
    assert isinstance(result, adoption.NotDone)
    assert "確認中" in result.text


def test_an_order_that_is_paid_otherwise_takes_no_second_live_payment(world: World) -> None:
    payment = world.held()
    world.done(payment, Action.CANCEL)
    order = Order.objects.get(pk=payment.order_id)
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.PENDING)
    assert world.authorize(order).state == Operation.State.SUCCEEDED
    world.sandbox.admin(order=payment.provider_order_id, action="AUTH", amount=3200)
    result = adopt(found(world, payment))
    assert isinstance(result, adoption.NotDone)
    assert "ほかにも有効な決済" in result.text
    assert fresh(payment).status == S.VOID
    assert not Operation.objects.filter(state=Operation.State.STARTED).exists()


@pytest.mark.parametrize("status", [OrderStatus.CANCELLED, OrderStatus.RETURNED])
def test_money_against_the_order_is_not_put_right_by_adopting(world: World, status: OrderStatus) -> None:
    payment = world.held()
    Order.objects.filter(pk=payment.order_id).update(status=status)
    difference = found(world, payment, K.CANCELLED_CHARGED)
    assert isinstance(adopt(difference), adoption.NotDone)


def test_adopting_closes_what_the_new_status_no_longer_contradicts(world: World) -> None:
    payment = world.held()
    Order.objects.filter(pk=payment.order_id).update(status=OrderStatus.CANCELLED)
    found(world, payment, K.CANCELLED_CHARGED)
    world.sandbox.admin(order=payment.provider_order_id, action="VOID")
    adopt(found(world, payment))
    assert not PaymentDifference.objects.filter(state=State.OPEN).exists()


def test_dealt_with_elsewhere_is_kept_with_its_reason(world: World) -> None:
    payment = world.held()
    Payment.objects.filter(pk=payment.pk).update(provider_order_id="nowhere-1")
    difference = found(world, payment, K.MISSING)
    done = adoption.handle(difference_id=difference.pk, reason="旧契約の取引", by=BY, now=clock.now())
    assert isinstance(done, adoption.Done)
    difference.refresh_from_db()
    assert (difference.state, difference.reason) == (State.HANDLED, "旧契約の取引")
    again = adoption.handle(difference_id=difference.pk, reason="もう一度", by=BY, now=clock.now())
    assert isinstance(again, adoption.NotDone)
    difference.refresh_from_db()
    assert difference.reason == "旧契約の取引"
