"""Users of every role, logged in, and orders to look at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

if TYPE_CHECKING:
    from orders.models import Order

# Models are imported inside the fixtures: pytest reads this file before Django is set up.
PASSWORD = "correct-horse-battery"
NOON = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)  # 12:00 in Tokyo


@pytest.fixture
def login(db: None) -> Callable[[str], Client]:
    """A client logged in as a user of the role; "" is a user without any."""
    from django.contrib.auth.models import Group, User

    def make(role: str) -> Client:
        user = User.objects.create_user(
            f"user-{role}", password=PASSWORD, last_name="田中", first_name="花子"
        )
        if role:
            user.groups.add(Group.objects.get(name=role))
        client = Client()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def make_order(db: None) -> Callable[..., Order]:
    """An order of 2,700 yen; every call makes a newer number, one minute older."""
    from orders.models import Order, PaymentMethod
    from orders.statuses import OrderStatus

    method = PaymentMethod.objects.create(name="クレジットカード決済", kind="card")
    made = 0

    def make(**fields: Any) -> Order:
        nonlocal made
        made += 1
        values: dict[str, Any] = {
            "number": str(1000 + made),
            "status": OrderStatus.NEW,
            "ordered_at": NOON - timedelta(minutes=made),
            "name": f"山田 太郎{made}",
            "kana": "ヤマダ タロウ",
            "email": f"yamada{made}@example.jp",
            "phone": "0901234567",
            "prefecture": "東京都",
            "payment_method": method,
            "payment_method_name": method.name,
            "total": 2700,
            "payment_total": 2700,
        }
        return Order.objects.create(**values | fields)

    return make
