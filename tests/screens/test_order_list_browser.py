"""受注一覧 in a real browser: what only script can do, under the strict content security policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from orders.models import Order

Login = Callable[[str], Client]
MakeOrder = Callable[..., Order]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def shown(page: Page, live_server: LiveServer, login: Login, make_order: MakeOrder) -> Iterator[Page]:
    """受注一覧 with twelve orders, ten on the page, opened by somebody who may edit.

    A script that fails and a breach of the content security policy fail the test.
    """
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: complaints.append(message.text) if "Security Policy" in message.text else None,
    )
    for _ in range(12):
        make_order()
    session = login("受注編集").cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
    )
    page.goto(f"{live_server.url}/orders/?size=10")
    yield page
    assert complaints == []


def test_ticking_rows_offers_the_bulk_bar_and_all_that_match(shown: Page) -> None:
    bar = shown.locator("[data-select-toolbar]")
    expect(bar).to_be_hidden()
    shown.locator("input[data-select-row]").first.check()
    expect(shown.locator("[data-select-count]")).to_have_text("1件")
    expect(shown.locator("[data-select-all]")).to_be_hidden()
    shown.check("input[data-select-page]")
    expect(shown.locator("[data-select-count]")).to_have_text("10件")
    shown.click("[data-select-all]")
    expect(shown.locator("[data-select-count]")).to_have_text("12件")
    assert shown.input_value("[data-select-scope]") == "all"
    shown.locator("input[data-select-row]").first.uncheck()
    expect(shown.locator("[data-select-count]")).to_have_text("9件")
    assert shown.input_value("[data-select-scope]") == "ticked"


def test_enter_saves_a_tracking_number_and_goes_on_to_the_next_row(shown: Page) -> None:
    fields = shown.locator("[data-next-row]")
    fields.nth(0).fill("4901-0001")
    fields.nth(0).press("Enter")
    expect(fields.nth(1)).to_be_focused()
    fields.nth(1).fill("番号")
    fields.nth(1).press("Enter")
    expect(fields.nth(1)).to_have_attribute("aria-invalid", "true")
    expect(fields.nth(1)).to_be_focused()
    stored = Order.objects.order_by("-ordered_at").values_list("tracking_number", flat=True)[:2]
    assert list(stored) == ["4901-0001", ""]


def test_the_dialog_closes_by_escape_and_gives_the_focus_back(shown: Page) -> None:
    truck = shown.locator("button[id^=ship-]").first
    truck.click()
    expect(shown.locator("#dialog")).to_be_visible()
    expect(shown.locator("[data-dialog-close]")).to_be_focused()
    shown.keyboard.press("Escape")
    expect(shown.locator("#dialog")).to_be_hidden()
    expect(truck).to_be_focused()


def test_a_row_is_shipped_in_place_and_the_result_is_announced(shown: Page) -> None:
    truck = shown.locator("button[id^=ship-]").first
    truck.click()
    shown.click("#dialog button[type=submit]")
    expect(shown.locator("#dialog")).to_be_hidden()
    expect(shown.locator("#flash")).to_contain_text("を発送済みにしました。")
    expect(truck).to_be_disabled()
    expect(shown.locator("#count-status-1")).to_have_text("(11)")
    expect(shown.locator("#count-status-5")).to_have_text("(1)")
    expect(shown.locator("tbody tr").first.locator(".order-link")).to_be_focused()


def test_a_refusal_that_htmx_would_swallow_is_said_aloud(shown: Page) -> None:
    Order.objects.all().delete()
    shown.locator("button[id^=ship-]").first.click()
    expect(shown.locator("#flash")).to_contain_text("対象のデータが見つかりませんでした")


def test_the_address_keeps_the_search_and_the_back_button_returns_to_it(shown: Page) -> None:
    shown.select_option("select[name=size]", "20")
    shown.wait_for_url("**size=20**")
    shown.fill("#search-q", "見つからない")
    shown.press("#search-q", "Enter")
    expect(shown.get_by_text("検索条件に合う受注はありませんでした")).to_be_visible()
    assert "name=" not in shown.url.partition("?")[2]
    shown.go_back()
    expect(shown.locator("tbody tr")).to_have_count(12)


def test_a_phone_shows_cards_without_sideways_scrolling(shown: Page) -> None:
    shown.set_viewport_size({"width": 390, "height": 844})
    assert shown.evaluate("document.documentElement.scrollWidth") <= 390
    shown.click(".site-header-burger")
    expect(shown.get_by_role("link", name="受注一覧")).to_be_visible()
