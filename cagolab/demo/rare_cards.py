"""Card payments that the product meets and does not make: of another system of the shop, and of a subscription.

Each is a real trade at the sandbox, made over HTTP on its day.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import requests
from django.conf import settings

from cagolab import clock
from cagolab.demo.stage import Stage
from gateways.interface import StoredCard
from gateways.vocabulary import MethodKind, PaymentStatus
from orders import editing
from orders.history import Author
from orders.models import Customer, Order, OrderLine, PaymentMethod, Product
from orders.order_data import LineData, OrderData
from orders.statuses import OrderStatus
from payments import authorizations, inquiry, stored_cards
from payments.actors import By
from payments.models import Operation, Payment

OTHER_SYSTEM = Author(name="別システム", source="取込")
SUBSCRIPTION = By(name="定期購入", source=Operation.Source.NIGHTLY)
LOOKS = By(name="決済操作", source=Operation.Source.ORDER_EDIT)
CALL_TIMEOUT_SECONDS = 10
# A word that no version of the protocol notes knows: what a person has to look at.
UNKNOWN_WORD = "SUSPENDED"


def add(stage: Stage, started: datetime) -> None:
    """Nothing here lies in the future of `started`."""
    for days, job in ((12, "CHECK"), (9, "SAUTH")):
        stage.at(started - timedelta(days=days))
        _of_another_system(stage, job)
    stage.at(started - timedelta(days=6))
    _refused_and_looked_at(stage)
    _in_a_word_of_its_own(stage)
    _subscription(stage, started)


def _of_another_system(stage: Stage, job: str) -> None:
    """有効性チェック and 簡易オーソリ are not the checkout's: the payment is entered, and adopted by asking."""
    order = _order(stage, _random_customer(stage))
    payment = Payment.objects.create(
        order=order,
        account=stage.account,
        kind=MethodKind.CARD.value,
        status=PaymentStatus.UNPROCESSED.value,
        amount=order.payment_total,
        provider_order_id=authorizations.provider_order_id(order.pk, 1, clock.now()),
        created_at=clock.now(),
    )
    configured: Any = settings.GATEWAY_ACCOUNTS[stage.account.code].account
    credentials = {"ShopID": configured.shop_id, "ShopPass": configured.shop_pass.get_secret_value()}
    amount = {} if job == "CHECK" else {"Amount": str(payment.amount)}
    opened = _call(
        configured.base_url,
        "EntryTran",
        **credentials,
        OrderID=payment.provider_order_id,
        JobCd=job,
        **amount,
    )
    _call(
        configured.base_url,
        "ExecTran",
        AccessID=opened["AccessID"],
        AccessPass=opened["AccessPass"],
        OrderID=payment.provider_order_id,
        Method="1",
        Token=stage.token(stage.account).token,
    )
    inquiry.inquire_now(payment_id=payment.pk, by=LOOKS, now=clock.now())


def _refused_and_looked_at(stage: Stage) -> None:
    """The provider calls a refused trade 未決済, and so do we once we have asked."""
    order = _order(stage, _random_customer(stage))
    operation = _authorize(stage, order, is_good=False)
    inquiry.inquire_now(payment_id=operation.payment_id, by=LOOKS, now=clock.now())


def _in_a_word_of_its_own(stage: Stage) -> None:
    """例外エラー: the provider says something that nobody here knows."""
    operation = _authorize(stage, _order(stage, _random_customer(stage)))
    payment = Payment.objects.get(pk=operation.payment_id)
    stage.control("_admin", {"order_id": payment.provider_order_id, "status": UNKNOWN_WORD})
    inquiry.inquire_now(payment_id=payment.pk, by=LOOKS, now=clock.now())


def _subscription(stage: Stage, started: datetime) -> None:
    """CC-6: the card of the first order has expired when the second one is made by itself."""
    customer = _random_customer(stage)
    first_day = started - timedelta(days=70)
    stage.at(first_day)
    first = _authorize(
        stage,
        _order(stage, customer, is_subscription=True),
        expire=f"{first_day.astimezone(clock.TOKYO):%y%m}",
    )
    stored_cards.keep(first, customer)
    customer.refresh_from_db()
    stage.at(started - timedelta(days=2))
    card = next(iter(stored_cards.usable(customer, stage.account)))
    authorizations.authorize(
        order_id=_order(stage, customer, is_subscription=True).pk,
        account=stage.account,
        card=StoredCard(member_id=customer.member_id, card_seq=card.card_seq),
        key=uuid.uuid4(),
        by=SUBSCRIPTION,
        now=clock.now(),
    )


def _authorize(stage: Stage, order: Order, *, is_good: bool = True, expire: str = "4912") -> Operation:
    result = authorizations.authorize(
        order_id=order.pk,
        account=stage.account,
        card=stage.token(stage.account, is_good=is_good, expire=expire),
        key=uuid.uuid4(),
        by=By(name="お客様", source=Operation.Source.CHECKOUT),
        now=clock.now(),
    )
    assert isinstance(result, Operation)
    return result


def _random_customer(stage: Stage) -> Customer:
    return stage.random.choice(list(Customer.objects.filter(member_id="").order_by("id")[:40]))


def _order(stage: Stage, customer: Customer, *, is_subscription: bool = False) -> Order:
    product = stage.random.choice(list(Product.objects.order_by("id")))
    method = PaymentMethod.objects.get(kind=MethodKind.CARD.value, account=stage.account.code)
    values = {
        "payment_method": method.pk,
        "name": customer.name,
        "kana": customer.kana,
        "email": customer.email,
        "delivery_name": customer.name,
        "delivery_kana": customer.kana,
    }
    line = LineData(
        kind=OrderLine.Kind.PRODUCT,
        product_id=product.pk,
        unit_price=product.price,
        quantity=1,
        tax_rate=Decimal(product.tax_rate),
    )
    saved = editing.create_order(
        data=OrderData(values=values, lines=(line,)),
        customer=customer,
        author=OTHER_SYSTEM,
        now=clock.now(),
        status=OrderStatus.NEW,
        is_subscription=is_subscription,
    )
    assert isinstance(saved, editing.Saved), saved
    return saved.order


def _call(base_url: str, name: str, **fields: str) -> dict[str, str]:
    answer = requests.post(f"{base_url}/payment/{name}.idPass", data=fields, timeout=CALL_TIMEOUT_SECONDS)
    return dict(pair.split("=", 1) for pair in answer.content.decode("cp932").split("&"))
