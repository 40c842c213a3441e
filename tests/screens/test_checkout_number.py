"""The demo checkout for コンビニ and Pay-easy: a number to pay with, and how the order stands until it is paid."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from cagolab import clock
from gateways.vocabulary import PaymentStatus as S
from orders.models import PaymentMethod, Product
from payments import checkout_words, inquiry
from payments.models import Operation, Payment
from tests.gateway_world import OPERATOR, World
from tests.screens.checkout_shop import ORDERER, Shopper, open_shop
from tests.screens.order_pages import form_of

STORE = {"store": "00007"}


@pytest.fixture
def shopper(world: World) -> Shopper:
    return Shopper(world)


@pytest.fixture
def product(world: World) -> Product:
    product = open_shop()
    for position, (kind, name) in enumerate(
        [("cvs", "コンビニ決済"), ("payeasy_atm", "Pay-easy(ATM)"), ("payeasy_net", "Pay-easy(ネット)")]
    ):
        PaymentMethod.objects.create(name=name, kind=kind, account="gmo", charge=220, sort_no=position)
    return product


def method(kind: str) -> int:
    return PaymentMethod.objects.get(kind=kind).pk


def number_page(shopper: Shopper, product: Product, kind: str = "cvs", **fields: Any) -> dict[str, list[str]]:
    """From the cart to the page that takes the order in."""
    answer = shopper.leave_cart(product, method=method(kind), **fields)
    assert answer["Location"] == "/checkout/number/", answer.content.decode()
    page = shopper.client.get("/checkout/number/")
    assert page.status_code == 200
    return form_of(page, "number-form")


def order_it(shopper: Shopper, form: dict[str, list[str]], **fields: Any) -> Any:
    return shopper.client.post("/checkout/number/", {**form, **fields})


def result(shopper: Shopper) -> str:
    return str(shopper.client.get("/checkout/result/").content.decode())


def test_the_cart_offers_what_the_shop_can_carry_out_and_says_the_charge(
    shopper: Shopper, product: Product
) -> None:
    PaymentMethod.objects.create(name="楽天ペイ", kind="rakuten", account="gmo")
    PaymentMethod.objects.create(name="ほかのコンビニ", kind="cvs", account="paygent")
    page = shopper.client.get("/checkout/").content.decode()
    assert "コンビニ決済(手数料 220円)" in page
    assert "クレジットカード決済</option>" in page
    assert "楽天ペイ" not in page
    assert "ほかのコンビニ" not in page


def test_ordering_at_a_store_shows_the_number_and_the_last_day(
    shopper: Shopper, product: Product, world: World
) -> None:
    world.at("2026-11-30 10:00:00")
    assert order_it(shopper, number_page(shopper, product), **STORE)["Location"] == "/checkout/result/"
    order = shopper.order()
    assert (order.get_status_display(), order.payment_status) == ("新規受付", S.REQSUCCESS)
    assert order.payment_total == 2200 + 500 + 220
    payment = Payment.objects.get(order=order)
    page = result(shopper)
    assert "ご注文ありがとうございました" in page
    assert "お支払いをお待ちしています" in page
    assert "セブン-イレブン" in page
    assert payment.references["cvs_receipt_no"] in page
    assert "2026/12/07 23:59" in page
    product.refresh_from_db()
    assert product.stock == 9


def test_the_page_follows_the_payment(shopper: Shopper, product: Product, world: World) -> None:
    order_it(shopper, number_page(shopper, product), **STORE)
    payment = Payment.objects.get()
    world.sandbox.admin(payment.provider_order_id, customer="pays")
    inquiry.inquire_now(payment_id=payment.pk, by=OPERATOR, now=clock.now())
    page = result(shopper)
    assert "お支払いを確認しました" in page
    assert "練習用のお支払い" not in page


@pytest.mark.parametrize("kind", ["payeasy_atm", "payeasy_net"])
def test_ordering_at_a_bank_shows_its_numbers(shopper: Shopper, product: Product, kind: str) -> None:
    form = number_page(shopper, product, kind)
    assert "store" not in form
    assert order_it(shopper, form)["Location"] == "/checkout/result/"
    payment, page = Payment.objects.get(), result(shopper)
    for key in ("bk_code", "cust_id", "conf_no"):
        assert payment.references[key] in page
    assert ("ネットバンクを選ぶ" in page) == (kind == "payeasy_net")


def test_the_same_form_posted_twice_asks_for_one_number(
    shopper: Shopper, product: Product, world: World
) -> None:
    form = number_page(shopper, product)
    for _ in range(2):
        assert order_it(shopper, form, **STORE)["Location"] == "/checkout/result/"
    assert Payment.objects.count() == 1
    assert len(world.sandbox.trades(order=Payment.objects.get().provider_order_id)) == 1


def test_a_lost_answer_is_being_confirmed_and_no_second_number_is_given(
    shopper: Shopper, product: Product, world: World
) -> None:
    form = number_page(shopper, product)
    world.sandbox.post_fault("lost_answer", call="ExecTranCvs", times=1)
    world.sandbox.post_fault("lost_answer", call="SearchTradeMulti", times=None)
    assert order_it(shopper, form, **STORE)["Location"] == "/checkout/result/"
    assert "お支払いの結果を確認しています" in result(shopper)
    assert order_it(shopper, form, key=str(uuid.uuid4()), **STORE)["Location"] == "/checkout/result/"
    assert shopper.client.get("/checkout/number/")["Location"] == "/checkout/result/"
    world.sandbox.clear_faults()
    inquiry.ask_and_settle(operation_id=Operation.objects.get().pk, now=clock.now())
    assert "お支払いをお待ちしています" in result(shopper)
    assert Payment.objects.count() == 1


def test_what_the_provider_refuses_is_told_and_may_be_tried_again(
    shopper: Shopper, product: Product, world: World
) -> None:
    form = number_page(shopper, product)
    world.sandbox.post_fault("error_code", call="ExecTranCvs", code="M01012008")
    page = order_it(shopper, form, **STORE)
    assert page.status_code == 422
    assert "お支払いの受付ができませんでした" in page.content.decode()
    again = form_of(page, "number-form")
    assert again["key"] != form["key"]
    assert order_it(shopper, again, **STORE)["Location"] == "/checkout/result/"
    assert shopper.order().get_status_display() == "新規受付"


@pytest.mark.parametrize(("field", "value"), [("store", ""), ("store", "99999"), ("key", "x"), ("order", "")])
def test_wrong_input_is_told_and_asks_for_nothing(
    shopper: Shopper, product: Product, field: str, value: str
) -> None:
    form = number_page(shopper, product) | {"store": ["00007"]}
    page = order_it(shopper, form, **{field: value})
    assert page.status_code == 422
    assert checkout_words.CHOICE_MISSING in page.content.decode()
    assert not Payment.objects.exists()


def test_a_reading_that_no_store_can_print_is_told_in_the_cart(shopper: Shopper, product: Product) -> None:
    page = shopper.leave_cart(product, method=method("cvs"), kana="Hanako")
    assert page.status_code == 422
    assert "カタカナで入力してください" in page.content.decode()
    assert shopper.leave_cart(product, kana="Hanako").status_code == 302  # a card needs none


def test_the_card_page_and_this_one_lead_to_each_other(shopper: Shopper, product: Product) -> None:
    number_page(shopper, product)
    assert shopper.client.get("/checkout/card/")["Location"] == "/checkout/number/"
    assert shopper.pay({"order": [str(shopper.order().pk)], "key": [str(uuid.uuid4())]}).status_code == 302
    shopper.leave_cart(product)
    assert shopper.client.get("/checkout/number/")["Location"] == "/checkout/card/"
    assert not Payment.objects.exists()


def test_another_session_and_another_order_reach_nothing(shopper: Shopper, product: Product) -> None:
    form = number_page(shopper, product)
    stranger = Shopper(shopper.world)
    for answer in (stranger.client.get("/checkout/number/"), order_it(stranger, form, **STORE)):
        assert (answer.status_code, answer["Location"]) == (302, "/checkout/")
    number_page(stranger, product)
    answer = order_it(stranger, form, **STORE)
    assert answer.status_code == 409
    assert checkout_words.OTHER_ORDER in answer.content.decode()
    assert not Payment.objects.exists()


def test_going_back_leaves_no_order(shopper: Shopper, product: Product) -> None:
    number_page(shopper, product)
    assert shopper.client.post("/checkout/back/")["Location"] == "/checkout/"
    product.refresh_from_db()
    assert product.stock == 10


def test_a_method_that_is_not_offered_is_refused(shopper: Shopper, product: Product) -> None:
    other = PaymentMethod.objects.create(name="銀行振込", kind="", account="")
    page = shopper.client.post("/checkout/", {**ORDERER, f"quantity_{product.pk}": 1, "method": other.pk})
    assert page.status_code == 422
    assert "お支払方法を一覧から選択してください。" in page.content.decode()
