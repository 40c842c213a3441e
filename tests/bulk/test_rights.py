"""Who is suspended, or loses the role, starts nothing more: not with a run that began before, either."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from orders.bulk import engine, rights, worklist
from orders.bulk.models import BulkRun
from orders.bulk.registry import Task
from tests.bulk.shop import NOW, OutsideKind, make_orders, make_preview, make_user, states

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 40


def suspend(operator: User) -> None:
    User.objects.filter(pk=operator.pk).update(is_active=False)


def take_the_role(operator: User) -> None:
    operator.groups.clear()


WITHDRAWALS = pytest.mark.parametrize("withdraw", [suspend, take_the_role])


@pytest.fixture
def operator() -> User:
    return make_user("operator", "決済操作")


@pytest.fixture
def run(outside: OutsideKind, operator: User) -> BulkRun:
    started = make_preview(outside, make_orders(ROWS), operator)
    assert worklist.start(started, follow=False, now=NOW)
    return started


@WITHDRAWALS
def test_a_run_does_not_begin_when_its_operator_may_not_any_more(
    outside: OutsideKind, operator: User, run: BulkRun, withdraw: Callable[[User], None]
) -> None:
    withdraw(operator)
    engine.work(run.pk, seconds=30)
    assert states(run) == {"stopped": ROWS}
    assert outside.executions == []
    assert set(run.items.values_list("message", flat=True)) == {rights.WITHDRAWN}
    run.refresh_from_db()
    assert (run.state, run.stopped_by_name) == (BulkRun.State.FINISHED, "")


@WITHDRAWALS
def test_the_rest_of_a_run_under_way_is_not_sent(
    outside: OutsideKind,
    operator: User,
    run: BulkRun,
    withdraw: Callable[[User], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("orders.bulk.crew.LOOK_SECONDS", 0.0)

    def withdraw_at_the_first(task: Task) -> None:
        if User.objects.get(pk=operator.pk).has_perm(outside.permission):
            withdraw(operator)

    outside.before_answer = withdraw_at_the_first
    engine.work(run.pk, seconds=30)
    ended = states(run)
    assert ended["succeeded"] == len(outside.executions) < ROWS
    assert ended["stopped"] == ROWS - len(outside.executions)


def test_the_page_says_that_it_stopped_by_itself(operator: User, run: BulkRun) -> None:
    suspend(operator)
    engine.work(run.pk, seconds=30)
    client = Client()
    client.force_login(make_user("colleague", "決済操作"))
    page = client.get(f"/bulk/{run.pk}/").content.decode()
    assert "利用者の停止または権限の変更により" in page
    assert rights.WITHDRAWN in page
