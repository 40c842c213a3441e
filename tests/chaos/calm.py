"""After the storm: ring, ask and wait until nothing is open any more."""

from __future__ import annotations

import time
from collections import Counter

import redis
from django.db import connection
from django.db.models import Q

from cagolab.celery import app
from orders.bulk.models import BulkItem, BulkRun
from payments.models import Operation, Payment
from tests.stack import Stack

BELLS = ("payments.tasks.recover", "orders.bulk.tasks.ring")
ROUNDS = 60


def ring(stack: Stack) -> None:
    """What beat does every minute. Never waits: a broker that is away misses one bell."""
    for bell in BELLS:
        try:
            app.send_task(bell, retry=False)
        except (redis.RedisError, OSError):
            return


def settle(stack: Stack) -> list[str]:
    """Let everything end; what does not end is told."""
    connection.close()  # it is as old as the server before the storm
    stack.sandbox.clear_faults()
    stack.sandbox.settings(latency_ms=0)
    time.sleep(4)  # what the provider was told to do late
    for _ in range(ROUNDS):
        if not BulkRun.objects.filter(state=BulkRun.State.RUNNING).exists():
            break
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE orders_bulkitem SET claimed_at = claimed_at - interval '181 s' WHERE state = 'claimed'"
            )
            cursor.execute("UPDATE orders_bulkitem SET not_before = NULL WHERE state = 'ready'")
        ring(stack)
        time.sleep(1)
    for _ in range(ROUNDS):
        if not still_open():
            break
        stack.sandbox.control("POST", "/_clock", json={"advance": 200})
        ring(stack)
        time.sleep(0.7)
    return still_open()


def still_open() -> list[str]:
    """What has not ended."""
    operations = Operation.objects.filter(state__in=Operation.OPEN_STATES).select_related("payment")
    return [
        *(
            f"operation {operation.pk} ({operation.action}) is still {operation.state}"
            for operation in operations
        ),
        *(
            f"payment {pk} is still open"
            for pk in Payment.objects.filter(is_open=True).values_list("pk", flat=True)
        ),
        *(
            f"bulk run {run.pk} is still running"
            for run in BulkRun.objects.filter(state=BulkRun.State.RUNNING)
        ),
        *(
            f"bulk item {pk} is still {state}"
            for pk, state in BulkItem.objects.filter(
                Q(state=BulkItem.State.UNKNOWN) | Q(state=BulkItem.State.CLAIMED)
            ).values_list("pk", "state")
        ),
    ]


def orders_and_payments() -> list[tuple[int, int]]:
    """The ids of all orders with their payments."""
    return list(Payment.objects.order_by("id").values_list("order_id", "pk"))


def operation_states() -> Counter[str]:
    """How many operations are in which state."""
    return Counter(Operation.objects.values_list("state", flat=True))


def runs() -> int:
    """How many bulk runs were started."""
    return BulkRun.objects.exclude(state=BulkRun.State.PREVIEW).count()
