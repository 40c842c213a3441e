"""会員の検索: what is found, and that a rare name is found without reading every member."""

from __future__ import annotations

import pytest
from django.db import connection

from orders import member_search, search
from orders.models import Customer

pytestmark = pytest.mark.django_db


def member(name: str, kana: str = "", email: str = "a@example.jp") -> Customer:
    return Customer.objects.create(name=name, kana=kana, email=email)


@pytest.mark.parametrize(
    "typed", ["勘解由", "かでの", "ｶﾃﾞﾉｺｳｼﾞ", "路 太郎", "路太郎", "KADENO@", "ko-ji", "太郎 kade", "郎"]
)
def test_parts_are_found_in_any_script_and_width(typed: str) -> None:
    wanted = member("勘解由小路　太郎", "カデノコウジ タロウ", "kadeno@ko-ji.example.jp")
    member("鈴木 花子", "スズキ ハナコ", "hanako@example.jp")
    assert list(member_search.matching(typed)) == [wanted]


@pytest.mark.parametrize("typed", ["%", "_", "花子 太郎", "木花子ス", "-"])
def test_what_is_in_no_field_finds_nobody(typed: str) -> None:
    member("鈴木 花子", "スズキ ハナコ")
    member("佐藤 太郎", "サトウ タロウ")
    assert not member_search.matching(typed)


def test_without_a_word_the_newest_come_first() -> None:
    first, second = member("一"), member("二")
    assert list(member_search.matching(" ")) == [second, first]


@pytest.mark.parametrize(
    "text",
    [
        "ＡＢＣ　山田",
        "やまだ　タロウ",
        "ﾔﾏﾀﾞ ﾀﾛｳ",
        "Ｙａｍａｄａ－1@Example.JP",
        "ゔゝ・ー",
        "㈱みほん",
        "①Ⅳ㌔",
    ],
)
def test_the_database_folds_as_the_search_does(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT split_part(orders_member_text(%s, '', ''), E'\\x1f', 1)", [text])
        assert cursor.fetchone() == (search.normalise(text),)


@pytest.mark.parametrize(
    ("typed", "index"), [("勘解由小路", "customer_long_grams"), ("勘解", "customer_short_grams")]
)
def test_a_rare_name_is_looked_up_in_the_grams(typed: str, index: str) -> None:
    Customer.objects.bulk_create(
        Customer(name=f"山田 {number}", kana="ヤマダ", email=f"m{number}@example.jp")
        for number in range(2000)
    )
    member("勘解由小路 太郎")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE orders_customer")
    assert index in member_search.matching(typed)[:21].explain()
