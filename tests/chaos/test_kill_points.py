"""kill -9 to real web and worker processes at chosen moments of claim, call and settle; then recovery, then the books.

The storm kills at random; here every moment has its test. Each death is judged by the storm's own checks, against the
sandbox's ledger.
"""

from __future__ import annotations

import random
import re
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
import requests
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F

from gateways.vocabulary import PaymentStatus as S
from orders.bulk.models import BulkItem, BulkRun
from orders.models import Order, PaymentMethod
from orders.statuses import OrderStatus
from payments.models import Call, GatewayAccount, Operation, Payment
from tests.chaos import checks, shop
from tests.chaos.browser import Browser, inputs
from tests.chaos.diary import Diary
from tests.chaos.evidence import Evidence
from tests.chaos.moments import Hold, Moment, wait_until
from tests.chaos.programs import Programs
from tests.chaos.weather import LEASES
from tests.gateway_world import World
from tests.sandbox_server import SandboxHandle

State = Operation.State
BEFORE_THE_COMMIT, AFTER_THE_COMMIT = "before", "after"
# お支払い合計 is set by hand for a change of amount: the lines know nothing of it.
TAX_BUCKETS = 10
# Longer than it takes to see the telegram and to kill.
SLOW_MS = 2500


@pytest.fixture(scope="module")
def programs(
    sandbox: SandboxHandle, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Programs]:
    """Web and worker for all tests here, each started when it is first needed."""
    started = Programs(sandbox, tmp_path_factory.mktemp("programs"))
    yield started
    started.stop()


class Scene:
    """A shop, an operator at a browser, and what remains to be said after a death."""

    def __init__(self, world: World, programs: Programs) -> None:
        self.world = world
        self.programs = programs
        self.diary = Diary()
        self.dice = random.Random(1)
        (self.name,) = shop.open_shop(world.sandbox, self.dice, self.diary, orders=0, operators=1)
        self.browser = programs.browser(User.objects.get(username=self.name), self.diary)

    def paid(self, code: str = "gmo") -> Payment:
        """A new order with its money held."""
        method = PaymentMethod.objects.get(account=code)
        order = shop.order_paid_for(self.world.sandbox, self.dice, self.diary, method)
        return Payment.objects.select_related("order", "account").get(order=order)

    def dialog(self, payment: Payment, action: str) -> tuple[str, dict[str, str]]:
        """Open it; where its button posts to, and what."""
        path = f"/payments/{payment.pk}/{action}/"
        form = inputs(self.browser.get(path))
        assert "shown" in form, f"{action} is not offered"
        self.diary.confirmed.add(form["key"])
        chosen = {"asked": "1", "second": "1", "follow": "1"}
        return path, {"key": form["key"], "shown": form["shown"], **chosen}

    def confirm(self, payment: Payment, action: str) -> requests.Response:
        """Open the dialog and press its button."""
        return self.browser.post(*self.dialog(payment, action))

    def preview(self, payments: Sequence[Payment], *, follow: bool) -> tuple[str, dict[str, str]]:
        """Tick orders for 一括売上; where the preview's button posts to, and what."""
        ticked = {
            "kind": "capture",
            "scope": "page",
            "order": [str(payment.order_id) for payment in payments],
        }
        page = self.browser.post("/bulk/preview/", {**ticked, "back": "/orders/"})
        found = re.search(r"/bulk/[0-9a-f-]{36}/start/", page.text)
        assert found, page.url
        return found[0], {"confirmed": "on"} | ({"follow": "on"} if follow else {})

    def recover(self) -> None:
        """Ring as beat does, let time pass, until nothing is open and no run runs."""
        until = iter(range(60))
        while before := self._open():
            assert next(until, None) is not None, f"still open: {before}"
            self.world.later(seconds=200)
            for bell in ("payments.tasks.recover", "orders.bulk.tasks.ring"):
                self.programs.ring(bell)
            _moved_on(lambda before=before: self._open() != before)

    def let_leases_run_out(self) -> None:
        """Those of a worker that is dead: they run on the database server's clock, which nobody can move."""
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE orders_bulkitem SET claimed_at = claimed_at - make_interval(secs => %s)"
                " WHERE state = 'claimed'",
                [LEASES["orders_bulkitem"]],
            )

    def _open(self) -> list[tuple[Any, ...]]:
        operations = Operation.objects.filter(state__in=Operation.OPEN_STATES)
        rows = BulkItem.objects.filter(
            state__in=("ready", "claimed", "unknown"), run__state__in=("running", "finished")
        )
        runs = BulkRun.objects.filter(state="running")
        return [
            *operations.values_list("pk", "state", "step", "asks", "equal_answers"),
            *rows.values_list("pk", "state", "tries"),
            *runs.values_list("pk", "state"),
        ]

    def violations(self) -> list[str]:
        """What does not hold, by the storm's checks."""
        evidence = Evidence(sandbox=self.world.sandbox, diary=self.diary, logs=self.programs.logs)
        return [
            *(f"{number}: {sentence}" for number, sentence in self.diary.troubles),
            *(
                f"{number}: {sentence}"
                for number, each in checks.CHECKS.items()
                if number != TAX_BUCKETS
                for check in each
                for sentence in check(evidence)
            ),
        ]


