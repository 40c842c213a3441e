"""Orders of the demo that were not paid by card: rows marked デモ, outside inquiry and reconciliation."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from cagolab.demo import catalogue
from gateways.vocabulary import MethodKind
from gateways.vocabulary import PaymentStatus as S
from orders import checkout
from orders.models import Order, PaymentMethod, Product
from orders.statuses import OrderStatus
from payments import order_copy
from payments.models import GatewayAccount, Payment

COUNT = 45
_TO_BE_PAID = (
    (S.REQSUCCESS, OrderStatus.NEW),
    (S.PAYSUCCESS, OrderStatus.PAID),
    (S.EXPIRED, OrderStatus.CANCELLED),
)
_CARRIER = (
    (S.AUTH, OrderStatus.NEW),
    (S.SALES, OrderStatus.SHIPPED),
    (S.CAPTURE, OrderStatus.PAID),
    (S.CANCEL, OrderStatus.CANCELLED),
    (S.PAYFAIL, OrderStatus.PENDING),
)
_RAKUTEN = (
    *_CARRIER,
    (S.PAYSTART, OrderStatus.PENDING),
    (S.REQSALES, OrderStatus.NEW),
    (S.REQCANCEL, OrderStatus.NEW),
    (S.REQCHANGE, OrderStatus.IN_PROGRESS),
)
# What a payment of a kind can stand at, with a fitting 対応状況.
_STANDS: dict[str, tuple[tuple[S, OrderStatus], ...]] = {
    MethodKind.CVS: _TO_BE_PAID,
    MethodKind.PAYEASY_ATM: _TO_BE_PAID,
    MethodKind.PAYEASY_NET: _TO_BE_PAID,
    MethodKind.AU: _CARRIER,
    MethodKind.DOCOMO: _CARRIER,
    MethodKind.SOFTBANK: _CARRIER,
    MethodKind.RAKUTEN: _RAKUTEN,
}


def add_other_kinds(random: Random, account: GatewayAccount, now: datetime) -> None:
    """COUNT orders over all kinds but cards, and each kind in every state it can stand at."""
    methods = list(PaymentMethod.objects.exclude(kind="card"))
    products = list(Product.objects.all())
    for number in range(COUNT):
        method = methods[number % len(methods)]
        ordered_at = now - timedelta(days=random.uniform(0.1, 120))
        order = _order(random, method, products, ordered_at)
        stands = _STANDS.get(method.kind)
        if stands is None:  # 銀行振込: no payment at a gateway (PG-9)
            Order.objects.filter(pk=order.pk).update(status=OrderStatus.NEW, updated_at=ordered_at)
            continue
        status, order_status = stands[number // len(methods) % len(stands)]
        Order.objects.filter(pk=order.pk).update(status=order_status, updated_at=ordered_at)
        _payment(order, account, method.kind, status, ordered_at)


def _order(random: Random, method: PaymentMethod, products: list[Product], ordered_at: datetime) -> Order:
    family, given = random.choice(catalogue.FAMILY_NAMES), random.choice(catalogue.GIVEN_NAMES)
    prefecture, postal_code, address = random.choice(catalogue.PLACES)
    buyer = checkout.Buyer(
        name=f"{family[0]} {given[0]}",
        kana=f"{family[1]} {given[1]}",
        email=f"guest{random.randrange(1000)}@example.jp",
        phone=f"080-0000-{random.randrange(10_000):04}",
        postal_code=postal_code,
        prefecture=prefecture,
        address=address,
    )
    item = checkout.CartItem(product=random.choice(products), quantity=random.randint(1, 2))
    return checkout.leave_cart(
        items=[item], buyer=buyer, method=method, delivery_fee=500, used_points=0, now=ordered_at
    )


def _payment(order: Order, account: GatewayAccount, kind: str, status: S, at: datetime) -> None:
    held = status in (S.AUTH, S.SALES, S.CAPTURE)
    payment = Payment.objects.create(
        order=order,
        account=account,
        kind=kind,
        status=status,
        amount=order.payment_total,
        provider_order_id=f"demo-{order.pk}",
        is_demo=True,
        authorized_at=at if held else None,
        captured_at=at if status in (S.SALES, S.CAPTURE) else None,
        created_at=at,
    )
    order_copy.write(payment)
    if status in (S.PAYSUCCESS, S.SALES, S.CAPTURE):
        Order.objects.filter(pk=order.pk).update(paid_at=at)
