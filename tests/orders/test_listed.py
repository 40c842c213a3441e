"""What lists show of an order: the model's own columns, in the order asked for, and whether a mail went out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from orders import listed
from orders.listed import ListedOrder
from orders.models import Order, SentMail
from tests.orders.shop import NOW, make_method

pytestmark = pytest.mark.django_db


def make_order(**fields: Any) -> Order:
    number = str(Order.objects.count() + 1)
    return Order.objects.create(
        **{"number": number, "ordered_at": NOW, "payment_method": make_method()} | fields
    )


def test_every_column_is_the_models() -> None:
    order = make_order(
        paid_at=NOW,
        shipped_at=NOW + timedelta(microseconds=1),
        name="山田 <花子>",
        message="のし\n希望",
        payment_deadline=NOW.date(),
        payment_amount=2700,
        is_subscription=True,
    )
    (row,) = listed.read([order.pk])
    stored = Order.objects.get(pk=order.pk)
    for name in ListedOrder._fields:
        if name != "is_mailed":
            assert getattr(row, name) == getattr(stored, name), name
    assert row.ordered_at.utcoffset() == timedelta()


def test_orders_come_as_asked_for_and_those_that_are_not_there_do_not() -> None:
    first, second, third = (make_order() for _ in range(3))
    asked = [second.pk, -1, third.pk, first.pk]
    assert [row.pk for row in listed.read(asked)] == [second.pk, third.pk, first.pk]
    assert listed.read([]) == []


def test_an_order_with_a_mail_is_marked() -> None:
    with_mail, without = make_order(), make_order()
    SentMail.objects.create(order=with_mail, sent_at=NOW)
    assert [row.is_mailed for row in listed.read([with_mail.pk, without.pk])] == [True, False]


class Moments(TestCase):
    @given(st.datetimes(timezones=st.just(UTC)))
    def test_moments_are_read_as_they_were_written(self, moment: datetime) -> None:
        order = make_order(ordered_at=moment)
        assert listed.read([order.pk])[0].ordered_at == moment