def _moved_on(happened: Callable[[], bool]) -> None:
    """Wait for news, but not long: a bell that came too early must be rung again."""
    try:
        wait_until(happened, "no news", seconds=1.0)
    except AssertionError:
        return


@pytest.fixture
def scene(world: World, programs: Programs) -> Scene:
    world.sandbox.control("POST", "/_reset")
    return Scene(world, programs)


# Moments of one operation. "started" is how an operation is claimed; a telegram is a row before it is sent.
CLAIMED = Moment(table="payments_operation", event="INSERT", when="NEW.action <> 'inquire'")
ENDED = Moment(
    table="payments_operation", event="UPDATE", when="OLD.state = 'started' AND NEW.state = 'succeeded'"
)


def telegram(name: str) -> Moment:
    """Its row is written: it is sent next."""
    return Moment(table="payments_call", event="INSERT", when=f"NEW.name = '{name}'")


def answer(name: str) -> Moment:
    """The provider has answered, and the answer is written next to the telegram."""
    return Moment(table="payments_call", event="UPDATE", when=f"NEW.name = '{name}' AND OLD.response = ''")


def noted(stage: str) -> Moment:
    """An action of several telegrams has remembered how far it came."""
    return Moment(
        table="payments_operation",
        event="UPDATE",
        when=f"OLD.progress->>'stage' IS DISTINCT FROM '{stage}' AND NEW.progress->>'stage' = '{stage}'",
    )


def step(number: int) -> Moment:
    """A step is settled, the next one has not begun."""
    return Moment(
        table="payments_operation", event="UPDATE", when=f"OLD.step = {number} - 1 AND NEW.step = {number}"
    )


def die(scene: Scene, moment: Moment, at: str, click: Callable[[], Any]) -> Future[Any]:
    """Let the web process come to the moment, kill it, and decide what becomes of the transaction."""
    with ThreadPoolExecutor(1) as pool, Hold(moment) as hold:
        clicking = pool.submit(click)
        hold.wait()
        scene.programs.kill_web()
        _decide(hold, at)
        clicking.exception(timeout=60)
    return clicking


def die_at_work(
    scene: Scene, moment: Moment, at: str, bell: str, *, begin: Callable[[], Any] = lambda: None
) -> None:
    """Ring for the worker until it comes to the moment, kill it, and decide what becomes of the transaction."""
    tries = iter(range(60))
    with Hold(moment) as hold:
        begin()
        while not hold.is_reached():
            assert next(tries, None) is not None, "no worker came to the moment"
            scene.programs.ring(bell)
            _moved_on(hold.is_reached)
        scene.programs.kill_worker()
        _decide(hold, at)
    scene.let_leases_run_out()


def _decide(hold: Hold, at: str) -> None:
    if at == BEFORE_THE_COMMIT:
        hold.roll_back()
    else:
        hold.commit()


