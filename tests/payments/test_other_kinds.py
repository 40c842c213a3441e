"""コンビニ, Pay-easy, carriers and 楽天ペイ: begun here, paid elsewhere, told by notification, believed by asking (G5-14)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from cagolab import clock
from gateways.interface import Payer
from gateways.vocabulary import PAID_BY_CONSENT, PAID_BY_NUMBER, Action, MethodKind
from gateways.vocabulary import PaymentStatus as S
from orders.models import Order, PaymentMethod
from orders.models.history import OrderChange
from orders.statuses import OrderStatus
from payments import authorizations, facts, inquiry, recovery
from payments.actors import By
from payments.decisions import available, decide
from payments.models import Notification, Operation, Payment, PaymentDifference
from payments.notifications import asking, limits
from payments.permits import Permit, Refusal
from payments.reconciliation import run as reconciliation
from tests.gateway_world import OPERATOR, World
from tests.payments.notifications.test_notifications import post, told

CUSTOMER = By(name="お客様", source=Operation.Source.CHECKOUT)
PAYER = Payer(
    name="山田 花子",
    kana="ヤマダ ハナコ",
    phone="03-1234-5678",
    store="00007",
    return_url="https://shop.example.jp/",
)
OTHER_KINDS = sorted(PAID_BY_NUMBER | PAID_BY_CONSENT)


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    for key in limits._connection().scan_iter("notify*"):
        limits._connection().delete(key)


def order_by(world: World, kind: MethodKind, *, total: int = 3200, **fields: Any) -> Order:
    method = PaymentMethod.objects.create(name=kind.value, kind=kind.value, account=world.account.code)
    order = world.order(total=total, **{"status": OrderStatus.PENDING, **fields})
    Order.objects.filter(pk=order.pk).update(payment_method=method, payment_method_name=method.name)
    return order


def request(world: World, order: Order, kind: MethodKind, key: uuid.UUID | None = None) -> Any:
    return authorizations.request(
        order_id=order.pk,
        account=world.account,
        kind=kind,
        payer=PAYER,
        key=key or uuid.uuid4(),
        by=CUSTOMER,
        now=clock.now(),
    )


def requested(world: World, kind: MethodKind = MethodKind.CVS, **fields: Any) -> Payment:
    operation = request(world, order_by(world, kind, **fields), kind)
    assert operation.state == Operation.State.SUCCEEDED, operation.message
    return fresh(operation.payment)


def fresh(payment: Payment) -> Payment:
    return Payment.objects.select_related("order", "account").get(pk=payment.pk)


def ask(payment: Payment) -> Operation:
    return inquiry.inquire_now(payment_id=payment.pk, by=OPERATOR, now=clock.now())


def notify(payment: Payment, status: str, **fields: str) -> None:
    """The provider's notification arrives, and the worker deals with it."""
    pay_type = {"cvs": "3", "au": "8", "docomo": "9", "softbank": "11", "rakuten": "18"}.get(
        payment.kind, "4"
    )
    assert post(told(payment, Status=status, PayType=pay_type, TranID="", **fields)) == (200, "0")
    asking.work()


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_who_has_a_number_has_ordered_and_who_is_sent_to_a_page_has_not(
    world: World, kind: MethodKind
) -> None:
    payment = requested(world, kind)
    assert (payment.status, payment.amount, payment.is_open) == (S.REQSUCCESS, 3200, False)
    assert (payment.authorized_at, payment.captured_at) == (None, None)
    placed = OrderStatus.NEW if kind in PAID_BY_NUMBER else OrderStatus.PENDING
    assert payment.order.status == placed
    assert (payment.order.payment_status, payment.order.paid_at) == (S.REQSUCCESS, None)
    assert world.moved(payment) == []


