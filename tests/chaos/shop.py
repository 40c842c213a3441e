"""The shop that the storm goes over: logins, goods with a stock ledger, members with points, paid orders."""

from __future__ import annotations

import random
import uuid

from django.contrib.auth.models import Group, User

from cagolab import clock
from gateways.interface import CardToken
from orders import checkout
from orders.models import Customer, Order, PaymentMethod, PointEntry, Product, StockEntry
from payments import authorizations
from payments.actors import By
from payments.models import GatewayAccount, Operation
from tests.sandbox_server import SandboxHandle

PASSWORD = "chaos-2468-storm"
CUSTOMER = By(name="お客様", source=Operation.Source.CHECKOUT)
STOCK, POINTS = 10_000, 5_000


def open_shop(sandbox: SandboxHandle, dice: random.Random, *, orders: int, operators: int) -> list[str]:
    """Fill the shop; the names of the operators. Every third account follows with 対応状況."""
    # Far above what the storm needs: killed workers leave their places taken for minutes.
    GatewayAccount.objects.update(max_concurrent_calls=64, max_calls_per_second=500)
    names = [f"operator{number}" for number in range(1, operators + 1)]
    for name in names:
        User.objects.create_user(name, password=PASSWORD).groups.add(Group.objects.get(name="決済操作"))
    now = clock.now()
    method = PaymentMethod.objects.create(name="クレジットカード決済", kind="card", account="gmo")
    for number in range(4):
        product = Product.objects.create(
            code=f"P{number}", name=f"商品{number}", price=1000 + 700 * number, stock=STOCK
        )
        StockEntry.objects.create(
            product=product, quantity=STOCK, reason="開店", key=f"opening-{product.pk}", booked_at=now
        )
    for number in range(6):
        customer = Customer.objects.create(name=f"会員{number}", email=f"m{number}@example.jp", points=POINTS)
        PointEntry.objects.create(
            customer=customer,
            kind=PointEntry.Kind.GRANTED,
            points=POINTS,
            reason="会員登録",
            key=f"opening-customer-{customer.pk}",
            booked_at=now,
        )
    for _ in range(orders):
        order_paid_for(sandbox, dice, method)
    return names


def order_paid_for(sandbox: SandboxHandle, dice: random.Random, method: PaymentMethod) -> Order:
    """An order through the checkout's services, authorized."""
    products, customers = list(Product.objects.order_by("id")), list(Customer.objects.order_by("id"))
    customer = dice.choice([None, *customers])
    order = checkout.leave_cart(
        items=[
            checkout.CartItem(product=product, quantity=dice.randint(1, 3))
            for product in dice.sample(products, 2)
        ],
        buyer=checkout.Buyer(name="嵐 花子", email="arashi@example.jp", customer=customer),
        method=method,
        delivery_fee=500,
        used_points=dice.choice([0, 50]) if customer else 0,
        now=clock.now(),
    )
    checkout.enter_card_page(order_id=order.pk, now=clock.now())
    operation = authorizations.authorize(
        order_id=order.pk,
        account=GatewayAccount.objects.get(code="gmo"),
        card=CardToken(token=sandbox.token()),
        key=uuid.uuid4(),
        by=CUSTOMER,
        now=clock.now(),
    )
    assert isinstance(operation, Operation), operation
    assert operation.state == Operation.State.SUCCEEDED, operation.message
    return order
