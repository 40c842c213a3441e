"""新規受注入力: an order without a payment, made once per form."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from tests.screens.order_pages import form_of, order_of, shirt, text_of
from tests.screens.test_order_edit import row_values

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


def test_only_editors_enter_orders(login: Callable[[str], Client]) -> None:
    client = login("閲覧")
    for route in ("new", "new_products", "tracking_csv"):
        assert client.get(reverse(f"orders:{route}")).status_code == 403
    for route in ("new", "new_calculate", "tracking_csv"):
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
