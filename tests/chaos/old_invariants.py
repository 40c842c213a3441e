"""What must hold after any storm. The judge is the provider's own ledger, not our tables."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator

from django.db import connection
from django.db.models import Count, Sum

from gateways.vocabulary import Action, PaymentStatus
from orders.bulk.models import BulkItem, BulkRun
from orders.ledgers import booked_points, booked_stock, quantities
from orders.models import Customer, Order, OrderChange, PointEntry, Product, StockEntry
from orders.statuses import OrderStatus
from payments.models import LIVE_STATUSES, Call, Operation, Payment
from payments.steps import Step
from tests.sandbox_server import GOOD_CARD, SandboxHandle
from tests.stack import Stack

SOLD = {PaymentStatus.SALES.value, PaymentStatus.CAPTURE.value}
MONEY_KINDS = ("capture", "cancel", "reauthorize", "change_amount")
SECRETS = (GOOD_CARD, "4999000000000002", "shoppass01", "sitepass01", "securitycode")
# What a program may say when the server that it talks to is stopped or killed.
CONNECTION_LOSS = re.compile(
    r"OperationalError|InterfaceError|AdminShutdown|ConnectionError|ConnectionRefused|ConnectionReset|BrokenPipe"
    r"|ConnectionDoesNotExist|CannotConnectNow|IdleInTransaction|TimeoutError|consumer: Connection to broker lost"
)


def check(stack: Stack, confirmed: set[str]) -> list[str]:
    """Every invariant; the sentences of those that do not hold."""
    return [
        *executed_as_often_as_asked(stack.sandbox),
        *our_picture_is_the_providers(stack.sandbox),
        *operations_were_confirmed(confirmed),
        *telegrams_belong_to_operations(stack.sandbox),
        *one_live_payment_per_order(),
        *status_follows_success_only(),
        *ledgers_add_up(),
        *runs_add_up(),
        *nothing_secret(stack),
        *logs_are_clean(stack),
    ]


def ledger_name(step: Step) -> str:
    """What the provider's ledger calls an executed step."""
    if step.action is Action.CAPTURE:
        return "SALES"
    if step.action is Action.CANCEL:
        return str(step.cancel_type)
    return "CHANGE" if step.action is Action.CHANGE_AMOUNT else step.result.value


def executed_as_often_as_asked(sandbox: SandboxHandle) -> Iterator[str]:
    """Invariants 2 and 3: each movement has an operation, and a finished operation moved what it says."""
    may: dict[str, Counter[tuple[str, int]]] = defaultdict(Counter)
    must: dict[str, Counter[tuple[str, int]]] = defaultdict(Counter)
    movements = Operation.objects.exclude(action="inquire").select_related("payment").order_by("pk")
    for operation in movements:
        order = operation.payment.provider_order_id
        for position, stored in enumerate(operation.plan):
            step = Step.from_json(stored)
            moved = (ledger_name(step), step.amount)
            is_done = operation.state == Operation.State.SUCCEEDED or position < operation.step
            if is_done:
                must[order][moved] += 1
            if is_done or operation.state == Operation.State.CONTRADICTED:
                may[order][moved] += 1
    executed: dict[str, Counter[tuple[str, int]]] = defaultdict(Counter)
    touched: set[str] = set()
    for order_id in {*must, *(str(trade["order_id"]) for trade in sandbox.trades())}:
        for line in sandbox.ledger(order=order_id):
            if line["source"] == "admin":
                touched.add(order_id)
            else:
                executed[order_id][(line["action"], line["amount"])] += 1
    for order_id in {*must, *executed}:
        # Changed on the provider's screen, an operation may have found its goal reached by another hand.
        if unasked := executed[order_id] - may[order_id]:
            yield f"{order_id}: executed but not asked for, or more often: {dict(unasked)}"
        if order_id not in touched and (missing := must[order_id] - executed[order_id]):
            yield f"{order_id}: we say executed, the provider's ledger does not: {dict(missing)}"


