"""A shop at SBPS, through the product's own doors: dates, lost answers, death between hold and commit."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from cagolab import clock
from gateways import registry
from gateways.interface import CardToken
from gateways.vocabulary import Action
from gateways.vocabulary import PaymentStatus as S
from orders.models import Order
from payments import accounts, authorizations, facts, inquiry, operations, recovery, settlement
from payments.actors import By
from payments.decisions import decide
from payments.journal import OperationJournal
from payments.models import GatewayAccount, Operation, Payment
from payments.permits import Permit, Refusal
from tests.dying import ProcessDied, die
from tests.gateway_world import OPERATOR, World

State = Operation.State
HASH_KEY = "0123456789abcdef0123456789abcdef01234567"
AUTHORIZE, COMMIT, CAPTURE, CANCEL = "ST01-00131-101", "ST02-00101-101", "ST02-00201-101", "ST02-00303-101"
INQUIRE = "MG01-00101-101"


class Shop(World):
    """The shop with an account at SBPS."""

    def __init__(self, world: World) -> None:
        super().__init__(world.sandbox)
        self.account = GatewayAccount.objects.get(code="sb")

    def pay(self, order: Order) -> Operation:
        result = authorizations.authorize(
            order_id=order.pk,
            account=self.account,
            card=CardToken(token="TOKEN:KEY"),
            key=uuid.uuid4(),
            by=By(name="お客様", source=Operation.Source.CHECKOUT),
            now=clock.now(),
        )
        assert isinstance(result, Operation), result
        return result

    def hold(self) -> Payment:
        operation = self.pay(self.order())
        assert operation.state == State.SUCCEEDED, operation.message
        return Payment.objects.get(pk=operation.payment_id)

    def dated(self, payment: Payment, action: Action, on: date | None = None) -> Operation:
        """Confirm and execute with a 売上・返金日."""
        decision = self.decision(payment, action, on)
        assert isinstance(decision, Permit), decision
        result = operations.execute(
            payment_id=payment.pk,
            action=action,
            key=uuid.uuid4(),
            shown=decision.fingerprint,
            by=OPERATOR,
            now=clock.now(),
            on=on,
        )
        assert isinstance(result, operations.Executed), result
        return result.operation

    def decision(self, payment: Payment, action: Action, on: date | None = None) -> Permit | Refusal:
        return decide(action, facts.read(fresh(payment)), clock.now(), on=on)

    def recover(self, *, after: int) -> None:
        self.later(seconds=after)
        recovery.recover_due(clock.now())


def fresh(payment: Payment) -> Payment:
    return Payment.objects.select_related("order", "account").get(pk=payment.pk)


def of(operation: Operation) -> Payment:
    return fresh(Payment.objects.get(pk=operation.payment_id))


@pytest.fixture
def shop(world: World, settings: Any) -> Iterator[Shop]:
    values = {
        "base_url": f"{world.sandbox.url}/sbps",
        "merchant_id": "99999",
        "service_id": "001",
        "hash_key": HASH_KEY,
        "cipher_key": HASH_KEY[:24],
        "cipher_iv": HASH_KEY[24:32],
    }
    settings.GATEWAY_ACCOUNTS = {
        **settings.GATEWAY_ACCOUNTS,
        "sb": registry.load_account("sb", "sbps", values),
    }
    accounts.install_accounts()
    yield Shop(world)
    world.sandbox.settings(sbps_auto_capture=0, sbps_refunds_closed=0)


def test_hold_capture_and_refund_with_their_dates(shop: Shop) -> None:
    shop.at("2026-11-21 10:00:00")
    payment = shop.hold()
    assert fresh(payment).status == S.AUTH
    sale = shop.dated(payment, Action.CAPTURE, date(2026, 11, 30))
    assert (sale.state, fresh(payment).status) == (State.SUCCEEDED, S.SALES)
    captured_at = fresh(payment).captured_at
    assert captured_at is not None
    assert captured_at.astimezone(clock.TOKYO).date() == date(2026, 11, 30)
    shop.at("2026-12-01 10:00:00")
    refund = shop.dated(payment, Action.CANCEL, date(2026, 12, 2))
    assert (refund.state, fresh(payment).status) == (State.SUCCEEDED, S.RETURN)
    assert shop.moved(payment) == [("AUTH", 3200), ("SALES", 3200), ("RETURN", 3200)]


def test_cancel_of_a_hold_frees_it(shop: Shop) -> None:
    payment = shop.hold()
    operation = shop.dated(payment, Action.CANCEL)
    assert (operation.state, fresh(payment).status) == (State.SUCCEEDED, S.VOID)
    assert shop.moved(payment) == [("AUTH", 3200), ("VOID", 3200)]


@pytest.mark.parametrize("call", [CAPTURE, CANCEL])
@pytest.mark.parametrize("kind", ["lost_answer", "http_500", "half"])
def test_a_lost_answer_is_found_by_asking(shop: Shop, call: str, kind: str) -> None:
    payment = shop.hold()
    shop.sandbox.post_fault(kind, call=call)
    action = Action.CAPTURE if call == CAPTURE else Action.CANCEL
    operation = shop.dated(payment, action)
    assert operation.state == State.UNCONFIRMED
    shop.recover(after=60)
    operation.refresh_from_db()
    assert operation.state == State.SUCCEEDED
    assert len(shop.moved(payment)) == 2


def test_a_refund_after_the_closing_date_says_to_pay_it_back_directly(shop: Shop) -> None:
    payment = shop.hold()
    shop.dated(payment, Action.CAPTURE)
    shop.sandbox.settings(sbps_refunds_closed=1)
    operation = shop.dated(payment, Action.CANCEL)
    assert operation.state == State.REFUSED
    assert "直接お客様口座にご返金ください" in operation.message
    assert fresh(payment).status == S.SALES


def test_a_sale_behind_our_back_is_not_refunded_by_a_void(shop: Shop) -> None:
    payment = shop.hold()
    shop.sandbox.admin(payment.provider_order_id, provider="sbps", action="SALES")
    operation = shop.dated(payment, Action.CANCEL)
    assert operation.state == State.REFUSED
    assert fresh(payment).status == S.SALES
    assert shop.moved(payment) == [("AUTH", 3200), ("SALES", 3200)]


def test_neither_amount_nor_hold_can_be_renewed(shop: Shop) -> None:
    payment = shop.hold()
    for action in (Action.CHANGE_AMOUNT, Action.GUIDED_CHANGE, Action.REAUTHORIZE):
        assert isinstance(shop.decision(payment, action), Refusal)


def test_an_auto_capture_account_arrives_captured(shop: Shop) -> None:
    shop.sandbox.settings(sbps_auto_capture=1)
    shop.account.checkout_target = S.CAPTURE.value
    shop.account.save()
    payment = shop.hold()
    assert fresh(payment).status == S.CAPTURE
    assert isinstance(shop.decision(payment, Action.CAPTURE), Refusal)
    assert shop.dated(payment, Action.CANCEL).state == State.SUCCEEDED


def test_a_lost_authorization_stays_open_and_says_what_to_look_up(shop: Shop) -> None:
    shop.sandbox.post_fault("lost_answer", call=AUTHORIZE)
    operation = shop.pay(shop.order())
    payment = of(operation)
    for _ in range(3):
        shop.recover(after=1200)
    operation.refresh_from_db()
    assert operation.state == State.UNCONFIRMED
    assert payment.provider_order_id in operation.message
    assert shop.moved(payment) == [("AUTH", 3200)]
    assert isinstance(shop.decision(payment, Action.CAPTURE), Refusal)


def test_a_lost_commit_that_arrived_is_a_payment(shop: Shop) -> None:
    shop.sandbox.post_fault("lost_answer", call=COMMIT)
    shop.sandbox.post_fault("html", call=INQUIRE)
    operation = shop.pay(shop.order())
    assert operation.state == State.UNCONFIRMED
    shop.recover(after=400)
    operation.refresh_from_db()
    assert (operation.state, of(operation).status) == (State.SUCCEEDED, S.AUTH)
    assert of(operation).references["tracking_id"]
    assert shop.dated(of(operation), Action.CAPTURE).state == State.SUCCEEDED


def test_a_commit_that_never_arrived_ends_without_a_hold(shop: Shop) -> None:
    shop.sandbox.post_fault("lost_answer", call=COMMIT, before=True)
    operation = shop.pay(shop.order())
    assert operation.state == State.UNCONFIRMED
    inquiry.inquire_now(payment_id=operation.payment_id, by=OPERATOR, now=clock.now())
    assert shop.moved(of(operation)) == [("AUTH", 3200)]
    shop.recover(after=400)
    operation.refresh_from_db()
    assert (operation.state, of(operation).status) == (State.DECLINED, S.PAYFAIL)
    assert shop.moved(of(operation)) == [("AUTH", 3200), ("VOID", 3200)]


@pytest.mark.parametrize("dies_after", [AUTHORIZE, COMMIT, "settle"])
def test_a_process_that_died_in_the_checkout_leaves_one_truth(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, dies_after: str
) -> None:
    order = shop.order()
    answered = OperationJournal.answered

    def dies(self: OperationJournal, handle: int, **more: Any) -> None:
        answered(self, handle, **more)
        if self._operation.calls.get(pk=handle).name == dies_after:
            raise ProcessDied

    with monkeypatch.context() as patched:
        if dies_after == "settle":
            patched.setattr(settlement, "settle", die)
        else:
            patched.setattr(OperationJournal, "answered", dies)
        with pytest.raises(ProcessDied):
            shop.pay(order)
    payment = Payment.objects.get(order=order)
    operation = Operation.objects.get(payment=payment)
    assert operation.state == State.STARTED
    for _ in range(3):
        shop.recover(after=600)
    operation.refresh_from_db()
    held = shop.moved(payment)
    if dies_after == AUTHORIZE:
        # The number of the hold died with the process: only a person can find it.
        assert operation.state == State.UNCONFIRMED
        assert payment.provider_order_id in operation.message
        assert held == [("AUTH", 3200)]
    else:
        assert (operation.state, fresh(payment).status) == (State.SUCCEEDED, S.AUTH)
        assert held == [("AUTH", 3200)]


def test_a_busy_line_during_recovery_closes_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.sandbox.post_fault("lost_answer", call=COMMIT, before=True)
    operation = shop.pay(shop.order())
    with monkeypatch.context() as patched:
        patched.setattr(accounts, "gateway", _not_configured)
        shop.recover(after=400)
    operation.refresh_from_db()
    assert operation.state == State.UNCONFIRMED
    shop.recover(after=4000)
    operation.refresh_from_db()
    assert operation.state == State.DECLINED
    assert shop.moved(of(operation)) == [("AUTH", 3200), ("VOID", 3200)]


def _not_configured(code: str) -> None:
    raise accounts.AccountNotConfigured(code)
