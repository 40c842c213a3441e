"""Demo payments that are made elsewhere (コンビニ, Pay-easy, carriers, 楽天ペイ): through the product's own door to the
sandbox, paid at the sandbox by the customer, and learnt of by asking, as a notification makes the product do."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from random import Random

from cagolab import clock
from cagolab.demo.stories import Event
from gateways.interface import Payer
from gateways.vocabulary import MethodKind
from orders.models import Order
from payments import accounts, authorizations, inquiry
from payments.actors import By
from payments.models import GatewayAccount, Operation, Payment
from payments.notifications.asking import NOTIFIED

# What POST /_admin of the sandbox is asked for.
WISHES: dict[Event, dict[str, object]] = {
    Event.OPENS: {"customer": "opens"},
    Event.PAYS: {"customer": "pays"},
    Event.FAILS: {"customer": "fails"},
    Event.SALES_THERE: {"action": "SALES"},
    Event.CANCEL_THERE: {"action": "CANCEL"},
    Event.CHANGE_THERE: {"action": "CHANGE"},
}
_DISCOUNT = 500


def request(order: Order, account: GatewayAccount, random: Random) -> None:
    """The customer leaves the checkout with a number, or for a carrier's page."""
    stores = list(accounts.capabilities(account.provider).stores)
    authorizations.request(
        order_id=order.pk,
        account=account,
        kind=MethodKind(order.payment_method.kind),
        payer=Payer(
            name=order.name,
            kana=order.kana,
            phone=order.phone,
            email=order.email,
            store=random.choice(stores),
            return_url="https://shop.example.jp/checkout/result/",
        ),
        key=uuid.uuid4(),
        by=By(name="お客様", source=Operation.Source.CHECKOUT),
        now=clock.now(),
    )


def happen(order: Order, event: Event, control: Callable[[str, dict[str, object]], None]) -> None:
    """What the customer does, or an operator on the provider's own screen."""
    payment = Payment.objects.get(pk=order.payment_id or 0)
    wish = dict(WISHES[event])
    if event is Event.CHANGE_THERE:
        wish["amount"] = payment.amount - _DISCOUNT
    control("_admin", {"order_id": payment.provider_order_id, **wish})


def look(order: Order) -> None:
    """What a notification leads to: the provider is asked."""
    inquiry.inquire_now(payment_id=_payment_id(order), by=NOTIFIED, now=clock.now())


def _payment_id(order: Order) -> int:
    assert order.payment_id is not None
    return order.payment_id
