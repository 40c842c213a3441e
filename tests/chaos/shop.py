"""The shop that the storm goes over: logins of every role, goods, members, and orders paid at all three providers."""

from __future__ import annotations

import random
import uuid
from datetime import timedelta

from django.contrib.auth.models import Group, User

from cagolab import clock
from gateways.interface import CardToken
from orders import checkout
from orders.models import Customer, Order, PaymentMethod, PointEntry, Product, StockEntry
from orders.statuses import OrderStatus
from payments import authorizations
from payments.actors import By
from payments.models import GatewayAccount, NightlyJob, Operation
from payments.nightly import schedule
from tests.chaos.diary import Diary
from tests.sandbox_server import SandboxHandle

PASSWORD = "chaos-2468-storm"
CUSTOMER = By(name="お客様", source=Operation.Source.CHECKOUT)
STOCK, POINTS = 10_000, 5_000
ACCOUNTS = ("gmo", "paygent", "sbps")
# How often each account is paid at, in the order of ACCOUNTS.
SHARES = (3, 2, 2)
# Who closes what no inquiry can tell.
ADMINISTRATOR = "administrator"
# Who may not move money, and tries.
LESSER_ROLES = {"viewer": "閲覧", "editor": "受注編集"}


def open_shop(
    sandbox: SandboxHandle, dice: random.Random, diary: Diary, *, orders: int, operators: int
) -> list[str]:
    """Fill the shop; the names of the operators. The nightly jobs are due at every midnight."""
    # Far above what the storm needs: killed workers leave their places taken for minutes.
    GatewayAccount.objects.update(max_concurrent_calls=64, max_calls_per_second=500)
    names = [f"operator{number}" for number in range(1, operators + 1)]
    roles = [*((name, "決済操作") for name in names), *LESSER_ROLES.items(), (ADMINISTRATOR, "管理者")]
    for name, role in roles:
        User.objects.create_user(name, password=PASSWORD).groups.add(Group.objects.get(name=role))
    now = clock.now()
    for kind in NightlyJob.Kind:
        schedule.switch(kind, is_on=True, hour=0, now=now)
    methods = {
        code: PaymentMethod.objects.create(name=f"カード払い({code})", kind="card", account=code)
        for code in ACCOUNTS
    }
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
    for code in dice.choices(ACCOUNTS, SHARES, k=orders):
        order_paid_for(sandbox, dice, diary, methods[code])
    for code in ACCOUNTS:
        given_up(sandbox, dice, diary, methods[code])
    return names


def order_left_at_the_card_page(
    dice: random.Random, method: PaymentMethod, *, age: timedelta = timedelta()
) -> Order:
    """An order through the checkout's services, 決済処理中 since `age`."""
    products, customers = list(Product.objects.order_by("id")), list(Customer.objects.order_by("id"))
    customer = dice.choice([None, *customers])
    at = clock.now() - age
    order = checkout.leave_cart(
        items=[
            checkout.CartItem(product=product, quantity=dice.randint(1, 3))
            for product in dice.sample(products, 2)
        ],
        buyer=checkout.Buyer(name="嵐 花子", email="arashi@example.jp", customer=customer),
        method=method,
        delivery_fee=500,
        used_points=dice.choice([0, 50]) if customer else 0,
        now=at,
    )
    return checkout.enter_card_page(order_id=order.pk, now=at)


def order_paid_for(
    sandbox: SandboxHandle,
    dice: random.Random,
    diary: Diary,
    method: PaymentMethod,
    *,
    age: timedelta = timedelta(),
) -> Order:
    """The same, authorized."""
    order = order_left_at_the_card_page(dice, method, age=age)
    account = GatewayAccount.objects.get(code=method.account)
    key = uuid.uuid4()
    operation = authorizations.authorize(
        order_id=order.pk,
        account=account,
        card=CardToken(token=sandbox.token(provider=account.provider)),
        key=key,
        by=CUSTOMER,
        now=clock.now(),
    )
    assert isinstance(operation, Operation), operation
    assert operation.state == Operation.State.SUCCEEDED, operation.message
    diary.confirmed.add(str(key))
    return order


def given_up(sandbox: SandboxHandle, dice: random.Random, diary: Diary, method: PaymentMethod) -> None:
    """What the nightly job is for (PG-5): a card page left a week ago, with and without a hold at the provider."""
    week = timedelta(days=8)
    order_left_at_the_card_page(dice, method, age=week)
    held = order_paid_for(sandbox, dice, diary, method, age=week)
    Order.objects.filter(pk=held.pk).update(status=OrderStatus.PENDING)