# What became of the capture, in the words of Operation.State; None where nothing was begun.
CAPTURE = [
    (CLAIMED, BEFORE_THE_COMMIT, None),
    (CLAIMED, AFTER_THE_COMMIT, State.NOT_SENT),
    (telegram("AlterTran"), BEFORE_THE_COMMIT, State.NOT_SENT),
    (telegram("AlterTran"), AFTER_THE_COMMIT, State.NOT_EXECUTED),
    (answer("AlterTran"), BEFORE_THE_COMMIT, State.SUCCEEDED),
    (answer("AlterTran"), AFTER_THE_COMMIT, State.SUCCEEDED),
    (ENDED, BEFORE_THE_COMMIT, State.SUCCEEDED),
    (ENDED, AFTER_THE_COMMIT, State.SUCCEEDED),
]
CAPTURE_NAMES = [
    "before the claim commits",
    "right after the claim",
    "before the telegram is written down",
    "when the telegram is written and not sent",
    "when the answer is in",
    "when the answer is written down",
    "before the settlement commits",
    "right after the settlement",
]


@pytest.mark.parametrize(("moment", "at", "ends_as"), CAPTURE, ids=CAPTURE_NAMES)
def test_a_web_process_killed_during_a_click_on_capture(
    scene: Scene, moment: Moment, at: str, ends_as: State | None
) -> None:
    payment = scene.paid()
    click = die(scene, moment, at, lambda: scene.confirm(payment, "capture"))
    assert isinstance(click.exception(), requests.ConnectionError), "the operator sees an error page"
    scene.recover()
    operation = Operation.objects.filter(payment=payment, action="capture").first()
    assert (operation and operation.state) == ends_as
    assert scene.violations() == []
    if ends_as != State.SUCCEEDED:
        assert scene.world.moved(payment) == [("AUTH", payment.amount)]
        scene.confirm(payment, "capture")
    assert scene.world.moved(payment) == [("AUTH", payment.amount), ("SALES", payment.amount)]
    payment.refresh_from_db()
    assert (payment.status, payment.is_open) == (S.SALES, False)
    assert Order.objects.get(pk=payment.order_id).status == OrderStatus.PAID
    assert scene.violations() == []


class SlowCapture:
    """The provider's answer to the capture of a payment takes long; it is executed first, or only then."""

    def __init__(self, scene: Scene, payment: Payment, *, executes_at_once: bool) -> None:
        self.scene = scene
        self.payment = payment
        self.executes_at_once = executes_at_once
        scene.world.sandbox.post_fault(
            "delay_ms",
            call="AlterTran",
            order=payment.provider_order_id,
            ms=SLOW_MS,
            before=not executes_at_once,
        )

    def wait_until_it_arrived(self) -> None:
        """The provider has the telegram, and nobody has an answer."""
        wait_until(self._has_arrived, "nothing was sent")
        assert Call.objects.get(operation__payment=self.payment, name="AlterTran").response == ""

    def wait_until_it_is_executed(self) -> None:
        """Whoever asked is dead meanwhile."""
        wait_until(self._is_executed, "the provider did not go on")

    def _has_arrived(self) -> bool:
        faults = self.scene.world.sandbox.control("GET", "/_faults")
        return bool(faults["spent"]) and (self._is_executed() or not self.executes_at_once)

    def _is_executed(self) -> bool:
        return len(self.scene.world.moved(self.payment)) == 2


@pytest.mark.parametrize("executes_at_once", [True, False], ids=["has executed it", "is still at it"])
def test_a_web_process_killed_while_the_provider_answers(scene: Scene, executes_at_once: bool) -> None:
    payment = scene.paid()
    slow = SlowCapture(scene, payment, executes_at_once=executes_at_once)
    with ThreadPoolExecutor(1) as pool:
        click = pool.submit(scene.confirm, payment, "capture")
        slow.wait_until_it_arrived()
        scene.programs.kill_web()
        assert isinstance(click.exception(timeout=60), requests.ConnectionError)
    slow.wait_until_it_is_executed()
    scene.recover()
    payment.refresh_from_db()
    assert (payment.status, payment.is_open) == (S.SALES, False)
    assert Order.objects.get(pk=payment.order_id).status == OrderStatus.PAID
    assert len(scene.world.moved(payment)) == 2
    assert scene.violations() == []


