"""The demo checkout against the sandbox: from the cart to an order with its payment, and every way off the path."""

from __future__ import annotations

import itertools
import re
import time
import uuid
from dataclasses import replace
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import NoReverseMatch, clear_url_caches, reverse, set_urlconf

from cagolab import clock
from orders.models import Customer, Order, PaymentMethod, PointEntry, Product, StockEntry
from orders.statuses import OrderStatus
from payments import accounts, checkout_words, recovery
from payments.models import Call, GatewayAccount, Operation, Payment
from tests.bulk.shop import in_threads
from tests.gateway_world import World
from tests.screens.checkout_shop import BROKE_CARD, ORDERER, Shopper, make_member, open_shop

AGAIN = checkout_words.of_failed(Operation(state="declined", reason_kind="card_refused"))


@pytest.fixture
def shopper(world: World) -> Shopper:
    return Shopper(world)


@pytest.fixture
def product(world: World) -> Product:
    return open_shop()


def stock_of(product: Product) -> int:
    return Product.objects.values_list("stock", flat=True).get(pk=product.pk)


def moved(world: World, order: Order) -> list[str]:
    lines = [world.moved(payment) for payment in Payment.objects.filter(order=order).order_by("attempt")]
    return [action for line in lines for action, _amount in line]


def test_the_order_takes_stock_and_points_on_its_way(shopper: Shopper, product: Product) -> None:
    member = make_member(points=300)
    shopper.leave_cart(product, 2, customer=member.pk, used_points=300)
    assert shopper.order().get_status_display() == "購入処理中"
    shopper.card_page()
    order = shopper.order()
    assert order.get_status_display() == "決済処理中"
    assert order.payment_total == 2 * 2200 + 500 - 300
    assert (order.postal_code, order.delivery_name) == ("100-0001", "山田 花子")
    assert stock_of(product) == 8
    assert Customer.objects.get(pk=member.pk).points == 0


@pytest.mark.parametrize(
    ("target", "status", "payment"), [("AUTH", "新規受付", "AUTH"), ("CAPTURE", "入金済み", "CAPTURE")]
)
def test_an_approved_card_opens_the_order_as_the_account_says(
    shopper: Shopper, product: Product, world: World, target: str, status: str, payment: str
) -> None:
    GatewayAccount.objects.update(checkout_target=target)
    answer = shopper.pay(shopper.shop(product), installments="3")
    assert (answer.status_code, answer["Location"]) == (302, "/checkout/result/")
    order = shopper.order()
    assert (order.get_status_display(), order.payment_status) == (status, payment)
    assert (order.paid_at is not None) == (target == "CAPTURE")
    assert moved(world, order) == [payment]
    assert Payment.objects.get(order=order).installments == 3
    thanks = shopper.client.get("/checkout/result/").content.decode()
    assert "ご注文ありがとうございました" in thanks
    assert order.number in thanks


@pytest.mark.parametrize("provider", ["paygent", "sbps"])
def test_the_customer_chooses_among_the_shops_ways_to_pay_by_card(
    shopper: Shopper, product: Product, world: World, provider: str
) -> None:
    method = PaymentMethod.objects.create(name="ほかのカード決済", kind="card", account=provider)
    assert "お支払方法" in shopper.client.get("/checkout/").content.decode()
    form = shopper.shop(product, method=str(method.pk))
    answer = shopper.pay(form, token=world.sandbox.token(provider=provider))
    assert answer["Location"] == "/checkout/result/"
    order = shopper.order()
    assert (order.get_status_display(), order.payment_status) == ("新規受付", "AUTH")
    assert Payment.objects.get(order=order).account.provider == provider


def test_with_one_way_to_pay_nothing_is_asked(shopper: Shopper, product: Product) -> None:
    assert "お支払方法" not in shopper.client.get("/checkout/").content.decode()


