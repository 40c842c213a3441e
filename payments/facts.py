"""All that a decision about a payment depends on, read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from gateways.interface import Capabilities
from gateways.vocabulary import MethodKind, PaymentStatus
from orders.statuses import OrderStatus
from payments import accounts, deadlines
from payments.models import LIVE_STATUSES, Operation, Payment

if TYPE_CHECKING:
    from orders.models import Order
    from payments.models import GatewayAccount


@dataclass(frozen=True, kw_only=True)
class OpenOperation:
    """The operation that is under way, in the words of the screen."""

    actor_name: str
    started_at: datetime
    action: str


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What `decide` needs to know. Amounts in yen; `payable` is the saved お支払い合計."""

    family: str
    kind: MethodKind
    status: PaymentStatus
    amount: int
    payable: int
    authorized_at: datetime | None
    captured_at: datetime | None
    order_status: OrderStatus
    capture_days: int
    change_days: int
    closing_day: int | None
    changes_captured_amount: bool
    checkout_target: PaymentStatus
    capabilities: Capabilities
    uses_3ds: bool = False
    other_payment_is_live: bool = False
    open_operation: OpenOperation | None = None

    @property
    def capture_deadline(self) -> date | None:
        """The last day on which the authorization can be captured."""
        return deadlines.last_day(self.authorized_at, self.capture_days)

    @property
    def change_deadline(self) -> date | None:
        """The last day on which the payment can be cancelled or its captured amount changed."""
        return deadlines.last_day(self.captured_at or self.authorized_at, self.change_days)

    @property
    def takes_date(self) -> bool:
        """Whether a capture and a cancel carry a 売上・返金日 (SB-1)."""
        return self.capabilities.needs_date and self.kind is MethodKind.CARD

    @property
    def amount_differs(self) -> bool:
        """Whether money is held or taken in another amount than the order asks for (CC-9)."""
        return self.status in LIVE_STATUSES and self.amount != self.payable


def facts_of(
    payment: Payment,
    order: Order,
    account: GatewayAccount,
    *,
    open_operation: Operation | None,
    other_payment_is_live: bool,
) -> Facts:
    """The facts from rows that the caller has read (or locked) already. No query."""
    return Facts(
        family=account.provider,
        kind=MethodKind(payment.kind),
        status=PaymentStatus(payment.status),
        amount=payment.amount,
        payable=order.payment_total,
        authorized_at=payment.authorized_at,
        captured_at=payment.captured_at,
        order_status=OrderStatus(order.status),
        capture_days=account.capture_days,
        change_days=account.change_days,
        closing_day=account.closing_day,
        changes_captured_amount=account.changes_captured_amount,
        checkout_target=PaymentStatus(account.checkout_target),
        capabilities=accounts.capabilities(account.provider),
        uses_3ds=payment.uses_3ds,
        other_payment_is_live=other_payment_is_live,
        open_operation=(
            OpenOperation(
                actor_name=open_operation.actor_name,
                started_at=open_operation.started_at,
                action=open_operation.action,
            )
            if open_operation
            else None
        ),
    )


def read(payment: Payment) -> Facts:
    """The facts of a payment row (order and account joined), and what stands beside it."""
    others = Payment.objects.filter(order_id=payment.order_id, status__in=sorted(LIVE_STATUSES))
    return facts_of(
        payment,
        payment.order,
        payment.account,
        open_operation=open_operation_of(payment),
        other_payment_is_live=not _is_the_one(payment) and others.exclude(pk=payment.pk).exists(),
    )


def read_many(payments: Sequence[Payment]) -> dict[int, tuple[Facts, Operation | None]]:
    """As `read` for many payments, with the operation under way on each, by payment; at most two queries."""
    under_way = (
        {
            operation.payment_id: operation
            for operation in Operation.objects.filter(
                payment__in=[payment.pk for payment in payments if payment.is_open],
                state__in=Operation.OPEN_STATES,
            ).exclude(action="inquire")
        }
        if any(payment.is_open for payment in payments)
        else {}
    )
    ended = [payment for payment in payments if not _is_the_one(payment)]
    live = (
        set(
            Payment.objects.filter(
                order__in=[payment.order_id for payment in ended], status__in=sorted(LIVE_STATUSES)
            ).values_list("order_id", flat=True)
        )
        if ended
        else set()
    )
    return {
        payment.pk: (
            facts_of(
                payment,
                payment.order,
                payment.account,
                open_operation=under_way.get(payment.pk),
                other_payment_is_live=not _is_the_one(payment) and payment.order_id in live,
            ),
            under_way.get(payment.pk),
        )
        for payment in payments
    }


def _is_the_one(payment: Payment) -> bool:
    """The database allows one live or open payment per order: beside such a one there is no other to look for."""
    return payment.is_open or payment.status in LIVE_STATUSES


def open_operation_of(payment: Payment) -> Operation | None:
    """The money operation under way on this payment, if any."""
    if not payment.is_open:
        return None
    return (
        Operation.objects.filter(payment=payment, state__in=Operation.OPEN_STATES)
        .exclude(action="inquire")
        .first()
    )
