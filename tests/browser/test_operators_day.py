"""An operator's day in a real browser: find an order, change it, move its money, and be told what happened."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from orders.models import Order
from orders.statuses import OrderStatus
from payments.models import Payment
from tests.browser.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_from_the_login_to_the_order_that_was_looked_for(desk: Desk) -> None:
    desk.bought(name="佐藤 次郎", kana="サトウ ジロウ")
    wanted = desk.bought(name="鈴木 一郎", kana="スズキ イチロウ")
    desk.page.context.clear_cookies()
    desk.open("/orders/")
    desk.log_in()
    expect(desk.page.locator("h1")).to_have_text("受注一覧")
    desk.page.fill("#search-q", "すずき")
    desk.page.press("#search-q", "Enter")
    expect(desk.page.get_by_text("検索結果：1件が該当しました")).to_be_visible()
    desk.page.click("a.order-link")
    expect(desk.page).to_have_url(re.compile(rf"/orders/{wanted.order_id}/"))
    expect(desk.panel).to_contain_text("仮売上済み")


def test_a_changed_quantity_shows_the_difference_and_the_amount_follows(desk: Desk) -> None:
    payment = desk.bought(1)
    desk.open_order(payment)
    desk.page.locator(".line-quantity input").first.fill("2")
    desk.page.click("#order-calculate")
    expect(desk.page.locator("#order-totals .totals-pay").last).to_have_text("¥4,900")
    assert Order.objects.get(pk=payment.order_id).payment_total == 2700
    desk.page.click("#order-save")
    expect(desk.panel).to_contain_text("※決済金額とお支払い合計に差異があります。")
    desk.ask("change_amount")
    expect(desk.dialog).to_contain_text("2,700円 から 4,900円 に変更し")
    desk.confirm.click()
    expect(desk.dialog).to_be_hidden()
    expect(desk.flash).to_contain_text("の決済金額を 4,900円 に変更しました")
    expect(desk.panel).not_to_contain_text("差異があります")
    expect(desk.panel.locator("[data-dialog-return]")).to_be_focused()
    assert desk.moved(payment)[-1][1] == 4900


def test_the_capture_takes_the_order_status_along_when_ticked(desk: Desk) -> None:
    payment = desk.bought()
    desk.open_order(payment)
    desk.ask("capture")
    expect(desk.dialog).to_contain_text("お客様からの見え方")
    desk.page.check("#confirm-follow")
    desk.confirm.click()
    sentence = f"注文番号 {payment.order.number} の売上を確定しました(2,700円)。"
    expect(desk.flash).to_contain_text(sentence)
    expect(desk.panel).to_contain_text("実売上済み")
    order = Order.objects.get(pk=payment.order_id)
    assert order.status == OrderStatus.PAID
    assert order.paid_at is not None
    desk.page.reload()
    expect(desk.page.locator("#id_status option:checked")).to_have_text("入金済み")


@pytest.mark.parametrize(
    ("on", "button", "words"),
    [
        ("2026-11-20 18:00:00", "取消", "仮売上 11/20、本日 11/20 → 取消"),
        ("2026-11-25 10:00:00", "返品", "仮売上 11/20、本日 11/25 → 返品"),
    ],
)
def test_the_cancel_dialog_says_which_rule_applies_before_it_is_confirmed(
    desk: Desk, on: str, button: str, words: str
) -> None:
    desk.world.at("2026-11-20 10:00:00")
    payment = desk.bought()
    desk.world.at(on)
    desk.open_order(payment)
    desk.ask("cancel")
    expect(desk.dialog).to_contain_text(words)
    expect(desk.dialog).to_contain_text("取り消しの連絡のみ入り、お客様へ請求はされません。")
    expect(desk.confirm).to_have_text(f"{button}を実行する")
    desk.confirm.click()
    expect(desk.flash).to_contain_text(f"の決済を取り消しました({button}、2,700円)。")
    assert desk.moved(payment)[-1][0] == {"取消": "VOID", "返品": "RETURN"}[button]


def test_at_midnight_the_dialog_comes_back_with_the_other_type_and_nothing_is_sent(desk: Desk) -> None:
    desk.world.at("2026-11-30 23:59:50")
    payment = desk.bought()
    desk.open_order(payment)
    desk.ask("cancel")
    expect(desk.confirm).to_have_text("取消を実行する")
    desk.world.at("2026-12-01 00:00:05")
    desk.confirm.click()
    expect(desk.dialog).to_contain_text("まだ何も実行していません")
    expect(desk.confirm).to_have_text("返品を実行する")
    assert desk.moved(payment) == [("AUTH", 2700)]
    desk.confirm.click()
    expect(desk.flash).to_contain_text("(返品、2,700円)")
    assert [action for action, _ in desk.moved(payment)] == ["AUTH", "RETURN"]


def test_a_lost_answer_is_being_confirmed_until_the_operator_asks(desk: Desk) -> None:
    payment = desk.bought()
    desk.open_order(payment)
    desk.ask("capture")
    desk.world.sandbox.post_fault("lost_answer", call="*", times=None)
    desk.confirm.click()
    expect(desk.panel).to_contain_text("確認中")
    expect(desk.panel).to_contain_text("田中さん")
    expect(desk.page.locator("#payment-capture")).to_have_count(0)
    desk.world.sandbox.clear_faults()
    desk.page.click("#payment-inquire")
    expect(desk.flash).to_contain_text(f"注文番号 {payment.order.number} の売上を確定しました")
    expect(desk.panel).to_contain_text("実売上済み")
    expect(desk.panel).not_to_contain_text("確認中")
    assert [action for action, _ in desk.moved(payment)] == ["AUTH", "SALES"]


def test_two_editors_are_shown_what_the_other_one_changed(desk: Desk) -> None:
    payment = desk.bought()
    desk.open_order(payment)
    other = desk.page.context.new_page()
    other.goto(desk.page.url)
    other.fill("#id_memo", "発送を急ぐ")
    other.click("#order-save")
    expect(other.locator("#flash")).to_contain_text("登録しました")
    desk.page.fill("#id_memo", "のし紙を付ける")
    desk.page.click("#order-save")
    expect(desk.page.get_by_text("編集中に、他の方が注文番号")).to_be_visible()
    expect(desk.page.locator("#conflict-form")).to_contain_text("発送を急ぐ")
    assert Order.objects.get(pk=payment.order_id).memo == "発送を急ぐ"
    desk.page.locator("input[type=radio][value=mine]").first.check()
    desk.page.get_by_role("button", name="選んだ内容で登録").click()
    expect(desk.flash).to_contain_text("登録しました")
    assert Order.objects.get(pk=payment.order_id).memo == "のし紙を付ける"


def test_the_keyboard_alone_opens_leaves_and_confirms_the_dialog(desk: Desk) -> None:
    payment = desk.bought()
    desk.open_order(payment)
    keys = desk.page.keyboard
    desk.page.focus("#payment-capture")
    keys.press("Enter")
    expect(desk.dialog).to_be_visible()
    for _ in range(8):  # round and round: the page behind cannot be reached
        keys.press("Tab")
        assert desk.page.evaluate(
            "document.activeElement === document.body || dialog.contains(document.activeElement)"
        )
    keys.press("Escape")
    expect(desk.dialog).to_be_hidden()
    expect(desk.page.locator("#payment-capture")).to_be_focused()
    assert desk.moved(payment) == [("AUTH", 2700)]
    keys.press("Enter")
    expect(desk.dialog).to_be_visible()
    for _ in range(8):
        if desk.page.evaluate("document.activeElement.type === 'submit'"):
            break
        keys.press("Tab")
    expect(desk.confirm).to_be_focused()
    keys.press("Enter")
    expect(desk.dialog).to_be_hidden()
    expect(desk.panel.locator("[data-dialog-return]")).to_be_focused()
    assert Payment.objects.get(pk=payment.pk).status == "SALES"
