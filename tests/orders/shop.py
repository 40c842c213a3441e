"""A small shop for the tests of orders: products, customers, and orders made through the services."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from orders import changes, editing
from orders.history import Author
from orders.models import Customer, Order, OrderLine, PaymentMethod, Product
from orders.order_data import LineData, OrderData
from orders.statuses import OrderStatus

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)  # noon in Tokyo
AUTHOR = Author(name="田中 花子", source="受注編集", ip="192.0.2.7")


def make_product(
    code: str = "shirt-1", *, price: int = 2000, stock: int = 10, name: str = "白シャツ"
) -> Product:
    return Product.objects.create(code=code, name=name, price=price, stock=stock)


def make_customer(*, points: int = 0) -> Customer:
    return Customer.objects.create(name="山田 太郎", email="yamada@example.jp", points=points)


def make_method(name: str = "クレジットカード") -> PaymentMethod:
    return PaymentMethod.objects.get_or_create(name=name)[0]


def goods(product: Product, quantity: int = 1, **more: Any) -> LineData:
    more = {"unit_price": product.price, "tax_rate": Decimal(10), **more}
    return LineData(kind=OrderLine.Kind.PRODUCT, product_id=product.pk, quantity=quantity, **more)


def extra(kind: OrderLine.Kind, yen: int, **more: Any) -> LineData:
    includes_tax = kind in (OrderLine.Kind.DELIVERY_FEE, OrderLine.Kind.CHARGE)
    more = {"tax_rate": Decimal(10), "price_includes_tax": includes_tax, "name": kind.label, **more}
    return LineData(kind=kind, unit_price=yen, quantity=1, **more)


def data(lines: Iterable[LineData], status: OrderStatus | None = None, **values: Any) -> OrderData:
    return OrderData(values=values, lines=tuple(lines), status=status)


def stored_lines(order: Order) -> list[LineData]:
    """The order's lines as a form would send them back untouched."""
    return [
        LineData(
            line_id=line.pk,
            kind=OrderLine.Kind(line.kind),
            product_id=line.product_id,
            name=line.name,
            code=line.code,
            options=line.options,
            unit_price=line.unit_price,
            price_includes_tax=line.price_includes_tax,
            quantity=line.quantity,
            tax_rate=line.tax_rate,
            tax_type=OrderLine.TaxType(line.tax_type),
            rounding=OrderLine.Rounding(line.rounding),
        )
        for line in order.lines.all()
    ]


def make_order(
    lines: Iterable[LineData],
    *,
    customer: Customer | None = None,
    status: OrderStatus = OrderStatus.NEW,
    values: Mapping[str, Any] | None = None,
    now: datetime = NOW,
) -> Order:
    """An order made by the service, as 新規受注入力 makes it."""
    asked: dict[str, Any] = {"payment_method": make_method().pk, "name": "山田 太郎", "kana": "ヤマダ タロウ"}
    asked.update(values or {})
    saved = editing.create_order(
        data=data(lines, **asked), customer=customer, author=AUTHOR, now=now, status=status
    )
    assert isinstance(saved, editing.Saved), saved
    return saved.order


def move(
    order: Order, to: OrderStatus, *, now: datetime = NOW, by_system: bool = False
) -> changes.StatusChanged:
    """Change the status and insist that it was possible."""
    result = try_to_move(order, to, now=now, by_system=by_system)
    assert isinstance(result, changes.StatusChanged), result
    return result


def try_to_move(
    order: Order, to: OrderStatus, *, now: datetime = NOW, by_system: bool = False
) -> changes.StatusChanged | changes.StatusRefused:
    return changes.change_status(
        order_id=order.pk,
        to=to,
        actor=None,
        actor_name=AUTHOR.name,
        source=AUTHOR.source,
        ip=AUTHOR.ip,
        now=now,
        by_system=by_system,
    )


def save(order: Order, wanted: OrderData, *, version: int | None = None, now: datetime = NOW) -> Any:
    """Save over the order's version as this object knows it."""
    return editing.save_order(
        order_id=order.pk, version=version or order.version, data=wanted, author=AUTHOR, now=now
    )
