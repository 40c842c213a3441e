"""Bells of 決済処理中の注文の取消: enough to bring the work on, and none that rings on for ever."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from cagolab import clock
from cagolab.celery import app
from payments.models import StaleRun
from payments.nightly import bells, stale_orders, stale_worklist, tasks
from tests.gateway_world import OPERATOR
from tests.payments.nightly.shop import GivenUpShop


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """After how many seconds each bell is to be heard."""
    heard: list[float] = []

    def note(_run_id: UUID, countdown: float) -> bool:
        heard.append(countdown)
        return True

    monkeypatch.setattr(bells, "_send", note)
    return heard


def begun(given_up: GivenUpShop, cases: int) -> StaleRun:
    for _ in range(cases):
        given_up.order(used_points=0)
    run, _ = stale_orders.start(by=OPERATOR, until=clock.now(), now=clock.now())
    return run


def test_a_run_begins_with_as_many_bells_as_may_work_on_it(given_up: GivenUpShop, rung: list[float]) -> None:
    begun(given_up, 6)
    assert rung == [0] * stale_orders.WORKERS


def test_a_bell_of_every_minute_does_not_live_on(given_up: GivenUpShop, rung: list[float]) -> None:
    """A long run with something due in half a minute: the bell that found nothing to do rings for nothing."""
    run = begun(given_up, 1)
    case = stale_worklist.claim(run.pk)
    assert case
    stale_worklist.put_back(case, seconds=30, message="")
    rung.clear()
    for _minute in range(5):
        tasks.tick()
        tasks.work_stale_orders(str(run.pk))
    assert rung == [0] * 5, "the minute's own bells, and no other"


def test_where_every_place_is_taken_no_bell_is_rung_and_none_works(
    given_up: GivenUpShop, rung: list[float]
) -> None:
    run = begun(given_up, stale_orders.WORKERS + 1)
    for _ in range(stale_orders.WORKERS):
        assert stale_worklist.claim(run.pk)
    rung.clear()
    stale_orders.ring_again()
    tasks.work_stale_orders(str(run.pk))
    assert rung == []
    assert stale_orders.counts(run) == {"claimed": stale_orders.WORKERS, "waiting": 1}


def test_a_bell_that_worked_comes_back_for_what_is_due_soon(
    given_up: GivenUpShop, rung: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(given_up, 2)
    later = stale_worklist.claim(run.pk)
    assert later
    stale_worklist.put_back(later, seconds=30, message="")
    rung.clear()
    tasks.work_stale_orders(str(run.pk))
    assert [20 < countdown <= 30 for countdown in rung] == [True]


@pytest.mark.parametrize(
    ("module", "constant"),
    [("payments.nightly.bells", "_WORK"), ("payments.notifications.reception", "_ASK")],
)
def test_the_names_of_the_bells_are_those_of_tasks(module: str, constant: str) -> None:
    app.loader.import_default_modules()
    name: Any = getattr(__import__(module, fromlist=[constant]), constant)
    assert name in app.tasks
