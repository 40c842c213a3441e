"""Paygent behind the one door for money: the change of amount through claim, call, settle and recovery."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import requests

from cagolab import clock
from gateways import registry
from gateways.interface import CardToken
from gateways.paygent.telegrams import Telegrams
from gateways.vocabulary import Action, PaymentStatus
from orders.models import Order
from payments import accounts, authorizations, inquiry, recovery
from payments.actors import By
from payments.models import GatewayAccount, Operation, Payment
from tests.gateway_world import OPERATOR, World

LIVE = {"20", "40", "41"}


class PaygentWorld(World):
    """The same shop with an account at Paygent."""

    def __init__(self, world: World) -> None:
        self.sandbox = world.sandbox
        self.account = GatewayAccount.objects.get(code="pg")

    def authorize(self, order: Order, *, card: str = "4111111111111111") -> Operation:
        answer = requests.post(
            f"{self.sandbox.url}/paygent/token", json={"cardno": card, "expire": "4912"}, timeout=10
        ).json()
        result = authorizations.authorize(
            order_id=order.pk,
            account=self.account,
            card=CardToken(token=answer["tokenObject"]["token"]),
            key=uuid.uuid4(),
            by=By(name="お客様", source=Operation.Source.CHECKOUT),
            now=clock.now(),
        )
        assert isinstance(result, Operation), result
        return result

    def to_change(self, *, captured: bool = False) -> Payment:
        """A payment over 3,200 yen whose order is now over 4,400 yen."""
        payment = self.held()
        if captured:
            self.done(payment, Action.CAPTURE)
        Order.objects.filter(pk=payment.order_id).update(payment_total=4400, total=4400)
        return payment

    def live(self, payment: Payment) -> list[tuple[str, int]]:
        """What the customer is held or charged for: (payment_status, amount)."""
        trades = self.sandbox.control("GET", "/_admin/trades", params={"provider": "paygent"})["trades"]
        prefix = payment.provider_order_id.replace("-", "_")[:16]
        return [
            (trade["status"], trade["amount"])
            for trade in trades
            if trade["order_id"].startswith(prefix) and trade["status"] in LIVE
        ]

    def recover(self, *, times: int = 3) -> None:
        """Let recovery come round a few times, hours apart."""
        for _ in range(times):
            self.later(seconds=7200)
            recovery.recover_due(clock.now())


@pytest.fixture
def shop(world: World, settings: Any) -> PaygentWorld:
    settings.GATEWAY_ACCOUNTS = {
        "pg": registry.load_account(
            "pg",
            "paygent",
            {
                "base_url": f"{world.sandbox.url}/paygent",
                "merchant_id": "100000001",
                "connect_id": "sandbox",
                "connect_password": "sandboxpass",
                "hash_key": "sandboxhashkey01",
                "not_found_codes": "2101",
            },
        )
    }
    accounts.gateway.cache_clear()
    accounts.install_accounts()
    return PaygentWorld(world)


def now(payment: Payment) -> tuple[str, int]:
    payment.refresh_from_db()
    return payment.status, payment.amount


def test_authorize_capture_and_cancel(shop: PaygentWorld) -> None:
    payment = shop.held()
    assert shop.done(payment, Action.CAPTURE).state == Operation.State.SUCCEEDED
    assert now(payment) == ("SALES", 3200)
    assert shop.done(payment, Action.CANCEL).state == Operation.State.SUCCEEDED
    assert now(payment) == ("RETURN", 3200)
    assert shop.live(payment) == []


@pytest.mark.parametrize("captured", [False, True])
def test_a_change_moves_the_payment_to_its_new_ids(shop: PaygentWorld, captured: bool) -> None:
    payment = shop.to_change(captured=captured)
    old = payment.references["payment_id"]
    operation = shop.done(payment, Action.CHANGE_AMOUNT)
    assert operation.state == Operation.State.SUCCEEDED, operation.message
    assert now(payment) == ("SALES" if captured else "AUTH", 4400)
    assert payment.references["payment_id"] != old
    assert len(shop.live(payment)) == 1
    assert inquiry.inquire_now(payment_id=payment.pk, by=OPERATOR, now=clock.now()).state == "succeeded"
    assert now(payment)[1] == 4400


@pytest.mark.parametrize("telegram", ["020", "022", "023"])
def test_a_telegram_and_its_question_without_answers_are_made_up_by_recovery(
    shop: PaygentWorld, telegram: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = shop.to_change(captured=True)
    shop.sandbox.post_fault("lost_answer", call=telegram)
    look, seen = Telegrams.look, []

    def blind(self: Telegrams, *arguments: Any, **named: Any) -> Any:
        seen.append(1)
        if len(seen) == 2:
            shop.sandbox.post_fault("html", call="094")
        return look(self, *arguments, **named)

    monkeypatch.setattr(Telegrams, "look", blind)
    assert shop.done(payment, Action.CHANGE_AMOUNT).state == Operation.State.UNCONFIRMED
    shop.recover()
    assert now(payment) == ("SALES", 4400)
    assert not payment.is_open
    assert shop.live(payment) == [("40", 4400)]


def test_a_declined_change_leaves_the_old_payment_and_ends_at_once(shop: PaygentWorld) -> None:
    payment = shop.to_change()
    shop.sandbox.post_fault("error_code", call="020", code="1G54")
    operation = shop.done(payment, Action.CHANGE_AMOUNT)
    assert operation.state == Operation.State.DECLINED
    assert now(payment) == ("AUTH", 3200)
    assert not payment.is_open


def test_a_change_given_up_ends_at_once(shop: PaygentWorld) -> None:
    payment = shop.to_change(captured=True)
    shop.sandbox.post_fault("error_code", call="022", code="2201")
    operation = shop.done(payment, Action.CHANGE_AMOUNT)
    assert operation.state == Operation.State.REFUSED
    assert "取り消しました" in operation.message
    assert now(payment) == ("SALES", 3200)
    assert shop.live(payment) == [("40", 3200)]


def test_two_live_charges_stay_open_until_a_person_has_ended_one(shop: PaygentWorld) -> None:
    payment = shop.to_change(captured=True)
    old = payment.references["payment_id"]
    shop.sandbox.post_fault("error_code", call="023", code="2201", times=None)
    operation = shop.done(payment, Action.CHANGE_AMOUNT)
    assert operation.state == Operation.State.UNCONFIRMED
    assert old in operation.message
    shop.recover(times=2)
    payment.refresh_from_db()
    assert payment.is_open
    assert len(shop.live(payment)) == 2
    shop.sandbox.control("POST", "/_admin", json={"provider": "paygent", "order_id": old, "action": "RETURN"})
    shop.recover(times=1)
    assert now(payment) == (PaymentStatus.SALES.value, 4400)
    assert not payment.is_open


def test_an_authorization_that_never_arrived_ends_as_not_executed(shop: PaygentWorld) -> None:
    payment = shop.to_change()
    shop.sandbox.post_fault("reset_before", call="020")
    assert shop.done(payment, Action.CHANGE_AMOUNT).state == Operation.State.UNCONFIRMED
    shop.recover()
    operation = Operation.objects.filter(payment=payment).order_by("-pk")[0]
    assert operation.state == Operation.State.NOT_EXECUTED
    assert now(payment) == ("AUTH", 3200)
    assert not payment.is_open


def test_an_authorization_lost_at_the_checkout_is_found_by_recovery(shop: PaygentWorld) -> None:
    order = shop.order()
    shop.sandbox.post_fault("lost_answer", call="020")
    operation = shop.authorize(order)
    assert operation.state == Operation.State.UNCONFIRMED
    shop.recover(times=1)
    payment = Payment.objects.get(pk=operation.payment_id)
    assert now(payment) == ("AUTH", 3200)
    assert payment.references["payment_id"]
