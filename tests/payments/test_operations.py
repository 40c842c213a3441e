"""Claim, call, settle against the sandbox: what happens to money, and what the shop knows of it."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from gateways.vocabulary import Action
from gateways.vocabulary import PaymentStatus as S
from orders.models import Order
from orders.statuses import OrderStatus
from payments import operations
from payments.models import Call, Operation, Payment
from payments.no_transaction import TransactionOpenError
from tests.gateway_world import TOKYO, World

State = Operation.State


def fresh(payment: Payment) -> Payment:
    return Payment.objects.get(pk=payment.pk)


def test_an_authorization_holds_the_amount_and_opens_the_order(world: World) -> None:
    order = world.order(total=3200, status=OrderStatus.PENDING)
    operation = world.authorize(order)
    payment = Payment.objects.get(order=order)
    order.refresh_from_db()
    assert operation.state == State.SUCCEEDED
    assert (payment.status, payment.amount, payment.is_open) == (S.AUTH, 3200, False)
    assert (order.status, order.payment_status, order.payment_amount) == (OrderStatus.NEW, S.AUTH, 3200)
    assert order.payment_deadline is not None
    assert payment.references["tran_id"]
    assert world.moved(payment) == [("AUTH", 3200)]


def test_a_declined_card_leaves_a_failed_try_and_the_order_where_it_was(world: World) -> None:
    order = world.order(status=OrderStatus.PENDING)
    operation = world.authorize(order, card="4999000000000002")
    order.refresh_from_db()
    assert operation.state == State.DECLINED
    assert operation.message
    assert Payment.objects.get(order=order).status == S.PAYFAIL
    assert order.status == OrderStatus.PENDING
    again = world.authorize(order)
    assert again.state == State.SUCCEEDED
    assert list(Payment.objects.filter(order=order).order_by("attempt").values_list("attempt", "status")) == [
        (1, S.PAYFAIL),
        (2, S.AUTH),
    ]


def test_a_capture_charges_once_and_sets_the_day_of_payment(world: World) -> None:
    payment = world.held()
    operation = world.done(payment, Action.CAPTURE)
    payment = fresh(payment)
    assert (operation.state, payment.status) == (State.SUCCEEDED, S.SALES)
    assert payment.captured_at is not None
    assert payment.order.paid_at is not None
    assert payment.order.status == OrderStatus.NEW
    assert world.moved(payment) == [("AUTH", 3200), ("SALES", 3200)]


def test_the_order_follows_only_when_the_operator_ticked_it(world: World) -> None:
    payment = world.held()
    world.done(payment, Action.CAPTURE, follow=True)
    assert fresh(payment).order.status == OrderStatus.PAID


def test_the_order_never_follows_a_failed_money_call(world: World) -> None:
    payment = world.held()
    world.sandbox.post_fault(call="AlterTran", kind="error_code", code="E92000001", times=1)
    operation = world.done(payment, Action.CAPTURE, follow=True)
    assert operation.state == State.NOT_SENT
    assert fresh(payment).order.status == OrderStatus.NEW
    assert world.done(payment, Action.CAPTURE).state == State.SUCCEEDED


@pytest.mark.parametrize(
    ("authorized", "captured", "cancelled", "expected"),
    [
        ("2026-11-30 10:00:00", None, "2026-11-30 23:59:50", S.VOID),
        ("2026-11-30 10:00:00", None, "2026-12-01 00:00:05", S.RETURN),
        ("2026-11-30 10:00:00", "2026-11-30 11:00:00", "2026-11-30 12:00:00", S.VOID),
        ("2026-11-20 10:00:00", "2026-11-21 11:00:00", "2026-11-21 12:00:00", S.RETURN),
        ("2026-11-20 10:00:00", "2026-11-30 23:59:50", "2026-12-01 00:00:05", S.RETURNX),
    ],
)
def test_a_cancel_is_of_the_type_that_the_days_decide_and_the_provider_takes_it(
    world: World, authorized: str, captured: str | None, cancelled: str, expected: S
) -> None:
    world.at(authorized)
    payment = world.held()
    if captured:
        world.at(captured)
        world.done(payment, Action.CAPTURE)
    world.at(cancelled)
    operation = world.done(payment, Action.CANCEL, follow=True)
    assert operation.state == State.SUCCEEDED, operation.message
    assert fresh(payment).status == expected
    assert fresh(payment).order.status == OrderStatus.CANCELLED
    assert world.moved(payment)[-1] == (expected.value, 3200)


def test_a_capture_costs_a_handful_of_queries(world: World) -> None:
    payment = world.held()
    shown = world.permit(payment, Action.CAPTURE).fingerprint
    with CaptureQueriesContext(connection) as queries:
        world.done(payment, Action.CAPTURE, shown=shown)
    statements = [query["sql"] for query in queries if not query["sql"].startswith(("BEGIN", "COMMIT"))]
    assert len(statements) <= 14, "\n".join(statements)


def test_the_same_key_twice_is_one_operation(world: World) -> None:
    payment = world.held()
    key = uuid.uuid4()
    shown = world.permit(payment, Action.CAPTURE).fingerprint
    first = world.do(payment, Action.CAPTURE, key=key, shown=shown)
    second = world.do(payment, Action.CAPTURE, key=key, shown=shown)
    assert isinstance(first, operations.Executed)
    assert isinstance(second, operations.Replayed)
    assert first.operation.pk == second.operation.pk
    assert world.moved(payment) == [("AUTH", 3200), ("SALES", 3200)]


def test_a_key_of_another_payment_is_refused(world: World) -> None:
    one, other = world.held(), world.held()
    key = uuid.uuid4()
    world.done(one, Action.CAPTURE, key=key)
    with pytest.raises(operations.KeyReused):
        world.do(other, Action.CAPTURE, key=key)
    assert world.moved(other) == [("AUTH", 3200)]


@pytest.mark.parametrize("same_key", [True, False])
def test_ten_clicks_at_once_charge_once(world: World, same_key: bool) -> None:
    payment = world.held()
    shown = world.permit(payment, Action.CAPTURE).fingerprint
    key = uuid.uuid4()
    world.sandbox.post_fault(call="AlterTran", kind="delay_ms", ms=300, times=1)
    results: list[operations.Result] = []

    def click() -> None:
        try:
            results.append(
                world.do(payment, Action.CAPTURE, key=key if same_key else uuid.uuid4(), shown=shown)
            )
        finally:
            connection.close()

    clicks = [threading.Thread(target=click) for _ in range(10)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()
    assert len(results) == 10
    assert sum(isinstance(result, operations.Executed) for result in results) == 1
    assert world.moved(payment) == [("AUTH", 3200), ("SALES", 3200)]
    assert Operation.objects.filter(payment=payment, action="capture").count() == 1


def test_what_changed_since_the_dialog_is_not_sent(world: World) -> None:
    world.at("2026-11-30 23:59:50")
    payment = world.held()
    shown = world.permit(payment, Action.CANCEL).fingerprint
    world.at("2026-12-01 00:00:05")
    result = world.do(payment, Action.CANCEL, shown=shown)
    assert isinstance(result, operations.Changed)
    assert result.decision == world.permit(payment, Action.CANCEL)
    assert fresh(payment).is_open is False
    assert world.moved(payment) == [("AUTH", 3200)]


def test_an_edited_total_between_dialog_and_click_is_not_captured(world: World) -> None:
    payment = world.held()
    shown = world.permit(payment, Action.CAPTURE).fingerprint
    Order.objects.filter(pk=payment.order_id).update(payment_total=2700)
    assert isinstance(world.do(payment, Action.CAPTURE, shown=shown), operations.Changed)
    assert world.moved(payment) == [("AUTH", 3200)]


def test_every_telegram_is_written_down_without_secrets(world: World) -> None:
    payment = world.held()
    world.done(payment, Action.CAPTURE)
    calls = list(Call.objects.order_by("id").values_list("name", "request", "response"))
    assert [name for name, _request, _response in calls] == ["EntryTran", "ExecTran", "AlterTran"]
    texts = " ".join(request + response for _name, request, response in calls)
    for secret in ("shoppass01", "sitepass01", "4111111111111111"):
        assert secret not in texts
    assert "shoppass01" not in str(payment.references)
    assert payment.sealed_secrets.startswith("gAAAA")


def test_no_provider_is_called_inside_a_transaction(world: World) -> None:
    payment = world.held()
    with pytest.raises(TransactionOpenError), transaction.atomic():
        world.do(payment, Action.CAPTURE)
    assert world.moved(payment) == [("AUTH", 3200)]


def test_a_change_of_amount_keeps_the_hold_and_counts_its_day_anew(world: World) -> None:
    world.at("2026-11-20 10:00:00")
    payment = world.held(total=3200)
    Order.objects.filter(pk=payment.order_id).update(payment_total=2700)
    world.at("2026-11-25 10:00:00")
    operation = world.done(payment, Action.CHANGE_AMOUNT)
    payment = fresh(payment)
    assert operation.state == State.SUCCEEDED, operation.message
    assert (payment.status, payment.amount) == (S.AUTH, 2700)
    assert payment.authorized_at is not None
    assert payment.authorized_at.astimezone(TOKYO).day == 25
    assert world.permit(payment, Action.CANCEL).cancel_type == "VOID"


def test_changing_a_sale_keeps_it_charged(world: World) -> None:
    payment = world.held()
    world.done(payment, Action.CAPTURE)
    Order.objects.filter(pk=payment.order_id).update(payment_total=4000)
    assert world.done(payment, Action.CHANGE_AMOUNT).state == State.SUCCEEDED
    assert (fresh(payment).status, fresh(payment).amount) == (S.CAPTURE, 4000)


def test_withdrawing_a_charge_makes_it_a_hold_again(world: World) -> None:
    payment = world.held()
    world.done(payment, Action.CAPTURE)
    Order.objects.filter(pk=payment.order_id).update(payment_total=4000)
    world.done(payment, Action.CHANGE_AMOUNT, target=S.AUTH)
    payment = fresh(payment)
    assert (payment.status, payment.amount, payment.captured_at) == (S.AUTH, 4000, None)


def test_change_first_then_capture_is_one_operation(world: World) -> None:
    payment = world.held()
    Order.objects.filter(pk=payment.order_id).update(payment_total=2700)
    operation = world.done(payment, Action.CAPTURE, mode="change_first")
    assert operation.state == State.SUCCEEDED, operation.message
    assert (fresh(payment).status, fresh(payment).amount) == (S.SALES, 2700)


def test_a_cancelled_payment_is_reauthorized_with_the_saved_total(world: World) -> None:
    payment = world.held()
    world.done(payment, Action.CANCEL)
    Order.objects.filter(pk=payment.order_id).update(payment_total=5000)
    assert world.done(payment, Action.REAUTHORIZE).state == State.SUCCEEDED
    assert (fresh(payment).status, fresh(payment).amount) == (S.AUTH, 5000)


def test_the_guided_change_goes_through_its_four_steps(world: World) -> None:
    world.account.changes_captured_amount = False
    world.account.save()
    payment = world.held()
    world.done(payment, Action.CAPTURE)
    Order.objects.filter(pk=payment.order_id).update(payment_total=2700)
    operation = world.done(payment, Action.GUIDED_CHANGE)
    assert operation.state == State.SUCCEEDED, operation.message
    assert (fresh(payment).status, fresh(payment).amount) == (S.SALES, 2700)
    assert [action for action, _amount in world.moved(payment)][2:4] == ["VOID", "AUTH"]


def test_a_guided_change_whose_reauthorization_is_refused_says_where_it_stands(world: World) -> None:
    world.account.changes_captured_amount = False
    world.account.save()
    payment = world.held()
    world.done(payment, Action.CAPTURE)
    Order.objects.filter(pk=payment.order_id).update(payment_total=2700)
    shown = world.permit(payment, Action.GUIDED_CHANGE).fingerprint
    world.sandbox.post_fault(call="AlterTran", kind="delay_ms", ms=1)  # uses up the cancel
    world.sandbox.post_fault(call="AlterTran", kind="error_code", code="42G120000")
    operation = world.done(payment, Action.GUIDED_CHANGE, shown=shown)
    assert operation.state == State.DECLINED
    assert "4段階のうち1段階" in operation.message
    assert fresh(payment).status == S.VOID
    assert fresh(payment).is_open is False


def test_a_refused_cancel_fetches_the_state_and_tells(world: World) -> None:
    payment = world.held()
    world.sandbox.admin(order=payment.provider_order_id, action="VOID")
    operation = world.done(payment, Action.CAPTURE)
    assert operation.state == State.REFUSED
    assert "取消済み" in operation.message
    assert fresh(payment).status == S.VOID
    assert fresh(payment).is_open is False