def test_paying_at_the_store_is_told_confirmed_and_sets_the_day_of_payment(world: World) -> None:
    world.at("2026-11-30 10:00:00")
    payment = requested(world)
    world.at("2026-12-02 15:30:00")
    world.sandbox.admin(payment.provider_order_id, customer="pays")
    notify(payment, "PAYSUCCESS")
    paid = fresh(payment)
    assert paid.status == S.PAYSUCCESS
    assert paid.order.paid_at is not None
    assert paid.order.paid_at.astimezone(clock.TOKYO).isoformat()[:16] == "2026-12-02T15:30"
    # 対応状況 is the operators': a payment moves no order on (requirements, 対応状況 and money).
    assert paid.order.status == OrderStatus.NEW
    assert OrderChange.objects.filter(order=paid.order, field="入金日", source="結果通知").count() == 1
    question = Operation.objects.get(action=Action.INQUIRE)
    assert [call.name for call in question.calls.all()] == ["SearchTradeMulti"]
    assert Notification.objects.get().state == Notification.State.CONFIRMED


def test_a_forged_notification_that_it_was_paid_changes_nothing(world: World) -> None:
    payment = requested(world)
    notify(payment, "PAYSUCCESS")
    assert fresh(payment).status == S.REQSUCCESS
    assert fresh(payment).order.paid_at is None
    notify(payment, "PAYSUCCESS", AccessID="f" * 32, TranDate="20261121100001")
    assert Notification.objects.filter(state=Notification.State.SUSPICIOUS).count() == 1
    assert post(told(payment, Status="PAYSUCCESS", PayType="0", TranDate="20261121100002"))[0] == 200
    assert Notification.objects.filter(state=Notification.State.SUSPICIOUS).count() == 2
    assert fresh(payment).status == S.REQSUCCESS


def test_notifications_that_come_late_and_in_the_wrong_order_end_where_the_provider_stands(
    world: World,
) -> None:
    payment = requested(world)
    world.sandbox.admin(payment.provider_order_id, customer="pays")
    for status in ("PAYSUCCESS", "EXPIRED", "REQSUCCESS"):
        notify(payment, status)
        assert fresh(payment).status == S.PAYSUCCESS
    assert OrderChange.objects.filter(order=payment.order, field="入金日").count() == 1


def test_a_number_that_nobody_used_shows_as_expired(world: World) -> None:
    world.at("2026-11-30 10:00:00")
    payment = requested(world)
    world.at("2026-12-09 09:00:00")
    notify(payment, "EXPIRED")
    expired = fresh(payment)
    assert (expired.status, expired.order.payment_status) == (S.EXPIRED, S.EXPIRED)
    assert expired.order.status == OrderStatus.NEW
    assert decide(Action.CANCEL, facts.read(expired), clock.now()) == Refusal(
        code="status", reason="期限切れのため、取消は不要です。"
    )


@pytest.mark.parametrize("kind", sorted(PAID_BY_CONSENT))
def test_agreeing_at_the_carrier_places_the_order(world: World, kind: MethodKind) -> None:
    payment = requested(world, kind)
    world.sandbox.admin(payment.provider_order_id, customer="opens")
    notify(payment, "AUTHPROCESS")
    assert fresh(payment).order.status == OrderStatus.PENDING
    world.sandbox.admin(payment.provider_order_id, customer="pays")
    notify(payment, "AUTH")
    placed = fresh(payment)
    assert (placed.status, placed.order.status) == (S.AUTH, OrderStatus.NEW)
    assert placed.authorized_at is not None
    assert not placed.dates_estimated
    assert placed.order.payment_deadline is None
    assert world.moved(payment) == [("AUTH", 3200)]


def test_what_is_captured_on_the_providers_screen_is_taken_over(world: World) -> None:
    payment = requested(world, MethodKind.RAKUTEN)
    world.sandbox.admin(payment.provider_order_id, customer="pays")
    world.sandbox.admin(payment.provider_order_id, action="SALES")
    assert ask(payment).state == Operation.State.SUCCEEDED
    assert fresh(payment).status == S.REQSALES
    world.later(seconds=61)
    notify(payment, "SALES")
    sold = fresh(payment)
    assert sold.status == S.SALES
    assert sold.captured_at is not None
    assert sold.order.paid_at is not None


def test_a_page_that_was_refused_is_a_failed_payment_and_places_nothing(world: World) -> None:
    payment = requested(world, MethodKind.AU)
    world.sandbox.admin(payment.provider_order_id, customer="fails")
    notify(payment, "PAYFAIL")
    assert (fresh(payment).status, fresh(payment).order.status) == (S.PAYFAIL, OrderStatus.PENDING)


