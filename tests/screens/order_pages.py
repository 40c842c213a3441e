"""Orders with lines, and what a browser would post from their pages."""

from __future__ import annotations

import re
from decimal import Decimal
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orders.models import Customer, Order, Product


def shirt(**fields: Any) -> Product:
    """The manual's shirt: 2,000 yen 税抜 at 10 %, with stock."""
    from orders.models import Product

    values = {
        "code": "tops_02-04",
        "name": "綿パイルTシャツ",
        "options": "墨グレー / S",
        "price": 2000,
        "stock": 10,
    }
    return Product.objects.create(**values | fields)


def order_of(product: Product, *, customer: Customer | None = None, **values: Any) -> Order:
    """An order with one of the product, delivery 500 yen and charge 0, made by the service."""
    from cagolab import clock
    from orders.editing import Saved, create_order
    from orders.history import Author
    from orders.models import OrderLine, PaymentMethod
    from orders.order_data import LineData, OrderData

    method, _ = PaymentMethod.objects.get_or_create(name="GMOクレジット決済", kind="card")
    kinds = OrderLine.Kind
    made = create_order(
        data=OrderData(
            values={"name": "山田 太郎", "email": "yamada@example.jp", "payment_method": method.pk, **values},
            lines=(
                LineData(
                    kind=kinds.PRODUCT,
                    product_id=product.pk,
                    unit_price=product.price,
                    quantity=1,
                    tax_rate=Decimal(product.tax_rate),
                ),
                LineData(
                    kind=kinds.DELIVERY_FEE,
                    name="送料",
                    unit_price=500,
                    price_includes_tax=True,
                    quantity=1,
                    tax_rate=Decimal(10),
                ),
                LineData(
                    kind=kinds.CHARGE,
                    name="手数料",
                    unit_price=0,
                    price_includes_tax=True,
                    quantity=1,
                    tax_rate=Decimal(10),
                ),
            ),
        ),
        customer=customer,
        author=Author(name="購入画面", source="購入画面"),
        now=clock.now(),
    )
    assert isinstance(made, Saved), made
    return made.order


class _Form(HTMLParser):
    """The successful controls of one form, as a browser posts them without pressing a named button."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id = form_id
        self.inside = False
        self.values: dict[str, list[str]] = {}
        self.select = ""
        self.textarea = ""
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.inside = found.get("id") == self.form_id
        if not self.inside or "disabled" in found:
            return
        if tag == "input" and found.get("name"):
            if found.get("type") in ("radio", "checkbox") and "checked" not in found:
                return
            self.values.setdefault(found["name"], []).append(found.get("value", ""))
        elif tag == "select":
            self.select = found["name"]
        elif tag == "option" and self.select and ("selected" in found or self.select not in self.values):
            self.values[self.select] = [found.get("value", "")]
        elif tag == "textarea":
            self.textarea, self.text = found["name"], []

    def handle_data(self, data: str) -> None:
        if self.textarea:
            self.text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif tag == "select":
            self.select = ""
        elif tag == "textarea" and self.textarea:
            self.values[self.textarea] = ["".join(self.text).removeprefix("\n").removeprefix("\r\n")]
            self.textarea = ""


def form_of(response: Any, form_id: str = "order-form") -> dict[str, list[str]]:
    """What the form with this id would post as it was drawn."""
    parser = _Form(form_id)
    parser.feed(response.content.decode())
    return parser.values


def line_key(form: dict[str, list[str]], kind: int) -> str:
    """The key of the first row of a kind."""
    return next(key for key in form["line"] if form[f"line-{key}-kind"] == [str(int(kind))])


def text_of(response: Any) -> str:
    """The page's words without tags, white space folded."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))
