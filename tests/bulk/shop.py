"""Orders, users and a kind of act whose outside world the tests hold in their hands."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from django.contrib.auth.models import Group, User
from django.db import close_old_connections, connection
from django.http import QueryDict

from orders.bulk import preview
from orders.bulk.models import BulkItem, BulkRun
from orders.bulk.registry import (
    Answered,
    Begun,
    BulkKind,
    Choices,
    DateChoice,
    Ending,
    FollowChoice,
    Notice,
    Ready,
    Result,
    Row,
    Skip,
    Task,
    Verdict,
)
from orders.models import Order, PaymentMethod
from orders.statuses import OrderStatus

NOW = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)


def make_user(name: str, role: str) -> User:
    """A user who has exactly one role of cagolab.roles."""
    user = User.objects.create(username=name)
    user.groups.add(Group.objects.get(name=role))
    return user


def make_orders(count: int, *, status: OrderStatus = OrderStatus.NEW, total: int = 1000) -> list[Order]:
    """Orders with numbers of their own, all alike otherwise."""
    method, _ = PaymentMethod.objects.get_or_create(name="銀行振込")
    first = Order.objects.count()
    return Order.objects.bulk_create(
        Order(
            number=f"B{first + position:06}",
            status=status,
            ordered_at=NOW,
            name="山田太郎",
            payment_method=method,
            payment_method_name=method.name,
            payment_total=total,
        )
        for position in range(count)
    )


@dataclass
class OutsideKind:
    """An act at a pretended provider. `ledger` is what was executed there, by key; a key twice is a replay."""

    answer: Callable[[Task], Ending] = lambda task: Ending.SUCCEEDED
    before_answer: Callable[[Task], None] = lambda task: None
    ledger: dict[UUID, Ending] = field(default_factory=dict)
    executions: list[int] = field(default_factory=list)
    code: str = "outside"
    label: str = "一括売上"
    word: str = "売上"
    permission: str = "payments.move_money"
    is_atomic: Literal[False] = False
    concurrency: int = 4
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def parse(self, posted: QueryDict) -> dict[str, Any]:
        return {}

    def title(self, parameters: Mapping[str, Any]) -> str:
        return self.label

    def notices(self, run: BulkRun) -> Sequence[Notice]:
        return ()

    def follow_choice(self, run: BulkRun) -> FollowChoice | None:
        return FollowChoice(label="対応状況を入金済みにする", is_default=True)

    def date_choice(self, run: BulkRun) -> DateChoice | None:
        return None

    def choices(self, parameters: Mapping[str, Any]) -> Choices | None:
        return None

    def rows(self, run: BulkRun) -> Iterable[Row]:
        items = BulkItem.objects.filter(run=run).order_by("id")
        for pk, status, total in items.values_list("pk", "order__status", "order__payment_total"):
            yield Row(item_id=pk, facts=status, amount=total)

    def judge(self, facts: int, parameters: Mapping[str, Any], now: datetime) -> Verdict:
        if facts == OrderStatus.CANCELLED:
            return Skip(reason="すでに取り消されています。")
        return Ready(
            group="仮売上 → 実売上",
            words="売上を確定します。",
            shown=str(facts),
            warnings=("発送前です。",) if facts == OrderStatus.IN_PROGRESS else (),
        )

    def begin(self, tasks: Sequence[Task], now: datetime) -> Mapping[UUID, Begun | Result]:
        begun: dict[UUID, Begun | Result] = {}
        for task in tasks:
            if Order.objects.get(pk=task.order_id).status != int(task.shown):
                begun[task.key] = Result(ending=Ending.RECHECK, message="変わっています。")
            else:
                begun[task.key] = Begun(key=task.key, handle=task)
        return begun

    def send(self, begun: Begun) -> Answered | Result:
        task: Task = begun.handle
        self.before_answer(task)
        with self._lock:
            if task.key not in self.ledger:
                self.ledger[task.key] = self.answer(task)
                self.executions.append(task.order_id)
        return Answered(key=task.key, handle=task)

    def give_back(self, begun: Begun, reason: str) -> Result:
        return Result(ending=Ending.NOT_SENT, message=reason)

    def settle(self, answered: Sequence[Answered], now: datetime) -> Mapping[UUID, Result]:
        return {one.key: self.settle_alone(one) for one in answered}

    def settle_alone(self, answered: Answered) -> Result:
        return self.result(self.ledger[answered.key])

    def known_results(self, keys: Sequence[UUID]) -> Mapping[UUID, Result]:
        return {key: self.result(self.ledger[key]) for key in keys if key in self.ledger}

    def result(self, ending: Ending) -> Result:
        return Result(ending=ending, message=f"結果: {ending.value}")


def make_preview(kind: BulkKind, orders: Iterable[Order], user: User, **parameters: Any) -> BulkRun:
    """A previewed run over these orders."""
    return preview.preview(
        kind=kind,
        selection=preview.Selection(order_ids=[order.pk for order in orders]),
        parameters=parameters,
        author=preview.Author(user=user, name=user.username, ip_address="192.0.2.1"),
        back="/orders/",
        now=NOW,
    )


def states(run: BulkRun) -> dict[str, int]:
    """How many rows of the run are in each state."""
    found: dict[str, int] = {}
    for state in BulkItem.objects.filter(run=run).values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def in_threads(count: int, act: Callable[[], Any]) -> None:
    """Run the same thing in several threads at once, each with its own database connection."""
    barrier = threading.Barrier(count)
    errors: list[BaseException] = []

    def run() -> None:
        barrier.wait()
        try:
            act()
        except BaseException as error:
            errors.append(error)
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def age_claims(run: BulkRun, seconds: int) -> None:
    """Let the leases of the run's claimed rows look as old as after a worker's death."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orders_bulkitem SET claimed_at = clock_timestamp() - make_interval(secs => %s)"
            " WHERE run_id = %s AND state = 'claimed'",
            [seconds, run.pk],
        )


def make_due(run: BulkRun) -> None:
    """Let the waiting times before another try be over."""
    BulkItem.objects.filter(run=run).update(not_before=None)


def wait_until(happened: Callable[[], bool], *, seconds: float = 30) -> None:
    """Return when it has happened; fail when it never does."""
    give_up = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < give_up
        time.sleep(0.02)
