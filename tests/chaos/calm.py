"""After the storm: ring, ask and wait until nothing is open any more."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

import redis
from django.db import connection
from django.db.models import Q

from cagolab.celery import app
from orders.bulk.models import BulkItem, BulkRun
from payments.models import Notification, Operation, Payment, ReconciliationRun, StaleRun
from tests.chaos.administrator import Administrator
from tests.chaos.books import Books
from tests.chaos.operators import Operator
from tests.chaos.weather import LEASES
from tests.stack import Stack

BELLS = (
    "payments.tasks.recover",
    "orders.bulk.tasks.ring",
    "payments.tasks.ring_reconciliations",
    "payments.nightly.tasks.tick",
    "payments.notifications.tasks.ask",
    "orders.tasks.fold_counts",
)
ROUNDS = 60
# Product seconds per round: the longest call and the waiting time after it are over in two.
ROUND_SECONDS = 400


def ring(stack: Stack) -> None:
    """What beat does every minute. Never waits: a broker that is away misses one bell."""
    for bell in BELLS:
        try:
            app.send_task(bell, retry=False)
        except (redis.RedisError, OSError):
            return


def settle(stack: Stack, administrator: Administrator) -> list[str]:
    """Let everything end; what does not end is told. What no provider can tell the administrator closes."""
    connection.close()  # it is as old as the server before the storm
    stack.sandbox.clear_faults()
    stack.sandbox.settings(latency_ms=0)
    stack.sandbox.control("POST", "/_notifications", json={"paused": False})
    time.sleep(4)  # what the provider was told to do late
    _until(stack, lambda: not _running(), advance=0)
    _until(stack, lambda: not still_open(), advance=ROUND_SECONDS, act=administrator.decide)
    _until(stack, lambda: not _running(), advance=0)
    return [*still_open(), *_running()]


def _until(
    stack: Stack, is_over: Callable[[], bool], *, advance: int, act: Callable[[], None] = lambda: None
) -> None:
    for _ in range(ROUNDS):
        if is_over():
            return
        if advance:
            stack.sandbox.control("POST", "/_clock", json={"advance": advance})
        _let_waiting_times_pass()
        ring(stack)
        act()
        time.sleep(0.7)


def _let_waiting_times_pass() -> None:
    """Leases and pauses run on the database server's clock, which nobody can move."""
    with connection.cursor() as cursor:
        for table, seconds in LEASES.items():
            cursor.execute(
                f"UPDATE {table} SET claimed_at = claimed_at - interval '{seconds} s'"  # noqa: S608 - ours
                f" WHERE state = 'claimed' AND claimed_at < clock_timestamp() - interval '8 s'"
            )
        cursor.execute("UPDATE orders_bulkitem SET not_before = NULL WHERE state = 'ready'")
        for table in ("payments_reconciliationcase", "payments_notification", "payments_stalecase"):
            cursor.execute(f"UPDATE {table} SET not_before = NULL WHERE state = 'waiting'")  # noqa: S608
        cursor.execute(
            "UPDATE payments_reconciliationrun SET next_call_at = clock_timestamp() WHERE state = 'running'"
        )


def _running() -> list[str]:
    """Work lists that are not through."""
    lists: tuple[tuple[str, int], ...] = (
        ("bulk run", BulkRun.objects.filter(state=BulkRun.State.RUNNING).count()),
        ("comparison", ReconciliationRun.objects.filter(state=ReconciliationRun.State.RUNNING).count()),
        ("run of given up orders", StaleRun.objects.filter(state=StaleRun.State.RUNNING).count()),
        ("notification", Notification.objects.filter(state__in=("waiting", "claimed")).count()),
    )
    return [f"{count} {name} still running" for name, count in lists if count]


def still_open() -> list[str]:
    """What has not ended."""
    operations = Operation.objects.filter(state__in=Operation.OPEN_STATES).select_related("payment")
    return [
        *(
            f"operation {operation.pk} ({operation.action}) is still {operation.state}: {operation.message}"
            for operation in operations
        ),
        *(
            f"payment {pk} is still open"
            for pk in Payment.objects.filter(is_open=True).values_list("pk", flat=True)
        ),
        *(
            f"bulk item {pk} is still {state}"
            for pk, state in BulkItem.objects.filter(
                Q(state=BulkItem.State.UNKNOWN) | Q(state=BulkItem.State.CLAIMED)
            ).values_list("pk", "state")
        ),
    ]


def look_at_what_others_changed(operator: Operator) -> None:
    """決済状態確認・反映 of what was changed on a provider's own screen, or has expired there: then we know it too."""
    books = Books.of(operator.sandbox)
    for payment in Payment.objects.filter(is_open=False):
        trades = books.trades[payment.provider_order_id]
        has_expired = any(trade["status"] == "EXPIRED" for trade in trades) and payment.status != "EXPIRED"
        if payment.provider_order_id in books.touched or has_expired:
            operator.post(f"/payments/{payment.pk}/inquire/", {})


def closed_by_a_person() -> int:
    """How often the administrator said what no provider could."""
    return Operation.objects.filter(
        source=Operation.Source.UNDECIDED, state=Operation.State.SUCCEEDED
    ).count()


def orders_and_payments() -> list[tuple[int, int]]:
    """The ids of all orders with their payments."""
    return list(Payment.objects.order_by("id").values_list("order_id", "pk"))


def operation_states() -> Counter[str]:
    """How many operations are in which state."""
    return Counter(Operation.objects.values_list("state", flat=True))


def runs() -> int:
    """How many runs were started: bulk, comparisons, nightly."""
    return (
        BulkRun.objects.exclude(state=BulkRun.State.PREVIEW).count()
        + ReconciliationRun.objects.count()
        + StaleRun.objects.count()
    )
