"""受注として採用 (PG-5): the customer did pay, so the order that was given up becomes a paid one."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import BooleanField, DateTimeField, ExpressionWrapper, F, QuerySet
from django.db.models.expressions import RawSQL

from cagolab.clock import TOKYO
from orders import changes, history, locks
from orders.models import Order
from orders.statuses import HIDDEN_BY_DEFAULT, OrderStatus
from payments.actors import By
from payments.models import Payment
from payments.nightly import rules
from payments.nightly.stale_cases import SOURCE

# The copy on the order is of its newest payment; where there were several attempts, an older one may have been taken.
_OF_GIVEN_UP = """
    payments_payment.order_id = ANY(ARRAY(
        SELECT id FROM orders_order
        WHERE status = ANY(%s)
          AND (payment_status = ANY(%s) OR id IN (SELECT order_id FROM payments_payment WHERE attempt > 1))
        ORDER BY id
    ))
"""


def waiting() -> QuerySet[Payment]:
    """Payments that were taken for orders that never became orders, oldest first: a person decides.

    There are next to none. Nearly all payments were taken, and of ten thousand orders that were given up the planner
    does not know that hardly any was paid: so their payments are looked up by the orders that may have one, and sorted
    by what no index holds.
    """
    taken = sorted(rules.TAKEN)
    is_given_up = RawSQL(_OF_GIVEN_UP, [sorted(HIDDEN_BY_DEFAULT), taken], BooleanField())  # noqa: S611
    ordered_at = ExpressionWrapper(F("order__ordered_at") + timedelta(0), output_field=DateTimeField())
    return (
        Payment.objects.filter(is_given_up, status__in=taken)
        .select_related("order", "account")
        .order_by(ordered_at.asc(), "pk")
    )


def adopt(*, payment_id: int, by: By, now: datetime) -> changes.StatusChanged | changes.StatusRefused:
    """Make the order 入金済み, with the sale's day as 入金日. Raises Payment.DoesNotExist."""
    with transaction.atomic():
        payment = Payment.objects.select_for_update(of=("self",)).select_related("order").get(pk=payment_id)
        number = payment.order.number
        if payment.is_open:
            return changes.StatusRefused(
                f"注文番号 {number} の決済の結果を確認中です。確認が終わってから採用してください。"
            )
        if payment.status not in rules.TAKEN:
            return changes.StatusRefused(
                f"注文番号 {number} の決済はすでに取り消されているため、採用できません。"
            )
        order = locks.lock_order(payment.order_id)
        if order.status not in HIDDEN_BY_DEFAULT:
            label = OrderStatus(order.status).label
            return changes.StatusRefused(
                f"注文番号 {number} は、すでに「{label}」です。何も変更していません。"
            )
        _set_paid_at(order, payment.captured_at or now, by, now)
        if order.status == OrderStatus.PROCESSING:
            _to(order, OrderStatus.PENDING, by, now)
        return _to(order, OrderStatus.PAID, by, now)


def _set_paid_at(order: Order, paid_at: datetime, by: By, now: datetime) -> None:
    if not Order.objects.filter(pk=order.pk, paid_at__isnull=True).update(paid_at=paid_at):
        return
    history.record(
        order_id=order.pk,
        field="入金日",
        old="",
        new=paid_at.astimezone(TOKYO).strftime("%Y/%m/%d %H:%M"),
        actor=by.user,
        actor_name=by.name,
        source=SOURCE,
        ip=by.ip,
        now=now,
    )


def _to(
    order: Order, status: OrderStatus, by: By, now: datetime
) -> changes.StatusChanged | changes.StatusRefused:
    return changes.change_status(
        order_id=order.pk,
        to=status,
        actor=by.user,
        actor_name=by.name,
        source=SOURCE,
        ip=by.ip,
        now=now,
        by_system=True,
    )
