"""要判断の決済操作: what no question has ended well, until a person has looked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cagolab import clock
from gateways.vocabulary import Action
from gateways.vocabulary import PaymentStatus as S
from payments.models import Operation
from tests.screens.payment_shop import make_operation, make_payment

Login = Callable[[str], Client]
State = Operation.State
PAGE = "/payments/attention/"
EMPTY = "要判断の操作はありません。"


def operation(state: Operation.State, *, hours_ago: float = 2, **fields: Any) -> Operation:
    started_at = clock.now() - timedelta(hours=hours_ago)
    return make_operation(make_payment(S.AUTH), Action.CAPTURE, state, started_at=started_at, **fields)


def shown(client: Client) -> str:
    return client.get(PAGE).content.decode()


def test_a_contradiction_is_listed_with_what_was_said(login: Login) -> None:
    found = operation(State.CONTRADICTED, message="売上の結果が決済代行会社の状態と合いません。")
    page = shown(login("閲覧"))
    assert found.payment.order.number in page
    assert "要確認" in page
    assert "売上の結果が決済代行会社の状態と合いません。" in page
    assert "仮売上済み" in page


def test_it_goes_when_a_person_has_acted_on_the_payment(login: Login) -> None:
    found = operation(State.CONTRADICTED)
    client = login("決済操作")
    by_itself = make_operation(found.payment, Action.INQUIRE, State.SUCCEEDED, actor_name="結果通知")
    assert found.payment.order.number in shown(client)
    by_itself.pk, by_itself.key = None, "6f0b2f0e-3c0e-4b52-8f39-0d8b9f7d0001"
    by_itself.actor = User.objects.get()
    by_itself.save()
    assert EMPTY in shown(client)


@pytest.mark.parametrize(("hours_ago", "is_listed"), [(2, True), (0.5, False)])
def test_an_outcome_that_stays_unknown_is_listed_after_an_hour(
    login: Login, hours_ago: float, is_listed: bool
) -> None:
    operation(State.UNCONFIRMED, hours_ago=hours_ago, ask_at=clock.now())
    assert (EMPTY not in shown(login("閲覧"))) is is_listed


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.REFUSED, State.NOT_EXECUTED, State.STARTED])
def test_nothing_else_is_listed(login: Login, state: Operation.State) -> None:
    operation(state, ask_at=clock.now())
    assert EMPTY in shown(login("閲覧"))


def test_the_list_costs_the_same_for_many(login: Login) -> None:
    for number in range(6):
        operation(State.CONTRADICTED, hours_ago=number + 1)
    client = login("管理者")
    with CaptureQueriesContext(connection) as queries:
        client.get(PAGE)
    assert len(queries) <= 12
