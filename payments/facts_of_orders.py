"""The facts of many orders' payments at once, in a number of queries that does not grow with them."""

from __future__ import annotations

from datetime import datetime, time
from functools import lru_cache
from typing import Any

from django.db.models import Exists, F, OuterRef

from gateways.vocabulary import MethodKind, PaymentStatus
from orders.statuses import OrderStatus
from payments import accounts
from payments.cancellation import TOKYO
from payments.facts import Facts, OpenOperation
from payments.models import LIVE_STATUSES, GatewayAccount, Operation, Payment


def by_order(**of_order: Any) -> dict[int, tuple[int, Facts]]:
    """The id and the facts of each order's current payment, by order; orders without one are left out.

    `of_order`: lookups of Order that say which, such as `bulk_items__run=run` or `pk__in=ids`. Times are cut to
    their day in Tokyo, which is all that a decision looks at, so that payments of one day share a verdict.
    Three queries.
    """
    by_account = GatewayAccount.objects.in_bulk()
    others = (
        Payment.objects.filter(order=OuterRef("order"), status__in=sorted(LIVE_STATUSES))
        .exclude(pk=OuterRef("pk"))
        .order_by()
    )
    current = Payment.objects.filter(**_prefixed("order__", of_order), pk=F("order__payment_id"))
    open_operations = _open_operations(of_order)
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
            uses_3ds=row["uses_3ds"],
            other_payment_is_live=row["other_is_live"],
            open_operation=open_operations.get(row["pk"]),
        )
        found[row["order_id"]] = (row["pk"], facts)
    return found


def _open_operations(of_order: dict[str, Any]) -> dict[int, OpenOperation]:
    """What is under way on the payments of the orders, by payment."""
    under_way = Operation.objects.filter(
        **_prefixed("payment__order__", of_order), payment__is_open=True, state__in=Operation.OPEN_STATES
    ).exclude(action="inquire")
    return {
        payment_id: OpenOperation(actor_name=name, started_at=started_at, action=action)
        for payment_id, name, started_at, action in under_way.values_list(
            "payment_id", "actor_name", "started_at", "action"
        )
    }


def _prefixed(relation: str, lookups: dict[str, Any]) -> dict[str, Any]:
    return {f"{relation}{lookup}": value for lookup, value in lookups.items()}


def _day(moment: datetime | None) -> datetime | None:
    return None if moment is None else _start_of_day(moment.astimezone(TOKYO).toordinal())


@lru_cache(maxsize=4096)
def _start_of_day(ordinal: int) -> datetime:
    return datetime.combine(datetime.fromordinal(ordinal), time(), tzinfo=TOKYO)
