"""Unknown outcomes: nothing is sent again, asking tells, and a process may die anywhere."""

from __future__ import annotations

from typing import Any

import pytest

from cagolab import clock
from gateways.vocabulary import Action
from gateways.vocabulary import PaymentStatus as S
from orders.models import Order
from orders.statuses import OrderStatus
from payments import calling, facts, inquiry, operations, recovery, settlement
from payments.decisions import decide
from payments.models import Call, Operation, Payment
from payments.permits import Refusal
from tests.dying import ProcessDied, die
from tests.gateway_world import OPERATOR, World

State = Operation.State


def fresh(payment: Payment) -> Payment:
    return Payment.objects.select_related("order", "account").get(pk=payment.pk)


def recover(world: World, *, after: int) -> None:
    world.later(seconds=after)
    recovery.recover_due(clock.now())


@pytest.mark.parametrize("kind", ["lost_answer", "http_500", "html", "empty", "half", "wrong_encoding"])
def test_an_answer_lost_after_the_provider_did_it_is_found_by_asking(world: World, kind: str) -> None:
    payment = world.held()
    world.sandbox.post_fault(call="AlterTran", kind=kind, times=1)
    operation = world.done(payment, Action.CAPTURE, follow=True)
    assert operation.state == State.UNCONFIRMED
    assert fresh(payment).is_open
    assert fresh(payment).order.payment_is_open
    assert fresh(payment).order.status == OrderStatus.NEW
    recover(world, after=60)
    operation.refresh_from_db()
    assert (operation.state, operation.message) == (State.SUCCEEDED, "")
    assert fresh(payment).status == S.SALES
    assert fresh(payment).order.status == OrderStatus.PAID
    assert world.moved(payment) == [("AUTH", 3200), ("SALES", 3200)]


def test_while_the_outcome_is_unknown_nothing_else_may_be_done(world: World) -> None:
    payment = world.held()
    world.sandbox.post_fault(call="AlterTran", kind="lost_answer", times=1)
    world.done(payment, Action.CAPTURE)
    for action in (Action.CAPTURE, Action.CANCEL, Action.CHANGE_AMOUNT, Action.REAUTHORIZE):
        decision = decide(action, facts.read(fresh(payment)), clock.now())
        assert isinstance(decision, Refusal)
        assert decision.code == "open"
        result = world.do(payment, action, shown="anything")
        assert isinstance(result, operations.Busy)
    assert world.moved(payment) == [("AUTH", 3200), ("SALES", 3200)]


def test_the_button_settles_it_too(world: World) -> None:
    payment = world.held()
    world.sandbox.post_fault(call="AlterTran", kind="lost_answer", times=1)
    world.done(payment, Action.CAPTURE)
    operation = inquiry.inquire_now(payment_id=payment.pk, by=OPERATOR, now=clock.now())
    assert (operation.action, operation.state) == ("capture", State.SUCCEEDED)


def test_not_executed_is_never_concluded_from_one_early_answer(world: World) -> None:
    payment = world.held()
    world.sandbox.post_fault(call="AlterTran", kind="reset_before", times=1)
    operation = world.done(payment, Action.CAPTURE)
    assert operation.state == State.UNCONFIRMED
    for _ in range(3):
        operation = inquiry.ask_and_settle(operation_id=operation.pk, now=clock.now())
        assert operation.state == State.UNCONFIRMED
    world.later(seconds=121)
    operation = inquiry.ask_and_settle(operation_id=operation.pk, now=clock.now())
    assert operation.state == State.NOT_EXECUTED
    assert "実行されていませんでした" in operation.message
    assert fresh(payment).is_open is False
    assert world.done(payment, Action.CAPTURE).state == State.SUCCEEDED
    assert world.moved(payment) == [("AUTH", 3200), ("SALES", 3200)]


def test_a_slow_provider_that_executes_within_the_waiting_time_is_believed(world: World) -> None:
    payment = world.held()
    world.sandbox.post_fault(call="AlterTran", kind="reset_before", times=1)
    operation = world.done(payment, Action.CAPTURE)
    operation = inquiry.ask_and_settle(operation_id=operation.pk, now=clock.now())
    world.sandbox.admin(order=payment.provider_order_id, action="SALES")
    operation = inquiry.ask_and_settle(operation_id=operation.pk, now=clock.now())
    assert operation.state == State.SUCCEEDED


def test_asking_that_fails_leaves_it_open_and_asks_again_later(world: World) -> None:
    payment = world.held()
    world.sandbox.post_fault(call="AlterTran", kind="lost_answer", times=1)
    operation = world.done(payment, Action.CAPTURE)
    world.sandbox.post_fault(call="SearchTrade", kind="http_500", times=2)
    recover(world, after=60)
    operation.refresh_from_db()
    assert operation.state == State.UNCONFIRMED
    assert operation.ask_at is not None
    assert operation.ask_at > clock.now()
    recover(world, after=200)
    recover(world, after=2000)
    operation.refresh_from_db()
    assert operation.state == State.SUCCEEDED


