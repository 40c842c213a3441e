"""2クリック決済 (CC-7): a member's card stays at the provider and pays again; of ours there is a member id."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orders.models import Customer, Order, Product
from payments import checkout_words
from payments.models import Call, Operation, Payment
from tests.gateway_world import World
from tests.screens.checkout_shop import BROKE_CARD, Shopper, make_member, open_shop

KEPT = "登録済みのカード"


@pytest.fixture
def shopper(world: World) -> Shopper:
    return Shopper(world)


@pytest.fixture
def product(world: World) -> Product:
    return open_shop()


@pytest.fixture
def member(world: World) -> Customer:
    return make_member()


def registered(shopper: Shopper, product: Product, member: Customer) -> None:
    """Buy once with カードを登録する ticked."""
    answer = shopper.pay(shopper.shop(product, customer=member.pk), keep="on")
    assert answer.status_code == 302
    member.refresh_from_db()


def card_page_of(shopper: Shopper, product: Product, member: Customer) -> str:
    shopper.leave_cart(product, customer=member.pk)
    return str(shopper.client.get("/checkout/card/").content.decode())


def calls_of(order: Order) -> list[str]:
    calls = Call.objects.filter(operation__payment__order=order).order_by("pk")
    return list(calls.values_list("name", flat=True))


def test_a_registered_card_pays_the_next_order_without_a_token(
    shopper: Shopper, product: Product, member: Customer, world: World
) -> None:
    registered(shopper, product, member)
    page = card_page_of(shopper, product, member)
    assert KEPT in page
    assert "*" in page
    assert "4111111111111111" not in page
    answer = shopper.pay(shopper.card_page(), token="", stored="0")
    assert (answer.status_code, answer["Location"]) == (302, "/checkout/result/")
    order = shopper.order()
    assert (order.get_status_display(), order.payment_status) == ("新規受付", "AUTH")
    assert [action for action, _ in world.moved(Payment.objects.get(order=order))] == ["AUTH"]


def test_only_what_is_ticked_is_registered(shopper: Shopper, product: Product, member: Customer) -> None:
    shopper.pay(shopper.shop(product, customer=member.pk))
    member.refresh_from_db()
    assert member.member_id == ""
    assert KEPT not in card_page_of(shopper, product, member)


def test_guests_are_not_offered_to_register_a_card(shopper: Shopper, product: Product) -> None:
    shopper.leave_cart(product)
    assert "このカードを登録する" not in shopper.client.get("/checkout/card/").content.decode()
    shopper.pay(shopper.card_page(), keep="on")
    assert calls_of(shopper.order()) == ["EntryTran", "ExecTran"]


def test_an_account_without_a_site_offers_no_cards(
    shopper: Shopper, product: Product, member: Customer, settings: Any
) -> None:
    with_site = settings.GATEWAY_ACCOUNTS["gmo"]
    without = with_site.account.model_copy(update={"site_id": None, "site_pass": None})
    settings.GATEWAY_ACCOUNTS = {"gmo": replace(with_site, account=without)}
    assert "このカードを登録する" not in card_page_of(shopper, product, member)
    registered(shopper, product, member)
    assert member.member_id == ""


def test_the_card_is_registered_once_however_often_the_form_comes(
    shopper: Shopper, product: Product, member: Customer, world: World
) -> None:
    form = shopper.shop(product, customer=member.pk)
    token = world.sandbox.token()
    for _ in range(3):
        shopper.pay(form, token=token, keep="on")
    assert calls_of(shopper.order()).count("TradedCard") == 1


def test_a_refused_card_is_not_registered(shopper: Shopper, product: Product, member: Customer) -> None:
    shopper.pay(shopper.shop(product, customer=member.pk), card=BROKE_CARD, keep="on")
    member.refresh_from_db()
    assert member.member_id == ""


def test_the_order_stands_when_the_card_could_not_be_registered(
    shopper: Shopper, product: Product, member: Customer, world: World
) -> None:
    world.sandbox.post_fault("error_code", call="TradedCard", code="E91099997")
    registered(shopper, product, member)
    assert shopper.order().get_status_display() == "新規受付"
    assert KEPT not in card_page_of(shopper, product, member)


def test_the_card_page_opens_while_the_card_file_does_not_answer(
    shopper: Shopper, product: Product, member: Customer, world: World
) -> None:
    registered(shopper, product, member)
    world.sandbox.post_fault("http_500", call="SearchCard", times=None)
    page = card_page_of(shopper, product, member)
    assert KEPT not in page
    assert "カード番号" in page


def test_the_calls_are_journalled_and_carry_no_card_data(
    shopper: Shopper, product: Product, member: Customer
) -> None:
    registered(shopper, product, member)
    first = shopper.order()
    card_page_of(shopper, product, member)
    assert calls_of(first) == ["EntryTran", "ExecTran", "SaveMember", "TradedCard", "SearchCard"]
    texts = " ".join(f"{call.request} {call.response}" for call in Call.objects.all())
    assert "4111111111111111" not in texts
    assert "sitepass01" not in texts


@pytest.mark.parametrize("card_seq", ["1", "99", "abc", "0' OR 1=1"])
def test_a_card_that_is_not_on_the_members_file_pays_nothing(
    shopper: Shopper, product: Product, member: Customer, world: World, card_seq: str
) -> None:
    registered(shopper, product, member)
    page = shopper.pay(shopper.shop(product, customer=member.pk), token="", stored=card_seq)
    assert page.status_code == 422
    assert shopper.order().get_status_display() == "決済処理中"
    lines = world.sandbox.ledger()
    assert not [line for line in lines if line["order_id"].startswith(f"{shopper.order().pk}-")]


def test_a_guest_cannot_pay_with_a_members_card(shopper: Shopper, product: Product, member: Customer) -> None:
    registered(shopper, product, member)
    page = shopper.pay(shopper.shop(product), token="", stored="0")
    assert page.status_code == 422
    assert checkout_words.CARD_MISSING in page.content.decode()
    assert Operation.objects.filter(action="authorize").count() == 1
