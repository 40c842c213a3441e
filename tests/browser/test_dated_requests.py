"""売上日指定要求 in a real browser (SB-1): the date beside the button is the date of the dialog and of the sale."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.desk import PHONE, Desk, sideways
from tests.gateway_world import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_date_beside_the_button_is_asked_for_and_the_button_goes_off(desk: Desk, sbps: World) -> None:
    sbps.at("2026-11-21 10:00:00")
    payment = sbps.held()
    desk.page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    desk.open_order(payment)
    desk.page.fill("#payment-on-capture", "2026-12-10")
    desk.ask("capture")
    expect(desk.dialog).to_contain_text("売上日 2026/12/10 で売上確定します")
    desk.page.fill("#confirm-on", "2026-12-12")
    expect(desk.dialog).to_contain_text("売上日 2026/12/12 で売上確定します")
    desk.confirm.click()
    expect(desk.panel).to_contain_text("売上日指定要求済み(12/12)")
    expect(desk.page.locator("#payment-capture")).to_be_disabled()
    expect(desk.page.locator("#payment-on-cancel")).to_have_value("2026-12-12")
    assert sideways(desk.page) <= 0
    assert sbps.moved(payment) == [("AUTH", 3200), ("SALES", 3200)]
