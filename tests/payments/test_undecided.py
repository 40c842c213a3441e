"""要判断の決済 at the sandbox: a person ends what no inquiry can, once, and never against what the provider says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from cagolab import clock
from gateways.vocabulary import Action
from gateways.vocabulary import PaymentStatus as S
from orders.models import Order
from orders.statuses import OrderStatus
from payments import recovery, undecided
from payments.actors import By
from payments.models import Operation, Payment
from tests.gateway_world import World

State = Operation.State
ADMIN = By(name="管理 一郎", source=Operation.Source.UNDECIDED)
AUTHORIZE, INQUIRE = "ST01-00131-101", "MG01-00101-101"
REASON = "11/21 購入IDと金額で検索し、0件"


def lost(world: World, *, arrived: bool, order: Order | None = None) -> Operation:
    """An authorization at SBPS whose answer never came, both times that it was sent."""
    world.sandbox.post_fault("lost_answer", call=AUTHORIZE, before=not arrived, times=1 if arrived else 2)
    operation = world.authorize(order or world.order(status=OrderStatus.PENDING))
    world.later(seconds=1200)
    return operation


def lost_at_paygent(world: World, *, arrived: bool) -> Operation:
    """An authorization at Paygent whose answer never came, and that 094 does not tell of."""
    world.sandbox.post_fault("lost_answer", call="020", before=not arrived)
    if arrived:
        world.sandbox.post_fault("error_code", call="094", code="2101", times=None)
    operation = world.authorize(world.order(status=OrderStatus.PENDING))
    world.later(seconds=1200)
    recovery.recover_due(clock.now())
    operation.refresh_from_db()
    return operation


def absent(operation: Operation) -> undecided.Decided | undecided.Left:
    return undecided.conclude_absent(operation_id=operation.pk, reason=REASON, by=ADMIN, now=clock.now())


def present(operation: Operation, trade_id: str) -> undecided.Decided | undecided.Left:
    return undecided.conclude_present(operation_id=operation.pk, trade_id=trade_id, by=ADMIN, now=clock.now())


def tracking_id(world: World, operation: Operation) -> str:
    (trade,) = world.sandbox.trades(operation.payment.provider_order_id)
    return str(trade["tracking_id"])


def stands(operation: Operation) -> tuple[str, str, bool]:
    operation.refresh_from_db()
    payment = Payment.objects.get(pk=operation.payment_id)
    return operation.state, payment.status, payment.is_open


def waits(operation: Operation) -> bool:
    return undecided.waiting().filter(pk=operation.pk).exists()


WAITING = (State.UNCONFIRMED, S.UNPROCESSED, True)


def test_no_trade_ends_the_authorization_with_the_reason_and_the_customer_may_pay_again(sbps: World) -> None:
    operation = lost(sbps, arrived=False)
    assert waits(operation)
    result = absent(operation)
    assert isinstance(result, undecided.Decided), result
    assert "「取引なし」として終了しました" in result.text
    assert stands(operation) == (State.NOT_EXECUTED, S.PAYFAIL, False)
    assert REASON in operation.message
    note = Operation.objects.get(source=Operation.Source.UNDECIDED)
    assert (note.actor_name, note.state) == ("管理 一郎", State.SUCCEEDED)
    assert REASON in note.words
    assert not waits(operation)
    again = sbps.authorize(operation.payment.order)
    assert again.state == State.SUCCEEDED
    assert Order.objects.get(pk=operation.payment.order_id).status == OrderStatus.NEW


def test_a_hold_that_a_person_found_is_freed_since_it_was_never_committed(sbps: World) -> None:
    operation = lost(sbps, arrived=True)
    result = present(operation, tracking_id(sbps, operation))
    assert isinstance(result, undecided.Decided), result
    assert stands(operation) == (State.DECLINED, S.PAYFAIL, False)
    assert sbps.moved(operation.payment) == [("AUTH", 3200), ("VOID", 3200)]


def test_a_sale_that_a_person_found_becomes_the_orders_payment(sbps: World) -> None:
    operation = lost(sbps, arrived=True)
    sbps.sandbox.admin(operation.payment.provider_order_id, provider="sbps", action="SALES")
    number = tracking_id(sbps, operation)
    assert isinstance(present(operation, number), undecided.Decided)
    assert stands(operation) == (State.SUCCEEDED, S.SALES, False)
    assert Payment.objects.get(pk=operation.payment_id).references["tracking_id"] == number
    assert Order.objects.get(pk=operation.payment.order_id).status == OrderStatus.NEW


@pytest.mark.parametrize(("wish", "state"), [("VOID", State.DECLINED), ("RETURN", State.DECLINED)])
def test_what_was_cancelled_on_the_providers_screen_meanwhile_ends_without_a_payment(
    sbps: World, wish: str, state: State
) -> None:
    operation = lost(sbps, arrived=True)
    order_id = operation.payment.provider_order_id
    if wish == "RETURN":
        sbps.sandbox.admin(order_id, provider="sbps", action="SALES")
    sbps.sandbox.admin(order_id, provider="sbps", action=wish)
    assert isinstance(present(operation, tracking_id(sbps, operation)), undecided.Decided)
    assert stands(operation) == (state, S.PAYFAIL, False)


def test_wrong_numbers_change_nothing_and_say_why(sbps: World) -> None:
    other = sbps.held()
    operation = lost(sbps, arrived=True)
    wrong = {
        "123": "形が正しくありません",
        "ABCDEFGHIJKLMN": "形が正しくありません",
        "99999999999999": "取引はありません",
        other.references["tracking_id"]: f"注文番号 {other.order.number} の決済に使われています",
    }
    for number, why in wrong.items():
        result = present(operation, number)
        assert isinstance(result, undecided.Left)
        assert why in result.text
        assert "まだ何も変えていません" in result.text
        assert stands(operation) == WAITING
        assert waits(operation)
    assert sbps.moved(operation.payment) == [("AUTH", 3200)]


def test_a_number_that_the_provider_does_not_answer_about_changes_nothing(sbps: World) -> None:
    operation = lost(sbps, arrived=True)
    number = tracking_id(sbps, operation)
    sbps.sandbox.post_fault("http_500", call=INQUIRE)
    assert isinstance(present(operation, number), undecided.Left)
    assert stands(operation) == WAITING
    assert isinstance(present(operation, number), undecided.Decided)


def test_nothing_is_decided_while_the_provider_may_still_be_at_work(sbps: World) -> None:
    sbps.sandbox.post_fault("lost_answer", call=AUTHORIZE, before=True, times=2)
    operation = sbps.authorize(sbps.order(status=OrderStatus.PENDING))
    result = absent(operation)
    assert isinstance(result, undecided.Left)
    assert "以降に登録してください" in result.text
    assert stands(operation) == WAITING


def at_once(*calls: Callable[[], undecided.Decided | undecided.Left]) -> list[str]:
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], undecided.Decided | undecided.Left]) -> str:
        try:
            barrier.wait(timeout=20)
            return type(call()).__name__
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return sorted(pool.map(run, calls))


def test_of_two_people_at_once_one_decides(sbps: World) -> None:
    operation = lost(sbps, arrived=False)
    answers = at_once(lambda: absent(operation), lambda: absent(operation))
    assert answers == ["Decided", "Left"]
    assert stands(operation) == (State.NOT_EXECUTED, S.PAYFAIL, False)
    assert (
        Operation.objects.filter(source=Operation.Source.UNDECIDED, words__contains="取引なし").count() == 1
    )
    assert isinstance(absent(operation), undecided.Left)
    assert isinstance(present(operation, "00000000000001"), undecided.Left)


def test_two_tabs_with_the_same_number_free_the_hold_once(sbps: World) -> None:
    operation = lost(sbps, arrived=True)
    number = tracking_id(sbps, operation)
    answers = at_once(lambda: present(operation, number), lambda: present(operation, number))
    assert answers.count("Decided") == 1
    operation.refresh_from_db()
    if operation.state in Operation.OPEN_STATES:
        # The second tab was just looking when the first one wanted to go on: the minute's recovery does it.
        recovery.recover(operation, clock.now())
    assert sbps.moved(operation.payment) == [("AUTH", 3200), ("VOID", 3200)]


def test_what_asking_can_tell_is_no_persons_case(sbps: World) -> None:
    sbps.sandbox.post_fault("lost_answer", call="ST02-00101-101")
    sbps.sandbox.post_fault("html", call=INQUIRE)
    operation = sbps.authorize(sbps.order(status=OrderStatus.PENDING))
    sbps.later(seconds=1200)
    assert operation.state == State.UNCONFIRMED
    assert not waits(operation)
    assert isinstance(absent(operation), undecided.Left)


def test_paygent_without_a_code_for_no_such_payment_leaves_it_to_a_person(paygent: World) -> None:
    operation = lost_at_paygent(paygent, arrived=False)
    assert waits(operation)
    paygent.sandbox.post_fault("http_500", call="094")
    not_asked = absent(operation)
    assert isinstance(not_asked, undecided.Left)
    assert "照会できないため" in not_asked.text
    assert stands(operation) == WAITING
    assert isinstance(absent(operation), undecided.Decided)
    assert stands(operation) == (State.NOT_EXECUTED, S.PAYFAIL, False)


def test_no_trade_is_not_believed_where_paygent_now_tells_of_one(paygent: World) -> None:
    operation = lost_at_paygent(paygent, arrived=True)
    assert waits(operation)
    paygent.sandbox.clear_faults()
    result = absent(operation)
    assert isinstance(result, undecided.Decided)
    assert "結果が分かりました" in result.text
    assert stands(operation) == (State.SUCCEEDED, S.AUTH, False)


def test_paygents_number_is_checked_against_our_own(paygent: World) -> None:
    other = paygent.held()
    operation = lost_at_paygent(paygent, arrived=True)
    (trade,) = paygent.sandbox.trades(operation.payment.provider_order_id.replace("-", "_"))
    number = str(trade["payment_id"])
    paygent.sandbox.clear_faults()
    others_number = other.references["payment_id"]
    Payment.objects.filter(pk=other.pk).update(references={})  # not known to be ours: the inquiry tells
    wrong = present(operation, others_number)
    assert isinstance(wrong, undecided.Left)
    assert "この操作の取引ではありません" in wrong.text
    assert stands(operation) == WAITING
    assert isinstance(present(operation, number), undecided.Decided)
    assert stands(operation) == (State.SUCCEEDED, S.AUTH, False)
    assert Payment.objects.get(pk=operation.payment_id).references["payment_id"] == number


def test_a_lost_amount_change_at_paygent_ends_with_the_old_payment(paygent: World) -> None:
    payment = paygent.held()
    Order.objects.filter(pk=payment.order_id).update(payment_total=4400)
    paygent.sandbox.post_fault("lost_answer", call="020", before=True)
    operation = paygent.done(payment, Action.CHANGE_AMOUNT)
    paygent.later(seconds=1200)
    recovery.recover_due(clock.now())
    assert waits(operation)
    paygent.later(seconds=1200)
    result = absent(operation)
    assert isinstance(result, undecided.Decided), result
    assert "元の決済は変更前の金額のまま有効です" in result.text
    assert stands(operation) == (State.NOT_EXECUTED, S.AUTH, False)
    assert paygent.done(payment, Action.CHANGE_AMOUNT).state == State.SUCCEEDED
