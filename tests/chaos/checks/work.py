"""Invariants 8 and 14: runs whose counts add up, and notifications that are no more than a reason to ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from gateways.vocabulary import Action
from orders.bulk.models import BulkItem, BulkRun
from payments.models import Notification, Operation, Payment, ReconciliationRun
from tests.chaos.evidence import Evidence

MONEY_KINDS = ("capture", "cancel", "reauthorize", "change_amount")


def runs_add_up(evidence: Evidence) -> Iterator[str]:
    """8, and a row's end is its operation's."""
    for run in BulkRun.objects.all():
        states = Counter(BulkItem.objects.filter(run=run).values_list("state", flat=True))
        taken = states.total() - states["skipped"]
        if (run.ticked, run.skipped, run.taken) != (states.total(), states["skipped"], taken):
            yield f"run {run.pk}: ticked {run.ticked}, skipped {run.skipped}, rows {dict(states)}"
        if run.state == BulkRun.State.FINISHED and (states["ready"] or states["claimed"]):
            yield f"run {run.pk} is finished with rows {dict(states)}"
    for item in BulkItem.objects.filter(run__kind__in=MONEY_KINDS).exclude(state="skipped"):
        operation = Operation.objects.filter(key=item.key()).first()
        succeeded = operation is not None and operation.state == Operation.State.SUCCEEDED
        if succeeded != (item.state == BulkItem.State.SUCCEEDED):
            yield f"bulk item {item.pk} is {item.state}, its operation {operation and operation.state}"
    for compared in ReconciliationRun.objects.filter(state=ReconciliationRun.State.FINISHED):
        ended = compared.done + compared.left_over
        if compared.planned is not None and ended != compared.planned:
            yield f"comparison {compared.pk}: {compared.planned} planned, {ended} ended"


def notifications_only_led_to_questions(evidence: Evidence) -> Iterator[str]:
    """14: what they led to moved nothing; forged ones are known as such; nothing was made of an unknown order."""
    told = Operation.objects.filter(source=Operation.Source.NOTIFICATION).exclude(action=Action.INQUIRE)
    for operation in told:
        yield f"operation {operation.pk}: a notification led to {operation.action}"
    for row in Notification.objects.all():
        state = evidence.diary.forged.get(str(row.fields.get("TranID", "")))
        if state is not None and row.state != state:
            yield f"notification {row.pk}: forged, and it is {row.state} instead of {state}"
        if state == "no_order" and Payment.objects.filter(provider_order_id=row.provider_order_id).exists():
            yield f"notification {row.pk}: a payment was made of the forged {row.provider_order_id}"
