"""What the payment screens read: few queries, the same number however long an order's history is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import OuterRef, Subquery

from gateways.vocabulary import Action
from payments.models import Operation, Payment

# Other attempts shown in the panel; more are counted only.
ATTEMPTS_SHOWN = 10
LOG_PAGE_SIZE = 20


def current_payment(order_id: int) -> Payment | None:
    """The order's newest payment with its order and account, or None where the gateway has none (PG-9)."""
    return (
        Payment.objects.filter(order_id=order_id).select_related("order", "account").order_by("-pk").first()
    )


def last_money_operation(payment: Payment) -> Operation | None:
    """The newest operation on the payment that was more than a question."""
    return (
        Operation.objects.filter(payment=payment).exclude(action=Action.INQUIRE.value).order_by("-pk").first()
    )


def other_attempts(payment: Payment) -> tuple[list[tuple[Payment, str]], bool]:
    """The order's other payments, newest first, each with the message of its last operation (PG-4).

    The second value says that there are more than ATTEMPTS_SHOWN.
    """
    last_message = Operation.objects.filter(payment=OuterRef("pk")).order_by("-pk").values("message")[:1]
    found = list(
        Payment.objects.filter(order_id=payment.order_id)
        .exclude(pk=payment.pk)
        .select_related("account")
        .annotate(last_message=Subquery(last_message))
        .order_by("-pk")[: ATTEMPTS_SHOWN + 1]
    )
    shown: list[tuple[Payment, str]] = [(other, other.last_message or "") for other in found[:ATTEMPTS_SHOWN]]
    return shown, len(found) > ATTEMPTS_SHOWN


@dataclass(frozen=True, kw_only=True)
class LogPage:
    """One page of the 決済ログ; `next_before` is the key of the next, older page."""

    operations: Sequence[Operation]
    next_before: int | None


def log_page(order_id: int, *, before: int | None) -> LogPage:
    """Operations on all payments of the order with their telegrams, newest first (G5-7)."""
    operations = (
        Operation.objects.filter(payment__order_id=order_id)
        .select_related("payment__account")
        .prefetch_related("calls")
        .order_by("-pk")
    )
    if before is not None:
        operations = operations.filter(pk__lt=before)
    found = list(operations[: LOG_PAGE_SIZE + 1])
    shown = found[:LOG_PAGE_SIZE]
    return LogPage(operations=shown, next_before=shown[-1].pk if len(found) > LOG_PAGE_SIZE else None)
