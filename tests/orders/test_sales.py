"""Sales per day: kept by triggers, folded by the minute job, equal to what adding up would say."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db.models import F

from cagolab.clock import TOKYO
from orders import sales
from orders.models import DailySales, Order, SalesDelta
from orders.statuses import OrderStatus
from orders.tasks import fold_counts
from tests.orders.shop import make_method

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)
FIRST, LAST = date(2026, 11, 1), date(2026, 12, 31)
NO_SALE = {OrderStatus.CANCELLED, OrderStatus.RETURNED, OrderStatus.PENDING, OrderStatus.PROCESSING}


def make(
    number: str, *, at: datetime = NOON, total: int = 1000, status: OrderStatus = OrderStatus.NEW
) -> Order:
    return Order.objects.create(
        number=number, status=status, ordered_at=at, payment_method=make_method(), payment_total=total
    )


def shown() -> dict[date, tuple[int, int]]:
    return {each.day: (each.orders, each.amount) for each in sales.daily(FIRST, LAST) if each.orders}


def added_up() -> dict[date, tuple[int, int]]:
    orders: Counter[date] = Counter()
    amounts: Counter[date] = Counter()
    for order in Order.objects.all():
        if order.status not in NO_SALE:
            day = order.ordered_at.astimezone(TOKYO).date()
            orders[day] += 1
            amounts[day] += order.payment_total
    return {day: (orders[day], amounts[day]) for day in orders}


def test_every_day_is_there_even_without_a_sale() -> None:
    assert [each.day for each in sales.daily(FIRST, date(2026, 11, 3))] == [
        FIRST,
        date(2026, 11, 2),
        date(2026, 11, 3),
    ]
    assert shown() == {}


@pytest.mark.parametrize("status", OrderStatus)
def test_which_orders_are_sales(status: OrderStatus) -> None:
    make("a", status=status)
    assert shown() == ({} if status in NO_SALE else {date(2026, 12, 1): (1, 1000)})


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2026, 11, 30, 14, 59, 59, tzinfo=UTC), date(2026, 11, 30)),
        (datetime(2026, 11, 30, 15, 0, 0, tzinfo=UTC), date(2026, 12, 1)),
    ],
)
def test_the_day_ends_at_midnight_in_tokyo(at: datetime, day: date) -> None:
    make("a", at=at)
    assert shown() == {day: (1, 1000)}


def test_sales_follow_every_way_of_writing_orders() -> None:
    order = make("a")
    Order.objects.bulk_create(
        Order(
            number=f"x{n}",
            ordered_at=NOON - timedelta(days=n % 3),
            payment_method=make_method(),
            payment_total=100 * n,
        )
        for n in range(9)
    )
    assert shown() == added_up()
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.CANCELLED)
    assert shown() == added_up()
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.NEW, payment_total=2700)
    Order.objects.filter(number__startswith="x").update(payment_total=F("payment_total") + 1)
    assert shown() == added_up()
    Order.objects.filter(number="x4").update(ordered_at=NOON - timedelta(days=20))
    Order.objects.filter(number="x5").delete()
    assert shown() == added_up()


def test_what_is_no_sale_writes_nothing() -> None:
    order = make("a")
    before = SalesDelta.objects.count()
    Order.objects.filter(pk=order.pk).update(memo="折り返し電話", status=OrderStatus.PAID)
    assert SalesDelta.objects.count() == before


def test_folding_changes_no_number_and_leaves_no_delta(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sales, "FOLD_ROWS", 3)
    for number in range(7):
        make(str(number), at=NOON - timedelta(days=number % 2))
    before = shown()
    fold_counts()
    assert shown() == before == added_up()
    assert not SalesDelta.objects.exists()
    assert DailySales.objects.count() == 2
    Order.objects.filter(number="0").update(status=OrderStatus.CANCELLED)
    fold_counts()
    assert shown() == added_up()
