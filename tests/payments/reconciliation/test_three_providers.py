"""One comparison for three providers: as far as each one's inquiry goes, and without false alarms."""

from __future__ import annotations

import pytest

from cagolab import clock
from gateways.vocabulary import Action
from orders.statuses import OrderStatus
from payments.actors import By
from payments.models import Operation, Payment, PaymentDifference, ReconciliationRun
from payments.reconciliation import adopt as adoption
from payments.reconciliation import listing
from payments.reconciliation import run as runs
from tests.gateway_world import World

# The shops are asked for by name at run time, too late for pytest-django to see that they need a database.
pytestmark = pytest.mark.django_db(transaction=True)

BY = By(name="会計 花子", source=Operation.Source.DIFFERENCES)


@pytest.fixture(params=["world", "paygent", "sbps"])
def shop_of(request: pytest.FixtureRequest) -> World:
    """A shop whose payments go through one of the three."""
    world: World = request.getfixturevalue(request.param)
    return world


def run_through(world: World) -> ReconciliationRun:
    started = runs.start(account=world.account, by=BY, now=clock.now())
    runs.work(started.run.pk, seconds=30)
    return ReconciliationRun.objects.get(pk=started.run.pk)


def test_what_we_did_ourselves_is_no_difference_days_later(shop_of: World) -> None:
    shop_of.at("2026-11-20 10:00:00")
    held, sold, void = (shop_of.held(status=OrderStatus.PENDING) for _ in range(3))
    shop_of.done(void, Action.CANCEL)
    shop_of.at("2026-11-22 10:00:00")
    shop_of.done(sold, Action.CAPTURE)
    shop_of.at("2026-11-25 10:00:00")
    run = run_through(shop_of)
    found = list(PaymentDifference.objects.values_list("kind", "our_status", "their_status"))
    assert found == []
    assert (run.planned, run.equal, run.unanswered) == (3, 3, 0)
    assert Payment.objects.get(pk=held.pk).status == "AUTH"


def test_a_capture_that_we_do_not_know_of_is_found_and_adopted(shop_of: World) -> None:
    payment = shop_of.held(status=OrderStatus.PENDING)
    shop_of.done(payment, Action.CAPTURE)
    # As after a restored backup: the provider has sold, our record still holds.
    Payment.objects.filter(pk=payment.pk).update(status="AUTH", captured_at=None)
    run_through(shop_of)
    difference = PaymentDifference.objects.select_related("account", "order", "payment").get()
    assert (difference.kind, difference.our_status) == ("status", "AUTH")
    tells_amount = shop_of.account.provider != "sbps"
    assert difference.their_amount == (3200 if tells_amount else None)
    assert listing.row(difference).theirs.note == ("" if tells_amount else "金額は照会できません")
    result = adoption.adopt(difference_id=difference.pk, reason="復旧", by=BY, now=clock.now())
    assert isinstance(result, adoption.Done), result
    payment.refresh_from_db()
    assert (payment.status in ("SALES", "CAPTURE"), payment.amount) == (True, 3200)
    run_through(shop_of)
    assert not PaymentDifference.objects.filter(state="open").exists()
