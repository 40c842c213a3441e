"""A customer of the demo checkout, as the browser's requests would be: one client, one session."""

from __future__ import annotations

from typing import Any

from django.test import Client

from orders.models import Customer, Order, PaymentMethod, Product
from tests.gateway_world import World
from tests.screens.order_pages import form_of

BROKE_CARD = "4999000000000002"
ORDERER = {
    "name": "山田 花子",
    "kana": "ヤマダ ハナコ",
    "email": "hanako@example.jp",
    "phone": "03-1234-5678",
    "postal_code": "1000001",
    "prefecture": "東京都",
    "address": "千代田区千代田1-1",
}


def open_shop(*, stock: int = 10, price: int = 2000) -> Product:
    """The product on sale and the method that leads to the card page."""
    PaymentMethod.objects.get_or_create(
        name="クレジットカード決済", defaults={"kind": "card", "account": "gmo"}
    )
    return Product.objects.create(code=f"shirt-{price}", name="白シャツ", price=price, stock=stock)


def make_member(*, points: int = 0) -> Customer:
    """A member; the ledger and the balance beside it agree."""
    return Customer.objects.create(name="山田 花子", email="hanako@example.jp", points=points)


class Shopper:
    """One customer in one browser."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.client = Client()

    def leave_cart(self, product: Product, quantity: int = 1, **fields: Any) -> Any:
        """Post the cart; the answer leads to the card page, or shows the cart again."""
        return self.client.post("/checkout/", {**ORDERER, f"quantity_{product.pk}": quantity, **fields})

    def card_page(self) -> dict[str, list[str]]:
        """Open the card page and read the form that it shows."""
        page = self.client.get("/checkout/card/")
        assert page.status_code == 200, page
        return form_of(page, "card-form")

    def shop(self, product: Product, quantity: int = 1, **fields: Any) -> dict[str, list[str]]:
        """From the cart to the card page."""
        answer = self.leave_cart(product, quantity, **fields)
        assert answer.status_code == 302, answer.content.decode()
        return self.card_page()

    def pay(self, form: dict[str, list[str]], *, card: str = "4111111111111111", **fields: Any) -> Any:
        """Post the card page's form with a token for the card."""
        return self.client.post("/checkout/pay/", {**form, "token": self.world.sandbox.token(card), **fields})

    def order(self) -> Order:
        """The order of this session."""
        return Order.objects.get(pk=self.client.session["checkout_order"])
