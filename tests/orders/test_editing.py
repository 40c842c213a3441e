"""Saving an order: what is written, what is booked, what is refused, and what a second editor is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest

from orders import editing, status_guards
from orders.models import Customer, Order, OrderChange, OrderLine, OrderSearch, Product, StockEntry
from orders.statuses import OrderStatus
from tests.orders.shop import (
    AUTHOR,
    NOW,
    data,
    extra,
    goods,
    make_customer,
    make_method,
    make_order,
    make_product,
    move,
    save,
    stored_lines,
)

pytestmark = pytest.mark.django_db

Kind = OrderLine.Kind
LATER = NOW + timedelta(hours=2)


@pytest.fixture
def refusals() -> Iterator[list[str]]:
    """What a guard of the payments says about changing お支払方法; empty allows it."""
    said: list[str] = []

    def guard(order: Order) -> str:
        return said[0] if said else ""

    status_guards.register_edit_refusal(guard)
    yield said
    status_guards._edit_refusals.remove(guard)


def stock_of(product: Product) -> int:
    product.refresh_from_db()
    return product.stock


def changes_of(order: Order, version: int) -> list[tuple[str, str, str]]:
    rows = OrderChange.objects.filter(order=order, version=version).order_by("id")
    return [(row.field, row.old, row.new) for row in rows]


def test_a_new_orders_number_is_its_id_and_its_totals_are_the_manuals() -> None:
    order = make_order([goods(make_product()), extra(Kind.DELIVERY_FEE, 500)], customer=make_customer())

    order.refresh_from_db()
    assert order.number == str(order.pk)
    assert (order.status, order.version, order.ordered_at) == (OrderStatus.NEW, 1, NOW)
    assert (order.subtotal, order.delivery_fee, order.total, order.payment_total) == (2200, 500, 2700, 2700)
    assert order.added_points == 20
    assert order.payment_method_name == "クレジットカード"
    assert [(line.name, line.code, line.position) for line in order.lines.all()] == [
        ("白シャツ", "shirt-1", 0),
        ("送料", "", 1),
    ]
    assert changes_of(order, 1) == [("受注", "", "2,700円")]


def test_guests_earn_no_points() -> None:
    assert make_order([goods(make_product())]).added_points == 0


def test_a_new_order_that_stock_does_not_cover_is_not_made() -> None:
    product = make_product(stock=1)
    wanted = data([goods(product, 2)], payment_method=make_method().pk, name="山田")
    result = editing.create_order(data=wanted, customer=None, author=AUTHOR, now=NOW)

    assert isinstance(result, editing.Invalid)
    assert "在庫が足りない" in result.errors["lines"]
    assert not Order.objects.exists()
    assert stock_of(product) == 1


def test_an_order_does_not_begin_as_shipped() -> None:
    with pytest.raises(ValueError, match="発送済み"):
        make_order([], status=OrderStatus.SHIPPED)


def test_saving_writes_each_field_and_its_history() -> None:
    order = make_order([goods(make_product())])
    wanted = data(
        stored_lines(order),
        name="山田 次郎",
        delivery_date=date(2026, 12, 1),
        memo="電話あり",
        payment_method=order.payment_method_id,
    )

    result = save(order, wanted, now=LATER)

    assert isinstance(result, editing.Saved)
    assert result.changed
    order.refresh_from_db()
    assert (order.name, order.delivery_date, order.memo) == ("山田 次郎", date(2026, 12, 1), "電話あり")
    assert (order.version, order.updated_at) == (2, LATER)
    assert changes_of(order, 2) == [
        ("お名前", "山田 太郎", "山田 次郎"),
        ("お届け日", "", "2026/12/01"),
        ("ショップ用メモ", "", "電話あり"),
    ]
    change = OrderChange.objects.filter(order=order, version=2).first()
    assert change is not None
    assert (change.actor_name, change.source, change.ip_address) == ("田中 花子", "受注編集", "192.0.2.7")
    assert change.changed_at == LATER


def test_saving_what_is_stored_already_writes_nothing() -> None:
    order = make_order([goods(make_product())])
    result = save(order, data(stored_lines(order), name=order.name, payment_method=order.payment_method_id))

    assert isinstance(result, editing.Saved)
    assert not result.changed
    order.refresh_from_db()
    assert order.version == 1


def test_the_search_text_follows_the_name() -> None:
    order = make_order([goods(make_product())])
    save(order, data(stored_lines(order), name="かでの 弥生"))
    assert "カデノ弥生" in OrderSearch.objects.get(order=order).text


def test_lines_are_added_changed_and_removed_and_stock_follows_by_the_difference() -> None:
    shirt, hat = make_product("shirt"), make_product("hat", name="帽子", price=1000)
    order = make_order([goods(shirt, 2), extra(Kind.CHARGE, 330)])
    shirt_line, _charge = stored_lines(order)

    result = save(
        order,
        data(
            [
                goods(shirt, 5, line_id=shirt_line.line_id),
                goods(hat),
                extra(Kind.DISCOUNT, -100, name="値引き"),
            ]
        ),
    )

    assert isinstance(result, editing.Saved)
    assert (stock_of(shirt), stock_of(hat)) == (5, 9)
    order.refresh_from_db()
    assert order.payment_total == 11_000 + 1_100 - 110
    assert (order.charge, order.discount) == (0, 110)
    assert changes_of(order, 2) == [
        (
            "明細 白シャツ",
            "白シャツ shirt 2,000円（税抜）× 2、税率10%、課税",
            "白シャツ shirt 2,000円（税抜）× 5、税率10%、課税",
        ),
        ("明細 帽子", "", "帽子 hat 1,000円（税抜）× 1、税率10%、課税"),
        ("明細 値引き", "", "値引き -100円（税抜）× 1、税率10%、課税"),
        ("明細 手数料", "手数料 330円（税込）× 1、税率10%、課税", ""),
        ("お支払い合計", "4,730円", "11,990円"),
    ]


def test_two_lines_of_one_product_are_booked_as_one_difference() -> None:
    shirt = make_product(stock=5)
    order = make_order([goods(shirt, 2), goods(shirt, 2)])
    first, second = stored_lines(order)
    result = save(
        order, data([goods(shirt, 1, line_id=first.line_id), goods(shirt, 4, line_id=second.line_id)])
    )
    assert isinstance(result, editing.Saved)
    assert stock_of(shirt) == 0
    assert [entry.quantity for entry in StockEntry.objects.order_by("id")] == [-4, -1]


def test_replacing_the_product_of_a_line_gives_one_back_and_takes_the_other() -> None:
    shirt, hat = make_product("shirt"), make_product("hat", name="帽子")
    order = make_order([goods(shirt)])
    (line,) = stored_lines(order)
    save(order, data([goods(hat, line_id=line.line_id)]))
    assert (stock_of(shirt), stock_of(hat)) == (10, 9)
    assert [(each.name, each.code) for each in order.lines.all()] == [("帽子", "hat")]


def test_a_stored_line_keeps_its_words_and_its_rounding() -> None:
    shirt = make_product()
    order = make_order([goods(shirt, rounding=OrderLine.Rounding.DOWN)])
    (line,) = stored_lines(order)
    Product.objects.update(name="改名後")
    save(order, data([goods(shirt, 2, line_id=line.line_id, name="勝手な名前", price_includes_tax=True)]))
    stored = order.lines.get()
    assert (stored.name, stored.quantity) == ("白シャツ", 2)
    assert (stored.rounding, stored.price_includes_tax) == (OrderLine.Rounding.DOWN, False)


def test_stock_that_is_short_refuses_the_whole_save() -> None:
    shirt = make_product(stock=3)
    order = make_order([goods(shirt, 2)])
    (line,) = stored_lines(order)

    result = save(order, data([goods(shirt, 4, line_id=line.line_id)], memo="書きかけ"))

    assert isinstance(result, editing.Invalid)
    assert "必要な数は2、在庫数は1" in result.errors["lines"]
    order.refresh_from_db()
    assert (order.memo, order.version, order.lines.get().quantity, stock_of(shirt)) == ("", 1, 2, 1)


def test_used_points_are_booked_by_the_difference_and_refused_when_short() -> None:
    customer = make_customer(points=100)
    order = make_order([goods(make_product())], customer=customer, values={"used_points": 40})

    saved = save(order, data(stored_lines(order), used_points=90))
    assert isinstance(saved, editing.Saved)
    customer.refresh_from_db()
    assert customer.points == 10
    assert saved.order.payment_total == 2200 - 90

    refused = save(saved.order, data(stored_lines(order), used_points=101))
    assert isinstance(refused, editing.Invalid)
    assert "必要なポイントは11、保有ポイントは10" in refused.errors["used_points"]


def test_a_guest_cannot_use_points() -> None:
    order = make_order([goods(make_product())])
    result = save(order, data(stored_lines(order), used_points=1))
    assert isinstance(result, editing.Invalid)
    assert "used_points" in result.errors


def test_editing_a_cancelled_order_books_nothing_and_reopening_takes_what_it_sells_then() -> None:
    shirt, customer = make_product(), make_customer(points=100)
    order = make_order([goods(shirt, 2)], customer=customer, values={"used_points": 10})
    move(order, OrderStatus.CANCELLED)
    order.refresh_from_db()
    (line,) = stored_lines(order)

    result = save(order, data([goods(shirt, 7, line_id=line.line_id)], used_points=60))

    assert isinstance(result, editing.Saved)
    customer.refresh_from_db()
    assert (stock_of(shirt), customer.points) == (10, 100)
    move(order, OrderStatus.IN_PROGRESS)
    customer.refresh_from_db()
    assert (stock_of(shirt), customer.points) == (3, 40)


def test_editing_a_shipped_order_corrects_the_earned_points() -> None:
    shirt, customer = make_product(), make_customer()
    order = make_order([goods(shirt)], customer=customer)
    move(order, OrderStatus.SHIPPED)
    order.refresh_from_db()
    (line,) = stored_lines(order)
    save(order, data([goods(shirt, 3, line_id=line.line_id)]))
    customer.refresh_from_db()
    assert customer.points == 60


@pytest.mark.parametrize("status", [OrderStatus.PROCESSING, OrderStatus.PENDING])
def test_an_order_in_the_checkout_cannot_be_edited(status: OrderStatus) -> None:
    order = make_order([goods(make_product())], status=status)
    result = save(order, data(stored_lines(order), memo="x"))
    assert isinstance(result, editing.Invalid)
    assert status.label in result.errors[""]
    tracking = editing.set_tracking_number(order_id=order.pk, tracking_number="1", author=AUTHOR, now=NOW)
    assert isinstance(tracking, editing.Invalid)


def test_the_payment_method_stays_while_a_payment_is_live(refusals: list[str]) -> None:
    order = make_order([goods(make_product())])
    bank = make_method("銀行振込")
    refusals.append("決済が有効なため、お支払方法を変更できません。")

    result = save(order, data(stored_lines(order), payment_method=bank.pk))
    assert isinstance(result, editing.Invalid)
    assert result.errors == {"payment_method": refusals[0]}
    assert isinstance(save(order, data(stored_lines(order), memo="他の欄は保存できる")), editing.Saved)

    refusals.clear()
    order.refresh_from_db()
    saved = save(order, data(stored_lines(order), payment_method=bank.pk))
    assert isinstance(saved, editing.Saved)
    assert saved.order.payment_method_name == "銀行振込"
    assert changes_of(order, 3) == [("お支払方法", "クレジットカード", "銀行振込")]


def test_an_unknown_payment_method_is_refused() -> None:
    order = make_order([goods(make_product())])
    result = save(order, data(stored_lines(order), payment_method=0))
    assert isinstance(result, editing.Invalid)
    assert "payment_method" in result.errors


def test_the_second_editor_learns_what_differs_who_and_when() -> None:
    order = make_order([goods(make_product())])
    lines = stored_lines(order)
    save(order, data(lines, memo="先の人", address="東京都"), now=LATER)

    result = save(order, data([], memo="後の人", address=""), version=1)

    assert isinstance(result, editing.VersionConflict)
    assert (result.current_version, result.changed_by, result.changed_at) == (2, "田中 花子", LATER)
    assert [(each.label, each.theirs, each.mine) for each in result.differences] == [
        ("住所", "東京都", ""),
        ("ショップ用メモ", "先の人", "後の人"),
        ("明細", "白シャツ shirt-1 2,000円（税抜）× 1、税率10%、課税", ""),
    ]
    order.refresh_from_db()
    assert order.memo == "先の人"


def test_the_status_is_saved_together_or_nothing_is() -> None:
    order = make_order([goods(make_product())])
    saved = save(order, data(stored_lines(order), status=OrderStatus.PAID, memo="入金確認"))
    assert isinstance(saved, editing.Saved)
    assert (saved.order.status, saved.order.memo, saved.order.version) == (OrderStatus.PAID, "入金確認", 3)

    refused = save(saved.order, data(stored_lines(order), status=OrderStatus.RETURNED, memo="別"))
    assert isinstance(refused, editing.Invalid)
    assert "「入金済み」のため、「返品」に変更できません" in refused.errors["status"]
    order.refresh_from_db()
    assert order.memo == "入金確認"


def test_a_discount_beyond_the_total_is_told_at_the_lines() -> None:
    order = make_order([goods(make_product())])
    result = save(order, data([*stored_lines(order), extra(Kind.DISCOUNT, -5000)]))
    assert isinstance(result, editing.Invalid)
    assert "お支払い合計が-3,300円" in result.errors["lines"]


def test_a_line_of_another_order_is_not_taken_over() -> None:
    shirt = make_product()
    mine, other = make_order([goods(shirt)]), make_order([goods(shirt)])
    result = save(mine, data(stored_lines(other)))
    assert isinstance(result, editing.Invalid)
    assert other.lines.count() == 1


def test_a_line_that_is_sent_twice_is_not_stored_twice() -> None:
    order = make_order([goods(make_product())])
    result = save(order, data(stored_lines(order) * 2))
    assert isinstance(result, editing.Invalid)


def test_a_product_that_is_gone_is_told() -> None:
    product = make_product()
    order = make_order([goods(product)])
    ghost = Product(pk=product.pk + 1, price=1)
    result = save(order, data([*stored_lines(order), goods(ghost)]))
    assert isinstance(result, editing.Invalid)
    assert "商品が見つかりません" in result.errors["lines"]


def test_reordered_lines_are_stored_in_their_new_order() -> None:
    order = make_order([goods(make_product("a", name="甲")), goods(make_product("b", name="乙"))])
    save(order, data(reversed(stored_lines(order))))
    assert [line.name for line in order.lines.all()] == ["乙", "甲"]
    assert changes_of(order, 2) == [("明細の並び順", "", "変更")]


def test_a_typed_rate_replaces_the_lines_rate() -> None:
    shirt = make_product()
    order = make_order([goods(shirt)])
    (line,) = stored_lines(order)
    saved = save(order, data([goods(shirt, line_id=line.line_id, tax_rate=Decimal(8))]))
    assert isinstance(saved, editing.Saved)
    assert saved.order.payment_total == 2160


def test_a_tracking_number_is_made_plain_and_remembered() -> None:
    order = make_order([goods(make_product())])
    result = editing.set_tracking_number(
        order_id=order.pk, tracking_number=" １２３４－５６７８ ", author=AUTHOR, now=LATER
    )
    assert isinstance(result, editing.Saved)
    order.refresh_from_db()
    assert (order.tracking_number, order.version) == ("1234-5678", 2)
    assert changes_of(order, 2) == [("お問い合わせ番号", "", "1234-5678")]
    again = editing.set_tracking_number(
        order_id=order.pk, tracking_number="1234-5678", author=AUTHOR, now=LATER
    )
    assert isinstance(again, editing.Saved)
    assert not again.changed


@pytest.mark.parametrize("typed", ["<b>", "１" * 61, "あ"])
def test_a_tracking_number_that_is_none_is_refused(typed: str) -> None:
    order = make_order([goods(make_product())])
    result = editing.set_tracking_number(order_id=order.pk, tracking_number=typed, author=AUTHOR, now=NOW)
    assert isinstance(result, editing.Invalid)


def test_an_order_that_is_gone_is_told() -> None:
    result = editing.save_order(order_id=1, version=1, data=data([]), author=AUTHOR, now=NOW)
    assert isinstance(result, editing.Invalid)


def test_only_editable_columns_are_taken() -> None:
    with pytest.raises(ValueError, match="payment_amount"):
        data([], payment_amount=1)


def test_customers_without_enough_points_are_not_touched() -> None:
    customer = make_customer(points=5)
    wanted = data([goods(make_product())], payment_method=make_method().pk, name="山田", used_points=6)
    result = editing.create_order(data=wanted, customer=customer, author=AUTHOR, now=NOW)
    assert isinstance(result, editing.Invalid)
    assert Customer.objects.get().points == 5
