"""Invariant 14 for every provider that notifies: repeated, reordered, late, forged or for nobody, a notification
changes nothing that an inquiry does not confirm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection, transaction
from django.test import Client

from gateways.vocabulary import Action
from gateways.vocabulary import PaymentStatus as S
from orders.models import Order
from payments.models import Notification, Operation, Payment, PaymentDifference
from payments.notifications import asking, limits
from tests.bulk.shop import in_threads
from tests.gateway_world import World
from tests.payments.notifications.waiting import make_due, until

# The fixture below chooses its shop by itself, where pytest-django does not see that it needs a database.
pytestmark = pytest.mark.django_db(transaction=True)

State = Notification.State
Origin = Notification.Origin
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Side:
    """One provider: its shop, how it is made to tell something, and what it calls a sale."""

    world: World
    provider: str
    wish: Callable[..., Any]
    received: str
    sale: str
    origin: str

    @property
    def address(self) -> str:
        """Where the provider posts to."""
        return f"/notify/{self.provider}/{self.world.account.code}/"

    def change(self, payment: Payment, **wish: Any) -> None:
        """Change the trade behind our back."""
        order_id = payment.references.get("trading_id") or payment.provider_order_id
        self.world.sandbox.admin(order_id, provider=self.provider, **wish)

    def deliveries(self) -> list[dict[str, Any]]:
        """What the provider has told so far, with the answers it got."""
        found = self.world.sandbox.control("GET", "/_notifications", params={"provider": self.provider})
        told: list[dict[str, Any]] = found["notifications"]
        return told

    def told(self, payment: Payment, count: int) -> list[dict[str, str]]:
        """Wait until the provider has something to tell `count` times about the payment; the fields of it."""
        names = {payment.provider_order_id, payment.references.get("trading_id", "")} - {""}

        def fields() -> list[dict[str, str]]:
            every = [each["fields"] for each in self.deliveries()]
            return [each for each in every if {each.get("OrderID"), each.get("trading_id")} & names]

        until(lambda: len(fields()) >= count)
        return fields()

    def post(self, fields: dict[str, str]) -> tuple[int, str]:
        """Post by hand what a provider, or somebody in its name, might."""
        body = urlencode(fields, encoding="cp932").encode()
        answer = Client(enforce_csrf_checks=True).post(self.address, data=body, content_type=FORM)
        return answer.status_code, answer.content.decode()


@pytest.fixture(params=["gmopg", "paygent"])
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    if request.param == "gmopg":
        world, wish = request.getfixturevalue("world"), request.getfixturevalue("pushed")
        yield Side(world, "gmopg", wish, "0", "SALES", Origin.UNSIGNED)
    else:
        world, wish = request.getfixturevalue("paygent"), request.getfixturevalue("paygent_pushed")
        yield Side(world, "paygent", wish, "result=0", "40", Origin.SIGNED)


def fresh(payment: Payment) -> Payment:
    return Payment.objects.get(pk=payment.pk)


def stand(payment: Payment) -> tuple[Any, ...]:
    payment = fresh(payment)
    order = Order.objects.get(pk=payment.order_id)
    return (
        payment.status,
        payment.amount,
        payment.captured_at,
        order.status,
        order.payment_total,
        order.payment_status,
    )


def inquiries() -> int:
    return Operation.objects.filter(action=Action.INQUIRE).count()


def settle_all() -> None:
    make_due()
    asking.work()


def test_what_changed_behind_our_back_arrives_is_answered_and_followed(side: Side) -> None:
    payment = side.world.held()
    side.change(payment, action="SALES")
    until(lambda: {each["state"] for each in side.deliveries()} == {"received"})
    assert {answer for each in side.deliveries() for answer in each["answers"]} == {side.received}
    assert fresh(payment).status == S.AUTH
    settle_all()
    assert fresh(payment).status == S.SALES
    order = Order.objects.get(pk=payment.order_id)
    assert (order.payment_status, order.paid_at) == (S.SALES, fresh(payment).captured_at)
    assert set(Notification.objects.values_list("origin", flat=True)) == {side.origin}
    assert inquiries() == 1


def test_repeated_ones_are_one_row_and_one_question(side: Side) -> None:
    side.wish(copies=3)
    payment = side.world.held()
    side.change(payment, action="SALES")
    until(lambda: [*Notification.objects.values_list("times", flat=True)] == [3, 3])
    settle_all()
    settle_all()
    assert inquiries() == 1
    assert fresh(payment).status == S.SALES


def test_the_wrong_order_does_no_harm(side: Side) -> None:
    side.wish(paused=True, newest_first=True)
    payment = side.world.held()
    side.world.done(payment, Action.CAPTURE)
    side.world.done(payment, Action.CANCEL)
    before = stand(payment)
    side.wish(paused=False)
    until(lambda: Notification.objects.count() == 3)
    settle_all()
    assert stand(payment) == before
    assert set(Notification.objects.values_list("state", flat=True)) == {State.CONFIRMED}


def test_a_late_one_tells_nothing_new(side: Side) -> None:
    side.wish(paused=True)
    payment = side.world.held()
    side.world.done(payment, Action.CAPTURE)
    before = stand(payment)
    side.wish(paused=False)
    until(lambda: Notification.objects.count() == 2)
    settle_all()
    assert stand(payment) == before
    assert not PaymentDifference.objects.exists()


def test_a_forged_one_is_kept_flagged_and_never_asked_about(side: Side) -> None:
    payment = side.world.held()
    genuine = side.told(payment, 1)[0]
    until(lambda: Notification.objects.count() == 1)
    settle_all()
    before, asked = stand(payment), inquiries()
    forged = genuine | {"Status": "SALES", "payment_status": "40"}
    # What only the provider knows: GMO-PG's AccessID of the trade, Paygent's hash.
    forged |= {"AccessID": "0" * 32, "payment_amount": "1"}
    for _ in range(2):
        assert side.post(forged) == (200, side.received)
    settle_all()
    row = Notification.objects.get(state=State.SUSPICIOUS)
    assert (row.times, row.number) == (2, "")
    assert (stand(payment), inquiries()) == (before, asked)
    assert not PaymentDifference.objects.exists()


def test_a_forgery_does_not_take_the_place_of_the_genuine_one(side: Side) -> None:
    side.wish(paused=True)
    payment = side.world.held()
    side.change(payment, action="SALES")
    for genuine in side.told(payment, 2):
        side.post(genuine | {"AccessID": "0" * 32, "hc": "0" * 64})
    side.wish(paused=False)
    until(lambda: {each["state"] for each in side.deliveries()} == {"received"})
    settle_all()
    assert fresh(payment).status == S.SALES
    assert Notification.objects.filter(state=State.SUSPICIOUS).count() == 2


def test_a_genuine_one_with_another_state_only_makes_us_ask(side: Side) -> None:
    """Neither provider's proof covers the state: whoever could change it on the way gains nothing."""
    side.wish(paused=True)
    payment = side.world.held()
    genuine = side.told(payment, 1)[0]
    before = stand(payment)
    side.post(genuine | {"Status": "RETURN", "payment_status": "60"})
    settle_all()
    assert stand(payment) == before
    row = Notification.objects.get()
    assert row.state == State.CONFIRMED
    assert "一致しています" in row.message


