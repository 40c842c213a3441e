"""The rows of a money run with the facts of their payments, in a number of queries that does not grow."""

from __future__ import annotations

from collections.abc import Iterator

from orders.bulk.models import BulkItem, BulkRun
from orders.bulk.registry import Row
from payments import facts_of_orders


def rows(run: BulkRun, *, about_payable: bool) -> Iterator[Row]:
    """One Row per item; facts are None where the order has no payment.

    `about_payable`: the row's amount is the order's お支払い合計, otherwise the payment's.
    """
    payments = facts_of_orders.by_order(bulk_items__run=run)
    for item_id, order_id, payable in (
        BulkItem.objects.filter(run=run).order_by("id").values_list("id", "order_id", "order__payment_total")
    ):
        payment_id, facts = payments.get(order_id, (None, None))
        amount = payable if about_payable or facts is None else facts.amount
        yield Row(item_id=item_id, payment_id=payment_id, facts=facts, amount=amount)