def test_a_refused_card_leads_back_and_another_one_pays(
    shopper: Shopper, product: Product, world: World
) -> None:
    page = shopper.pay(shopper.shop(product), card=BROKE_CARD)
    assert page.status_code == 422
    assert AGAIN in page.content.decode()
    order = shopper.order()
    assert order.get_status_display() == "決済処理中"
    assert shopper.pay(shopper.card_page()).status_code == 302
    tries = Payment.objects.filter(order=order).order_by("attempt").values_list("status", flat=True)
    assert list(tries) == ["PAYFAIL", "AUTH"]
    assert shopper.order().get_status_display() == "新規受付"
    assert moved(world, order) == ["AUTH"]


def test_back_leaves_no_order_and_returns_stock_and_points_once(shopper: Shopper, product: Product) -> None:
    member = make_member(points=300)
    shopper.shop(product, 2, customer=member.pk, used_points=300)
    for _ in range(2):
        answer = shopper.client.post("/checkout/back/")
        assert (answer.status_code, answer["Location"]) == (302, "/checkout/")
    assert not Order.objects.exists()
    assert (stock_of(product), Customer.objects.get(pk=member.pk).points) == (10, 300)
    assert sum(StockEntry.objects.values_list("quantity", flat=True)) == 0
    assert sum(PointEntry.objects.values_list("points", flat=True)) == 0


def test_back_after_a_refused_card_keeps_the_try_with_a_cancelled_order(
    shopper: Shopper, product: Product
) -> None:
    shopper.pay(shopper.shop(product, 2), card=BROKE_CARD)
    order = shopper.order()
    for _ in range(2):
        assert shopper.client.post("/checkout/back/")["Location"] == "/checkout/"
    order.refresh_from_db()
    assert order.get_status_display() == "注文取消し"
    assert order.payment_status == "PAYFAIL"
    assert stock_of(product) == 10


def test_back_does_not_touch_a_paid_order(shopper: Shopper, product: Product) -> None:
    shopper.pay(shopper.shop(product))
    assert shopper.client.post("/checkout/back/")["Location"] == "/checkout/result/"
    assert shopper.order().get_status_display() == "新規受付"
    assert stock_of(product) == 9


def test_an_abandoned_card_page_leaves_the_order_where_it_was(shopper: Shopper, product: Product) -> None:
    shopper.shop(product)
    shopper.world.later(seconds=3600)
    assert shopper.order().get_status_display() == "決済処理中"
    assert stock_of(product) == 9
    shopper.card_page()


def test_leaving_the_cart_again_gives_back_what_was_taken_before(shopper: Shopper, product: Product) -> None:
    first = shopper.shop(product, 10)
    shopper.shop(product, 10)
    assert Order.objects.count() == 1
    assert stock_of(product) == 0
    answer = shopper.pay(first)
    assert answer.status_code == 409
    assert checkout_words.OTHER_ORDER in answer.content.decode()
    assert not Payment.objects.exists()


def test_leaving_the_cart_again_cancels_what_no_card_was_good_for(shopper: Shopper, product: Product) -> None:
    shopper.pay(shopper.shop(product, 10), card=BROKE_CARD)
    refused = shopper.order()
    shopper.shop(product, 10)
    refused.refresh_from_db()
    assert refused.get_status_display() == "注文取消し"
    assert stock_of(product) == 0


def test_leaving_the_cart_again_leaves_a_paid_order_alone(shopper: Shopper, product: Product) -> None:
    shopper.pay(shopper.shop(product))
    paid = shopper.order()
    shopper.shop(product)
    paid.refresh_from_db()
    assert paid.get_status_display() == "新規受付"
    assert stock_of(product) == 8


def test_the_same_form_posted_twice_authorizes_once(shopper: Shopper, product: Product, world: World) -> None:
    form = shopper.shop(product)
    token = world.sandbox.token()
    for _ in range(2):
        assert shopper.pay(form, token=token)["Location"] == "/checkout/result/"
    assert moved(world, shopper.order()) == ["AUTH"]


