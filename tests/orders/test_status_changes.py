"""Changing 対応状況: the table of moves, and what each move does to stock, points and dates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from orders import changes
from orders.models import Customer, Order, OrderChange, PointEntry, Product, StockEntry
from orders.statuses import OPERATOR_MOVES, SYSTEM_MOVES, OrderStatus
from tests.orders.shop import (
    AUTHOR,
    NOW,
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

pytestmark = pytest.mark.django_db

S = OrderStatus


def ordered(*, quantity: int = 2, points: int = 100, used: int = 30) -> tuple[Order, Product, Customer]:
    """An order of two of ten shirts (4,000 yen) by a member who uses 30 of 100 points."""
    product, customer = make_product(), make_customer(points=points)
    order = make_order([goods(product, quantity)], customer=customer, values={"used_points": used})
    return order, product, customer


def holdings(product: Product, customer: Customer) -> tuple[int, int]:
    product.refresh_from_db()
    customer.refresh_from_db()
    return product.stock, customer.points


@pytest.mark.parametrize("before", list(S))
@pytest.mark.parametrize("to", list(S))
def test_the_table_alone_says_which_moves_an_operator_has(before: OrderStatus, to: OrderStatus) -> None:
    order = Order(number="12", status=before)
    reason = changes.check_status(order, to)
    assert (reason is None) == (to in OPERATOR_MOVES[before])
    if reason:
        assert "注文番号 12" in reason
        assert before.label in reason
        assert to.label in reason


@pytest.mark.parametrize("before", [S.PROCESSING, S.PENDING])
def test_only_the_system_moves_an_order_out_of_the_checkout(before: OrderStatus) -> None:
    order = Order(number="12", status=before)
    for to in S:
        allowed = changes.check_status(order, to, by_system=True) is None
        assert allowed == (to in SYSTEM_MOVES[before])


def test_a_new_order_takes_stock_and_used_points() -> None:
    _order, product, customer = ordered()
    assert holdings(product, customer) == (8, 70)


def test_a_cancel_gives_stock_and_used_points_back() -> None:
    order, product, customer = ordered()
    result = move(order, S.CANCELLED)

    assert holdings(product, customer) == (10, 100)
    assert (result.before, result.after, result.number) == (S.NEW, S.CANCELLED, order.number)
    assert [(entry.quantity, entry.reason) for entry in StockEntry.objects.order_by("id")] == [
        (-2, "受注"),
        (2, "新規受付→注文取消し"),
    ]


def test_cancel_reopen_cancel_ends_where_it_began() -> None:
    order, product, customer = ordered()
    for to, expected in [
        (S.CANCELLED, (10, 100)),
        (S.IN_PROGRESS, (8, 70)),
        (S.CANCELLED, (10, 100)),
        (S.NEW, (8, 70)),
        (S.CANCELLED, (10, 100)),
    ]:
        move(order, to)
        assert holdings(product, customer) == expected


def test_two_lines_of_one_product_come_back_as_one_movement() -> None:
    product = make_product()
    order = make_order([goods(product, 2), goods(product, 3)])
    product.refresh_from_db()
    assert product.stock == 5
    move(order, S.CANCELLED)
    product.refresh_from_db()
    assert product.stock == 10
    assert StockEntry.objects.count() == 2


def test_reopening_is_refused_when_stock_is_short_and_nothing_changes() -> None:
    order, product, customer = ordered()
    move(order, S.CANCELLED)
    Product.objects.update(stock=1)
    before = (OrderChange.objects.count(), StockEntry.objects.count(), PointEntry.objects.count())

    result = try_to_move(order, S.NEW)

    assert isinstance(result, changes.StatusRefused)
    assert "白シャツ" in result.reason
    assert f"注文番号 {order.number}" in result.reason
    assert "必要な数は2、在庫数は1" in result.reason
    assert holdings(product, customer) == (1, 100)
    assert (OrderChange.objects.count(), StockEntry.objects.count(), PointEntry.objects.count()) == before
    order.refresh_from_db()
    assert (order.status, order.version) == (S.CANCELLED, 2)


def test_reopening_is_refused_when_points_are_short_and_the_stock_stays() -> None:
    order, product, customer = ordered()
    move(order, S.CANCELLED)
    Customer.objects.update(points=29)

    result = try_to_move(order, S.NEW)

    assert isinstance(result, changes.StatusRefused)
    assert "必要なポイントは30、保有ポイントは29" in result.reason
    assert holdings(product, customer) == (10, 29)


def test_a_refusal_leaves_the_callers_transaction_usable() -> None:
    order, _product, _customer = ordered()
    with transaction.atomic():
        move(order, S.CANCELLED)
        Product.objects.update(stock=0)
        assert isinstance(try_to_move(order, S.NEW), changes.StatusRefused)
        assert isinstance(try_to_move(order, S.RETURNED), changes.StatusRefused)
    order.refresh_from_db()
    assert order.status == S.CANCELLED


def test_shipping_adds_the_earned_points_and_sets_the_date() -> None:
    order, product, customer = ordered()
    move(order, S.SHIPPED, now=NOW + timedelta(hours=1))

    order.refresh_from_db()
    assert order.added_points == 40
    assert holdings(product, customer) == (8, 110)
    assert order.shipped_at == NOW + timedelta(hours=1)
    assert order.updated_at == NOW + timedelta(hours=1)


def test_a_return_gives_used_points_back_removes_earned_ones_and_keeps_the_stock_out() -> None:
    order, product, customer = ordered()
    move(order, S.SHIPPED)
    move(order, S.RETURNED)
    assert holdings(product, customer) == (8, 100)
    move(order, S.SHIPPED)
    assert holdings(product, customer) == (8, 110)


def test_earned_points_that_were_spent_meanwhile_make_the_balance_negative_rather_than_keep_the_goods() -> (
    None
):
    order, _product, customer = ordered(used=0)
    move(order, S.SHIPPED)
    Customer.objects.update(points=0)
    move(order, S.RETURNED)
    customer.refresh_from_db()
    assert customer.points == -40


def test_paid_sets_the_payment_date_once() -> None:
    order, _product, _customer = ordered()
    move(order, S.PAID)
    move(order, S.IN_PROGRESS, now=NOW + timedelta(days=1))
    move(order, S.PAID, now=NOW + timedelta(days=2))
    order.refresh_from_db()
    assert order.paid_at == NOW


def test_a_cancelled_order_can_go_straight_to_shipped() -> None:
    order, product, customer = ordered()
    move(order, S.CANCELLED)
    move(order, S.SHIPPED)
    order.refresh_from_db()
    assert holdings(product, customer) == (8, 110)
    assert order.shipped_at == NOW


def test_an_order_left_at_the_card_page_gives_everything_back() -> None:
    product, customer = make_product(), make_customer(points=100)
    order = make_order([goods(product, 2)], customer=customer, status=S.PENDING, values={"used_points": 30})
    assert holdings(product, customer) == (8, 70)
    assert isinstance(try_to_move(order, S.CANCELLED), changes.StatusRefused)
    move(order, S.CANCELLED, by_system=True)
    assert holdings(product, customer) == (10, 100)


def test_an_order_that_never_booked_anything_gives_nothing_back() -> None:
    """Orders taken over from another system have no ledger here."""
    order, product, customer = ordered()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("orders_stockentry", "orders_pointentry"):
            cursor.execute(f"TRUNCATE {table}")
    move(order, S.CANCELLED)
    assert holdings(product, customer) == (8, 70)


def test_each_change_is_in_the_history_with_who_and_where() -> None:
    order, _product, _customer = ordered()
    move(order, S.PAID)
    rows = OrderChange.objects.filter(order=order, version=2).order_by("id")
    assert [(row.field, row.old, row.new) for row in rows] == [
        ("対応状況", "新規受付", "入金済み"),
        ("入金日", "", "2026/11/20 12:00"),
    ]
    assert {(row.actor_name, row.source, row.ip_address) for row in rows} == {
        ("田中 花子", "受注編集", "192.0.2.7")
    }


def test_an_order_that_does_not_exist_is_refused() -> None:
    assert isinstance(try_to_move(Order(pk=999_999), S.PAID), changes.StatusRefused)


def test_the_database_refuses_to_book_the_same_change_twice() -> None:
    order, product, _customer = ordered()
    entry = StockEntry.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        StockEntry.objects.create(
            product=product, order=order, quantity=-2, reason="受注", key=entry.key, booked_at=NOW
        )


def test_locks_are_taken_as_order_products_by_id_customer() -> None:
    first, second = make_product("a"), make_product("b")
    customer = make_customer(points=100)
    order = make_order([goods(second), goods(first)], customer=customer, values={"used_points": 10})
    with CaptureQueriesContext(
        connection,
    ) as queries:
        move(order, S.CANCELLED)
    locks = [query["sql"] for query in queries if "FOR UPDATE" in query["sql"]]
    assert ["orders_order" in sql for sql in locks] == [True, False, False]
    assert 'ORDER BY "orders_product"."id" ASC' in locks[1]
    assert "orders_customer" in locks[2]


def change_many(orders: Iterable[Order], to: OrderStatus) -> list[type]:
    with transaction.atomic():
        results = changes.change_many(
            [changes.Wish(order_id=order.pk, to=to, author=AUTHOR) for order in orders], NOW
        )
    return [type(results[order.pk]) for order in orders]


def test_many_orders_are_changed_or_refused_each_on_its_own() -> None:
    product, customer = make_product(stock=10), make_customer(points=100)
    kept = [make_order([goods(product, 2)], customer=customer, values={"used_points": 30}) for _ in range(2)]
    shipped = make_order([goods(product, 1)])
    move(shipped, S.SHIPPED)
    nobody = Order(pk=999_999)
    assert change_many([kept[0], shipped, nobody, kept[1]], S.CANCELLED) == [
        changes.StatusChanged,
        changes.StatusRefused,
        changes.StatusRefused,
        changes.StatusChanged,
    ]
    assert holdings(product, customer) == (9, 100)
    product.stock = 3  # enough for one of the two that come back
    product.save()
    assert change_many(kept, S.PAID) == [changes.StatusChanged, changes.StatusRefused]
    assert holdings(product, customer) == (1, 70)
    kept[1].refresh_from_db()
    assert (kept[1].status, kept[1].version) == (S.CANCELLED, 2)


def test_many_orders_that_move_nothing_are_written_together_as_one_is() -> None:
    alone, *together = [make_order([goods(make_product(code))]) for code in ("a", "b", "c", "d")]
    move(alone, S.PAID)
    with CaptureQueriesContext(connection) as queries:
        change_many(together, S.PAID)
    assert len(queries) <= 5  # with BEGIN and COMMIT

    def left(order: Order) -> list[object]:
        order.refresh_from_db()
        rows = OrderChange.objects.filter(order=order, version=2).order_by("id")
        told = rows.values_list("field", "old", "new", "actor_name", "source", "ip_address", "changed_at")
        return [order.status, order.version, order.paid_at, order.updated_at, *told]

    assert [left(order) for order in together] == [left(alone)] * 3


def test_many_orders_lock_all_products_and_then_all_customers() -> None:
    first, second = make_product("a"), make_product("b")
    orders = [
        make_order([goods(product)], customer=make_customer(points=100), values={"used_points": 10})
        for product in (second, first)
    ]
    with CaptureQueriesContext(connection) as queries:
        change_many(orders, S.CANCELLED)
    locks = [query["sql"] for query in queries if "FOR UPDATE" in query["sql"]]
    for sql, table in zip(locks, ("orders_order", "orders_product", "orders_customer"), strict=False):
        assert table in sql
        assert "ORDER BY" in sql


class LedgersAndStatuses(TestCase):
    """Whatever operators do, stock and points are what the order's status says."""

    @settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(steps=st.lists(st.tuples(st.sampled_from(list(S)), st.integers(0, 4)), max_size=12))
    def test_any_sequence_of_moves_and_edits_books_each_thing_once(
        self, steps: list[tuple[OrderStatus, int]]
    ) -> None:
        product, customer = make_product("h", stock=6), make_customer(points=50)
        order = make_order([goods(product, 1)], customer=customer, values={"used_points": 10})
        for to, quantity in steps:
            order.refresh_from_db()
            if quantity:
                lines = [goods(product, quantity, line_id=line.line_id) for line in stored_lines(order)]
                save(order, data(lines, used_points=10 * quantity))
            try_to_move(order, to)
            order.refresh_from_db()
            product.refresh_from_db()
            customer.refresh_from_db()
            status, sold = OrderStatus(order.status), sum(line.quantity for line in stored_lines(order))
            assert product.stock == 6 - (0 if status is S.CANCELLED else sold)
            used = 0 if status in (S.CANCELLED, S.RETURNED) else order.used_points
            earned = order.added_points if status is S.SHIPPED else 0
            assert customer.points == 50 - used + earned
            assert (
                sum(entry.quantity for entry in StockEntry.objects.filter(product=product))
                == product.stock - 6
            )
            assert sum(entry.points for entry in PointEntry.objects.all()) == customer.points - 50