def our_picture_is_the_providers(sandbox: SandboxHandle) -> Iterator[str]:
    """Invariant 4. Payments changed on the provider's screen are right after the next inquiry only."""
    for payment in Payment.objects.exclude(status__in=["UNPROCESSED", "PAYFAIL"]):
        lines = sandbox.ledger(order=payment.provider_order_id)
        if any(line["source"] == "admin" for line in lines):
            continue
        trade = sandbox.trades(order=payment.provider_order_id)[0]
        same = trade["status"] == payment.status or {trade["status"], payment.status} <= SOLD
        if not same or trade["amount"] != payment.amount:
            yield (
                f"{payment.provider_order_id}: ours {payment.status} {payment.amount},"
                f" the provider's {trade['status']} {trade['amount']}"
            )
    held = {trade["order_id"] for trade in sandbox.trades() if trade["status"] in LIVE_STATUSES}
    ours = Payment.objects.filter(status__in=["UNPROCESSED", "PAYFAIL"], provider_order_id__in=held)
    for payment in ours:
        yield f"{payment.provider_order_id}: ours {payment.status}, but the provider holds money"


def operations_were_confirmed(confirmed: set[str]) -> Iterator[str]:
    """Nothing moves that no operator, customer or bulk run asked for."""
    by_hand = Operation.objects.filter(source=Operation.Source.ORDER_EDIT).exclude(action="inquire")
    for operation in by_hand:
        if str(operation.key) not in confirmed:
            yield f"operation {operation.pk}: nobody confirmed {operation.key}"
    keys = {item.key() for item in BulkItem.objects.exclude(state=BulkItem.State.SKIPPED)}
    for operation in Operation.objects.filter(source=Operation.Source.BULK):
        if operation.key not in keys and not _is_earlier_try(operation):
            yield f"operation {operation.pk}: no bulk row has {operation.key}"


def _is_earlier_try(operation: Operation) -> bool:
    """Rows that were not sent are tried again under a new key."""
    for item in BulkItem.objects.filter(payment_id=operation.payment_id, tries__gt=0):
        for tries in range(item.tries):
            item.tries = tries
            if item.key() == operation.key:
                return True
    return False


def telegrams_belong_to_operations(sandbox: SandboxHandle) -> Iterator[str]:
    """Invariant 3: at least as many telegrams written down as movements executed."""
    written: Counter[tuple[str, str]] = Counter()
    for order_id, name in Call.objects.values_list("operation__payment__provider_order_id", "name"):
        written[(order_id, name)] += 1
    for order_id in {order_id for order_id, _ in written}:
        lines = [line for line in sandbox.ledger(order=order_id) if line["source"] != "admin"]
        for call, count in Counter(line["call"] for line in lines).items():
            if written[(order_id, call)] < count:
                yield f"{order_id}: {count} executed {call}, {written[(order_id, call)]} written down"


def one_live_payment_per_order() -> Iterator[str]:
    """Invariant 1."""
    live = Payment.objects.filter(status__in=sorted(LIVE_STATUSES)).values("order_id")
    for row in live.annotate(payments=Count("pk")).filter(payments__gt=1):
        yield f"order {row['order_id']} has {row['payments']} live payments"


def status_follows_success_only() -> Iterator[str]:
    """Invariant 6, on the orders that nobody changes by hand."""
    for order in Order.objects.exclude(status__in=[OrderStatus.PENDING, OrderStatus.PROCESSING]):
        if order.pk % 2:
            continue
        changed: Counter[str] = Counter(
            OrderChange.objects.filter(order=order, field="対応状況").values_list("new", flat=True)
        )
        followed: Counter[str] = Counter()
        for operation in Operation.objects.filter(payment__order=order, state=Operation.State.SUCCEEDED):
            if operation.follow_status is not None:
                followed[OrderStatus(operation.follow_status).label] += 1
        followed["注文取消し"] += _cancelled_in_the_checkout(order)
        if extra := changed - followed:
            yield f"order {order.number}: 対応状況 moved without a success: {dict(extra)}"


def _cancelled_in_the_checkout(order: Order) -> int:
    return OrderChange.objects.filter(
        order=order, field="対応状況", new="注文取消し", source="購入画面", old="決済処理中"
    ).count()


