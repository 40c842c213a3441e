"""The search area is kept by all that it shows: nothing of it may be older than the page."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client

from orders.models import Order, PaymentMethod
from orders.statuses import OrderStatus
from tests.orders.shop import make_method

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
PAGE = "/orders/"


def shown(client: Client, query: str = "") -> str:
    return client.get(f"{PAGE}?{query}").content.decode()


def test_orders_per_status_are_those_of_now(admin_client: Client) -> None:
    order = Order.objects.create(number="1", name="山田", ordered_at=NOW, payment_method=make_method())
    assert '新規受付<span class="check-count" id="count-status-1">(1)</span>' in shown(admin_client)
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.PAID)
    page = shown(admin_client)
    assert '新規受付<span class="check-count" id="count-status-1">(0)</span>' in page
    assert '入金済み<span class="check-count" id="count-status-6">(1)</span>' in page


def test_a_new_payment_method_can_be_chosen_at_once(admin_client: Client) -> None:
    assert "店頭払い" not in shown(admin_client)
    PaymentMethod.objects.create(name="店頭払い")
    assert "店頭払い" in shown(admin_client)


def test_what_is_wrong_is_shown_as_it_was_typed(admin_client: Client) -> None:
    for typed in ("2026-02-30", "2026-02-31", "きのう"):
        page = shown(admin_client, f"ordered_from={typed}")
        assert f'value="{typed}"' in page
        assert 'aria-invalid="true"' in page
    assert 'aria-invalid="true"' not in shown(admin_client)


def test_each_address_shows_its_own_conditions(admin_client: Client) -> None:
    assert 'value="佐藤"' in shown(admin_client, "q=佐藤")
    assert 'value="鈴木"' in shown(admin_client, "q=鈴木")
    assert 'value="佐藤"' not in shown(admin_client)
    assert '<details class="search-details" open>' in shown(admin_client, "name=佐藤")
    assert '<details class="search-details">' in shown(admin_client)
