"""After a test that commits the tables are as before it, whichever way they were emptied."""

from __future__ import annotations

import uuid

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import TransactionTestCase

from cagolab import clock
from cagolab.roles import ROLES
from orders import history
from orders.models import Order, PaymentMethod
from tests.emptying import DELETED_UP_TO_BYTES, INSTALLED

pytestmark = pytest.mark.django_db(transaction=True)


def rows() -> dict[str, int]:
    with connection.cursor() as cursor:
        counts = {}
        for table in connection.introspection.django_table_names():
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            counts[table] = cursor.fetchone()[0]
    return {table: count for table, count in counts.items() if count}


def empty() -> None:
    """As after a test."""
    TransactionTestCase()._fixture_teardown()  # type: ignore[attr-defined]


def an_order(memo: str = "") -> Order:
    method, _created = PaymentMethod.objects.get_or_create(name="銀行振込")
    order = Order.objects.create(
        number=uuid.uuid4().hex[:12], ordered_at=clock.now(), name="山田", memo=memo, payment_method=method
    )
    history.record_all(
        order_id=order.pk,
        changes=[history.FieldChange("メモ", "", "済")],
        author=history.Author(name="田中", source="受注編集"),
        version=0,
        now=clock.now(),
    )
    return order


@pytest.mark.parametrize("kilobytes", [1, DELETED_UP_TO_BYTES // 1024])
def test_what_was_written_goes_and_what_is_installed_stays(kilobytes: int) -> None:
    for _ in range(kilobytes):
        an_order(memo="x" * 1000)
    assert {"orders_order", "orders_orderchange", "orders_countdelta"} <= set(rows())
    empty()
    assert set(rows()) == set(INSTALLED)


def test_a_role_that_was_changed_is_installed_again() -> None:
    Group.objects.all().delete()
    empty()
    assert set(rows()) == set(INSTALLED)
    assert sorted(Group.objects.values_list("name", flat=True)) == sorted(ROLES)
