"""Invariants 1 to 5: what moved at the providers, and what we say about it. The judge is the providers' ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from django.db import connection
from django.db.models import Count

from cagolab.roles import ADMINISTER, MOVE_MONEY
from gateways.outcomes import ReasonKind
from gateways.vocabulary import Action, PaymentStatus
from payments import undecided
from payments.judgement import EQUAL_ANSWERS, WAITING
from payments.models import LIVE_STATUSES, Call, Operation, Payment
from tests.chaos.books import SOLD, Moved, asked_for
from tests.chaos.evidence import Evidence

GUARDS = ("operation_one_open_per_payment", "payment_one_live_or_open_per_order")
_NOTHING_HELD = (PaymentStatus.UNPROCESSED.value, PaymentStatus.PAYFAIL.value)


def one_open_operation_and_one_live_payment(evidence: Evidence) -> Iterator[str]:
    """1, and that it is the database that says so."""
    open_ones = Operation.objects.filter(state__in=Operation.OPEN_STATES).exclude(action=Action.INQUIRE)
    for row in open_ones.values("payment_id").annotate(count=Count("pk")).filter(count__gt=1).order_by():
        yield f"payment {row['payment_id']} has {row['count']} open operations"
    live = Payment.objects.filter(status__in=sorted(LIVE_STATUSES)).values("order_id")
    for order in live.annotate(count=Count("pk")).filter(count__gt=1).order_by():
        yield f"order {order['order_id']} has {order['count']} live payments"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
            " WHERE indisunique AND indisvalid AND relname = ANY(%s)",
            [list(GUARDS)],
        )
        missing = set(GUARDS) - {name for (name,) in cursor.fetchall()}
    if missing:
        yield f"the database does not hold {', '.join(sorted(missing))}"


def executed_as_often_as_asked(evidence: Evidence) -> Iterator[str]:
    """2: each movement has an operation, and a finished operation has moved what it says."""
    books = evidence.books
    for payment in evidence.payments:
        name = payment.provider_order_id
        asked, executed = asked_for(payment, evidence.operations[payment.pk]), books.executed[name]
        may, must = asked.may, asked.must
        if name in books.touched:
            # Changed on the provider's screen, an operation may have found its goal reached by another hand, and
            # a step may have met another amount than ours.
            may, executed, must = _names(may), _names(executed), Counter()
        if unasked := executed - may:
            yield f"{name}: executed but not asked for, or more often: {dict(unasked)}"
        if missing := must - executed:
            yield f"{name}: we say executed, the provider's ledger does not: {dict(missing)}"


def telegrams_were_written_down(evidence: Evidence) -> Iterator[str]:
    """3: no movement without a payment of ours, and at least as many telegrams written down as executed."""
    for stranger in sorted(evidence.books.strangers):
        yield f"{stranger}: executed, and no payment of ours has this name"
    written: Counter[tuple[str, str]] = Counter(
        Call.objects.values_list("operation__payment__provider_order_id", "name")
    )
    for name, calls in evidence.books.calls.items():
        for call, count in calls.items():
            if written[(name, call)] < count:
                yield f"{name}: {count} executed {call}, {written[(name, call)]} written down"


def our_picture_is_the_providers(evidence: Evidence) -> Iterator[str]:
    """4: status and amount, and no second payment of the same name that still holds money."""
    for payment in evidence.payments:
        trades = evidence.books.trades[payment.provider_order_id]
        if payment.is_open:
            continue  # waits for a person, and says so
        if payment.status in _NOTHING_HELD:
            if held := [trade for trade in trades if trade["status"] in LIVE_STATUSES]:
                yield f"{payment.provider_order_id}: ours {payment.status}, but the provider holds {held}"
            continue
        mine = payment.references.get("payment_id")
        ours = [trade for trade in trades if mine is None or trade.get("payment_id") == mine]
        if not ours:
            yield f"{payment.provider_order_id}: ours {payment.status}, the provider has no such trade"
            continue
        theirs = ours[-1]
        same = theirs["status"] == payment.status or {theirs["status"], payment.status} <= SOLD
        if not same or theirs["amount"] != payment.amount:
            yield (
                f"{payment.provider_order_id}: ours {payment.status} {payment.amount},"
                f" the provider's {theirs['status']} {theirs['amount']}"
            )
        for other in trades:
            if other is not theirs and other["status"] in LIVE_STATUSES:
                yield f"{payment.provider_order_id}: beside ours the provider holds {other}"


def nothing_was_concluded_from_one_early_answer(evidence: Evidence) -> Iterator[str]:
    """5: "not executed" stands on equal answers and on the waiting time, or on a person who has looked."""
    rows = Operation.objects.filter(state=Operation.State.NOT_EXECUTED)
    for operation in rows.select_related("payment__account"):
        settled = operation.settled_at
        if operation.reason_kind == ReasonKind.NOT_TOLD:
            if (
                settled is None
                or settled < undecided.decidable_from(operation)
                or not _was_looked_up(operation)
            ):
                yield f"operation {operation.pk}: not executed, and nobody has looked in time"
            continue
        early = settled is None or settled < operation.timeout_at + WAITING
        if early or operation.equal_answers < EQUAL_ANSWERS:
            yield (
                f"operation {operation.pk}: not executed after {operation.equal_answers} answers, settled"
                f" {settled}, timeout {operation.timeout_at}"
            )
    for operation in Operation.objects.filter(state__in=Operation.OPEN_STATES).exclude(action=Action.INQUIRE):
        if not operation.payment.is_open:
            yield f"operation {operation.pk} is open, and its payment accepts further ones"


def _was_looked_up(operation: Operation) -> bool:
    notes = Operation.objects.filter(payment=operation.payment_id, source=Operation.Source.UNDECIDED)
    return any(
        note.actor is not None and note.actor.has_perms((MOVE_MONEY, ADMINISTER))
        for note in notes.filter(state=Operation.State.SUCCEEDED).select_related("actor")
    )


def _names(moved: Counter[Moved]) -> Counter[Moved]:
    found: Counter[Moved] = Counter()
    for (name, _amount), count in moved.items():
        found[(name, 0)] += count
    return found