@pytest.mark.parametrize("call", ["EntryTranCvs", "ExecTranCvs"])
def test_a_lost_answer_is_being_confirmed_until_asking_tells(world: World, call: str) -> None:
    order = order_by(world, MethodKind.CVS)
    world.sandbox.post_fault("lost_answer", call=call, times=1)
    world.sandbox.post_fault("lost_answer", call="SearchTradeMulti", times=1)
    operation = request(world, order, MethodKind.CVS)
    assert operation.state == Operation.State.UNCONFIRMED
    order.refresh_from_db()
    assert (order.payment_is_open, order.status) == (True, OrderStatus.PENDING)
    for seconds in (200, 60, 60, 120):
        world.later(seconds=seconds)
        recovery.recover_due(clock.now())
    operation.refresh_from_db()
    payment = fresh(operation.payment)
    if call == "ExecTranCvs":
        assert (operation.state, payment.status) == (Operation.State.SUCCEEDED, S.REQSUCCESS)
        assert payment.references["cvs_receipt_no"]
        assert payment.order.status == OrderStatus.NEW
    else:
        assert (operation.state, payment.status) == (Operation.State.NOT_EXECUTED, S.UNPROCESSED)
        assert payment.order.status == OrderStatus.PENDING
    trades = world.sandbox.trades(order=payment.provider_order_id)
    assert len(trades) == 1


def test_who_paid_before_we_asked_again_has_paid(world: World) -> None:
    order = order_by(world, MethodKind.CVS)
    world.sandbox.post_fault("lost_answer", call="ExecTranCvs", times=1)
    operation = request(world, order, MethodKind.CVS)
    world.sandbox.admin(operation.payment.provider_order_id, customer="pays")
    world.later(seconds=200)
    recovery.recover_due(clock.now())
    payment = fresh(operation.payment)
    assert (payment.status, payment.order.status) == (S.PAYSUCCESS, OrderStatus.NEW)
    assert payment.order.paid_at is not None


def test_the_same_key_asks_for_one_number_and_a_second_is_refused_while_one_is_good(world: World) -> None:
    order = order_by(world, MethodKind.CVS)
    key = uuid.uuid4()
    first, again = (request(world, order, MethodKind.CVS, key) for _ in range(2))
    assert first.pk == again.pk
    second = request(world, order, MethodKind.CVS)
    assert isinstance(second, authorizations.NotPossible)
    assert Payment.objects.filter(order=order).count() == 1


def test_more_than_a_store_takes_is_told_before_anything_is_sent(world: World) -> None:
    refused = request(world, order_by(world, MethodKind.CVS, total=300_000), MethodKind.CVS)
    assert isinstance(refused, authorizations.NotPossible)
    assert "決済できる上限(299,999円)を超えています。" in refused.reason
    assert not Payment.objects.exists()


def test_reconciliation_finds_what_no_notification_told(world: World) -> None:
    payment = requested(world)
    world.sandbox.admin(payment.provider_order_id, customer="pays")
    started = reconciliation.start(account=world.account, by=OPERATOR, now=clock.now())
    reconciliation.work(started.run.pk, seconds=30)
    difference = PaymentDifference.objects.get(payment=payment)
    assert (difference.our_status, difference.their_status) == (S.REQSUCCESS, S.PAYSUCCESS)
    assert fresh(payment).status == S.REQSUCCESS
    assert ask(payment).state == Operation.State.SUCCEEDED
    assert fresh(payment).status == S.PAYSUCCESS


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_no_money_action_is_offered_and_each_says_why_and_where(world: World, kind: MethodKind) -> None:
    payment = requested(world, kind)
    decisions = available(facts.read(payment), clock.now())
    assert {action for action, decision in decisions.items() if isinstance(decision, Permit)} == {
        Action.INQUIRE
    }
    cancel, change = decisions[Action.CANCEL], decisions[Action.CHANGE_AMOUNT]
    assert isinstance(cancel, Refusal)
    assert isinstance(change, Refusal)
    assert "GMO-PGの管理画面で行ってください" in cancel.reason
    expected = (
        "ご注文後に金額を変更できません" if kind in PAID_BY_NUMBER else "GMO-PGの管理画面で行ってください"
    )
    assert expected in change.reason
