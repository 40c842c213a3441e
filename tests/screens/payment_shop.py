"""Payments in every state, made in the database without a provider: for screens that only show."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from gateways.vocabulary import Action, MethodKind, PaymentStatus
from orders.models import Order, PaymentMethod
from orders.statuses import OrderStatus
from payments import order_copy
from payments.models import Call, GatewayAccount, Operation, Payment

NOW = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)  # 12:00 in Tokyo
YESTERDAY = NOW - timedelta(days=1)
HTMX = {"HX-Request": "true"}

_SOLD = (PaymentStatus.SALES, PaymentStatus.CAPTURE)


def make_account(**fields: Any) -> GatewayAccount:
    """The account "gmo" of the tests."""
    account, _created = GatewayAccount.objects.update_or_create(
        code="gmo", defaults={"provider": "gmopg", "name": "GMO-PG"} | fields
    )
    return account


def make_bare_order(*, total: int = 3200, **fields: Any) -> Order:
    """An order without a payment."""
    method, _created = PaymentMethod.objects.get_or_create(
        name="GMOクレジット決済", defaults={"kind": "card", "account": "gmo"}
    )
    number = str(200 + Order.objects.count())
    values: dict[str, Any] = {
        "number": number,
        "status": OrderStatus.NEW,
        "ordered_at": YESTERDAY,
        "name": "テスト会員",
        "payment_method": method,
        "payment_method_name": method.name,
        "total": total,
        "payment_total": total,
    }
    return Order.objects.create(**values | fields)


def make_payment(
    status: PaymentStatus,
    *,
    order: Order | None = None,
    amount: int = 3200,
    total: int = 3200,
    authorized_at: datetime = YESTERDAY,
    captured_at: datetime | None = None,
    order_fields: dict[str, Any] | None = None,
    **fields: Any,
) -> Payment:
    """A payment in a status, with the copy on its order."""
    if order is None:
        order = make_bare_order(total=total, **(order_fields or {}))
    account = GatewayAccount.objects.filter(code="gmo").first() or make_account()
    attempt = Payment.objects.filter(order=order).count() + 1
    values: dict[str, Any] = {
        "order": order,
        "account": account,
        "kind": MethodKind.CARD.value,
        "status": status.value,
        "amount": amount,
        "provider_order_id": f"{order.number}-{attempt}",
        "attempt": attempt,
        "authorized_at": authorized_at,
        "captured_at": captured_at or (authorized_at if status in _SOLD else None),
        "references": {"approve": "0378171", "forward": "2a99662", "tran_id": "201130111111111111111804905"},
        "created_at": authorized_at,
    }
    payment = Payment.objects.create(**values | fields)
    order_copy.write(payment)
    order.refresh_from_db()
    return payment


def make_operation(
    payment: Payment, action: Action, state: Operation.State, *, calls: int = 0, **fields: Any
) -> Operation:
    """An operation as it would stand after its last step; open ones mark the payment."""
    values: dict[str, Any] = {
        "payment": payment,
        "action": action.value,
        "state": state,
        "key": uuid.uuid4(),
        "plan": [
            {"action": action.value, "result": payment.status, "amount": payment.amount, "cancel_type": ""}
        ],
        "status_before": payment.status,
        "amount_before": payment.amount,
        "amount": payment.amount,
        "source": Operation.Source.ORDER_EDIT,
        "actor_name": "会計 花子",
        "started_at": NOW - timedelta(minutes=3),
        "timeout_at": NOW,
    }
    operation = Operation.objects.create(**values | fields)
    Call.objects.bulk_create(
        Call(
            operation=operation,
            name="AlterTran",
            request=f"OrderID={payment.provider_order_id}&ShopPass=***",
            response="Status=SALES",
            sent_at=NOW,
            duration_ms=120,
        )
        for _ in range(calls)
    )
    if state in Operation.OPEN_STATES:
        payment.is_open = True
        payment.save()
        order_copy.write(payment)
    return operation
