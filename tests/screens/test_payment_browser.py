"""The payment panel in a real browser: double clicks, choices, and an outcome that arrives while one watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from cagolab import clock
from gateways.vocabulary import Action
from orders.models import Order
from payments import inquiry
from payments.models import Operation, Payment
from tests.gateway_world import World

Login = Callable[[str], Client]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def browser_page(page: Page, live_server: LiveServer, world: World, login: Login) -> Iterator[Page]:
    """A browser of somebody who may move money; a failing script or a breach of the policy fails the test."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: complaints.append(message.text) if "Security Policy" in message.text else None,
    )
    session = login("決済操作").cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}]
    )
    yield page
    assert complaints == []


def test_a_double_click_on_the_confirmation_charges_once(
    browser_page: Page, live_server: LiveServer, world: World
) -> None:
    payment = world.held()
    browser_page.goto(f"{live_server.url}/orders/{payment.order_id}/")
    browser_page.click("#payment-capture")
    expect(browser_page.locator("#dialog")).to_be_visible()
    world.sandbox.settings(latency_ms=300)
    try:
        browser_page.dblclick("#dialog button.btn-ec-success")
        expect(browser_page.locator("#dialog")).to_be_hidden()
    finally:
        world.sandbox.settings(latency_ms=0)
    sentence = f"注文番号 {payment.order.number} の売上を確定しました(3,200円)。"
    expect(browser_page.locator("#flash")).to_contain_text(sentence)
    expect(browser_page.locator("#payment-panel [data-dialog-return]")).to_be_focused()
    expect(browser_page.locator("#payment-panel")).to_contain_text("実売上済み")
    assert world.moved(payment) == [("AUTH", 3200), ("SALES", 3200)]


def choose_an_amount(browser_page: Page, live_server: LiveServer, world: World) -> Payment:
    """Open the dialog of 売上確定 for 3,200 yen that are held where the order comes to 2,700."""
    payment = world.held()
    Order.objects.filter(pk=payment.order_id).update(payment_total=2700)
    browser_page.goto(f"{live_server.url}/orders/{payment.order_id}/")
    browser_page.click("#payment-capture")
    return payment


def test_a_choice_changes_the_words_and_keeps_its_place(
    browser_page: Page, live_server: LiveServer, world: World
) -> None:
    payment = choose_an_amount(browser_page, live_server, world)
    confirm = browser_page.locator("#dialog button.btn-ec-success")
    expect(confirm).to_be_disabled()
    browser_page.check("#choice-as_is")
    expect(browser_page.locator("#dialog")).to_contain_text("お客様には変更前の 3,200円 が請求されます。")
    expect(browser_page.locator("#choice-as_is")).to_be_focused()
    expect(confirm).to_be_enabled()
    browser_page.locator("#choice-as_is").press("ArrowUp")
    expect(browser_page.locator("#dialog")).to_contain_text("3,200円 から 2,700円 に変更し")
    browser_page.keyboard.press("Escape")
    expect(browser_page.locator("#payment-capture")).to_be_focused()
    assert world.moved(payment) == [("AUTH", 3200)]


def test_a_key_that_comes_as_soon_as_the_dialog_has_changed_is_not_lost(
    browser_page: Page, live_server: LiveServer, world: World
) -> None:
    choose_an_amount(browser_page, live_server, world)
    expect(browser_page.locator("#choice-as_is")).to_be_visible()
    browser_page.evaluate(
        """() => document.addEventListener("htmx:afterSwap", () => setTimeout(() =>
            document.querySelector("#dialog input[type=radio]:not(:checked)").click()), { once: true })"""
    )
    # Not check(): it would click again when it finds the other one chosen.
    browser_page.click("#choice-as_is")
    expect(browser_page.locator("#dialog")).to_contain_text("3,200円 から 2,700円 に変更し")


def test_the_outcome_appears_by_itself_and_the_asking_stops(
    browser_page: Page, live_server: LiveServer, world: World
) -> None:
    payment = world.held()
    browser_page.goto(f"{live_server.url}/orders/{payment.order_id}/")
    browser_page.click("#payment-capture")
    world.sandbox.post_fault("lost_answer", call="*", times=None)
    browser_page.click("#dialog button.btn-ec-success")
    expect(browser_page.locator("#payment-panel")).to_contain_text("確認中")
    expect(browser_page.locator("#payment-capture")).to_have_count(0)
    world.sandbox.clear_faults()
    operation = Operation.objects.get(payment=payment, action=Action.CAPTURE.value)
    inquiry.ask_and_settle(operation_id=operation.pk, now=clock.now())
    sentence = f"注文番号 {payment.order.number} の売上を確定しました"
    expect(browser_page.locator("#flash")).to_contain_text(sentence, timeout=10_000)
    expect(browser_page.locator("#payment-panel")).not_to_have_attribute("hx-trigger", "every 3s")
    assert world.moved(payment) == [("AUTH", 3200), ("SALES", 3200)]


def test_the_log_opens_on_demand_and_follows_what_happens(
    browser_page: Page, live_server: LiveServer, world: World
) -> None:
    payment = world.held()
    browser_page.goto(f"{live_server.url}/orders/{payment.order_id}/")
    expect(browser_page.locator(".log-entry")).to_have_count(0)
    browser_page.click(".payment-log > summary")
    expect(browser_page.locator(".log-entry")).to_have_count(1)
    browser_page.click("#payment-inquire")
    expect(browser_page.locator(".log-entry")).to_have_count(2)
    expect(browser_page.locator(".log-entry").first).to_contain_text("決済状態確認・反映")


def test_an_unsaved_order_does_not_stand_in_the_way_of_the_dialog(
    browser_page: Page, live_server: LiveServer, world: World
) -> None:
    payment = world.held()
    browser_page.goto(f"{live_server.url}/orders/{payment.order_id}/")
    browser_page.fill("#id_memo", "まだ登録していないメモ")
    browser_page.click("#payment-cancel")
    expect(browser_page.locator("#dialog")).to_be_visible()
    expect(browser_page.locator("#leave-dialog")).to_be_hidden()
    browser_page.click("#dialog [data-dialog-close]")
    expect(browser_page.locator("#id_memo")).to_have_value("まだ登録していないメモ")
