"""The rows of a money run with the facts of their payments, in a number of queries that does not grow."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time
from functools import lru_cache

from django.db.models import Exists, F, OuterRef

from gateways.vocabulary import MethodKind, PaymentStatus
from orders.bulk.models import BulkItem, BulkRun
from orders.bulk.registry import Row
from orders.statuses import OrderStatus
from payments import accounts
from payments.cancellation import TOKYO
from payments.facts import Facts, OpenOperation
from payments.models import LIVE_STATUSES, GatewayAccount, Operation, Payment


def rows(run: BulkRun, *, about_payable: bool) -> Iterator[Row]:
    """One Row per item; facts are None where the order has no payment.

    Times are cut to their day in Tokyo, which is all that a decision looks at, so that payments of one day
    share a verdict. `about_payable`: the row's amount is the order's お支払い合計, otherwise the payment's.
    """
    payments = _payments(run)
    for item_id, order_id, payable in (
        BulkItem.objects.filter(run=run).order_by("id").values_list("id", "order_id", "order__payment_total")
    ):
        payment_id, facts = payments.get(order_id, (None, None))
        amount = payable if about_payable or facts is None else facts.amount
        yield Row(item_id=item_id, payment_id=payment_id, facts=facts, amount=amount)


def _payments(run: BulkRun) -> dict[int, tuple[int, Facts]]:
    """The current payment of each order of the run: its id and facts, by order."""
    by_account = GatewayAccount.objects.in_bulk()
    others = (
        Payment.objects.filter(order=OuterRef("order"), status__in=sorted(LIVE_STATUSES))
        .exclude(pk=OuterRef("pk"))
        .order_by()
    )
    current = Payment.objects.filter(order__bulk_items__run=run, pk=F("order__payment_id"))
    open_operations = _open_operations(run)
    found: dict[int, tuple[int, Facts]] = {}
    for row in current.annotate(other_is_live=Exists(others)).values(
        "pk",
        "order_id",
        "account_id",
        "kind",
        "status",
        "amount",
        "authorized_at",
        "captured_at",
        "is_demo",
        "uses_3ds",
        "other_is_live",
        "order__payment_total",
        "order__status",
    ):
        account = by_account[row["account_id"]]
        facts = Facts(
            family=account.provider,
            kind=MethodKind(row["kind"]),
            status=PaymentStatus(row["status"]),
            amount=row["amount"],
            payable=row["order__payment_total"],
            authorized_at=_day(row["authorized_at"]),
            captured_at=_day(row["captured_at"]),
            order_status=OrderStatus(row["order__status"]),
            capture_days=account.capture_days,
            change_days=account.change_days,
            closing_day=account.closing_day,
            changes_captured_amount=account.changes_captured_amount,
            checkout_target=PaymentStatus(account.checkout_target),
            capabilities=accounts.capabilities(account.provider),
            is_demo=row["is_demo"],
            uses_3ds=row["uses_3ds"],
            other_payment_is_live=row["other_is_live"],
            open_operation=open_operations.get(row["pk"]),
        )
        found[row["order_id"]] = (row["pk"], facts)
    return found


def _open_operations(run: BulkRun) -> dict[int, OpenOperation]:
    """What is under way on the payments of the run, by payment."""
    under_way = Operation.objects.filter(
        payment__order__bulk_items__run=run, payment__is_open=True, state__in=Operation.OPEN_STATES
    ).exclude(action="inquire")
    return {
        payment_id: OpenOperation(actor_name=name, started_at=started_at, action=action)
        for payment_id, name, started_at, action in under_way.values_list(
            "payment_id", "actor_name", "started_at", "action"
        )
    }


def _day(moment: datetime | None) -> datetime | None:
    return None if moment is None else _start_of_day(moment.astimezone(TOKYO).toordinal())


@lru_cache(maxsize=4096)
def _start_of_day(ordinal: int) -> datetime:
    return datetime.combine(datetime.fromordinal(ordinal), time(), tzinfo=TOKYO)
