"""Two connections at the same order: each thing is booked once, and one editor is told about the other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections

from orders import changes, counts, editing
from orders.models import Order, OrderChange, PointEntry, Product, StockEntry
from orders.statuses import OrderStatus
from tests.orders.shop import (
    data,
    goods,
    make_customer,
    make_order,
    make_product,
    move,
    save,
    stored_lines,
    try_to_move,
)

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Run the acts in threads with connections of their own, released together."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=10)
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(timeout=30) for future in [pool.submit(run, act) for act in acts]]


def test_two_cancels_at_once_give_back_once() -> None:
    product, customer = make_product(), make_customer(points=100)
    order = make_order([goods(product, 2)], customer=customer, values={"used_points": 30})

    results = at_once(*[lambda: try_to_move(order, OrderStatus.CANCELLED)] * 4)

    assert sorted(type(result).__name__ for result in results) == ["StatusChanged"] + ["StatusRefused"] * 3
    product.refresh_from_db()
    customer.refresh_from_db()
    assert (product.stock, customer.points) == (10, 100)
    assert StockEntry.objects.count() == PointEntry.objects.count() == 2


def test_the_last_piece_is_sold_to_one_of_two_orders() -> None:
    product = make_product(stock=2)
    orders = [make_order([goods(product)]) for _ in range(2)]
    for order in orders:
        move(order, OrderStatus.CANCELLED)
    Product.objects.update(stock=1)

    results = at_once(*[lambda order=order: try_to_move(order, OrderStatus.NEW) for order in orders])

    assert sum(isinstance(result, changes.StatusChanged) for result in results) == 1
    product.refresh_from_db()
    assert product.stock == 0


def test_orders_of_the_same_products_in_another_order_do_not_deadlock() -> None:
    first, second = make_product("a", stock=100), make_product("b", stock=100)
    orders = [
        make_order([goods(first), goods(second)] if number % 2 else [goods(second), goods(first)])
        for number in range(8)
    ]
    results = at_once(*[lambda order=order: try_to_move(order, OrderStatus.CANCELLED) for order in orders])
    assert all(isinstance(result, changes.StatusChanged) for result in results)
    first.refresh_from_db()
    assert first.stock == 100


def test_of_two_editors_one_saves_and_the_other_reads_what_changed() -> None:
    order = make_order([goods(make_product())])

    results = at_once(
        *[lambda memo=memo: save(order, data(stored_lines(order), memo=memo)) for memo in ("左", "右")]
    )

    saved = next(result for result in results if isinstance(result, editing.Saved))
    conflict = next(result for result in results if isinstance(result, editing.VersionConflict))
    assert conflict.current_version == saved.order.version == 2
    assert {(each.label, each.theirs) for each in conflict.differences} == {
        ("ショップ用メモ", saved.order.memo)
    }
    assert OrderChange.objects.filter(field="ショップ用メモ").count() == 1


def test_folds_at_once_lose_and_double_nothing() -> None:
    product = make_product(stock=100)
    for _ in range(20):
        make_order([goods(product)])

    at_once(*[counts.fold] * 4, *[lambda: try_to_move(Order.objects.first(), OrderStatus.PAID)] * 2)  # type: ignore[arg-type]

    assert counts.status_counts()[OrderStatus.NEW] == 19
    assert counts.status_counts()[OrderStatus.PAID] == 1
    counts.fold()
    assert counts.status_counts()[OrderStatus.NEW] == 19
