"""One door for three providers: the same calls, each provider's own rules and words."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cagolab import clock
from gateways.vocabulary import Action
from gateways.vocabulary import PaymentStatus as S
from orders.models import Order
from orders.statuses import OrderStatus
from payments import calling, facts, recovery
from payments.decisions import decide
from payments.models import Operation, Payment
from payments.permits import Refusal
from tests.dying import ProcessDied
from tests.gateway_world import World

State = Operation.State
# The shops are asked for by name at run time, too late for pytest-django to see that they need a database.
pytestmark = pytest.mark.django_db(transaction=True)

# The telegram that moves the money.
TELEGRAMS = {
    ("paygent", Action.CAPTURE): "022",
    ("paygent", Action.CANCEL): "021",
    ("sbps", Action.CAPTURE): "ST02-00201-101",
    ("sbps", Action.CANCEL): "ST02-00303-101",
}


@pytest.fixture(params=["paygent", "sbps"])
def other(request: pytest.FixtureRequest) -> World:
    """A shop whose payments go through another provider than GMO-PG."""
    world: World = request.getfixturevalue(request.param)
    return world


def fresh(payment: Payment) -> Payment:
    return Payment.objects.select_related("order", "account").get(pk=payment.pk)


def recover(world: World, *, after: int) -> None:
    world.later(seconds=after)
    recovery.recover_due(clock.now())


def test_authorize_capture_and_refund(other: World) -> None:
    payment = other.held(status=OrderStatus.PENDING)
    assert (fresh(payment).status, fresh(payment).order.status) == (S.AUTH, OrderStatus.NEW)
    assert other.done(payment, Action.CAPTURE, follow=True).state == State.SUCCEEDED
    assert (fresh(payment).status, fresh(payment).order.status) == (S.SALES, OrderStatus.PAID)
    operation = other.done(payment, Action.CANCEL)
    assert (operation.state, operation.cancel_type) == (State.SUCCEEDED, "RETURN"), operation.message
    assert fresh(payment).status == S.RETURN


def test_a_hold_is_voided_on_any_day(other: World) -> None:
    other.at("2026-11-20 10:00:00")
    payment = other.held()
    other.at("2026-12-03 10:00:00")
    operation = other.done(payment, Action.CANCEL)
    assert (operation.state, fresh(payment).status) == (State.SUCCEEDED, S.VOID), operation.message


def test_reauthorization_is_not_offered_and_says_why(other: World) -> None:
    payment = other.held()
    other.done(payment, Action.CANCEL)
    decision = decide(Action.REAUTHORIZE, facts.read(fresh(payment)), clock.now())
    assert isinstance(decision, Refusal)
    assert "再オーソリを行えません" in decision.reason


@pytest.mark.parametrize("action", [Action.CAPTURE, Action.CANCEL])
def test_a_lost_answer_is_settled_by_asking_and_nothing_is_sent_twice(other: World, action: Action) -> None:
    payment = other.held()
    other.sandbox.post_fault("lost_answer", call=TELEGRAMS[other.account.provider, action], times=1)
    operation = other.done(payment, action)
    recover(other, after=60)
    recover(other, after=400)
    operation.refresh_from_db()
    assert operation.state == State.SUCCEEDED, (operation.state, operation.message)
    assert fresh(payment).is_open is False


def test_sbps_takes_a_capture_date_but_none_before_the_authorization(sbps: World) -> None:
    sbps.at("2026-11-20 10:00:00")
    payment = sbps.held()
    early = decide(Action.CAPTURE, facts.read(fresh(payment)), clock.now(), on=date(2026, 11, 19))
    assert isinstance(early, Refusal)
    assert "2026/11/20" in early.reason
    later = sbps.permit(payment, Action.CAPTURE, on=date(2026, 11, 25))
    assert later.steps[0].on == date(2026, 11, 25)


def test_sbps_changes_no_amount_and_says_whom_to_ask(sbps: World) -> None:
    payment = sbps.held()
    Order.objects.filter(pk=payment.order_id).update(payment_total=2700)
    decision = decide(Action.CHANGE_AMOUNT, facts.read(fresh(payment)), clock.now())
    assert isinstance(decision, Refusal)
    assert "SBPSへお問い合わせください" in decision.reason


@pytest.mark.parametrize("captured", [False, True])
@pytest.mark.parametrize("total", [2700, 4000])
def test_paygent_changes_an_amount_by_a_new_payment_and_leaves_one_live(
    paygent: World, captured: bool, total: int
) -> None:
    payment = paygent.held()
    if captured:
        paygent.done(payment, Action.CAPTURE)
    Order.objects.filter(pk=payment.order_id).update(payment_total=total)
    first_id = fresh(payment).references["payment_id"]
    operation = paygent.done(payment, Action.CHANGE_AMOUNT)
    assert operation.state == State.SUCCEEDED, operation.message
    assert (fresh(payment).status, fresh(payment).amount) == (S.SALES if captured else S.AUTH, total)
    assert fresh(payment).references["payment_id"] != first_id


@pytest.mark.parametrize("telegram", range(1, 5))
def test_a_change_at_paygent_whose_process_died_is_finished_by_recovery(
    paygent: World, monkeypatch: Any, telegram: int
) -> None:
    payment = paygent.held()
    paygent.done(payment, Action.CAPTURE)
    Order.objects.filter(pk=payment.order_id).update(payment_total=4000)

    sent = 0
    from payments.journal import OperationJournal

    real = OperationJournal.answered

    def dies(self: OperationJournal, handle: int, **given: Any) -> None:
        nonlocal sent
        sent += 1
        if sent == telegram:
            raise ProcessDied
        real(self, handle, **given)

    with monkeypatch.context() as patched:
        patched.setattr(OperationJournal, "answered", dies)
        with pytest.raises(ProcessDied):
            paygent.do(payment, Action.CHANGE_AMOUNT)
    for _ in range(4):
        recover(paygent, after=900)
    operation = Operation.objects.get(payment=payment, action="change_amount")
    assert operation.state in (State.SUCCEEDED, State.NOT_EXECUTED), (operation.state, operation.message)
    expected = 4000 if operation.state == State.SUCCEEDED else 3200
    assert (fresh(payment).status, fresh(payment).amount) == (S.SALES, expected)
    lines = [
        (line["action"], line["amount"]) for line in paygent.sandbox.ledger() if line["provider"] == "paygent"
    ]
    assert lines
    assert calling.reference(fresh(payment)).amount == expected
