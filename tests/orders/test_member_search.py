"""会員の検索: what is found, among the newest members and by the grams among all others."""

from __future__ import annotations

import re
from importlib import import_module

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders import member_search, search_text
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
    assert member_search.matching(typed, limit=9) == [wanted]


@pytest.mark.parametrize("typed", ["%", "_", "花子 太郎", "木花子ス", "-"])
def test_what_is_in_no_field_finds_nobody(typed: str) -> None:
    member("鈴木 花子", "スズキ ハナコ")
    member("佐藤 太郎", "サトウ タロウ")
    assert not member_search.matching(typed, limit=9)


def test_without_a_word_the_newest_come_first() -> None:
    first, second = member("一"), member("二")
    assert member_search.matching(" ", limit=9) == [second, first]
    assert member_search.matching("", limit=1) == [second]


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
        assert cursor.fetchone() == (search_text.normalise(text),)


@pytest.fixture
def two_are_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member_search, "NEWEST_ROWS", 2)


@pytest.mark.usefixtures("two_are_new")
@pytest.mark.parametrize("typed", ["解", "勘解", "勘解由", "勘解由小路", "かで 勘解由小路", "@example.jp"])
def test_old_members_are_found_as_the_newest_are(typed: str) -> None:
    wanted = [member("勘解由小路 太郎", "カデノコウジ タロウ") for _ in range(3)]
    member("鈴木 花子", email="hanako@shop.example.org")
    last = member("勘解由小路 花子", "カデノコウジ ハナコ")
    assert member_search.matching(typed, limit=9)[:4] == [last, *reversed(wanted)]
    assert member_search.matching(typed, limit=2)[0] == last


@pytest.mark.usefixtures("two_are_new")
def test_of_many_old_members_as_many_as_are_shown_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member_search, "MOST_HITS", 3)
    for _ in range(5):
        member("山田 太郎")
    newest = [member("佐藤 太郎"), member("山田 花子")]
    found = member_search.matching("山田", limit=3)
    assert found[0] == newest[1]
    assert len({each.pk for each in found}) == 3


@pytest.mark.parametrize("typed", ["勘解由", "由", "@example.jp 勘解"])
def test_the_grams_are_looked_up_in_their_indexes(typed: str) -> None:
    with CaptureQueriesContext(connection) as asked:
        member_search.matching(typed, limit=9)
    by_grams = next(query["sql"] for query in asked if "grams" in query["sql"])
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {by_grams}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert re.search(r"Bitmap Index Scan on customer_(long|short)_text", plan)


def test_the_search_knows_a_changed_member_by_the_new_name_only() -> None:
    changed = member("鈴木 花子", "スズキ ハナコ")
    Customer.objects.filter(pk=changed.pk).update(name="佐藤 花子", kana="サトウ ハナコ")
    assert member_search.matching("佐藤", limit=9) == [changed]
    assert not member_search.matching("鈴木", limit=9)
    stale = Customer(pk=changed.pk, name="田中 花子", email="tanaka@example.jp", search_text="何か")
    stale.save()
    assert member_search.matching("田中", limit=9) == [changed]
    assert not member_search.matching("何か", limit=9)


def test_members_from_before_get_their_text(monkeypatch: pytest.MonkeyPatch) -> None:
    migration = import_module("orders.migrations.0017_member_text")
    monkeypatch.setattr(migration, "STEP", 2)
    members = [member(f"勘解由 {number}") for number in range(5)]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE orders_customer SET search_text = ''")
        cursor.execute("SET LOCAL session_replication_role = origin")
    assert not member_search.matching("勘解由", limit=9)
    with connection.schema_editor() as editor:
        migration.write_texts(None, editor)
    assert member_search.matching("勘解由", limit=9) == members[::-1]