@pytest.mark.parametrize("at", [BEFORE_THE_COMMIT, AFTER_THE_COMMIT])
def test_stock_goes_back_once_when_a_cancel_is_settled_and_the_process_dies(scene: Scene, at: str) -> None:
    payment = scene.paid()
    die(scene, ENDED, at, lambda: scene.confirm(payment, "cancel"))
    scene.recover()
    assert Order.objects.get(pk=payment.order_id).status == OrderStatus.CANCELLED
    assert [action for action, _ in scene.world.moved(payment)] == ["AUTH", "VOID"]
    assert scene.violations() == []


@pytest.mark.parametrize(
    ("moment", "at"),
    [
        (step(1), BEFORE_THE_COMMIT),
        (step(1), AFTER_THE_COMMIT),
        (telegram("ChangeTran"), AFTER_THE_COMMIT),
        (answer("ChangeTran"), BEFORE_THE_COMMIT),
        (step(3), AFTER_THE_COMMIT),
        (ENDED, BEFORE_THE_COMMIT),
    ],
    ids=[
        "before the first step is settled",
        "between the first step and the second",
        "with the third step's telegram written down",
        "with the third step's answer in",
        "between the third step and the last",
        "before the end is settled",
    ],
)
def test_a_web_process_killed_within_the_guided_change(scene: Scene, moment: Moment, at: str) -> None:
    """CC-5: cancel, reauthorize, change, capture. It goes on, or says at which step it stands; a person goes on from there."""
    GatewayAccount.objects.filter(code="gmo").update(changes_captured_amount=False)
    payment = scene.paid()
    scene.confirm(payment, "capture")
    _another_total(payment)
    die(scene, moment, at, lambda: scene.confirm(payment, "guided_change"))
    scene.recover()
    operation = Operation.objects.get(payment=payment, action="guided_change")
    payment.refresh_from_db()
    assert not payment.is_open
    assert scene.violations() == []
    moved = [action for action, _amount in scene.world.moved(payment)]
    whole = ["AUTH", "SALES", "VOID", "AUTH", "CHANGE", "SALES"]
    if moment == telegram("ChangeTran"):  # perhaps sent: never sent again by itself
        assert (operation.state, moved) == (State.NOT_EXECUTED, whole[:4])
        assert "4段階のうち2段階" in operation.message
    else:
        assert (operation.state, moved, payment.status) == (State.SUCCEEDED, whole, S.SALES)
        assert payment.amount == Order.objects.get(pk=payment.order_id).payment_total


@pytest.mark.parametrize(
    ("moment", "at", "is_changed"),
    [
        (noted("authorizing"), AFTER_THE_COMMIT, False),
        (telegram("020"), AFTER_THE_COMMIT, False),
        (answer("020"), BEFORE_THE_COMMIT, True),
        (noted("authorized"), AFTER_THE_COMMIT, True),
        (telegram("021"), AFTER_THE_COMMIT, True),
        (answer("021"), BEFORE_THE_COMMIT, True),
        (ENDED, BEFORE_THE_COMMIT, True),
    ],
    ids=[
        "before the new hold's telegram",
        "when the new hold's telegram is written and not sent",
        "with the new hold's answer in",
        "between the new hold and the old one's release",
        "when the release's telegram is written and not sent",
        "with the release's answer in",
        "before the end is settled",
    ],
)
def test_a_web_process_killed_within_a_change_by_two_calls(
    scene: Scene, paygent: World, moment: Moment, at: str, is_changed: bool
) -> None:
    """Paygent: a new hold, then the old one's release. Never two holds, never none."""
    payment = scene.paid("paygent")
    _another_total(payment)
    old = payment.amount
    die(scene, moment, at, lambda: scene.confirm(payment, "change_amount"))
    scene.recover()
    payment.refresh_from_db()
    assert (payment.status, payment.amount, payment.is_open) == (S.AUTH, old + 500 * is_changed, False)
    assert scene.violations() == []


