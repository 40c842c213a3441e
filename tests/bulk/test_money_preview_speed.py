"""A preview of ten thousand payments of many days, amounts and statuses."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from gateways.vocabulary import PaymentStatus as S
from orders.bulk import preview
from orders.bulk.registry import registry
from orders.models import Order
from payments.models import GatewayAccount, Payment
from tests.bulk.shop import NOW, make_orders, make_user

ROWS = 10_000


@pytest.mark.django_db
def test_ten_thousand_payments_are_previewed_in_a_few_queries_and_seconds() -> None:
    account, _ = GatewayAccount.objects.get_or_create(code="gmo", defaults={"provider": "gmopg"})
    orders = make_orders(ROWS)
    statuses = (S.AUTH, S.SALES, S.CAPTURE, S.VOID)
    Payment.objects.bulk_create(
        Payment(
            order=order,
            account=account,
            kind="card",
            status=statuses[number % 4],
            amount=1000 + number % 500,
            provider_order_id=order.number,
            authorized_at=NOW - timedelta(days=number % 150, hours=number % 24),
            captured_at=NOW - timedelta(days=number % 100) if number % 4 in (1, 2) else None,
            created_at=NOW,
        )
        for number, order in enumerate(orders)
    )
    for payment_id, order_id in Payment.objects.values_list("pk", "order_id")[:1]:
        Order.objects.update(payment_id=F("pk") + payment_id - order_id)
    with CaptureQueriesContext(connection) as queries:
        began = time.process_time()
        run = preview.preview(
            kind=registry["cancel"],
            selection=preview.Selection(query="", all_that_match=True),
            parameters={},
            author=preview.Author(user=make_user("operator", "決済操作"), name="operator", ip_address=None),
            back="",
            now=NOW,
        )
        seconds = time.process_time() - began
    assert (run.taken, run.skipped) == (7500, 2500)
    assert len(run.groups) == 4
    assert len(queries) <= 17
    assert seconds < 4, f"{seconds:.1f} s of our own time"
