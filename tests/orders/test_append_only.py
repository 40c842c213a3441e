"""What was written down stays: history and ledgers can be neither changed nor deleted."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import ProtectedError

from orders import history
from orders.models import Order, OrderChange, StockEntry
from orders.statuses import OrderStatus
from tests.orders.shop import NOW, goods, make_customer, make_order, make_product

pytestmark = pytest.mark.django_db

TABLES = ["orders_orderchange", "orders_stockentry", "orders_pointentry"]


@pytest.fixture
def order() -> Order:
    return make_order([goods(make_product())], customer=make_customer(points=9), values={"used_points": 9})


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("act", ["UPDATE {} SET order_id = order_id", "DELETE FROM {}"])
@pytest.mark.usefixtures("order")
def test_rows_can_be_neither_changed_nor_deleted(table: str, act: str) -> None:
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(act.format(table))


@pytest.mark.parametrize("table", TABLES)
def test_outside_tests_the_tables_cannot_be_emptied_either(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgtype FROM pg_trigger WHERE tgname = %s", [f"{table}_no_truncate"])
        assert cursor.fetchone()[0] & 32  # TRIGGER_TYPE_TRUNCATE
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'orders_refuse_change'")
        assert r"current_database() LIKE 'test\_%'" in cursor.fetchone()[0]


def test_an_order_with_a_history_cannot_be_deleted(order: Order) -> None:
    with pytest.raises(ProtectedError):
        order.delete()


def test_the_ledger_outlives_an_order_that_was_given_up_in_the_checkout() -> None:
    order = make_order([goods(make_product())], status=OrderStatus.PROCESSING)
    pk = order.pk
    order.delete()
    assert StockEntry.objects.get().order_id == pk


def test_one_entry_beside_a_save(order: Order) -> None:
    history.record(
        order_id=order.pk,
        field="入金日",
        old="",
        new="2026/11/20 12:00",
        actor=None,
        actor_name="決済",
        source="自動確認",
        ip=None,
        now=NOW,
    )
    entry = OrderChange.objects.latest("id")
    assert (str(entry), entry.version, entry.actor_name) == ("入金日:  → 2026/11/20 12:00", 0, "決済")
