"""The demo checkout in a real browser: the card goes to the provider, and to us only its token."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Request, expect

from orders.models import Customer, Order
from payments.models import Payment
from tests.browser.desk import PHONE, Desk, sideways, when_ready
from tests.screens.checkout_shop import ORDERER, open_shop

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CARD = "4111 1111 1111 1111"
BROKE = "4999 0000 0000 0002"


def leave_cart(desk: Desk, *, quantity: str = "1", customer: Customer | None = None) -> None:
    """Fill in the cart and go on to the card page."""
    page = desk.page
    desk.open("/checkout/")
    page.locator("input[name^=quantity_]").first.fill(quantity)
    for name, value in ORDERER.items():
        if name == "prefecture":
            page.select_option("#id_prefecture", value)
        else:
            page.fill(f"#id_{name}", value)
    if customer is not None:
        page.select_option("#id_customer", str(customer.pk))
    page.get_by_role("button", name="お支払い手続きへ進む").click()
    expect(page.locator("h1")).to_have_text("カード情報の入力")
    when_ready(page)


def type_card(page: Page, number: str, *, expiry: str = "12/49", code: str = "123") -> None:
    page.fill("#card-number", number)
    page.fill("#card-expiry", expiry)
    page.fill("#card-code", code)
    page.fill("#card-holder", "HANAKO YAMADA")


def pay(page: Page) -> None:
    page.get_by_role("button", name="この内容で支払う").click()


def test_no_request_to_us_carries_the_card_and_a_refused_one_is_replaced(desk: Desk) -> None:
    open_shop()
    to_us: list[str] = []

    def note(request: Request) -> None:
        if request.url.startswith(desk.url):
            to_us.append(f"{request.url} {request.headers} {request.post_data or ''}")

    desk.page.on("request", note)
    leave_cart(desk)
    type_card(desk.page, BROKE)
    pay(desk.page)
    problem = desk.page.locator("#card-problem")
    expect(problem).to_contain_text("別のカードをお試しいただくか")
    type_card(desk.page, CARD)
    desk.page.get_by_role("button", name="この内容で支払う").dblclick()
    expect(desk.page.locator("h1")).to_have_text("ご注文ありがとうございました")
    order = Order.objects.get()
    assert order.get_status_display() == "新規受付"
    tries = list(Payment.objects.order_by("attempt").values_list("status", flat=True))
    assert tries == ["PAYFAIL", "AUTH"]
    sent = " ".join(to_us)
    assert "token=" in sent
    for number in (CARD, BROKE):
        assert number not in sent
        assert number.replace(" ", "") not in sent
        assert number.replace(" ", "+") not in sent
    assert "HANAKO" not in sent
    desk.page.go_back()
    assert len(Payment.objects.all()) == 2


@pytest.mark.parametrize(
    ("card", "sentence"),
    [
        ({"number": ""}, "カード番号を確認してください。"),
        ({"number": "4111 1111 1111 1112"}, "カード番号を確認してください。"),
        ({"number": CARD, "expiry": "13/49"}, "有効期限を確認してください。"),
        ({"number": CARD, "code": "12a"}, "セキュリティコードを確認してください。"),
    ],
)
def test_card_data_that_makes_no_sense_is_told_before_anything_is_sent_to_us(
    desk: Desk, card: dict[str, str], sentence: str
) -> None:
    open_shop()
    leave_cart(desk)
    type_card(desk.page, **card)
    pay(desk.page)
    expect(desk.page.locator("#card-problem")).to_have_text(sentence)
    expect(desk.page.get_by_role("button", name="この内容で支払う")).to_be_enabled()
    assert not Payment.objects.exists()


def test_a_member_registers_a_card_and_pays_with_two_clicks_the_next_time(desk: Desk) -> None:
    open_shop()
    member = Customer.objects.create(name="山田 花子", email="hanako@example.jp")
    leave_cart(desk, customer=member)
    type_card(desk.page, CARD)
    desk.page.get_by_label("このカードを登録する").check()
    pay(desk.page)
    expect(desk.page.locator("h1")).to_have_text("ご注文ありがとうございました")
    leave_cart(desk, customer=member)
    expect(desk.page.get_by_role("radio", name="登録済みのカード")).to_be_checked()
    expect(desk.page.locator("#new-card")).to_be_hidden()
    desk.page.get_by_label("新しいカードを入力する").check()
    expect(desk.page.locator("#card-number")).to_be_visible()
    desk.page.get_by_role("radio", name="登録済みのカード").check()
    pay(desk.page)
    expect(desk.page.locator("h1")).to_have_text("ご注文ありがとうございました")
    assert list(Payment.objects.values_list("status", flat=True)) == ["AUTH", "AUTH"]


def test_the_customer_may_go_back_and_leaves_no_order(desk: Desk) -> None:
    product = open_shop()
    desk.page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a plain dict of numbers
    leave_cart(desk, quantity="3")
    assert sideways(desk.page) == 0
    desk.page.get_by_role("button", name="カートに戻る(注文しない)").click()
    expect(desk.page.locator("h1")).to_have_text("カート")
    assert sideways(desk.page) == 0
    assert not Order.objects.exists()
    product.refresh_from_db()
    assert product.stock == 10
