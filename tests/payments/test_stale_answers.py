"""An answer that was on its way while our record moved on may be older than it: it is not taken over."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from cagolab import clock
from gateways.vocabulary import Action
from gateways.vocabulary import PaymentStatus as S
from payments import calling, inquiry
from payments.models import Operation, Payment
from tests.gateway_world import OPERATOR, World

State = Operation.State


@contextmanager
def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> Iterator[None]:
    """The next answer to an inquiry arrives only after this has happened."""
    ask = calling.ask

    def slowly(payment: Payment, operation: Operation) -> object:
        monkeypatch.setattr(calling, "ask", ask)
        answer = ask(payment, operation)

        def act() -> None:
            happens()
            connection.close()

        other = threading.Thread(target=act)
        other.start()
        other.join()
        return answer

    monkeypatch.setattr(calling, "ask", slowly)
    yield


def inquired(payment: Payment) -> Operation:
    return inquiry.inquire_now(payment_id=payment.pk, by=OPERATOR, now=clock.now())


@pytest.mark.parametrize(("action", "status"), [(Action.CANCEL, S.VOID), (Action.CAPTURE, S.SALES)])
def test_an_answer_from_before_a_whole_operation_is_not_adopted(
    world: World, monkeypatch: pytest.MonkeyPatch, action: Action, status: S
) -> None:
    payment = world.held()
    with meanwhile(monkeypatch, lambda: world.done(payment, action)):
        operation = inquired(payment)
    payment.refresh_from_db()
    assert (payment.status, payment.is_open) == (status, False)
    assert operation.state == State.REFUSED
    assert "照会の結果は反映していません" in operation.message
    assert inquired(payment).state == State.SUCCEEDED


def test_an_answer_that_is_older_than_another_inquirys_is_not_adopted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = world.held()

    def changed_behind_our_back() -> None:
        world.behind_our_back(payment, action="VOID")
        inquired(payment)

    with meanwhile(monkeypatch, changed_behind_our_back):
        assert inquired(payment).state == State.REFUSED
    payment.refresh_from_db()
    assert payment.status == S.VOID


def test_two_inquiries_that_hear_the_same_do_not_disturb_each_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = world.held()
    with meanwhile(monkeypatch, lambda: inquired(payment)):
        assert inquired(payment).state == State.SUCCEEDED
