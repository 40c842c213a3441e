"""The preview: what was selected is frozen and judged set-wise."""

from __future__ import annotations

import time

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.bulk import preview
from orders.bulk.models import BulkItem, BulkRun
from orders.models import Order
from orders.statuses import OrderStatus
from tests.bulk.shop import NOW, OutsideKind, make_orders, make_preview, make_user, states

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> User:
    return make_user("operator", "決済操作")


def all_that_match(kind: OutsideKind, user: User, query: str) -> BulkRun:
    return preview.preview(
        kind=kind,
        selection=preview.Selection(query=query, all_that_match=True),
        parameters={},
        author=preview.Author(user=user, name="operator", ip_address=None),
        back="/orders/",
        now=NOW,
    )


def test_taken_and_skipped_rows_are_counted_with_their_reasons_and_yen(
    outside: OutsideKind, operator: User
) -> None:
    orders = [
        *make_orders(3, total=1000),
        *make_orders(2, status=OrderStatus.CANCELLED),
        *make_orders(1, status=OrderStatus.IN_PROGRESS, total=500),
    ]
    run = make_preview(outside, orders, operator)
    assert (run.ticked, run.taken, run.skipped) == (6, 4, 2)
    assert run.groups == [
        {
            "label": "仮売上 → 実売上",
            "count": 4,
            "amount": 3500,
            "customer_sees": "",
            "confirmation": "",
        }
    ]
    assert run.skips == [{"reason": "すでに取り消されています。", "count": 2}]
    assert run.warnings == [{"text": "発送前です。", "count": 1}]
    assert states(run) == {"ready": 4, "skipped": 2}
    ready = BulkItem.objects.get(run=run, order=orders[0])
    assert (ready.words, ready.shown, ready.amount) == ("売上を確定します。", "1", 1000)
    assert BulkItem.objects.filter(run=run, warning="発送前です。").count() == 1


def test_an_order_ticked_twice_or_gone_is_one_row_or_none(outside: OutsideKind, operator: User) -> None:
    order = make_orders(1)[0]
    run = preview.preview(
        kind=outside,
        selection=preview.Selection(order_ids=[order.pk, order.pk, -1]),
        parameters={},
        author=preview.Author(user=operator, name="operator", ip_address=None),
        back="",
        now=NOW,
    )
    assert run.ticked == 1


def test_nothing_selected_is_refused_and_leaves_no_run(outside: OutsideKind, operator: User) -> None:
    with pytest.raises(preview.SelectionError):
        make_preview(outside, [], operator)
    assert not BulkRun.objects.exists()


def test_all_that_match_is_frozen_so_that_later_matches_stay_out(
    outside: OutsideKind, operator: User
) -> None:
    make_orders(4)
    make_orders(2, status=OrderStatus.PAID)
    run = all_that_match(outside, operator, "status=1")
    late = make_orders(1)[0]
    Order.objects.filter(status=OrderStatus.PAID).update(status=OrderStatus.NEW)
    assert run.ticked == 4
    assert run.query == "status=1"
    assert not run.items.filter(order=late).exists()


def test_all_that_match_beyond_the_limit_is_refused_and_leaves_nothing(
    outside: OutsideKind, operator: User, settings: pytest.FixtureRequest
) -> None:
    settings.BULK_MAX_ROWS = 3  # type: ignore[attr-defined]
    make_orders(4)
    with pytest.raises(preview.SelectionError, match="3件を超えています"):
        all_that_match(outside, operator, "status=1")
    assert not BulkRun.objects.exists()
    assert not BulkItem.objects.exists()


def test_ten_thousand_rows_are_previewed_quickly_in_a_few_queries(
    outside: OutsideKind, operator: User
) -> None:
    make_orders(9_000)
    make_orders(1_000, status=OrderStatus.IN_PROGRESS)
    with CaptureQueriesContext(connection) as queries:
        began = time.process_time()
        run = all_that_match(outside, operator, "status=1&status=4")
        seconds = time.process_time() - began
    assert run.taken == 10_000
    assert len(queries) <= 8
    assert seconds < 3, f"{seconds:.1f} s of our own time"
