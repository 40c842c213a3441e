"""The bench's shop: authorizations at the sandbox, the loop of others, the run of ours."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Sequence

from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.models import Max, Min
from django.http import QueryDict

from cagolab import clock
from cagolab.celery import app
from gateways.interface import AuthorizeRequest, CardToken, PaymentReference
from gateways.outcomes import Approved
from gateways.vocabulary import Action, MethodKind, PaymentStatus
from orders.bulk import preview, tasks, worklist
from orders.bulk.models import BulkItem, BulkRun
from orders.bulk.registry import registry
from orders.models import Order, PaymentMethod
from payments import accounts, credentials, facts, operations
from payments.actors import By
from payments.decisions import decide
from payments.models import GatewayAccount, Operation, Payment
from payments.permits import Permit
from payments.throttle import CALLS_KEPT_FOR_CLICKS
from tests.gateways.journal import MemoryJournal
from tests.sandbox_server import SandboxHandle

BY = By(name="ベンチ", source=Operation.Source.ORDER_EDIT)
TOTAL = 3200


class Payments:
    """Holds at the sandbox, made without the product's own door: preparing is not what is measured."""

    def __init__(self, sandbox: SandboxHandle) -> None:
        self.sandbox = sandbox
        self.account = GatewayAccount.objects.get(code="gmo")

    def held(self, count: int) -> list[int]:
        """Orders with a payment in AUTH; their ids."""
        method = PaymentMethod.objects.create(name="クレジットカード決済", kind="card", account="gmo")
        now = clock.now()
        orders = Order.objects.bulk_create(
            Order(
                number=f"N{position:06}",
                ordered_at=now,
                name="山田 太郎",
                payment_method=method,
                payment_method_name=method.name,
                total=TOTAL,
                payment_total=TOTAL,
            )
            for position in range(count)
        )
        payments = Payment.objects.bulk_create([self._authorized(order) for order in orders])
        for order, payment in zip(orders, payments, strict=True):
            order.payment_id, order.payment_status, order.payment_amount = payment.pk, payment.status, TOTAL
            order.payment_provider, order.payment_kind = "gmopg", payment.kind
        fields = ["payment_id", "payment_status", "payment_amount", "payment_provider", "payment_kind"]
        Order.objects.bulk_update(orders, fields, batch_size=500)
        return [order.pk for order in orders]

    def not_captured_once(self, order_ids: Sequence[int]) -> int:
        """How many payments of these orders the provider has captured never, or more than once."""
        # One by one: the whole ledger is told only to its newest 10,000 lines.
        ours = Payment.objects.filter(order_id__in=order_ids).values_list("provider_order_id", flat=True)
        return sum(self._captures(provider_order_id) != 1 for provider_order_id in ours)

    def _captures(self, provider_order_id: str) -> int:
        return sum(line["action"] == "SALES" for line in self.sandbox.ledger(provider_order_id))

    def _authorized(self, order: Order) -> Payment:
        outcome = accounts.gateway("gmo").authorize(
            PaymentReference(order_id=f"{order.pk}-1-bench"),
            AuthorizeRequest(
                amount=TOTAL, target=PaymentStatus.AUTH, card=CardToken(token=self.sandbox.token())
            ),
            MemoryJournal(),
        )
        assert isinstance(outcome, Approved), outcome
        trade = outcome.trade
        return Payment(
            order=order,
            account=self.account,
            kind=MethodKind.CARD.value,
            status=PaymentStatus.AUTH.value,
            amount=TOTAL,
            provider_order_id=f"{order.pk}-1-bench",
            authorized_at=trade.processed_at,
            references=dict(trade.references),
            sealed_secrets=credentials.seal(trade.secrets),
            created_at=clock.now(),
        )


def raise_limits(calls_at_a_time: int) -> int:
    """Let a run make so many calls at a time; returns how many more the account keeps for single clicks."""
    GatewayAccount.objects.update(
        max_concurrent_calls=calls_at_a_time + CALLS_KEPT_FOR_CLICKS, max_calls_per_second=10_000
    )
    return CALLS_KEPT_FOR_CLICKS


def one_by_one(order_ids: Sequence[int]) -> tuple[float, float]:
    """Capture one after another, as a plain loop does; the seconds it took, on the wall and of processor."""
    began, busy = time.monotonic(), time.process_time()
    for payment in Payment.objects.filter(order_id__in=order_ids).select_related("order", "account"):
        permit = decide(Action.CAPTURE, facts.read(payment), clock.now())
        assert isinstance(permit, Permit)
        operations.execute(
            payment_id=payment.pk,
            action=Action.CAPTURE,
            key=uuid.uuid4(),
            shown=permit.fingerprint,
            by=BY,
            now=clock.now(),
        )
    return time.monotonic() - began, time.process_time() - busy


def previewed(order_ids: Sequence[int]) -> BulkRun:
    """一括売上 over the orders up to its preview, as the screen makes it."""
    user = User.objects.create(username="bench")
    user.groups.add(Group.objects.get(name="決済操作"))
    kind = registry["capture"]
    return preview.preview(
        kind=kind,
        selection=preview.Selection(order_ids=order_ids),
        parameters=kind.parse(QueryDict()),
        author=preview.Author(user=user, name=BY.name, ip_address=None),
        back="/",
        now=clock.now(),
    )


def start(run: BulkRun) -> None:
    """Start a preview, as the screen does."""
    assert worklist.start(run, follow=False, now=clock.now())
    run.refresh_from_db()
    tasks.ring_for(run)


def workers_that_answer() -> int:
    """How many workers are ready for bells."""
    return len(app.control.ping(timeout=1.0))


def states(run: BulkRun) -> dict[str, int]:
    """How many rows are in which state."""
    return dict(Counter(BulkItem.objects.filter(run=run).values_list("state", flat=True)))


def seconds_from_first_to_last(run: BulkRun) -> float:
    """From the first claim of an operation to the last settle of one."""
    ends = Operation.objects.filter(source=Operation.Source.BULK).aggregate(
        first=Min("started_at"), last=Max("settled_at")
    )
    return float((ends["last"] - ends["first"]).total_seconds())


def transactions() -> int:
    """Transactions of the database so far, all processes together; the server counts with a little delay."""
    time.sleep(1.5)
    with connection.cursor() as cursor:
        cursor.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])