def test_the_same_form_posted_twice_in_parallel_authorizes_once(
    shopper: Shopper, product: Product, world: World
) -> None:
    form = shopper.shop(product)
    token = world.sandbox.token()
    locations: list[str] = []
    world.sandbox.settings(latency_ms=200)
    try:
        in_threads(2, lambda: locations.append(shopper.pay(form, token=token)["Location"]))
    finally:
        world.sandbox.settings(latency_ms=0)
    assert locations == ["/checkout/result/"] * 2
    assert moved(world, shopper.order()) == ["AUTH"]


@pytest.mark.parametrize("head_start", [0.0, 0.02, 0.05])
def test_paying_and_going_back_at_once_leaves_a_paid_order_or_none(
    shopper: Shopper, product: Product, world: World, head_start: float
) -> None:
    form = shopper.shop(product)
    token = world.sandbox.token()
    order = shopper.order()
    begins = itertools.count()

    def pay_or_go_back() -> None:
        browser = Client()
        browser.cookies = SimpleCookie(shopper.client.cookies.output(header="", sep=";"))
        if next(begins):
            time.sleep(head_start)
            browser.post("/checkout/back/")
        else:
            browser.post("/checkout/pay/", {**form, "token": token})

    in_threads(2, pay_or_go_back)
    kept = Order.objects.filter(pk=order.pk).first()
    if kept is None:
        assert stock_of(product) == 10
        lines = world.sandbox.ledger()
        assert not [line for line in lines if line["order_id"].startswith(f"{order.pk}-")]
    else:
        assert kept.get_status_display() == "新規受付"
        assert moved(world, kept) == ["AUTH"]
        assert stock_of(product) == 9


def test_a_refused_form_that_is_sent_again_asks_for_another_card(
    shopper: Shopper, product: Product, world: World
) -> None:
    form = shopper.shop(product)
    token = world.sandbox.token(BROKE_CARD)
    pages = [shopper.pay(form, token=token) for _ in range(2)]
    assert [page.status_code for page in pages] == [422, 422]
    assert all(AGAIN in page.content.decode() for page in pages)
    assert Payment.objects.count() == 1


def test_a_lost_answer_is_being_confirmed_until_recovery_opens_the_order(
    shopper: Shopper, product: Product, world: World
) -> None:
    form = shopper.shop(product)
    world.sandbox.post_fault("lost_answer", call="ExecTran", times=1)
    world.sandbox.post_fault("lost_answer", call="SearchTrade", times=None)
    assert shopper.pay(form)["Location"] == "/checkout/result/"
    waiting = shopper.client.get("/checkout/result/").content.decode()
    assert "お支払いの結果を確認しています" in waiting
    assert shopper.client.get("/checkout/card/")["Location"] == "/checkout/result/"
    assert shopper.pay(form, key=str(uuid.uuid4()))["Location"] == "/checkout/result/"
    assert shopper.client.post("/checkout/back/")["Location"] == "/checkout/result/"
    world.sandbox.clear_faults()
    world.later(seconds=300)
    recovery.recover_due(clock.now())
    assert shopper.order().get_status_display() == "新規受付"
    assert "ご注文ありがとうございました" in shopper.client.get("/checkout/result/").content.decode()
    assert moved(world, shopper.order()) == ["AUTH"]


def test_where_nothing_arrived_the_customer_may_pay_again(
    shopper: Shopper, product: Product, world: World, settings: Any
) -> None:
    reachable = settings.GATEWAY_ACCOUNTS["gmo"]
    away = reachable.account.model_copy(update={"base_url": "http://127.0.0.1:9"})
    settings.GATEWAY_ACCOUNTS = {"gmo": replace(reachable, account=away)}
    page = shopper.pay(shopper.shop(product))
    assert page.status_code == 422
    assert "ただいまカードでのお支払いをご利用いただけません" in page.content.decode()
    settings.GATEWAY_ACCOUNTS = {"gmo": reachable}
    accounts.gateway.cache_clear()
    assert shopper.pay(shopper.card_page())["Location"] == "/checkout/result/"
    assert shopper.order().get_status_display() == "新規受付"


