"""新規受注入力: an order without a payment, made once per form."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.screens.order_pages import form_of, order_of, shirt, text_of
from tests.screens.test_order_edit import row_values

if TYPE_CHECKING:
    from orders.models import Customer

pytestmark = pytest.mark.django_db


def filled(client: Client) -> dict[str, list[str]]:
    """The form with a name and one shirt."""
    from orders.models import PaymentMethod

    PaymentMethod.objects.get_or_create(name="銀行振込")
    goods = shirt()
    form = form_of(client.get(reverse("orders:new"))) | {"name": ["鈴木 一郎"]}
    answer = client.post(reverse("orders:new_calculate"), form | {"add_product": [str(goods.pk)]})
    assert "お支払い合計 ¥2,200" in text_of(answer)
    return form | row_values(answer)


def test_an_order_entered_by_hand_starts_as_new_and_has_no_payment(login: Callable[[str], Client]) -> None:
    from orders.models import Order

    client = login("受注編集")
    page = client.post(reverse("orders:new"), filled(client), follow=True)
    order = Order.objects.get()
    assert (order.status, order.payment_total, order.payment_status, order.payment_id) == (1, 2200, "", None)
    assert f"注文番号 {order.number} を登録しました。" in text_of(page)
    assert "決済代行会社での決済がありません" in text_of(page)
    assert order.changes.get().source == "新規受注入力"


def test_the_same_form_posted_twice_makes_one_order(login: Callable[[str], Client]) -> None:
    from orders.models import Order

    client = login("受注編集")
    form = filled(client)
    client.post(reverse("orders:new"), form)
    second = client.post(reverse("orders:new"), form, follow=True)
    assert Order.objects.count() == 1
    assert "この内容ですでに登録されています。" in text_of(second)


def test_a_wrong_new_order_is_told_and_not_made(login: Callable[[str], Client]) -> None:
    from orders.models import Order

    client = login("受注編集")
    answer = client.post(reverse("orders:new"), filled(client) | {"name": [""], "status": ["5"]})
    assert answer.status_code == 422
    assert "お名前を入力してください。" in text_of(answer)
    assert Order.objects.count() == 0


def member_of_the_shop(**fields: Any) -> Customer:
    from orders.models import Customer

    values = {"name": "鈴木 花子", "kana": "スズキ ハナコ", "email": "hanako@example.jp", "points": 300}
    return Customer.objects.create(**values | fields)


def test_a_member_is_found_by_name_kana_and_mail_address_with_few_queries(
    login: Callable[[str], Client], django_assert_max_num_queries: Any
) -> None:
    client = login("受注編集")
    member_of_the_shop()
    member_of_the_shop(name="佐藤　次郎", kana="サトウ ジロウ", email="jiro@example.jp", points=0)
    address = reverse("orders:new_members")
    for word in ("鈴木花子", "鈴木　花子", "すずき", "ｽｽﾞｷ", "HANAKO@", "花子 example"):
        words = text_of(client.get(address, {"word": word}))
        assert "鈴木 花子" in words, word
        assert "佐藤" not in words, word
    assert "佐藤" in text_of(client.get(address, {"word": "佐藤次郎"}))
    assert "「%」に該当する会員はいません。" in text_of(client.get(address, {"word": "%"}))
    with django_assert_max_num_queries(6):
        assert "300ポイント" in text_of(client.get(address))


def test_a_member_brings_name_address_and_points_into_the_form(login: Callable[[str], Client]) -> None:
    client = login("受注編集")
    member = member_of_the_shop()
    order_of(
        shirt(code="before"), customer=member, phone="0312345678", prefecture="東京都", address="千代田区1-1"
    )
    form = filled(client)
    answer = client.post(reverse("orders:new_member"), form | {"member": [str(member.pk)]})
    words = text_of(answer)
    assert f"会員 鈴木 花子 （会員ID {member.pk}） 保有ポイント 300" in words
    html = answer.content.decode()
    for value in ("鈴木 花子", "hanako@example.jp", "0312345678", "千代田区1-1"):
        assert f'value="{value}"' in html
    assert 'id="order-lines" hx-swap-oob="outerHTML"' in html
    answer = client.post(reverse("orders:new_member"), form | {"customer": [str(member.pk)], "member": [""]})
    assert "会員を指定しない受注です。" in text_of(answer)
    for nobody in ("999999", "x", "-1"):
        assert client.post(reverse("orders:new_member"), form | {"member": [nobody]}).status_code == 404


def test_a_members_order_uses_its_points_once(login: Callable[[str], Client]) -> None:
    from orders.models import Order

    client = login("受注編集")
    member = member_of_the_shop()
    form = filled(client) | {"customer": [str(member.pk)], "used_points": ["200"]}
    answer = client.post(reverse("orders:new_calculate"), form)
    assert "お支払い合計 ¥2,000" in text_of(answer)
    client.post(reverse("orders:new"), form)
    client.post(reverse("orders:new"), form)
    order = Order.objects.get()
    member.refresh_from_db()
    assert (order.customer, order.used_points, order.payment_total, member.points) == (member, 200, 2000, 100)


def test_more_points_than_the_member_has_are_refused_at_their_field(login: Callable[[str], Client]) -> None:
    from orders.models import Order

    client = login("受注編集")
    member = member_of_the_shop(points=100)
    form = filled(client) | {"customer": [str(member.pk)], "used_points": ["200"]}
    answer = client.post(reverse("orders:new"), form)
    assert answer.status_code == 422
    assert "保有ポイントが足りない" in text_of(answer)
    assert f'name="customer" value="{member.pk}"' in answer.content.decode()
    assert Order.objects.count() == 0


def test_points_of_nobody_cannot_be_used(login: Callable[[str], Client]) -> None:
    from orders.models import Order

    client = login("受注編集")
    client.post(reverse("orders:new"), filled(client) | {"customer": ["999999"], "used_points": ["200"]})
    assert [order.used_points for order in Order.objects.all()] == [0]


def test_only_editors_enter_orders(login: Callable[[str], Client]) -> None:
    client = login("閲覧")
    for route in ("new", "new_products", "new_members", "tracking_csv"):
        assert client.get(reverse(f"orders:{route}")).status_code == 403
    for route in ("new", "new_calculate", "new_member", "tracking_csv"):
        assert client.post(reverse(f"orders:{route}")).status_code == 403


def test_a_product_is_found_by_code_name_and_options(login: Callable[[str], Client]) -> None:
    client = login("受注編集")
    order = order_of(shirt())
    shirt(code="goods-9", name="ほうじ茶", options="20個入り")
    address = reverse("orders:products", args=[order.pk])
    for word in ("GOODS", "ほうじ", "20個", "ほうじ goods"):
        words = text_of(client.get(address, {"word": word}))
        assert "ほうじ茶" in words
        assert "綿パイル" not in words
    assert "該当する商品はありません" in text_of(client.get(address, {"word": "%"}))
