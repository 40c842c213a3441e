"""2クリック決済 (CC-7) at Paygent and SBPS as at GMO-PG: a card is kept with a payment, pays again, and is removed."""

from __future__ import annotations

import pytest

from orders.models import Customer, Order, PaymentMethod, Product
from payments import checkout_words
from payments.models import Call, Payment
from tests.gateway_world import World
from tests.screens.checkout_shop import Shopper, make_member

# The provider is chosen per test, which pytest sees too late to keep transactions away from the calls.
pytestmark = pytest.mark.django_db(transaction=True)

KEPT = "登録済みのカード *"
# What the card page names to practise with.
REFUSED = "4999 0000 0000 0022"
# The number under which a provider shows its first card.
FIRST = {"gmopg": "0", "paygent": "1", "sbps": "0"}


@pytest.fixture(params=["paygent", "sbps"])
def world(request: pytest.FixtureRequest) -> World:
    found: World = request.getfixturevalue(request.param)
    return found


def on_sale(world: World) -> Product:
    PaymentMethod.objects.create(name="クレジットカード決済", kind="card", account=world.account.code)
    return Product.objects.create(code="shirt", name="白シャツ", price=2000, stock=10)


def card_page(shopper: Shopper, product: Product, member: Customer) -> str:
    shopper.leave_cart(product, customer=member.pk)
    return str(shopper.client.get("/checkout/card/").content.decode())


def bought(shopper: Shopper, product: Product, member: Customer, card: str = "4111111111111111") -> Order:
    """Buy with a new card that is to be kept."""
    form = shopper.shop(product, customer=member.pk)
    token = shopper.world.sandbox.token(card, provider=shopper.world.account.provider)
    shopper.client.post("/checkout/pay/", {**form, "token": token, "keep": "on"})
    member.refresh_from_db()
    return shopper.order()


def test_a_kept_card_pays_again_without_a_token_and_can_be_removed(world: World) -> None:
    product, member, shopper = on_sale(world), make_member(), Shopper(world)
    first = bought(shopper, product, member)
    assert first.get_status_display() == "新規受付"
    page = card_page(shopper, product, member)
    assert KEPT in page
    assert "1111" in page
    assert "4111111111111111" not in page
    card = FIRST[world.account.provider]
    answer = shopper.client.post("/checkout/pay/", {**shopper.card_page(), "token": "", "stored": card})
    assert (answer.status_code, answer["Location"]) == (302, "/checkout/result/")
    again = shopper.order()
    assert again.pk != first.pk
    assert again.get_status_display() == "新規受付"
    assert [action for action, _ in world.moved(Payment.objects.get(order=again))] == ["AUTH"]
    card_page(shopper, product, member)
    page = shopper.client.post("/checkout/forget-card/", {"card": card}, follow=True).content.decode()
    assert checkout_words.CARD_FORGOTTEN in page
    assert KEPT not in page
    assert KEPT not in card_page(shopper, product, member)


def test_a_card_that_did_not_pay_is_not_kept(world: World) -> None:
    product, member, shopper = on_sale(world), make_member(), Shopper(world)
    refused = bought(shopper, product, member, card=REFUSED.replace(" ", ""))
    assert (refused.get_status_display(), refused.payment_is_open) == ("決済処理中", False)
    bought(shopper, product, member)
    page = card_page(shopper, product, member)
    assert f"{REFUSED} は、どの決済代行会社でも承認されません。" in page
    assert page.count('name="stored" value="') == 2  # the good one, and a new one


def test_only_what_is_ticked_is_kept(world: World) -> None:
    product, member, shopper = on_sale(world), make_member(), Shopper(world)
    form = shopper.shop(product, customer=member.pk)
    token = world.sandbox.token(provider=world.account.provider)
    shopper.client.post("/checkout/pay/", {**form, "token": token})
    member.refresh_from_db()
    assert shopper.order().get_status_display() == "新規受付"
    assert member.member_id == ""
    assert KEPT not in card_page(shopper, product, member)


@pytest.mark.parametrize("wish", ["7", "abc", ""])
def test_nobody_elses_card_is_removed_or_pays(world: World, wish: str) -> None:
    product, member, shopper = on_sale(world), make_member(), Shopper(world)
    bought(shopper, product, member)
    guest = Shopper(world)
    guest.shop(product)
    answer = guest.client.post("/checkout/forget-card/", {"card": wish or "1"}, follow=True)
    assert checkout_words.CARD_NOT_FORGOTTEN in answer.content.decode()
    form = guest.card_page()
    page = guest.client.post("/checkout/pay/", {**form, "token": "", "stored": wish or "1"})
    assert page.status_code == 422
    assert KEPT in card_page(shopper, product, member)


def test_the_order_stands_when_paygent_does_not_keep_the_card(paygent: World) -> None:
    product, member, shopper = on_sale(paygent), make_member(), Shopper(paygent)
    paygent.sandbox.post_fault("error_code", call="025", code="2402")
    order = bought(shopper, product, member)
    assert order.get_status_display() == "新規受付"
    assert KEPT not in card_page(shopper, product, member)


def test_a_card_refused_after_it_was_kept_at_paygent_is_forgotten(paygent: World) -> None:
    product, member, shopper = on_sale(paygent), make_member(), Shopper(paygent)
    paygent.sandbox.post_fault("error_code", call="020", code="2003")
    order = bought(shopper, product, member)
    assert order.get_status_display() == "決済処理中"
    calls = Call.objects.filter(operation__payment__order=order).order_by("pk").values_list("name", flat=True)
    assert list(calls) == ["025", "020", "026"]


def test_a_card_that_is_being_removed_while_the_provider_does_not_answer_stays(sbps: World) -> None:
    product, member, shopper = on_sale(sbps), make_member(), Shopper(sbps)
    bought(shopper, product, member)
    card_page(shopper, product, member)
    sbps.sandbox.post_fault("http_500", call="MG02-00103-101", before=True)
    page = shopper.client.post("/checkout/forget-card/", {"card": "0"}, follow=True).content.decode()
    assert checkout_words.CARD_NOT_FORGOTTEN in page
    assert KEPT in page
