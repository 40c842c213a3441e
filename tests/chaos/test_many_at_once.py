"""Many hands on one payment, over real HTTP: one button pressed ten times, two operators, and bells that come twice."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User

from orders.bulk.models import BulkRun
from payments.models import Operation
from tests.chaos import shop
from tests.chaos.browser import Browser
from tests.chaos.moments import wait_until
from tests.chaos.scene import Scene


@pytest.mark.parametrize("keys", ["one key", "ten keys"])
def test_ten_clients_press_one_button_at_once(scene: Scene, keys: str) -> None:
    payment = scene.paid()
    path, body = scene.dialog(payment, "capture")
    bodies = [body if keys == "one key" else {**body, "key": str(uuid.uuid4())} for _ in range(10)]
    scene.diary.confirmed.update(each["key"] for each in bodies)
    start = threading.Barrier(10)
    user = User.objects.get(username=scene.name)
    clients = [scene.programs.browser(user, scene.diary) for _ in bodies]

    def press(client: Browser, body: dict[str, str]) -> int:
        start.wait()
        return client.post(path, body).status_code

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(press, clients, bodies))
    assert max(answers) < 500
    assert scene.world.moved(payment) == [("AUTH", payment.amount), ("SALES", payment.amount)]
    assert Operation.objects.filter(payment=payment, action="capture").count() == 1
    assert scene.violations() == []


def test_two_operators_capture_and_cancel_at_once(scene: Scene) -> None:
    """One of them is first; the other is told, and nothing of theirs is sent that they have not seen."""
    payment = scene.paid()
    buttons = [scene.dialog(payment, "capture"), scene.dialog(payment, "cancel")]
    colleague = User.objects.get(username=shop.ADMINISTRATOR)
    clients = [scene.browser, scene.programs.browser(colleague, scene.diary)]
    start = threading.Barrier(2)

    def press(client: Browser, button: tuple[str, dict[str, str]]) -> None:
        start.wait()
        client.post(*button)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(press, clients, buttons))
    assert Operation.objects.filter(payment=payment).exclude(action="authorize").count() == 1
    assert [action for action, _ in scene.world.moved(payment)] in (["AUTH", "SALES"], ["AUTH", "VOID"])
    assert scene.violations() == []


def test_a_bell_that_is_delivered_many_times_sends_each_row_once(scene: Scene) -> None:
    payments = [scene.paid() for _ in range(6)]
    scene.world.sandbox.settings(latency_ms=100)
    scene.browser.post(*scene.preview(payments, follow=True))
    run = BulkRun.objects.get()
    for _ in range(5):
        scene.programs.ring("orders.bulk.tasks.work", str(run.pk))
    wait_until(lambda: not BulkRun.objects.filter(state="running").exists(), "the run does not end")
    scene.world.sandbox.settings(latency_ms=0)
    assert {row.state for row in run.items.all()} == {"succeeded"}
    scene.check_run(payments, follow=True)
