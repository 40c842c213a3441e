"""The search text and its grams: folding, Python and SQL alike, and what is found."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from orders import search, search_text
from orders.listing import OrderFilters, page, queryset, total
from orders.models import Order, OrderSearch
from orders.search_terms import Terms
from orders.search_text import SEPARATOR, SearchField, normalise, parse
from tests.orders.shop import NOW, make_method

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("ヤマダ　タロウ", "ヤマダタロウ"),
        ("やまだ たろう", "ヤマダタロウ"),
        ("ﾔﾏﾀﾞ", "ヤマダ"),
        ("ＡＢＣ", "abc"),
        ("Yamada@Example.JP", "yamada@example.jp"),
        ("090-1234-5678", "09012345678"),
        ("０９０－１２３４－５６７８", "09012345678"),
        ("090‐1234—5678", "09012345678"),
        ("サーバー", "サーバー"),
        ("ｻｰﾊﾞｰ", "サーバー"),
        ("㈱さんぷる", "(株)サンプル"),
        ("ゔぁ", "ヴァ"),
        ("a\u200bb\x00c", "abc"),
        ("--", ""),
    ],
)
def test_text_is_folded(typed: str, folded: str) -> None:
    assert normalise(typed) == folded


@given(TEXT)
def test_folding_twice_is_folding_once(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(TEXT)
def test_nothing_that_is_folded_can_be_taken_for_the_separator(text: str) -> None:
    assert SEPARATOR not in normalise(text)


def test_parts_are_folded_and_taken_once() -> None:
    assert parse("やまだ　太郎 ヤマダ - ") == (("ヤマダ", "太郎"), "")


def test_a_long_term_is_cut_with_a_sentence() -> None:
    parts, message = parse("あ" * 201)
    assert parts == ("ア" * 200,)
    assert "200文字" in message


def test_many_words_are_cut_with_a_sentence() -> None:
    parts, message = parse(" ".join("abcdefghijklmn"))
    assert len(parts) == 10
    assert "10語" in message


@pytest.mark.django_db
@given(st.lists(TEXT, min_size=1, max_size=6))
def test_grams_in_python_and_in_the_database_are_the_same(fields: list[str]) -> None:
    text = SEPARATOR.join(normalise(field) for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT orders_short_grams(%(text)s), orders_long_grams(%(text)s), orders_field_grams(%(text)s)",
            {"text": text},
        )
        short, long, of_fields = (set(found) for found in cursor.fetchone())
    parts = text.split(SEPARATOR)
    assert short == {gram for field in parts for length in (1, 2) for gram in pieces(field, length)}
    assert long == {gram for field in parts for gram in pieces(field, 3)}
    assert of_fields == {
        f"{number}{gram}"
        for number, field in enumerate(parts[1:], start=2)
        for length in (1, 2)
        for gram in pieces(field, length)
    }


def pieces(field: str, length: int) -> set[str]:
    return {field[start : start + length] for start in range(len(field) - length + 1)}


@pytest.mark.django_db
def test_the_gram_indexes_exist_and_write_through() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, reloptions FROM pg_class WHERE relname LIKE 'ordersearch_%_grams'")
        assert sorted(cursor.fetchall()) == [
            ("ordersearch_field_grams", ["fastupdate=off"]),
            ("ordersearch_long_grams", ["fastupdate=off"]),
            ("ordersearch_short_grams", ["fastupdate=off"]),
        ]


def store(number: str, minutes: int = 0, **fields: str) -> Order:
    order = Order.objects.create(
        number=number,
        ordered_at=NOW + timedelta(minutes=minutes),
        payment_method=make_method(),
        **fields,
    )
    search_text.refresh(order)
    return order


@pytest.fixture
def shop(db: None) -> dict[str, Order]:
    return {
        "yamada": store(
            "1001",
            0,
            name="山田 太郎",
            kana="ヤマダ タロウ",
            company="株式会社サンプル",
            email="taro@example.jp",
            phone="090-1234-5678",
        ),
        "percent": store("1002", 1, name="100%_太郎\\", kana="", email="p_q%r@example.com"),
        "tanaka": store("1003", 2, name="田中 花子", kana="タナカ ハナコ", phone="03-1234-0000"),
    }


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("山田", ["yamada"]),
        ("山", ["yamada"]),
        ("太郎", ["percent", "yamada"]),
        ("山田太郎", ["yamada"]),
        ("太郎　山田", ["yamada"]),
        ("やまだ", ["yamada"]),
        ("ﾀﾅｶ", ["tanaka"]),
        ("TARO@EXAMPLE", ["yamada"]),
        ("株式会社", ["yamada"]),
        ("0901234", ["yamada"]),
        ("090-1234", ["yamada"]),
        ("1234", ["tanaka", "yamada"]),
        ("100", ["tanaka", "percent", "yamada"]),
        ("1003", ["tanaka"]),
        ("%", ["percent"]),
        ("_", ["percent"]),
        ("%_", ["percent"]),
        ("\\", ["percent"]),
        ("山田 花子", []),
        ("太郎ヤマダ", []),
        ("存在しない", []),
    ],
)
def test_terms_find_what_they_stand_in(shop: dict[str, Order], term: str, found: list[str]) -> None:
    filters = OrderFilters(q=term)
    wanted = [shop[name].pk for name in found]
    assert [order.pk for order in page(filters).rows] == wanted
    assert sorted(queryset(filters).values_list("pk", flat=True)) == sorted(wanted)
    assert total(filters) == (len(wanted), False)


def test_terms_of_one_field_find_only_there(shop: dict[str, Order]) -> None:
    assert [order.number for order in page(OrderFilters(name="太郎")).rows] == ["1002", "1001"]
    assert [order.number for order in page(OrderFilters(kana="太郎")).rows] == []
    assert [order.number for order in page(OrderFilters(phone="1234", name="田中")).rows] == ["1003"]
    assert [order.number for order in queryset(OrderFilters(email="_q%"))] == ["1002"]
    assert [order.number for order in queryset(OrderFilters(q="1234", name="田中 花"))] == ["1003"]


def test_the_windows_edge_loses_and_doubles_nothing(
    shop: dict[str, Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the window and the first helping hold, pages show every match once, newest first."""
    for number in range(30):
        store(f"2{number:03}", 10 + number, name="佐藤" if number % 3 else "鈴木")
    expected = list(
        Order.objects.filter(name="佐藤").order_by("-ordered_at", "-id").values_list("pk", flat=True)
    )
    for window, first in [(1, 1), (5, 2), (7, 100), (1000, 1)]:
        monkeypatch.setattr(search, "WINDOW_ROWS", window)
        monkeypatch.setattr(search, "FIRST_HITS", first)
        found: list[int] = []
        cursor = None
        while True:
            shown = page(OrderFilters(q="佐藤"), size=6, cursor=cursor)
            found += [order.pk for order in shown.rows]
            assert shown.total == 20
            if shown.next_cursor is None:
                break
            cursor = shown.next_cursor
        assert found == expected


