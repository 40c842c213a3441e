"""Row locks of orders, in the one order that everybody takes them: order, products by id, customer.

Whoever also locks a payment does so before the order (payments settles, then moves the order).
"""

from __future__ import annotations

from collections.abc import Iterable

from orders.models import Customer, Order, Product


def lock_order(order_id: int) -> Order:
    """The order, locked until the transaction ends. Raises Order.DoesNotExist."""
    return Order.objects.select_for_update(of=("self",)).get(pk=order_id)


def lock_products(product_ids: Iterable[int]) -> dict[int, Product]:
    """Products by id, locked in the order of their ids."""
    wanted = sorted(set(product_ids))
    rows = Product.objects.select_for_update(of=("self",)).filter(pk__in=wanted).order_by("pk")
    return {product.pk: product for product in rows}


def lock_customer(customer_id: int) -> Customer:
    """The customer, locked until the transaction ends."""
    return Customer.objects.select_for_update(of=("self",)).get(pk=customer_id)
