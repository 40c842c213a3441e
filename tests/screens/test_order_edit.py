"""受注編集: what the page shows, what 登録 writes, and that wrong input writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.screens.order_pages import form_of, line_key, order_of, shirt, text_of

pytestmark = pytest.mark.django_db


def address(order: Any) -> str:
    return reverse("orders:edit", args=[order.pk])


def member(points: int = 0) -> Any:
    from orders.models import Customer

    return Customer.objects.create(name="テスト会員", email="member@example.jp", points=points)


def stored(order: Any) -> dict[str, Any]:
    """Everything about the order that a save could have changed."""
    from orders.models import Order, OrderLine, StockEntry

    return {
        "order": Order.objects.values().get(pk=order.pk),
        "lines": list(OrderLine.objects.filter(order=order).order_by("id").values()),
        "stock": list(StockEntry.objects.filter(order=order).order_by("id").values()),
        "changes": order.changes.count(),
    }


def test_the_vector_of_the_manual_is_what_the_screen_shows(login: Callable[[str], Client]) -> None:
    order = order_of(shirt(), customer=member())
    words = text_of(login("閲覧").get(address(order)))
    for part in (
        "綿パイルTシャツ",
        "小計 ¥2,200",
        "送料 ¥500",
        "手数料 ¥0",
        "値引き ¥0",
        "合計 ¥2,700",
        "税率10%対象 ¥2,700",
        "お支払い合計 ¥2,700",
        "加算ポイント 20",
    ):
        assert part in words


def test_calculating_shows_the_new_total_and_saves_nothing(login: Callable[[str], Client]) -> None:
    order, client = order_of(shirt()), login("受注編集")
    before = stored(order)
    form = form_of(client.get(address(order)))
    form[f"line-{line_key(form, 1)}-quantity"] = ["３"]
    answer = client.post(reverse("orders:calculate", args=[order.pk]), form)
    assert "お支払い合計 ¥7,100" in text_of(answer)
    assert "登録済みのお支払い合計は ¥2,700" in text_of(answer)
    assert stored(order) == before


def test_registering_saves_fields_lines_totals_and_history(login: Callable[[str], Client]) -> None:
    order, client = order_of(shirt()), login("受注編集")
    form = form_of(client.get(address(order)))
    form[f"line-{line_key(form, 2)}-unit_price"] = ["８００円"]
    form |= {
        "delivery_name": ["山田 花子"],
        "delivery_date": ["2026-12-24"],
        "delivery_postal_code": ["８７００２６"[:5] + "26"],
        "tracking_number": ["１２３４－５６７８"],
    }
    form["delivery_postal_code"] = ["８７０００２６"]
    answer = client.post(address(order), form, follow=True)
    assert f"注文番号 {order.number} を登録しました。" in text_of(answer)
    order.refresh_from_db()
    assert (order.delivery_name, order.delivery_date) == ("山田 花子", date(2026, 12, 24))
    assert (order.delivery_postal_code, order.tracking_number) == ("870-0026", "1234-5678")
    assert (order.delivery_fee, order.payment_total, order.version) == (800, 3000, 2)
    change = order.changes.get(field="お届け先 お名前")
    assert (change.old, change.new, change.actor_name, change.source) == (
        "",
        "山田 花子",
        "田中 花子",
        "受注編集",
    )
    assert "お支払い合計" in text_of(answer)


WRONG = [
    ("status", "7", "現在の対応状況からは変更できない"),
    ("payment_method", "99999", "お支払方法を一覧から"),
    ("message", "あ" * 4001, "4000"),
    ("name", "", "お名前を入力してください"),
    ("name", "あ" * 121, "120"),
    ("name", "山田\r\nBcc: x", "制御文字"),
    ("kana", "ア" * 121, "120"),
    ("company", "あ" * 121, "120"),
    ("email", "yamada", "メールアドレス"),
    ("phone", "でんわ", "電話番号は数字とハイフン"),
    ("postal_code", "12345", "郵便番号は「123-4567」"),
    ("prefecture", "東京", "都道府県を一覧から"),
    ("address", "あ" * 301, "300"),
    ("delivery_name", "あ" * 121, "120"),
    ("delivery_kana", "ア" * 121, "120"),
    ("delivery_company", "あ" * 121, "120"),
    ("delivery_phone", "12", "電話番号は数字とハイフン"),
    ("delivery_postal_code", "abc", "郵便番号は「123-4567」"),
    ("delivery_prefecture", "江戸", "都道府県を一覧から"),
    ("delivery_address", "あ" * 301, "300"),
    ("delivery_date", "2026-02-30", "実在する日付"),
    ("delivery_time", "あ" * 31, "30"),
    ("tracking_number", "追跡中", "英数字とハイフン"),
    ("tracking_url", "javascript:alert(1)", "追跡URLは"),
    ("used_points", "-1", "0以上で"),
    ("used_points", "1.5", "金額は整数"),
    ("memo", "あ" * 4001, "4000"),
    ("line-P-unit_price", "", "金額を入力してください"),
    ("line-P-unit_price", "二千円", "金額は整数"),
    ("line-P-unit_price", "-1", "金額は0円以上"),
    ("line-P-unit_price", "100000000", "99,999,999以下"),
    ("line-P-quantity", "0", "数量は1以上"),
    ("line-P-quantity", "10000", "数量は9,999以下"),
    ("line-P-tax_rate", "101", "100"),
    ("line-P-tax_rate", "十", "税率は0から100"),
    ("line-P-tax_type", "4", "課税区分を一覧から"),
    ("line-P-product", "999999", "商品が見つかりません"),
    ("line-D-name", "", "明細名を入力してください"),
]


@pytest.mark.parametrize(("field", "typed", "message"), WRONG)
def test_wrong_input_is_told_at_its_field_and_changes_nothing(
    login: Callable[[str], Client], field: str, typed: str, message: str
) -> None:
    order, client = order_of(shirt(), customer=member(points=100)), login("受注編集")
    before = stored(order)
    form = form_of(client.get(address(order)))
    name = field.replace("-P-", f"-{line_key(form, 1)}-").replace("-D-", f"-{line_key(form, 2)}-")
    form[name], form["memo"] = [typed], form["memo"] if field == "memo" else ["書きかけのメモ"]
    if field == "memo":
        form["memo"] = [typed]
    if field == "line-P-product":
        form[name.replace("-product", "-name")] = [""]
    answer = client.post(address(order), form)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert message in page
    assert "登録していません。" in page
    assert field == "line-P-product" or f'id="id_{name}_error"' in page
    assert field == "line-P-product" or f'aria-describedby="id_{name}_error"' in page
    kept = form_of(answer)
    assert field == "memo" or kept["memo"] == ["書きかけのメモ"]
    assert stored(order) == before


def test_every_wrong_field_is_told_at_once(login: Callable[[str], Client]) -> None:
    order, client = order_of(shirt()), login("受注編集")
    form = form_of(client.get(address(order)))
    form |= {"name": [""], "email": ["x"], f"line-{line_key(form, 1)}-quantity": ["x"]}
    words = text_of(client.post(address(order), form))
    for sentence in ("お名前を入力してください。", "数量は整数で入力してください。"):
        assert sentence in words
    assert "注文者 メールアドレス ：" in words


def test_an_order_without_goods_is_refused(login: Callable[[str], Client]) -> None:
    order, client = order_of(shirt()), login("受注編集")
    before = stored(order)
    form = form_of(client.get(address(order)))
    form["line"].remove(line_key(form, 1))
    answer = client.post(address(order), form)
    assert answer.status_code == 422
    assert "商品を1つ以上追加してください。" in text_of(answer)
    assert stored(order) == before


def test_a_discount_larger_than_the_order_is_refused_with_a_reason(login: Callable[[str], Client]) -> None:
    order, client = order_of(shirt()), login("受注編集")
    form = form_of(client.get(address(order)))
    answer = client.post(
        reverse("orders:calculate", args=[order.pk]), form | {"add_line": ["discount_untaxed"]}
    )
    changed = form | row_values(answer)
    key = line_key(changed, 4)
    changed[f"line-{key}-unit_price"] = ["-9999"]
    saved = client.post(address(order), changed)
    assert saved.status_code == 422
    assert "値引きと利用ポイントが大きすぎる" in text_of(saved)


def row_values(answer: Any) -> dict[str, list[str]]:
    """The controls of an answered card, which has no form around it."""
    from tests.screens.order_pages import _Form

    parser = _Form("order-form")
    parser.inside = True
    parser.feed(answer.content.decode())
    return parser.values


def test_goods_are_added_above_the_delivery_fee_and_saved_with_their_own_words(
    login: Callable[[str], Client],
) -> None:
    order, client = order_of(shirt()), login("受注編集")
    tea = shirt(code="tea", name="ほうじ茶", options="20個", price=1000, tax_rate=8)
    form = form_of(client.get(address(order)))
    answer = client.post(reverse("orders:calculate", args=[order.pk]), form | {"add_product": [str(tea.pk)]})
    changed = form | row_values(answer)
    new = changed["line"][1]
    assert new.startswith("n")
    changed[f"line-{new}-name"] = ["書き換えられた名前"]
    assert client.post(address(order), changed).status_code == 302
    line = order.lines.get(product=tea)
    assert (line.name, line.code, line.unit_price, line.tax_rate) == ("ほうじ茶", "tea", 1000, Decimal(8))
    order.refresh_from_db()
    assert order.payment_total == 2200 + 1080 + 500
    tea.refresh_from_db()
    assert tea.stock == 9


def test_replacing_the_goods_of_a_line_takes_the_new_ones_words_and_price(
    login: Callable[[str], Client],
) -> None:
    goods = shirt()
    order, client = order_of(goods), login("受注編集")
    other = shirt(code="tops_02-05", options="白 / M", price=2500)
    form = form_of(client.get(address(order)))
    key = line_key(form, 1)
    change = {"add_product": [str(other.pk)], "replace": [key]}
    changed = form | row_values(client.post(reverse("orders:calculate", args=[order.pk]), form | change))
    assert client.post(address(order), changed).status_code == 302
    line = order.lines.get(pk=int(key))
    assert (line.code, line.options, line.unit_price) == ("tops_02-05", "白 / M", 2500)
    goods.refresh_from_db()
    other.refresh_from_db()
    assert (goods.stock, other.stock) == (10, 9)


def test_a_removed_line_is_gone_only_after_registering(login: Callable[[str], Client]) -> None:
    order, client = order_of(shirt()), login("受注編集")
    form = form_of(client.get(address(order)))
    key = line_key(form, 3)
    answer = client.post(reverse("orders:calculate", args=[order.pk]), form | {"remove": [key]})
    changed = row_values(answer)
    assert key not in changed["line"]
    assert order.lines.count() == 3
    client.post(address(order), {**form, "line": changed["line"]})
    assert order.lines.count() == 2


def test_points_are_editable_for_members_only(login: Callable[[str], Client]) -> None:
    client = login("受注編集")
    guest, known = order_of(shirt()), order_of(shirt(code="b"), customer=member(points=300))
    assert "会員の受注ではないため" in text_of(client.get(address(guest)))
    form = form_of(client.get(address(known)))
    client.post(address(known), form | {"used_points": ["200"]})
    known.refresh_from_db()
    assert (known.used_points, known.payment_total) == (200, 2500)
    assert "保有ポイント 100" in text_of(client.get(address(known)))
    form = form_of(client.get(address(guest)))
    client.post(address(guest), form | {"used_points": ["200"]})
    guest.refresh_from_db()
    assert guest.used_points == 0


def test_more_points_than_held_are_refused_at_the_field(login: Callable[[str], Client]) -> None:
    order, client = order_of(shirt(), customer=member(points=10)), login("受注編集")
    before = stored(order)
    answer = client.post(address(order), form_of(client.get(address(order))) | {"used_points": ["11"]})
    assert answer.status_code == 422
    assert 'id="id_used_points_error"' in answer.content.decode()
    assert stored(order) == before


def test_more_goods_than_in_stock_are_refused(login: Callable[[str], Client]) -> None:
    order, client = order_of(shirt(stock=2)), login("受注編集")
    before = stored(order)
    form = form_of(client.get(address(order)))
    answer = client.post(address(order), form | {f"line-{line_key(form, 1)}-quantity": ["3"]})
    assert answer.status_code == 422
    assert "在庫" in text_of(answer)
    assert stored(order) == before


def test_the_page_asks_few_questions(login: Callable[[str], Client], monkeypatch: pytest.MonkeyPatch) -> None:
    order, client = order_of(shirt(), customer=member()), login("受注編集")
    client.get(address(order))
    with CaptureQueriesContext(
        connection,
    ) as asked:
        client.get(address(order))
    without_panel = [query["sql"] for query in asked.captured_queries if "payments_" not in query["sql"]]
    assert len(without_panel) <= 12, "\n".join(without_panel)
    assert len(asked) <= 20


def test_history_is_paged_newest_first(login: Callable[[str], Client]) -> None:
    order, client = order_of(shirt()), login("受注編集")
    for number in range(12):
        form = form_of(client.get(address(order)))
        client.post(address(order), form | {"memo": [f"メモ{number}"]})
    first = client.get(reverse("orders:history", args=[order.pk]), headers={"HX-Request": "true"})
    assert "メモ11" in text_of(first)
    assert "メモ0 " not in text_of(first)
    before = first.content.decode().split("?before=")[1].split('"')[0]
    older = client.get(
        reverse("orders:history", args=[order.pk]) + f"?before={before}", headers={"HX-Request": "true"}
    )
    assert "メモ0" in text_of(older)
    assert "メモ11" not in text_of(older)


def test_the_way_back_keeps_the_lists_filters_through_a_save(login: Callable[[str], Client]) -> None:
    order, client = order_of(shirt()), login("受注編集")
    came_from = "http://testserver/orders/?status=1&word=%E5%B1%B1%E7%94%B0"
    page = client.get(address(order), headers={"Referer": came_from})
    assert 'href="/orders/?status=1&amp;word=%E5%B1%B1%E7%94%B0"' in page.content.decode()
    saved = client.post(address(order), form_of(page) | {"memo": ["済"]}, follow=True)
    assert 'href="/orders/?status=1&amp;word=%E5%B1%B1%E7%94%B0"' in saved.content.decode()


@pytest.mark.parametrize(
    "evil", ["https://evil.example/orders/", "//evil.example/orders/", "/orders/1/mail/", "javascript:x"]
)
def test_the_way_back_leads_nowhere_else(login: Callable[[str], Client], evil: str) -> None:
    order, client = order_of(shirt()), login("受注編集")
    page = client.get(address(order), {"back": evil}).content.decode()
    assert 'class="conversion-back" href="/orders/"' in page
    form = form_of(client.get(address(order)))
    assert client.post(address(order), form | {"next": [evil]})["Location"].startswith("/orders/")


def test_moving_on_after_saving_leads_to_the_page_that_was_asked_for(login: Callable[[str], Client]) -> None:
    order, client = order_of(shirt()), login("受注編集")
    form = form_of(client.get(address(order)))
    answer = client.post(
        address(order), form | {"memo": ["x"], "next": ["http://testserver/orders/?status=4"]}
    )
    assert answer["Location"] == "http://testserver/orders/?status=4"
