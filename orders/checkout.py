"""An order on its way through the checkout: from the cart to the card page, or back to nothing.

購入処理中 when the customer leaves the cart, 決済処理中 at the card page. From the beginning stock and used points
are taken, so that nobody else buys the last piece meanwhile. What becomes of it is decided by the payment
(新規受付, 入金済み), by the customer going back (no order, PG-4), or by the stale-order job (PG-5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from orders import changes, editing, ledgers, locks
from orders.history import Author
from orders.ledgers import Booking
from orders.models import Customer, Order, OrderLine, PaymentMethod, PointEntry, Product
from orders.order_data import LineData, OrderData
from orders.statuses import OrderStatus

# Tax rate of delivery and charges, which are priced with tax.
SERVICE_TAX_RATE = Decimal(10)
CUSTOMER = Author(name="お客様", source="購入画面")


@dataclass(frozen=True, kw_only=True)
class CartItem:
    """A product and how many of it."""

    product: Product
    quantity: int


@dataclass(frozen=True, kw_only=True)
class Buyer:
    """Who orders and where it goes. `customer` is None for guests."""

    name: str
    kana: str = ""
    company: str = ""
    email: str = ""
    phone: str = ""
    postal_code: str = ""
    prefecture: str = ""
    address: str = ""
    customer: Customer | None = None


class CheckoutError(Exception):
    """The order cannot go on; the message is a sentence for the customer."""


def leave_cart(
    *,
    items: Sequence[CartItem],
    buyer: Buyer,
    method: PaymentMethod,
    delivery_fee: int,
    used_points: int,
    message: str = "",
    now: datetime,
) -> Order:
    """Write the order as 購入処理中; amounts in yen. Raises CheckoutError, also where stock or points are short."""
    values = {
        **_addresses(buyer),
        "payment_method": method.pk,
        "used_points": used_points,
        "message": message,
    }
    with transaction.atomic():
        result = editing.create_order(
            data=OrderData(values=values, lines=_lines(items, delivery_fee, method.charge)),
            customer=buyer.customer,
            author=CUSTOMER,
            now=now,
            status=OrderStatus.PROCESSING,
        )
        if isinstance(result, editing.Invalid):
            raise CheckoutError(" ".join(result.errors.values()))
        if result.order.payment_total == 0:
            raise CheckoutError(
                "お支払い合計が0円になるため、クレジットカードではお支払いいただけません。"
                "利用ポイントを減らしてください。"
            )
        return result.order


def enter_card_page(*, order_id: int, now: datetime) -> Order:
    """購入処理中 to 決済処理中. Entering again changes nothing; raises CheckoutError past the checkout."""
    result = changes.change_status(
        order_id=order_id,
        to=OrderStatus.PENDING,
        actor=None,
        actor_name=CUSTOMER.name,
        source=CUSTOMER.source,
        ip=None,
        now=now,
        by_system=True,
    )
    order = Order.objects.select_related("payment_method").get(pk=order_id)
    if isinstance(result, changes.StatusRefused) and order.status != OrderStatus.PENDING:
        raise CheckoutError("このご注文の購入手続きは終わっています。")
    return order


def go_back(*, order_id: int, now: datetime) -> None:
    """The customer went back from the card page: stock and points return, and there is no order (PG-4).

    Raises CheckoutError where the order has left the checkout or a payment was tried: it is then kept.
    """
    with transaction.atomic():
        order = locks.lock_order(order_id)
        if order.status not in (OrderStatus.PROCESSING, OrderStatus.PENDING) or order.payment_id is not None:
            raise CheckoutError("このご注文は取り消せません。ショップにお問い合わせください。")
        booking = Booking(order=order, version=order.version + 1, reason="購入の中止", now=now)
        taken = ledgers.booked_stock(order.pk)
        ledgers.book_stock(booking, {product: -booked for product, booked in taken.items()})
        used = ledgers.booked_points(order.pk)[PointEntry.Kind.USED]
        ledgers.book_points(booking, {PointEntry.Kind.USED: -used})
        order.delete()


def _addresses(buyer: Buyer) -> dict[str, str]:
    fields = ("name", "kana", "company", "phone", "postal_code", "prefecture", "address")
    orderer = {field: getattr(buyer, field) for field in fields}
    delivery = {f"delivery_{field}": value for field, value in orderer.items()}
    return {**orderer, **delivery, "email": buyer.email}


def _lines(items: Sequence[CartItem], delivery_fee: int, charge: int) -> tuple[LineData, ...]:
    goods = [
        LineData(
            kind=OrderLine.Kind.PRODUCT,
            product_id=item.product.pk,
            unit_price=item.product.price,
            quantity=item.quantity,
            tax_rate=Decimal(item.product.tax_rate),
        )
        for item in items
    ]
    services = [
        LineData(
            kind=kind,
            name=kind.label,
            unit_price=price,
            quantity=1,
            tax_rate=SERVICE_TAX_RATE,
            price_includes_tax=True,
        )
        for kind, price in ((OrderLine.Kind.DELIVERY_FEE, delivery_fee), (OrderLine.Kind.CHARGE, charge))
    ]
    return (*goods, *services)
