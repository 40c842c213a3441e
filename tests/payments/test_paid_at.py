"""入金日: a sale sets it when it is empty, whoever told us of the sale."""

from __future__ import annotations

from datetime import UTC, datetime

from cagolab import clock
from gateways.vocabulary import Action, MethodKind
from gateways.vocabulary import PaymentStatus as S
from orders.models import Order, OrderChange
from payments import authorizations, inquiry
from payments.actors import By
from payments.models import Operation, Payment
from tests.gateway_world import OPERATOR, TOKYO, World

NOTIFIED = By(name="結果通知", source=Operation.Source.NOTIFICATION)


def ask(payment: Payment, by: By = OPERATOR) -> Operation:
    return inquiry.inquire_now(payment_id=payment.pk, by=by, now=clock.now())


def paid_at(payment: Payment) -> datetime | None:
    return Order.objects.get(pk=payment.order_id).paid_at


def test_a_sale_that_an_inquiry_adopts_sets_it_to_the_day_of_the_sale(world: World) -> None:
    world.at("2026-11-20 10:00:00")
    payment = world.held()
    world.at("2026-11-21 11:30:00")
    world.sandbox.admin(payment.provider_order_id, action="SALES")
    world.at("2026-11-25 09:00:00")
    assert ask(payment, NOTIFIED).state == Operation.State.SUCCEEDED
    found = paid_at(payment)
    assert found is not None
    assert f"{found.astimezone(TOKYO):%Y-%m-%d %H:%M}" == "2026-11-21 11:30"
    entry = OrderChange.objects.get(order_id=payment.order_id, field="入金日")
    assert (entry.new, entry.actor_name, entry.source) == ("2026/11/21 11:30", "結果通知", "結果通知")


def test_a_sale_at_paygent_sets_it_too(paygent: World) -> None:
    payment = paygent.held()
    trading_id = payment.references["trading_id"]
    paygent.sandbox.admin(trading_id, provider="paygent", action="SALES")
    ask(payment)
    assert paid_at(payment) == Payment.objects.get(pk=payment.pk).captured_at


def test_a_payment_at_the_convenience_store_sets_it(world: World) -> None:
    payment = Payment.objects.create(
        order=world.order(),
        account=world.account,
        kind=MethodKind.CVS.value,
        status=S.REQSUCCESS.value,
        amount=3200,
        provider_order_id=authorizations.provider_order_id(1, 1, clock.now()),
        created_at=clock.now(),
    )
    number = payment.provider_order_id
    world.sandbox.admin(number, enter="REQSUCCESS", pay_type="3", amount=3200)
    ask(payment)
    assert paid_at(payment) is None
    world.at("2026-11-28 08:15:00")
    world.sandbox.admin(number, status="PAYSUCCESS", pay_type="3")
    world.at("2026-11-29 10:00:00")
    ask(payment)
    found = paid_at(payment)
    assert found is not None
    assert f"{found.astimezone(TOKYO):%Y-%m-%d %H:%M}" == "2026-11-28 08:15"


def test_what_stands_there_already_stays(world: World) -> None:
    written = datetime(2026, 11, 1, tzinfo=UTC)
    payment = world.held(paid_at=written)
    world.sandbox.admin(payment.provider_order_id, action="SALES")
    ask(payment)
    assert paid_at(payment) == written
    assert not OrderChange.objects.filter(order_id=payment.order_id, field="入金日").exists()


def test_a_hold_and_a_cancel_do_not_set_it(world: World) -> None:
    payment = world.held()
    ask(payment)
    world.sandbox.admin(payment.provider_order_id, action="VOID")
    ask(payment)
    assert paid_at(payment) is None


def test_a_sale_found_in_place_of_what_was_asked_for_sets_it(world: World) -> None:
    payment = world.held()
    world.sandbox.post_fault("error_code", call="AlterTran", code="E11010001", times=1)
    world.sandbox.post_fault("http_503", call="SearchTrade", times=1)
    operation = world.done(payment, Action.CANCEL)
    assert operation.state == Operation.State.UNCONFIRMED
    world.sandbox.admin(payment.provider_order_id, action="SALES")
    world.later(seconds=600)
    for _ in range(3):
        operation = ask(payment)
        world.later(seconds=600)
    assert operation.state not in Operation.OPEN_STATES
    assert Payment.objects.get(pk=payment.pk).status == S.SALES
    assert paid_at(payment) is not None
