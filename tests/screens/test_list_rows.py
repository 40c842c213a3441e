"""Rows that were drawn are kept: only for as long as they show what is so, and only for those who see the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.test import Client

from orders.models import Order, SentMail
from tests.screens.conftest import NOON

Login = Callable[[str], Client]
MakeOrder = Callable[..., Order]

SBPS_SALE = {"payment_provider": "sbps", "payment_status": "SALES", "payment_amount": 2700}


def text_of(client: Client, path: str = "/orders/") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_change_of_the_order_shows_at_once(login: Login, make_order: MakeOrder) -> None:
    order = make_order(name="山田 花子")
    client = login("受注編集")
    assert "山田 花子" in text_of(client)
    Order.objects.filter(pk=order.pk).update(name="佐藤 花子")
    assert "佐藤 花子" in text_of(client)
    assert "メール送信済み" not in text_of(client)
    SentMail.objects.create(order=order, sent_at=NOON)
    assert "メール送信済み" in text_of(client)


def test_who_may_not_edit_gets_no_field_from_who_may(login: Login, make_order: MakeOrder) -> None:
    make_order()
    assert 'name="tracking_number"' in text_of(login("受注編集"))
    assert 'name="tracking_number"' not in text_of(login("閲覧"))


@pytest.mark.parametrize("path", ["/orders/", "/payments/"])
def test_a_sale_that_was_asked_for_is_one_when_its_day_has_come(
    login: Login, make_order: MakeOrder, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    make_order(payment_sale_on=date(2026, 11, 22), **SBPS_SALE)
    client = login("閲覧")
    for day, expected in ((0, True), (1, True), (2, False)):
        monkeypatch.setattr("cagolab.clock.now", lambda day=day: NOON + timedelta(days=day))
        assert ("売上日指定要求済み" in text_of(client, path)) is expected


def test_days_that_are_left_are_counted_anew_each_day(
    login: Login, make_order: MakeOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_order(
        payment_provider="gmopg",
        payment_status="AUTH",
        payment_amount=2700,
        payment_deadline=date(2026, 11, 23),
    )
    client = login("閲覧")
    monkeypatch.setattr("cagolab.clock.now", lambda: NOON)
    today = text_of(client, "/payments/")
    monkeypatch.setattr("cagolab.clock.now", lambda: NOON + timedelta(days=1))
    assert "あと3日" in today
    assert "あと2日" in text_of(client, "/payments/")


def test_what_customers_wrote_is_shown_as_text(login: Login, make_order: MakeOrder) -> None:
    make_order(name='<b onclick="x">', message='"><script>alert(1)</script>', tracking_number="'><i>")
    page = text_of(login("受注編集"))
    assert "<script>alert" not in page
    assert '<b onclick="x">' not in page
    assert "'><i>" not in page
    assert "&lt;b onclick=&#34;x&#34;&gt;" in page
