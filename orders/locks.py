"""Row locks of orders, in the one order that everybody takes them: orders, products, customers, each by id.

Whoever also locks a payment does so before the order (payments settles, then moves the order).
"""

from __future__ import annotations

from collections.abc import Iterable

from orders.models import Customer, Order, Product


def lock_order(order_id: int) -> Order:
    """The order, locked until the transaction ends. Raises Order.DoesNotExist."""
    return Order.objects.select_for_update(of=("self",)).get(pk=order_id)


def lock_orders(order_ids: Iterable[int]) -> dict[int, Order]:
    """Orders by id, locked in the order of their ids; those that do not exist are missing."""
    rows = Order.objects.select_for_update(of=("self",)).filter(pk__in=set(order_ids)).order_by("pk")
    return {order.pk: order for order in rows}


def lock_products(product_ids: Iterable[int]) -> dict[int, Product]:
    """Products by id, locked in the order of their ids."""
    wanted = sorted(set(product_ids))
    rows = Product.objects.select_for_update(of=("self",)).filter(pk__in=wanted).order_by("pk")
    return {product.pk: product for product in rows}


def lock_customer(customer_id: int) -> Customer:
    """The customer, locked until the transaction ends."""
    return Customer.objects.select_for_update(of=("self",)).get(pk=customer_id)


def lock_customers(customer_ids: Iterable[int]) -> None:
    """Customers, locked in the order of their ids."""
    rows = Customer.objects.select_for_update(of=("self",)).filter(pk__in=set(customer_ids)).order_by("pk")
    list(rows.values_list("pk"))
