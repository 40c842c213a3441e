"""On a phone of 390 pixels nothing scrolls sideways, whatever the screen shows."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from orders.models import Order
from tests.browser.desk import PHONE, Desk, sideways

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_no_screen_of_the_day_is_wider_than_a_phone(desk: Desk) -> None:
    payment = desk.bought(name="長い名前の株式会社" * 4)
    Order.objects.filter(pk=payment.order_id).update(message="お急ぎでお願いします。" * 30)
    desk.page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a plain dict of numbers
    for path in (
        "/",
        "/orders/",
        "/orders/?q=見つからない",
        f"/orders/{payment.order_id}/",
        f"/orders/{payment.order_id}/mail/",
        "/payments/",
        "/payments/status/AUTH/",
        "/bulk/",
        f"/payments/{payment.pk}/capture/",
    ):
        desk.open(path)
        assert sideways(desk.page) == 0, path
    desk.open_order(payment)
    desk.page.locator(".payment-log > summary").click()
    expect(desk.page.locator(".log-entry")).to_have_count(1)
    desk.page.locator(".log-calls > summary").first.click()
    assert sideways(desk.page) == 0, "決済ログ"
    desk.ask("cancel")
    assert sideways(desk.page) == 0, "dialog"
    box = desk.dialog.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
    desk.confirm.scroll_into_view_if_needed()
    expect(desk.confirm).to_be_in_viewport()
    desk.confirm.click()
    expect(desk.flash).to_contain_text("取り消しました")
    assert sideways(desk.page) == 0, "after the dialog"
