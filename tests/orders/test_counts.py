"""Counts per status: kept by triggers, folded by the minute job, equal to what counting would say."""

from __future__ import annotations

import pytest
from django.db.models import Count

from orders import counts
from orders.models import CountDelta, FoldedCount, Order
from orders.statuses import OrderStatus
from orders.tasks import fold_counts
from tests.orders.shop import NOW, goods, make_method, make_order, make_product, move

pytestmark = pytest.mark.django_db


def counted() -> dict[int, int]:
    return dict(Order.objects.values_list("status").annotate(Count("id")).order_by("status"))


def shown() -> dict[int, int]:
    return {status.value: number for status, number in counts.status_counts().items() if number}


def test_every_status_is_there_even_without_orders() -> None:
    assert counts.status_counts() == dict.fromkeys(OrderStatus, 0)


def test_counts_follow_every_way_of_writing_orders() -> None:
    order = make_order([goods(make_product())])
    method = make_method()
    Order.objects.bulk_create(
        Order(number=f"x{n}", status=OrderStatus.SHIPPED, ordered_at=NOW, payment_method=method)
        for n in range(5)
    )
    assert shown() == counted() == {1: 1, 5: 5}
    move(order, OrderStatus.CANCELLED)
    Order.objects.filter(number__in=["x1", "x2"]).update(status=OrderStatus.RETURNED)
    assert shown() == counted()
    Order.objects.filter(number="x3").delete()
    assert shown() == counted() == {3: 1, 5: 2, 9: 2}


def test_payment_statuses_are_counted_and_orders_without_a_payment_are_not() -> None:
    first, second = make_order([]), make_order([])
    Order.objects.filter(pk=first.pk).update(payment_status="AUTH")
    Order.objects.filter(pk=second.pk).update(payment_status="SALES")
    assert counts.payment_status_counts() == {"AUTH": 1, "SALES": 1}
    Order.objects.update(payment_status="SALES")
    assert counts.payment_status_counts() == {"SALES": 2}
    Order.objects.update(payment_status="")
    assert counts.payment_status_counts() == {}


def test_an_update_that_moves_no_count_writes_no_delta() -> None:
    order = make_order([])
    before = CountDelta.objects.count()
    Order.objects.filter(pk=order.pk).update(memo="x")
    assert CountDelta.objects.count() == before


def test_folding_changes_no_number_and_leaves_no_delta(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "FOLD_ROWS", 3)
    orders = [make_order([]) for _ in range(7)]
    move(orders[0], OrderStatus.PAID)
    before = counts.status_counts()
    fold_counts()
    assert counts.status_counts() == before
    assert not CountDelta.objects.exists()
    assert {(row.value, row.count) for row in FoldedCount.objects.all()} == {("1", 6), ("6", 1)}
    assert counts.fold() == 0
