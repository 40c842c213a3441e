"""PostgreSQL, Redis and the provider going away in the middle of it, at a moment that the test chooses."""

from __future__ import annotations

from collections.abc import Callable

import redis
from django.conf import settings

from gateways.vocabulary import PaymentStatus as S
from orders.bulk.models import BulkRun
from payments.models import Operation, Payment
from tests.chaos.moments import ENDED, Hold, telegram, wait_until
from tests.chaos.scene import Scene
from tests.sandbox_server import start_sandbox

ROWS = 4


def interrupted_run(scene: Scene, hold: Hold, happens: Callable[[], object]) -> list[Payment]:
    """A bulk run that is interrupted when `hold` is reached."""
    payments = [scene.paid() for _ in range(ROWS)]
    button = scene.preview(payments, follow=False)
    scene.programs.ring("orders.bulk.tasks.ring")  # there is a worker before there is work
    with hold:
        scene.browser.post(*button)
        hold.wait()
        happens()
    return payments


def test_redis_is_emptied_in_the_middle_of_a_run(scene: Scene) -> None:
    hold = Hold(telegram("AlterTran"))

    def empty() -> None:
        redis.Redis.from_url(settings.REDIS_URL).flushdb()
        hold.commit()

    payments = interrupted_run(scene, hold, empty)
    scene.programs.ring("orders.bulk.tasks.ring")
    wait_until(lambda: not BulkRun.objects.filter(state="running").exists(), "the run does not end")
    scene.check_run(payments, follow=False)
    assert [len(scene.world.moved(payment)) for payment in payments] == [2] * ROWS


def test_postgres_ends_all_connections_while_a_run_sends(scene: Scene) -> None:
    hold = Hold(telegram("AlterTran"))
    payments = interrupted_run(scene, hold, hold.break_connections)
    scene.let_leases_run_out()
    scene.recover()
    scene.check_run(payments, follow=False)


def test_postgres_ends_all_connections_while_a_run_settles(scene: Scene) -> None:
    hold = Hold(ENDED)
    payments = interrupted_run(scene, hold, hold.break_connections)
    scene.let_leases_run_out()
    scene.recover()
    scene.check_run(payments, follow=False)
    assert [len(scene.world.moved(payment)) for payment in payments] == [2] * ROWS


def test_a_provider_that_refuses_connections_was_sent_nothing(scene: Scene) -> None:
    payment = scene.paid()
    button = scene.dialog(payment, "capture")
    sandbox = scene.world.sandbox
    port = int(sandbox.url.rpartition(":")[2])
    sandbox.stop(kill=True)
    try:
        answer = scene.browser.post(*button)
    finally:
        sandbox.process = start_sandbox(sandbox.data_dir, port=port).process
    assert answer.status_code < 500
    operation = Operation.objects.get(payment=payment, action="capture")
    assert operation.state == Operation.State.NOT_SENT
    payment.refresh_from_db()
    assert (payment.status, payment.is_open) == (S.AUTH, False)
    scene.confirm(payment, "capture")
    assert scene.world.moved(payment) == [("AUTH", payment.amount), ("SALES", payment.amount)]
    assert scene.violations() == []
