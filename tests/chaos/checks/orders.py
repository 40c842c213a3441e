"""Invariants 6, 7 and 10: 対応状況, the shelf and the points, and the tax."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from django.db.models import Sum

from orders.invoice import invoice_of
from orders.ledgers import booked_points, booked_stock, quantities
from orders.models import Customer, Order, OrderChange, PointEntry, Product, StockEntry
from orders.statuses import OrderStatus
from payments.models import Operation, StaleCase
from tests.chaos.evidence import Evidence

_CANCELLED = OrderStatus.CANCELLED.label


def status_follows_success_only(evidence: Evidence) -> Iterator[str]:
    """6, on the orders that nobody changes by hand: each move belongs to a success, or to the checkout's way."""
    for order in Order.objects.exclude(status__in=[OrderStatus.PENDING, OrderStatus.PROCESSING]):
        if order.pk % 2:
            continue
        moves = OrderChange.objects.filter(order=order, field="対応状況")
        changed: Counter[str] = Counter(moves.values_list("new", flat=True))
        allowed: Counter[str] = Counter()
        for operation in Operation.objects.filter(payment__order=order, state=Operation.State.SUCCEEDED):
            if operation.follow_status is not None:
                allowed[OrderStatus(operation.follow_status).label] += 1
        allowed[OrderStatus.PENDING.label] += 1
        allowed[_CANCELLED] += StaleCase.objects.filter(order=order, state=StaleCase.State.CANCELLED).count()
        allowed[_CANCELLED] += moves.filter(new=_CANCELLED, source="購入画面", old="決済処理中").count()
        if extra := changed - allowed:
            yield f"order {order.number}: 対応状況 moved without a success: {dict(extra)}"


def stock_and_points_are_what_the_ledgers_say(evidence: Evidence) -> Iterator[str]:
    """7: what stands on the shelf is what the ledger says, and an order holds what its lines sell."""
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


def tax_buckets_add_up(evidence: Evidence) -> Iterator[str]:
    """10: the invoice's buckets are お支払い合計, as it is stored and as the lines make it."""
    for order in Order.objects.prefetch_related("lines"):
        totals = invoice_of(order)["totals"]
        buckets = sum(bucket.taxable_total for bucket in totals.buckets)
        if not buckets == totals.payment_total == order.payment_total:
            yield (
                f"order {order.number}: buckets {buckets}, lines {totals.payment_total},"
                f" お支払い合計 {order.payment_total}"
            )