def test_terms_know_whether_they_ask_for_anything() -> None:
    assert not Terms()
    assert Terms(within=((SearchField.NAME, "山"),))


@pytest.mark.django_db
def test_a_text_that_folding_makes_long_still_fits_into_its_index() -> None:
    """㌖ is spelled out as キロメートル: six characters, 18 bytes. What is beyond the cut is not found, all else is."""
    spelled_out = "㌖" * 120
    order = store(
        "9",
        name="山田" + spelled_out[:118],
        kana=spelled_out,
        company=spelled_out,
        email="taro@example.jp",
        phone="0312",
    )
    assert len(OrderSearch.objects.get(order=order).text.encode()) < 2_600
    for filters in (
        OrderFilters(name="山田キロ"),
        OrderFilters(q="キロメートル taro@"),
        OrderFilters(phone="0312"),
    ):
        assert [row.pk for row in page(filters).rows] == [order.pk]


@pytest.mark.django_db
def test_an_ordinary_text_is_kept_whole() -> None:
    longest = {"name": "𠮷" + "野" * 119, "kana": "ア" * 120, "company": "社" * 120}
    order = store("9", 0, **longest)
    assert OrderSearch.objects.get(order=order).text == SEPARATOR.join(["9", *longest.values(), "", ""])


@pytest.mark.django_db
def test_refreshing_replaces_the_text() -> None:
    order = store("1", name="旧姓")
    order.name = "新姓"
    search_text.refresh(order)
    assert OrderSearch.objects.get(order=order).text == SEPARATOR.join(["1", "新姓", "", "", "", ""])
