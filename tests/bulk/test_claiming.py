"""Claiming takes as many rows as it says, whatever the planner makes of the statement."""

from __future__ import annotations

import pytest
from django.db import connection

from orders.bulk import worklist
from orders.bulk.models import BulkItem, BulkRun
from tests.bulk.shop import OutsideKind, make_orders, make_preview, make_user

pytestmark = pytest.mark.django_db


def test_one_claim_takes_one_row_though_the_planner_takes_the_table_for_empty(outside: OutsideKind) -> None:
    orders, operator = make_orders(5), make_user("operator", "決済操作")
    make_preview(outside, orders, operator)
    BulkItem.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE orders_bulkitem")  # as autovacuum does just before the rows are committed
    run = make_preview(outside, orders, operator)
    BulkRun.objects.update(state="running")
    for number in range(1, 4):
        assert worklist.claim(run.pk) is not None
        assert BulkItem.objects.filter(run=run, state="claimed").count() == number
    assert len(worklist.claim_some(run.pk, 1)) == 1
    assert BulkItem.objects.filter(run=run, state="ready").count() == 1