def ledgers_add_up() -> Iterator[str]:
    """Invariant 7: what stands on the shelf is what the ledger says, and an order holds what its lines sell."""
    for product in Product.objects.all():
        booked = StockEntry.objects.filter(product=product).aggregate(sum=Sum("quantity"))["sum"]
        if product.stock != booked:
            yield f"product {product.code}: stock {product.stock}, ledger {booked}"
    for customer in Customer.objects.all():
        points = PointEntry.objects.filter(customer=customer).aggregate(sum=Sum("points"))["sum"] or 0
        if customer.points != points:
            yield f"customer {customer.pk}: points {customer.points}, ledger {points}"
    for order in Order.objects.prefetch_related("lines"):
        taken = {product: -booked for product, booked in booked_stock(order.pk).items() if booked}
        sold = {} if order.status == OrderStatus.CANCELLED else dict(quantities(order.lines.all()))
        if taken != sold:
            yield f"order {order.number} ({order.get_status_display()}): holds {taken}, sells {sold}"
        used = -booked_points(order.pk)[PointEntry.Kind.USED]
        gave_back = order.status in (OrderStatus.CANCELLED, OrderStatus.RETURNED)
        if order.customer_id and used != (0 if gave_back else order.used_points):
            yield f"order {order.number} ({order.get_status_display()}): used points booked {used}"


def runs_add_up() -> Iterator[str]:
    """Invariant 8, and a row's end is its operation's."""
    for run in BulkRun.objects.all():
        states = Counter(BulkItem.objects.filter(run=run).values_list("state", flat=True))
        if run.ticked != sum(states.values()) or states["skipped"] != run.skipped:
            yield f"run {run.pk}: ticked {run.ticked}, skipped {run.skipped}, rows {dict(states)}"
        if run.state == BulkRun.State.FINISHED and (states["ready"] or states["claimed"]):
            yield f"run {run.pk} is finished with rows {dict(states)}"
    for item in BulkItem.objects.filter(run__kind__in=MONEY_KINDS).exclude(state="skipped"):
        operation = Operation.objects.filter(key=item.key()).first()
        succeeded = operation is not None and operation.state == Operation.State.SUCCEEDED
        if succeeded != (item.state == BulkItem.State.SUCCEEDED):
            yield f"bulk item {item.pk} is {item.state}, its operation {operation and operation.state}"


def nothing_secret(stack: Stack) -> Iterator[str]:
    """Invariant 11: not in the database, not in the broker, not in a log."""
    with sqlite3.connect(stack.folder / "sandbox" / "sandbox.sqlite3") as sandbox:
        passes = [row[0] for row in sandbox.execute("SELECT access_pass FROM gmopg_trades")]
    keys = [stack.environment[name] for name in ("SECRET_KEY", "CREDENTIALS_KEY")]
    words = re.compile("|".join(re.escape(word) for word in (*SECRETS, *keys, *passes) if word))
    for place, text in everything_written(stack):
        if found := words.search(text):
            yield f"a secret in {place}: {found[0][:4]}…"


def everything_written(stack: Stack) -> Iterator[tuple[str, str]]:
    """Every table, log and key as text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" AS t')
            yield f"table {table}", "\n".join(row[0] for row in cursor.fetchall())
    for log in [*stack.logs.glob("*.log"), *stack.folder.glob("*.log")]:
        yield f"log {log.name}", log.read_text(errors="replace")
    for key in stack.redis.scan_iter():
        dumped = stack.redis.dump(key)
        yield f"broker key {key!r}", (dumped or b"").decode("latin-1")


def logs_are_clean(stack: Stack) -> Iterator[str]:
    """Invariant 13, and no traceback but those of a lost connection."""
    for log in stack.logs.glob("*.log"):
        text = log.read_text(errors="replace")
        if "TransactionOpenError" in text:
            yield f"{log.name}: a provider was called inside a transaction"
        for raised in tracebacks(text):
            if not CONNECTION_LOSS.search(raised):
                yield f"{log.name}: {raised[:200]}"


def tracebacks(text: str) -> Iterator[str]:
    """The exception of each traceback; of a chain the last, which was raised in the end."""
    pending, inside = "", False
    for line in text.splitlines():
        if line.startswith("Traceback (most recent call last)"):
            inside = True
        elif line.startswith(("The above exception was", "During handling of the above")):
            pending = ""
        elif inside and line[:1].strip():
            if pending:
                yield pending
            pending, inside = line, False
    if pending:
        yield pending