def test_an_order_that_was_cancelled_meanwhile_is_not_charged(
    shopper: Shopper, product: Product, world: World
) -> None:
    form = shopper.shop(product)
    Order.objects.filter(pk=shopper.order().pk).update(status=OrderStatus.CANCELLED)
    assert shopper.pay(form)["Location"] == "/checkout/result/"
    assert not Payment.objects.exists()
    assert "取り消されています" in shopper.client.get("/checkout/result/").content.decode()


def test_a_post_without_the_card_page_charges_nothing(shopper: Shopper, product: Product) -> None:
    shopper.leave_cart(product)
    form = {"order": [str(shopper.order().pk)], "key": [str(uuid.uuid4())], "installments": ["1"]}
    assert shopper.pay(form)["Location"] == "/checkout/result/"
    assert not Payment.objects.exists()


@pytest.mark.parametrize("way", ["card", "result", "pay", "back"])
def test_another_session_reaches_nothing(shopper: Shopper, product: Product, way: str) -> None:
    form = shopper.shop(product)
    stranger = Shopper(shopper.world)
    method = stranger.client.post if way in ("pay", "back") else stranger.client.get
    answer = method(f"/checkout/{way}/", {**form, "token": "x"})
    assert (answer.status_code, answer["Location"]) == (302, "/checkout/")
    stranger.leave_cart(product)
    assert stranger.pay(form).status_code == 409
    assert not Payment.objects.exists()
    assert shopper.order().get_status_display() == "決済処理中"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "", "お名前を入力してください。"),
        ("name", "山" * 121, "120"),
        ("name", "山田\r\nBcc: x@example.jp", "改行などの制御文字は使用できません。"),
        ("kana", "", "お名前(フリガナ)を入力してください。"),
        ("email", "hanako@", "有効なメールアドレスを入力してください。"),
        ("email", "a" * 250 + "@example.jp", "254"),
        ("phone", "電話なし", "電話番号は数字とハイフンで入力してください。"),
        ("postal_code", "100", "郵便番号は「123-4567」のように7桁の数字で入力してください。"),
        ("prefecture", "", "都道府県を選択してください。"),
        ("prefecture", "江戸", "都道府県を一覧から選択してください。"),
        ("address", "", "住所を入力してください。"),
        ("address", "\x00", "使用できません"),
        ("customer", "999999", "会員を一覧から選択してください。"),
        ("customer", "x", "会員を一覧から選択してください。"),
        ("used_points", "-1", "0 以上"),
        ("used_points", "100", "ポイントは会員の方だけがご利用いただけます。"),
        ("used_points", "たくさん", "整数を入力してください。"),
        ("message", "あ" * 2001, "2000"),
        ("quantity", "0", "商品の数量を入力してください。"),
        ("quantity", "-1", "0 以上"),
        ("quantity", "11", "在庫は残り10点です。"),
        ("quantity", "100", "99 以下"),
        ("quantity", "1.5", "整数を入力してください。"),
    ],
)
def test_wrong_input_in_the_cart_is_told_and_orders_nothing(
    shopper: Shopper, product: Product, field: str, value: str, sentence: str
) -> None:
    name = f"quantity_{product.pk}" if field == "quantity" else field
    page = shopper.client.post("/checkout/", {**ORDERER, f"quantity_{product.pk}": "1", name: value})
    assert page.status_code == 422
    told = re.findall(r'class="(?:checkout-error|alert[^"]*)"[^>]*>(.*?)</', page.content.decode(), re.DOTALL)
    assert sentence in " ".join(told), told
    assert not Order.objects.exists()
    assert stock_of(product) == 10