@pytest.mark.parametrize("at", [BEFORE_THE_COMMIT, AFTER_THE_COMMIT])
def test_a_web_process_killed_when_a_reauthorization_is_settled(scene: Scene, at: str) -> None:
    payment = scene.paid()
    scene.browser.post(*_without_follow(scene.dialog(payment, "cancel")))
    die(scene, ENDED, at, lambda: scene.confirm(payment, "reauthorize"))
    scene.recover()
    payment.refresh_from_db()
    assert (payment.status, payment.is_open) == (S.AUTH, False)
    assert [action for action, _ in scene.world.moved(payment)] == ["AUTH", "VOID", "AUTH"]
    assert scene.violations() == []


def _another_total(payment: Payment) -> None:
    Order.objects.filter(pk=payment.order_id).update(payment_total=F("payment_total") + 500)


def _without_follow(button: tuple[str, dict[str, str]]) -> tuple[str, dict[str, str]]:
    path, values = button
    return path, {name: value for name, value in values.items() if name != "follow"}


RECOVERED = Moment(
    table="payments_operation", event="UPDATE", when="OLD.state = 'unconfirmed' AND NEW.state = 'succeeded'"
)


@pytest.mark.parametrize(
    ("moment", "at"),
    [
        (telegram("SearchTrade"), BEFORE_THE_COMMIT),
        (answer("SearchTrade"), AFTER_THE_COMMIT),
        (RECOVERED, BEFORE_THE_COMMIT),
        (RECOVERED, AFTER_THE_COMMIT),
    ],
    ids=["before it asks", "with the answer in", "before it settles", "right after it settled"],
)
def test_a_worker_killed_during_recovery(scene: Scene, moment: Moment, at: str) -> None:
    payment = scene.paid()
    scene.world.sandbox.post_fault(call="AlterTran", kind="lost_answer")
    scene.confirm(payment, "capture")
    scene.world.later(seconds=60)
    die_at_work(scene, moment, at, "payments.tasks.recover")
    scene.recover()
    payment.refresh_from_db()
    assert (payment.status, payment.is_open) == (S.SALES, False)
    assert Order.objects.get(pk=payment.order_id).status == OrderStatus.PAID
    assert len(scene.world.moved(payment)) == 2
    assert scene.violations() == []


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


RING = "orders.bulk.tasks.ring"
ROWS = 4
# Rows are claimed, sent and settled together; the last moments are of rows whose order follows, one by one.
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
        "with an answer in whose order follows",
        "right after a settlement whose order follows",
        "between the settlement and its row",
        "before the run's end",
    ],
)
def test_a_worker_killed_within_a_bulk_run(scene: Scene, moment: Moment, at: str, follow: bool) -> None:
    payments = [scene.paid() for _ in range(ROWS)]
    path, button = scene.preview(payments, follow=follow)
    die_at_work(scene, moment, at, RING, begin=lambda: scene.browser.post(path, button))
    scene.recover()
    _check_run(scene, payments, follow=follow)


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
    _check_run(scene, payments, follow=False)


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
    _check_run(scene, payments, follow=True)
    assert BulkItem.objects.filter(run=run, state="succeeded").count() == ROWS


def _check_run(scene: Scene, payments: Sequence[Payment], *, follow: bool) -> None:
    """Everything has ended; a row says what the ledger says, and the order follows a success only."""
    run = BulkRun.objects.get()
    assert (run.state, run.taken, run.items.count()) == ("finished", ROWS, ROWS)
    assert scene.violations() == []
    for payment in payments:
        payment.refresh_from_db()
        row = BulkItem.objects.get(run=run, payment_id=payment.pk)
        is_captured = row.state == "succeeded"
        assert is_captured or row.state == "failed"
        moved = [action for action, _ in scene.world.moved(payment)]
        assert moved == (["AUTH", "SALES"] if is_captured else ["AUTH"])
        assert (payment.status == S.SALES, payment.is_open) == (is_captured, False)
        followed = Order.objects.get(pk=payment.order_id).status == OrderStatus.PAID
        assert followed == (is_captured and follow)
