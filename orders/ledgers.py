"""Booking stock and points: each movement exactly once, restoring what the order itself has booked.

A key per order, version of the order and product (or kind of points) lets the database refuse a second
booking of the same change. The caller holds the order's lock; here products are locked by id, then the
customer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Sum

from cagolab.many_rows import write_columns
from orders import locks
from orders.models import Order, OrderLine, PointEntry, StockEntry

Kind = PointEntry.Kind


class ShortError(Exception):
    """There is not enough stock, or not enough points; the message is a sentence for the operator."""


@dataclass(frozen=True, kw_only=True)
class Booking:
    """The change of an order that movements belong to: its version, and why in the operator's words."""

    order: Order
    version: int
    reason: str
    now: datetime


def quantities(lines: Iterable[OrderLine]) -> Counter[int]:
    """How many of each product the lines sell, two lines of one product added up."""
    sold: Counter[int] = Counter()
    for line in lines:
        if line.kind == OrderLine.Kind.PRODUCT and line.product_id is not None:
            sold[line.product_id] += line.quantity
    return sold


def booked_stock(order_id: int) -> Counter[int]:
    """Per product the sum of what the order has booked: negative is taken."""
    rows = StockEntry.objects.filter(order_id=order_id).values_list("product_id")
    return Counter(dict(rows.annotate(Sum("quantity")).order_by("product_id")))


def booked_points(order_id: int) -> Counter[str]:
    """Per kind the sum of what the order has booked on the customer's points: used points are negative."""
    rows = PointEntry.objects.filter(order_id=order_id).values_list("kind")
    return Counter(dict(rows.annotate(Sum("points")).order_by("kind")))


def book_stock(booking: Booking, movements: Mapping[int, int]) -> None:
    """Move stock per product (+ back, - taken). Raises ShortError, naming the product, and then books nothing."""
    wanted = {product_id: quantity for product_id, quantity in movements.items() if quantity}
    if not wanted:
        return
    products = locks.lock_products(wanted)
    for product_id, quantity in sorted(wanted.items()):
        product = products[product_id]
        if quantity < 0 and product.stock + quantity < 0:
            raise ShortError(
                f"商品「{product}」（{product.code}）の在庫が足りないため、注文番号 {booking.order.number} を"
                f"変更できません。必要な数は{-quantity}、在庫数は{product.stock}です。"
            )
    for product_id, quantity in sorted(wanted.items()):
        products[product_id].stock += quantity
    write_columns(list(products.values()), ("stock",))
    StockEntry.objects.bulk_create(
        StockEntry(
            product_id=product_id,
            order=booking.order,
            quantity=quantity,
            reason=booking.reason,
            key=f"order-{booking.order.pk}-v{booking.version}-product-{product_id}",
            booked_at=booking.now,
        )
        for product_id, quantity in sorted(wanted.items())
    )


def book_points(booking: Booking, movements: Mapping[Kind, int]) -> None:
    """Move the customer's points per kind. Raises ShortError when points to be used are not there.

    Earned points are taken back even when the customer has spent them meanwhile: the balance goes below 0.
    """
    wanted = {kind: points for kind, points in movements.items() if points}
    if not wanted or booking.order.customer_id is None:
        return
    customer = locks.lock_customer(booking.order.customer_id)
    used = wanted.get(Kind.USED, 0)
    if used < 0 and customer.points + used < 0:
        raise ShortError(
            f"{customer.name} 様の保有ポイントが足りないため、注文番号 {booking.order.number} を変更できません。"
            f"必要なポイントは{-used}、保有ポイントは{customer.points}です。"
        )
    customer.points += sum(wanted.values())
    customer.save(update_fields=["points"])
    PointEntry.objects.bulk_create(
        PointEntry(
            customer=customer,
            order=booking.order,
            kind=kind,
            points=points,
            reason=booking.reason,
            key=f"order-{booking.order.pk}-v{booking.version}-{kind.value}",
            booked_at=booking.now,
        )
        for kind, points in sorted(wanted.items())
    )