def test_more_points_than_the_member_has_are_told(shopper: Shopper, product: Product) -> None:
    member = make_member(points=20)
    page = shopper.leave_cart(product, customer=member.pk, used_points=21)
    assert "保有ポイントは20ポイントです。" in page.content.decode()


def test_an_order_of_nothing_cannot_be_paid_by_card(shopper: Shopper, product: Product) -> None:
    member = make_member(points=5000)
    page = shopper.leave_cart(product, customer=member.pk, used_points=2700)
    assert page.status_code == 422
    assert "利用ポイントを減らしてください。" in page.content.decode()
    assert not Order.objects.exists()
    assert (stock_of(product), Customer.objects.get(pk=member.pk).points) == (10, 5000)


def test_more_than_the_provider_takes_is_told_before_anything_is_sent(shopper: Shopper, world: World) -> None:
    page = shopper.pay(shopper.shop(open_shop(price=9_999_999)))
    assert page.status_code == 422
    assert "決済できる上限(9,999,999円)を超えています。" in page.content.decode()
    assert not Call.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [("token", ""), ("token", "x" * 1026), ("key", "1"), ("key", ""), ("order", ""), ("order", "x"),
     ("installments", "7"), ("installments", ""), ("stored", "x"), ("stored", "0")],
)  # fmt: skip
def test_wrong_input_on_the_card_page_is_told_and_sends_nothing(
    shopper: Shopper, product: Product, field: str, value: str
) -> None:
    page = shopper.pay(shopper.shop(product), **{field: value})
    assert page.status_code == 422
    assert checkout_words.CARD_MISSING in page.content.decode()
    assert not Payment.objects.exists()
    assert shopper.pay(shopper.card_page()).status_code == 302


def test_a_forged_token_is_refused(shopper: Shopper, product: Product) -> None:
    page = shopper.pay(shopper.shop(product), token="forged")
    assert page.status_code == 422
    assert shopper.order().get_status_display() == "決済処理中"


def test_a_sold_out_product_is_shown_as_such(shopper: Shopper) -> None:
    product = open_shop(stock=0)
    assert "売り切れ" in shopper.client.get("/checkout/").content.decode()
    assert "売り切れです。" in shopper.leave_cart(product).content.decode()


def test_the_card_page_may_talk_to_the_token_address_and_nowhere_else(
    shopper: Shopper, product: Product, world: World
) -> None:
    shopper.leave_cart(product)
    page = shopper.client.get("/checkout/card/")
    assert f"connect-src 'self' {world.sandbox.url};" in page["Content-Security-Policy"]
    assert "no-store" in page["Cache-Control"]
    assert world.sandbox.url not in shopper.client.get("/checkout/")["Content-Security-Policy"]


def test_no_card_data_is_kept_anywhere(shopper: Shopper, product: Product, world: World) -> None:
    token = world.sandbox.token()
    shopper.pay(shopper.shop(product), token=token)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(o::text, ' ') FROM payments_operation o"
            " UNION ALL SELECT string_agg(c::text, ' ') FROM payments_call c"
            " UNION ALL SELECT string_agg(p::text, ' ') FROM payments_payment p"
        )
        stored = " ".join(text for (text,) in cursor.fetchall())
    for secret in ("4111111111111111", token, "shoppass01"):
        assert secret not in stored


def test_production_has_no_checkout(settings: Any) -> None:
    import importlib

    from cagolab import urls

    settings.DEMO_CHECKOUT = False
    try:
        importlib.reload(urls)
        clear_url_caches()
        set_urlconf(None)
        with pytest.raises(NoReverseMatch):
            reverse("checkout:cart")
    finally:
        settings.DEMO_CHECKOUT = True
        importlib.reload(urls)
        clear_url_caches()
    assert reverse("checkout:cart") == "/checkout/"
