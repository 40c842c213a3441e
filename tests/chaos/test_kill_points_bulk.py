"""kill -9 to a real worker at chosen moments of a bulk run's batches, and to the web process that queues the run."""

from __future__ import annotations

import pytest

from orders.bulk.models import BulkItem, BulkRun
from tests.chaos.moments import CLAIMED, ENDED, Moment, answer, telegram
from tests.chaos.scene import AFTER_THE_COMMIT, BEFORE_THE_COMMIT, Scene, SlowCapture, die, die_at_work

RING = "orders.bulk.tasks.ring"
ROWS = 4
ROW_ENDED = Moment(
    table="orders_bulkitem", event="UPDATE", when="OLD.state = 'claimed' AND NEW.state = 'succeeded'"
)
RUN_ENDED = Moment(
    table="orders_bulkrun", event="UPDATE", when="OLD.state = 'running' AND NEW.state = 'finished'"
)
RUN_STARTED = Moment(table="orders_bulkrun", event="UPDATE", when="NEW.state = 'running'")


@pytest.mark.parametrize(
    ("moment", "at", "follow"),
    [
        (CLAIMED, BEFORE_THE_COMMIT, False),
        (CLAIMED, AFTER_THE_COMMIT, False),
        (telegram("AlterTran"), BEFORE_THE_COMMIT, False),
        (telegram("AlterTran"), AFTER_THE_COMMIT, False),
        (ENDED, BEFORE_THE_COMMIT, False),
        (ENDED, AFTER_THE_COMMIT, False),
        (answer("AlterTran"), BEFORE_THE_COMMIT, True),
        (ENDED, AFTER_THE_COMMIT, True),
        (ROW_ENDED, BEFORE_THE_COMMIT, True),
        (RUN_ENDED, BEFORE_THE_COMMIT, False),
    ],
    ids=[
        "before the batch's claim commits",
        "right after the batch's claim",
        "before the telegrams are written down",
        "when the telegrams are written and not sent",
        "before the batch's settlement commits",
        "right after the batch's settlement",
        "before the answers are written down whose orders follow",
        "right after the settlement whose orders follow",
        "before the rows are written down",
        "before the run's end",
    ],
)
def test_a_worker_killed_within_a_bulk_run(scene: Scene, moment: Moment, at: str, follow: bool) -> None:
    payments = [scene.paid() for _ in range(ROWS)]
    path, button = scene.preview(payments, follow=follow)
    die_at_work(scene, moment, at, RING, begin=lambda: scene.browser.post(path, button))
    scene.recover()
    scene.check_run(payments, follow=follow)


@pytest.mark.parametrize("executes_at_once", [True, False], ids=["has executed it", "is still at it"])
def test_a_worker_killed_while_the_provider_answers(scene: Scene, executes_at_once: bool) -> None:
    payments = [scene.paid() for _ in range(ROWS)]
    path, button = scene.preview(payments, follow=False)
    slow = SlowCapture(scene, payments[0], executes_at_once=executes_at_once)
    scene.programs.ring(RING)  # there is a worker before there is work
    scene.browser.post(path, button)
    slow.wait_until_it_arrived()
    scene.programs.kill_worker()
    scene.let_leases_run_out()
    slow.wait_until_it_is_executed()
    scene.recover()
    scene.check_run(payments, follow=False)


@pytest.mark.parametrize("at", [BEFORE_THE_COMMIT, AFTER_THE_COMMIT])
def test_a_web_process_killed_while_a_run_is_queued(scene: Scene, at: str) -> None:
    """No bell was rung: the minute job's brings the run to a worker. What was not queued is still a preview."""
    payments = [scene.paid() for _ in range(ROWS)]
    path, button = scene.preview(payments, follow=True)
    die(scene, RUN_STARTED, at, lambda: scene.browser.post(path, button))
    run = BulkRun.objects.get()
    assert run.state == ("preview" if at == BEFORE_THE_COMMIT else "running")
    if run.state == "preview":
        scene.browser.post(path, button)
    scene.recover()
    scene.check_run(payments, follow=True)
    assert BulkItem.objects.filter(run=run, state="succeeded").count() == ROWS
