"""Invariants 2, 9 and 12: who asked for it, what they were shown, and who may not."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.auth.models import User

from cagolab.roles import MOVE_MONEY
from gateways.vocabulary import Action, CancelType
from orders.bulk.models import BulkItem
from payments.cancellation import CANCEL_WORDS
from payments.models import Operation, StaleCase
from tests.chaos.evidence import Evidence

Source = Operation.Source


def moved_by_whom_it_was_asked(evidence: Evidence) -> Iterator[str]:
    """2: nothing moves that no operator, customer, bulk row or nightly case asked for."""
    by_bulk = {key for item in BulkItem.objects.exclude(state="skipped") for key in _keys_of_item(item)}
    by_night = {key for case in StaleCase.objects.all() for key in _keys_of_case(case, evidence)}
    for operation in Operation.objects.exclude(action=Action.INQUIRE):
        match operation.source:
            case Source.ORDER_EDIT | Source.CHECKOUT:
                is_asked = str(operation.key) in evidence.diary.confirmed
            case Source.BULK:
                is_asked = str(operation.key) in by_bulk
            case Source.NIGHTLY:
                is_asked = str(operation.key) in by_night
            case _:
                is_asked = False
        if not is_asked:
            yield f"operation {operation.pk} ({operation.source}): nobody confirmed {operation.key}"


def the_cancel_that_was_shown_is_the_one_that_was_sent(evidence: Evidence) -> Iterator[str]:
    """9: by the dialog's button, by the preview's row. That the ledger says the same is checked with invariant 2."""
    shown = evidence.diary.cancels_shown
    in_bulk = {
        key: item for item in BulkItem.objects.filter(run__kind="cancel") for key in _keys_of_item(item)
    }
    for operation in Operation.objects.filter(action=Action.CANCEL):
        word = CANCEL_WORDS[CancelType(operation.cancel_type)]
        key = str(operation.key)
        if key in shown and shown[key] != word:
            yield f"operation {operation.pk}: the dialog said {shown[key]}, {word} was sent"
        if key in in_bulk and not in_bulk[key].shown.startswith(f"cancel:{operation.cancel_type}:"):
            yield f"operation {operation.pk}: the preview said {in_bulk[key].shown}, {word} was sent"
        if operation.shown and not operation.shown.startswith(f"cancel:{operation.cancel_type}:"):
            yield f"operation {operation.pk}: {operation.shown} was confirmed, {word} was sent"


def nobody_without_the_permission_moved_money(evidence: Evidence) -> Iterator[str]:
    """12: no operation and no run over money is theirs, and no key that they sent has become one."""
    lesser = {user.pk for user in User.objects.all() if not user.has_perm(MOVE_MONEY)}
    for operation in Operation.objects.filter(actor__in=lesser):
        yield f"operation {operation.pk} ({operation.action}) was {operation.actor_name}'s, who may not"
    for operation in Operation.objects.filter(key__in=evidence.diary.stolen):
        yield f"operation {operation.pk} has a key that only an intruder has sent"
    for item in BulkItem.objects.exclude(run__kind="order_status").filter(run__created_by__in=lesser):
        yield f"bulk run {item.run_id} over money was made by somebody who may not"


def _keys_of_item(item: BulkItem) -> Iterator[str]:
    """Rows that were not sent are tried again under a new key."""
    last = item.tries
    for item.tries in range(last + 1):
        yield str(item.key())
    item.tries = last


def _keys_of_case(case: StaleCase, evidence: Evidence) -> Iterator[str]:
    payments = [payment.pk for payment in evidence.payments if payment.order_id == case.order_id]
    last = case.tries
    for case.tries in range(last + 1):
        yield from (str(case.key(payment)) for payment in payments)
    case.tries = last
