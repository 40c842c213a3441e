"""What is done to one row of 受注一覧: お問い合わせ番号 and 出荷済にする."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from orders import status_guards
from orders.models import Order, OrderChange
from orders.statuses import OrderStatus

Login = Callable[[str], Client]
MakeOrder = Callable[..., Order]
HTMX: dict[str, Any] = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the only registered guard says; empty until a test fills it."""
    sentences: list[str] = []
    monkeypatch.setattr(status_guards, "_warnings", [lambda order, to: list(sentences)])
    return sentences


def nothing_happened(order: Order) -> bool:
    stored = Order.objects.get(pk=order.pk)
    return (
        stored.version == order.version
        and stored.status == order.status
        and stored.tracking_number == order.tracking_number
        and not OrderChange.objects.filter(order=order).exists()
    )


def post_tracking(client: Client, order: Order, number: str, before: str = "") -> str:
    answer = client.post(
        f"/orders/{order.pk}/tracking/", {"tracking_number": number, "before": before}, **HTMX
    )
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_tracking_number_is_saved_with_who_and_from_where(login: Login, make_order: MakeOrder) -> None:
    order = make_order()
    field = post_tracking(login("受注編集"), order, "４９０１－２３４５")
    order.refresh_from_db()
    assert order.tracking_number == "4901-2345"
    assert 'value="4901-2345"' in field
    assert "保存しました" in field
    change = OrderChange.objects.get(order=order)
    assert (change.field, change.new, change.source, change.ip_address) == (
        "お問い合わせ番号",
        "4901-2345",
        "受注一覧",
        "127.0.0.1",
    )


@pytest.mark.parametrize("number", ["<script>", "番号", "1" * 61, "1234\x00"])
def test_a_wrong_tracking_number_is_told_at_its_field_and_not_saved(
    login: Login, make_order: MakeOrder, number: str
) -> None:
    order = make_order(tracking_number="4901")
    field = post_tracking(login("受注編集"), order, number, before="4901")
    assert "お問い合わせ番号は60文字までの英数字とハイフンで入力してください。" in field
    assert 'aria-invalid="true"' in field
    assert "<script>" not in field
    assert nothing_happened(order)


def test_a_number_that_somebody_else_entered_is_not_overwritten_unseen(
    login: Login, make_order: MakeOrder
) -> None:
    order = make_order(tracking_number="9999")
    client = login("受注編集")
    field = post_tracking(client, order, "1111", before="")
    assert "現在の番号は 9999 です" in field
    assert 'value="1111"' in field
    assert nothing_happened(order)
    seen = re.search(r'name="before" value="([^"]*)"', field)
    assert seen
    assert "保存しました" in post_tracking(client, order, "1111", before=seen[1])


@pytest.mark.parametrize("role", ["閲覧", ""])
@pytest.mark.parametrize("action", ["tracking", "ship"])
def test_without_permission_to_edit_nothing_is_done(
    login: Login, make_order: MakeOrder, role: str, action: str
) -> None:
    order = make_order()
    fields = {"tracking_number": "1", "before": ""}
    assert login(role).post(f"/orders/{order.pk}/{action}/", fields, **HTMX).status_code == 403
    assert nothing_happened(order)


@pytest.mark.parametrize(
    ("action", "methods"),
    [("tracking", ["get", "head", "put", "delete"]), ("ship", ["put", "patch", "delete"])],
)
def test_other_methods_are_refused(
    login: Login, make_order: MakeOrder, action: str, methods: list[str]
) -> None:
    order = make_order()
    client = login("管理者")
    for method in methods:
        assert getattr(client, method)(f"/orders/{order.pk}/{action}/").status_code == 405
    assert nothing_happened(order)


@pytest.mark.parametrize("action", ["tracking", "ship"])
def test_an_order_that_does_not_exist_is_not_found(login: Login, action: str) -> None:
    assert login("管理者").post(f"/orders/999999/{action}/", **HTMX).status_code == 404


def test_the_dialog_says_what_will_happen_and_does_nothing_yet(
    login: Login, make_order: MakeOrder, guard: list[str]
) -> None:
    order = make_order()
    page = login("受注編集").get(f"/orders/{order.pk}/ship/", **HTMX).content.decode()
    assert f"注文番号 <strong>{order.number}</strong>" in page
    assert "「新規受付」から「発送済み」に変更します" in page
    assert "決済には影響せず" in page
    assert nothing_happened(order)


def test_a_confirmed_order_is_shipped_and_its_row_comes_back(
    login: Login, make_order: MakeOrder, guard: list[str]
) -> None:
    order = make_order()
    page = login("受注編集").post(f"/orders/{order.pk}/ship/", **HTMX).content.decode()
    order.refresh_from_db()
    assert order.status == OrderStatus.SHIPPED
    assert order.shipped_at is not None
    assert f'<tr id="order-{order.pk}" hx-swap-oob="true">' in page
    assert f"注文番号 {order.number} を発送済みにしました。" in page
    for status, number in ((OrderStatus.NEW, 0), (OrderStatus.SHIPPED, 1)):
        count = (
            f'<span class="check-count" id="count-status-{status.value}" hx-swap-oob="true">({number})</span>'
        )
        assert count in page


def test_a_warning_has_to_be_read_before_anything_is_changed(
    login: Login, make_order: MakeOrder, guard: list[str]
) -> None:
    order = make_order()
    client = login("受注編集")
    address = f"/orders/{order.pk}/ship/"
    guard.append("与信が取れていません。")
    assert "与信が取れていません。" in client.get(address, **HTMX).content.decode()
    unread = client.post(address, **HTMX).content.decode()
    assert "まだ変更していません" in unread
    assert nothing_happened(order)
    client.post(address, {"read": ["与信が取れていません。"]}, **HTMX)
    order.refresh_from_db()
    assert order.status == OrderStatus.SHIPPED


def test_a_warning_that_arose_meanwhile_brings_the_dialog_back(
    login: Login, make_order: MakeOrder, guard: list[str]
) -> None:
    order = make_order()
    guard.extend(["一つ目の警告です。", "二つ目の警告です。"])
    page = login("受注編集").post(f"/orders/{order.pk}/ship/", {"read": ["一つ目の警告です。"]}, **HTMX)
    assert "二つ目の警告です。" in page.content.decode()
    assert nothing_happened(order)


@pytest.mark.parametrize("status", [OrderStatus.SHIPPED, OrderStatus.PENDING])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_order_that_cannot_be_shipped_says_why(
    login: Login, make_order: MakeOrder, guard: list[str], status: OrderStatus, method: str
) -> None:
    order = make_order(status=status)
    page = getattr(login("受注編集"), method)(f"/orders/{order.pk}/ship/", **HTMX).content.decode()
    assert f"注文番号 {order.number} は" in page
    assert 'type="submit"' not in page
    assert nothing_happened(order)