def test_one_for_an_order_that_nobody_has_is_a_difference(side: Side) -> None:
    side.wish(paused=True)
    payment = side.world.held()
    Payment.objects.filter(pk=payment.pk).update(provider_order_id="another-1-1")
    side.wish(paused=False, copies=2)
    until(lambda: Notification.objects.filter(state=State.NO_ORDER).exists())
    settle_all()
    row = PaymentDifference.objects.get()
    assert (row.kind, row.payment, row.their_amount) == ("unknown_trade", None, 3200)
    assert inquiries() == 0


def test_fifty_deliveries_at_once_are_one_row_and_one_question(side: Side) -> None:
    side.wish(paused=True)
    payment = side.world.held()
    side.change(payment, action="SALES")
    sale = side.told(payment, 2)[1]
    side.wish(target=None)
    answers: list[tuple[int, str]] = []
    in_threads(50, lambda: answers.append(side.post(sale)))
    assert answers == [(200, side.received)] * 50
    row = Notification.objects.get()
    assert row.times == 50
    in_threads(4, asking.work)
    assert inquiries() == 1
    assert fresh(payment).status == S.SALES


def test_it_is_stored_before_it_is_answered(side: Side) -> None:
    side.wish(paused=True)
    payment = side.world.held()
    genuine = side.told(payment, 1)[0]
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE payments_notification ADD CONSTRAINT nothing_fits CHECK (false) NOT VALID"
        )
    try:
        client = Client(raise_request_exception=False)
        assert client.post(side.address, data=urlencode(genuine), content_type=FORM).status_code == 500
    finally:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("ALTER TABLE payments_notification DROP CONSTRAINT nothing_fits")
    assert side.post(genuine) == (200, side.received)
    assert Notification.objects.count() == 1


def test_the_address_has_limits(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    side.wish(target=None)
    too_long = {"payment_id": "1", "OrderID": "1", "other": "x" * (16 * 1024)}
    assert side.post(too_long)[0] == 413
    monkeypatch.setattr(limits, "STRANGE_PER_MINUTE", 1)
    answers = [
        side.post({"payment_id": str(number), "OrderID": str(number), "ShopID": "tshop00000001"})
        for number in range(3)
    ]
    assert [status for status, _ in answers] == [200, 429, 429]
    assert side.received not in {text for status, text in answers if status != 200}
    monkeypatch.setattr(limits, "PER_MINUTE", 0)
    assert side.post({"payment_id": "1", "OrderID": "1"})[0] == 429
    assert Notification.objects.count() == 1


def test_the_address_belongs_to_one_account_of_one_provider(side: Side) -> None:
    other = "paygent" if side.provider == "gmopg" else "gmopg"
    client = Client()
    for address in (
        f"/notify/{other}/{side.world.account.code}/",
        f"/notify/{side.provider}/nobody/",
        "/notify/sbps/sbps/",
        "/notify/nobody/gmo/",
    ):
        assert client.post(address, {"OrderID": "1"}).status_code == 404
    assert client.get(side.address).status_code == 405