@pytest.mark.parametrize("point", ["before the telegram", "after the telegram", "before settling"])
def test_a_process_maydie_at_any_point(world: World, monkeypatch: Any, point: str) -> None:
    payment = world.held()
    with monkeypatch.context() as patched:
        if point == "before the telegram":
            patched.setattr(calling, "call_step", die)
        elif point == "after the telegram":
            patched.setattr("payments.journal.OperationJournal.answered", die)
        else:
            patched.setattr(settlement, "settle", die)
        with pytest.raises(ProcessDied):
            world.do(payment, Action.CAPTURE)
    assert fresh(payment).is_open
    recover(world, after=60)
    assert fresh(payment).is_open, "the process might still be waiting for its answer"
    recover(world, after=600)
    operation = Operation.objects.get(payment=payment, action="capture")
    expected = State.NOT_SENT if point == "before the telegram" else State.SUCCEEDED
    assert operation.state == expected
    assert fresh(payment).is_open is False
    assert len(world.moved(payment)) == (1 if expected == State.NOT_SENT else 2)


def test_a_guided_change_thatdied_between_steps_goes_on(world: World, monkeypatch: Any) -> None:
    world.account.changes_captured_amount = False
    world.account.save()
    payment = world.held()
    world.done(payment, Action.CAPTURE)
    Order.objects.filter(pk=payment.order_id).update(payment_total=2700)
    with monkeypatch.context() as patched:
        real = calling.call_step

        def second_stepdies(payment: Payment, operation: Operation, **given: Any) -> Any:
            return die() if operation.step == 1 else real(payment, operation, **given)

        patched.setattr(calling, "call_step", second_stepdies)
        with pytest.raises(ProcessDied):
            world.do(payment, Action.GUIDED_CHANGE)
    assert fresh(payment).status == S.VOID
    recover(world, after=600)
    assert (fresh(payment).status, fresh(payment).amount) == (S.SALES, 2700)
    assert [action for action, _amount in world.moved(payment)].count("VOID") == 1


def test_a_lost_authorization_is_found_and_opens_the_order(world: World) -> None:
    order = world.order(status=OrderStatus.PENDING)
    world.sandbox.post_fault(call="ExecTran", kind="lost_answer", times=1)
    operation = world.authorize(order)
    assert operation.state == State.UNCONFIRMED
    recover(world, after=60)
    order.refresh_from_db()
    assert (order.status, order.payment_status) == (OrderStatus.NEW, S.AUTH)
    assert world.moved(Payment.objects.get(order=order)) == [("AUTH", 3200)]


def test_an_authorization_that_never_arrived_is_concluded_after_the_waiting_time(world: World) -> None:
    order = world.order(status=OrderStatus.PENDING)
    world.sandbox.post_fault(call="EntryTran", kind="reset_before", times=1)
    operation = world.authorize(order)
    assert operation.state == State.UNCONFIRMED
    recover(world, after=60)
    recover(world, after=300)
    operation.refresh_from_db()
    assert operation.state == State.NOT_EXECUTED
    order.refresh_from_db()
    assert order.status == OrderStatus.PENDING


def test_a_declined_change_leaves_the_old_trade_confirmed_by_asking(world: World) -> None:
    payment = world.held()
    Order.objects.filter(pk=payment.order_id).update(payment_total=9000)
    world.sandbox.post_fault(call="ChangeTran", kind="error_code", code="42G030000", times=1)
    operation = world.done(payment, Action.CHANGE_AMOUNT)
    assert operation.state == State.DECLINED
    assert (fresh(payment).status, fresh(payment).amount) == (S.AUTH, 3200)
    calls = Call.objects.filter(operation=operation).order_by("pk")
    assert list(calls.values_list("name", flat=True)) == [
        "ChangeTran",
        "SearchTrade",
    ]


def test_the_provider_changed_behind_our_back_is_adopted_and_told(world: World) -> None:
    payment = world.held()
    world.sandbox.admin(order=payment.provider_order_id, action="SALES")
    operation = inquiry.inquire_now(payment_id=payment.pk, by=OPERATOR, now=clock.now())
    assert operation.state == State.SUCCEEDED
    assert "仮売上済み 3,200円 → 実売上済み 3,200円" in operation.message
    assert fresh(payment).status == S.SALES


def test_an_inquiry_without_news_says_so(world: World) -> None:
    payment = world.held()
    before = fresh(payment).authorized_at
    operation = inquiry.inquire_now(payment_id=payment.pk, by=OPERATOR, now=clock.now())
    assert "一致しています" in operation.message
    assert fresh(payment).authorized_at == before


def test_a_provider_that_cannot_be_asked_changes_nothing(world: World) -> None:
    payment = world.held()
    world.sandbox.post_fault(call="SearchTrade", kind="html", times=1)
    operation = inquiry.inquire_now(payment_id=payment.pk, by=OPERATOR, now=clock.now())
    assert operation.state == State.NOT_SENT
    assert fresh(payment).status == S.AUTH


def test_an_inquiry_whose_processdied_is_ended_and_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = world.held()
    monkeypatch.setattr(calling, "ask", die)
    with pytest.raises(ProcessDied):
        inquiry.inquire_now(payment_id=payment.pk, by=OPERATOR, now=clock.now())
    operation = Operation.objects.get(payment=payment, action=Action.INQUIRE)
    recover(world, after=60)
    operation.refresh_from_db()
    assert operation.state == State.STARTED
    recover(world, after=120)
    operation.refresh_from_db()
    assert operation.state == State.NOT_SENT
    assert operation.settled_at is not None
    assert "もう一度" in operation.message
    assert fresh(payment).status == S.AUTH
