"""What operators do by accident, in a real browser: the provider's ledger has one line all the same."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Browser, expect

from tests.browser.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CAPTURED_ONCE = [("AUTH", 2700), ("SALES", 2700)]


def test_a_double_click_makes_one_line(desk: Desk) -> None:
    payment = desk.bought()
    desk.open_order(payment)
    desk.ask("cancel")
    desk.world.sandbox.settings(latency_ms=200)
    try:
        desk.confirm.dblclick()
        expect(desk.dialog).to_be_hidden()
    finally:
        desk.world.sandbox.settings(latency_ms=0)
    expect(desk.flash).to_contain_text("の決済を取り消しました")
    assert [action for action, _ in desk.moved(payment)] == ["AUTH", "VOID"]


def test_of_two_browsers_with_the_same_dialog_the_second_is_told(desk: Desk, browser: Browser) -> None:
    payment = desk.bought()
    second = desk.beside(browser)
    for each in (desk, second):
        each.open_order(payment)
        each.ask("capture")
    desk.confirm.click()
    expect(desk.flash).to_contain_text("の売上を確定しました")
    second.confirm.click()
    expect(second.dialog).to_contain_text("まだ何も実行していません")
    expect(second.confirm).to_have_count(0)
    assert desk.moved(payment) == CAPTURED_ONCE
    second.page.context.close()


def test_the_back_button_brings_no_second_execution(desk: Desk) -> None:
    payment = desk.bought()
    desk.open("/orders/")
    desk.page.click("a.order-link")
    desk.ask("capture")
    desk.confirm.click()
    expect(desk.flash).to_contain_text("の売上を確定しました")
    desk.page.go_back()
    expect(desk.page.locator("h1")).to_have_text("受注一覧")
    desk.page.go_forward()
    expect(desk.panel).to_contain_text("実売上済み")
    assert desk.moved(payment) == CAPTURED_ONCE


def test_the_confirm_page_that_the_back_button_brings_again_executes_nothing(desk: Desk) -> None:
    payment = desk.bought()
    desk.open(f"/payments/{payment.pk}/capture/")
    confirm = desk.page.locator(".payment-dialog button[type=submit]")
    confirm.click()
    expect(desk.panel).to_contain_text("実売上済み")
    desk.page.go_back()
    if confirm.count():
        confirm.click()
    expect(desk.page.locator("main")).not_to_be_empty()
    assert desk.moved(payment) == CAPTURED_ONCE


def test_an_expired_session_executes_nothing_and_leads_back_to_the_order(desk: Desk) -> None:
    payment = desk.bought()
    desk.open_order(payment)
    desk.ask("capture")
    Session.objects.all().delete()
    desk.confirm.click()
    expect(desk.page.get_by_text("直前の操作は実行されていません。")).to_be_visible()
    assert desk.moved(payment) == [("AUTH", 2700)]
    desk.log_in()
    desk.page.wait_for_url(f"**/orders/{payment.order_id}/**")
    expect(desk.panel).to_contain_text("仮売上済み")
    desk.ask("capture")
    desk.confirm.click()
    expect(desk.flash).to_contain_text("の売上を確定しました")
    assert desk.moved(payment) == CAPTURED_ONCE
