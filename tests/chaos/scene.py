"""A shop, an operator's browser and a worker, all real, and their deaths at a moment that a test chooses."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import requests
from django.contrib.auth.models import User
from django.db import connection

from gateways.vocabulary import PaymentStatus as S
from orders.bulk.models import BulkItem, BulkRun
from orders.models import Order, PaymentMethod
from orders.statuses import OrderStatus
from payments.models import Call, Operation, Payment
from tests.chaos import checks, shop
from tests.chaos.browser import inputs
from tests.chaos.diary import Diary
from tests.chaos.evidence import Evidence
from tests.chaos.moments import Hold, Moment, wait_until
from tests.chaos.programs import Programs
from tests.chaos.weather import LEASES
from tests.gateway_world import World

BEFORE_THE_COMMIT, AFTER_THE_COMMIT = "before", "after"
# お支払い合計 is set by hand for a change of amount: the lines know nothing of it.
TAX_BUCKETS = 10
# Longer than it takes to see the telegram and to kill.
SLOW_MS = 2500


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
            moved_on(partial(self._differs, before))

    def _differs(self, before: list[tuple[Any, ...]]) -> bool:
        return self._open() != before

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

    def check_run(self, payments: Sequence[Payment], *, follow: bool) -> None:
        """The one run has ended; a row says what the ledger says, and the order follows a success only."""
        run, rows = BulkRun.objects.get(), len(payments)
        assert (run.state, run.taken, run.items.count()) == ("finished", rows, rows)
        violations = self.violations()
        assert not violations, violations
        for payment in payments:
            payment.refresh_from_db()
            row = BulkItem.objects.get(run=run, payment_id=payment.pk)
            is_captured = row.state == "succeeded"
            assert is_captured or row.state == "failed"
            moved = [action for action, _ in self.world.moved(payment)]
            assert moved == (["AUTH", "SALES"] if is_captured else ["AUTH"])
            assert (payment.status == S.SALES, payment.is_open) == (is_captured, False)
            followed = Order.objects.get(pk=payment.order_id).status == OrderStatus.PAID
            assert followed == (is_captured and follow)

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
            moved_on(hold.is_reached)
        scene.programs.kill_worker()
        _decide(hold, at)
    scene.let_leases_run_out()


def _decide(hold: Hold, at: str) -> None:
    if at == BEFORE_THE_COMMIT:
        hold.roll_back()
    else:
        hold.commit()


def moved_on(happened: Callable[[], bool]) -> None:
    """Wait for news, but not long: a bell that came too early must be rung again."""
    try:
        wait_until(happened, "no news", seconds=1.0)
    except AssertionError:
        return
