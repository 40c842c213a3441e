"""What is asked for, of the product and of the rivals, and how quick the product has to be."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import psycopg

from orders import listing
from orders.models import Order
from payments.status_guide import PAGES
from tests.bench.lists import combinations

LIST_MS = 40.0
SEARCH_MS = 60.0
# Medians in the same run.
FIRST_PAGE = {"admin": 12.0, "oscar": 4.0}
DEEP_PAGE = {"admin": 300.0, "oscar": 300.0}
NAME_SEARCH = {"admin": 35.0, "oscar": 100.0}
# For the goals that compare, the size for which they were set.
COMPARED_ROWS = 1_000_000

# Requests of a case whose pages nobody has seen yet.
FIRST_LOOKS = 30
# Lists, and searches, whose filters are drawn at random.
COMBINATIONS = 120

ADMIN, OSCAR = "/admin/shop/order/", "/dashboard/orders/"
ADMIN_PAGE, OSCAR_PAGE = 50, 20
STATUSES = (1, 6, 4, 3, 5, 8, 7, 9)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One line of the table: addresses asked in turn, the goal for the 95th percentile, and what rivals do."""

    name: str
    paths: Sequence[str]
    # None where nothing was asked for.
    goal_ms: float | None
    admin: Sequence[str] = ()
    oscar: Sequence[str] = ()
    times: dict[str, float] | None = None
    # Appears in the picture.
    is_drawn: bool = False
    # Each address is asked for once: no process has drawn its rows before.
    is_first_look: bool = False
    # Every address is measured, however many there are.
    is_of_each: bool = False


def cases(url: str, *, rows: int, seed: int) -> list[Case]:
    """All lines for a database. Terms and depths follow from the seed."""
    draw = random.Random(seed)
    with psycopg.connect(url) as connection:
        return [
            *_lists(connection, rows, draw),
            _first_looks(connection, rows),
            *_payment_lists(connection, rows),
            *_searches(connection, rows, draw),
            *_single_pages(rows, draw),
        ]


def _lists(connection: psycopg.Connection, rows: int, draw: random.Random) -> list[Case]:
    depths = _cursors(connection, rows)
    shipped = _cursors(connection, rows, "status = 5")
    pages, oscar_pages = rows // ADMIN_PAGE, rows // OSCAR_PAGE
    return [
        Case(
            name="受注一覧: page 1",
            paths=[_list()],
            goal_ms=LIST_MS,
            admin=[ADMIN],
            oscar=[OSCAR],
            times=FIRST_PAGE,
            is_drawn=True,
        ),
        Case(name="受注一覧: page 1, 100 rows", paths=[_list(size=100)], goal_ms=LIST_MS),
        Case(
            name="受注一覧: one 対応状況",
            paths=[_list(status=status) for status in STATUSES],
            goal_ms=LIST_MS,
            admin=[f"{ADMIN}?status__exact={status}" for status in STATUSES],
            oscar=[f"{OSCAR}?status={status}" for status in STATUSES],
        ),
        Case(
            name="受注一覧: deep, forwards",
            paths=[_list(cursor=cursor) for cursor in depths],
            goal_ms=LIST_MS,
            admin=[f"{ADMIN}?p={pages * part // 10}" for part in (5, 9)],
            oscar=[f"{OSCAR}?page={oscar_pages * part // 10}" for part in (5, 9)],
            times=DEEP_PAGE,
            is_drawn=True,
        ),
        Case(
            name="受注一覧: deep, backwards",
            paths=[_list(cursor=cursor, direction="previous") for cursor in depths],
            goal_ms=LIST_MS,
        ),
        Case(
            name="受注一覧: last page",
            paths=[_list(sort="oldest")],
            goal_ms=LIST_MS,
            admin=[f"{ADMIN}?p={pages}"],
            oscar=[f"{OSCAR}?page={oscar_pages}"],
            times=DEEP_PAGE,
        ),
        Case(
            name="受注一覧: 発送済み, deep",
            paths=[_list(status=5, cursor=cursor) for cursor in shipped],
            goal_ms=LIST_MS,
        ),
        Case(
            name="受注一覧: other filters",
            paths=[
                _list(amount_min=49_000),
                _list(ordered_from="2020-01-01", ordered_to="2020-12-31"),
                _list(paid_from="2021-06-01", paid_to="2021-06-01"),
                _list(updated_from="2022-03-01", updated_to="2022-03-03"),
                _list(delivery_from="2023-01-01", delivery_to="2023-01-02"),
                _list(payment_kind="docomo"),
                _list(payment_kind="cvs", status=3),
                _list(payment_status="RETURNX", amount_min=40_000),
                _list(status=[1, 6, 4], amount_max=1000),
                _list(differs=1),
                _list(open=1),
                _list(live=1),
                _list(uncaptured=1),
                _list(deadline=7),
                _list(status=5, payment_status="AUTH"),
                _list(status=1, payment_status="RETURN"),
                _list(number=draw.randrange(1, rows)),
                _list(tracking=draw.randrange(100, 1000)),
            ],
            goal_ms=LIST_MS,
        ),
        Case(
            name="受注一覧: filters at random",
            paths=[_list_of(pairs) for pairs in combinations.lists(draw, COMBINATIONS)],
            goal_ms=LIST_MS,
            is_of_each=True,
        ),
    ]


def _first_looks(connection: psycopg.Connection, rows: int) -> Case:
    """Pages that lie between those of the other cases."""
    return Case(
        name="受注一覧: deep, rows not drawn before",
        paths=[_list(cursor=cursor) for cursor in _cursors(connection, rows, parts=FIRST_LOOKS + 1)],
        goal_ms=LIST_MS,
        is_first_look=True,
    )


def _payment_lists(connection: psycopg.Connection, rows: int) -> list[Case]:
    return [
        Case(name="決済状況一覧: page 1", paths=["/payments/"], goal_ms=LIST_MS),
        Case(
            name="決済状況一覧: one 決済状況",
            paths=[f"/payments/?payment_status={status}" for status in PAGES],
            goal_ms=LIST_MS,
        ),
        Case(
            name="決済状況一覧: deep",
            paths=[f"/payments/?cursor={cursor}" for cursor in _cursors(connection, rows)],
            goal_ms=LIST_MS,
        ),
        Case(
            name="決済状況一覧: other filters",
            paths=[
                "/payments/?" + query
                for query in (
                    "payment_kind=cvs",
                    "payment_kind=docomo&payment_status=RETURN",
                    "payment_status=SALES&status=9",
                    "deadline=0",
                    "deadline=7",
                    "deadline=30",
                    "differs=1",
                    "open=1",
                    "live=1",
                    "uncaptured=1",
                    "payment_kind=docomo&deadline=30",
                )
            ],
            goal_ms=LIST_MS,
        ),
        Case(
            name="決済状況の説明", paths=[f"/payments/status/{status}/" for status in PAGES], goal_ms=LIST_MS
        ),
    ]


def _searches(connection: psycopg.Connection, rows: int, draw: random.Random) -> list[Case]:
    someone = connection.execute(
        "SELECT number, name, kana, email, phone FROM orders_order WHERE id = ANY(%s)",
        [[draw.randrange(1, rows + 1) for _ in range(8)]],
    ).fetchall()
    names = ["佐藤", "弥生", "田中", "勘解由", "松本", "高橋 美咲"]
    digits = [phone.replace("-", "")[3:] for *_, phone in someone]
    return [
        _search("order number", [number for number, *_ in someone]),
        Case(
            name="検索: name",
            paths=[_list(q=name) for name in names],
            goal_ms=SEARCH_MS,
            admin=[f"{ADMIN}?{urlencode({'q': name})}" for name in names[:4]],
            oscar=[f"{OSCAR}?{urlencode({'name': name})}" for name in names[:4]],
            times=NAME_SEARCH,
            is_drawn=True,
        ),
        _search("one character", ["田", "佐", "弥", "a", "3", "ん", "ー"]),
        _search("two characters", ["佐藤", "弥生", "太郎", "山田", "勘解", "島松", "青尾"]),
        _search("three characters", ["勘解由", "佐々木", "久美子", "さくら", "由美子"]),
        _search("whole names of customers", [name for _, name, *_ in someone]),
        _search(
            "kana, any script and width",
            ["さとう", "ｻﾄｳ", "サトウ", "やよい", "ﾔﾏｸﾞﾁ", "はなこ", "かでのこうじ"],
        ),
        _search("company", ["株式会社", "ひまわり食品", "㈱", "有限会社 若葉", "青空"]),
        _search("part of a phone number", ["090", "1234", "0901234", "012-3", "999999", *digits[:4]]),
        _search("phone with hyphens", [phone for *_, phone in someone]),
        _search(
            "part of a mail address", ["tanaka", "@shop", "hanako.sato", "example.org", "yumiko", "77@k"]
        ),
        _search("everybody matches", ["example", "@", ".", "e", "exam ple"]),
        _search("nobody matches", ["存在しない語", "zzzz", "龘", "0000000000000", "佐藤勘解由"]),
        _search("% and _", ["%", "_", "100%", "a_b", "\\"]),
        _search("1 to 10 % match", ["藤", "村", "美", "keitai", "shop", "浩", "55", "高橋", "鈴木", "123"]),
        Case(
            name="検索: within one field",
            paths=[
                _list(**{field: term})
                for field, term in (
                    ("name", "佐藤"),
                    ("kana", "さとう"),
                    ("company", "会社"),
                    ("email", "tanaka"),
                    ("phone", "1234"),
                    # What stands in nearly every order, or in many, but never in this field.
                    ("name", "a"),
                    ("phone", "jp"),
                    ("name", "株式会社"),
                )
            ],
            goal_ms=SEARCH_MS,
        ),
        Case(
            name="検索: fields and filters together",
            paths=[
                _list(name="佐藤", status=1),
                _list(q="田中", payment_status="RETURN"),
                _list(kana="さとう", phone="090"),
                _list(q="example", status=9),
                _list(q="090", ordered_from="2019-01-01", ordered_to="2019-01-31"),
                _list(email="keitai", amount_min=49_000),
                _list(company="株式会社", payment_kind="docomo"),
                _list(q="村", sort="oldest"),
            ],
            goal_ms=SEARCH_MS,
        ),
        Case(
            name="検索: texts and filters at random",
            paths=[_list_of(pairs) for pairs in combinations.searches(draw, COMBINATIONS)],
            goal_ms=None,
            is_of_each=True,
        ),
        Case(
            name="検索: deep",
            paths=[
                _list(q=term, cursor=cursor, direction=direction)
                for term, direction in (("佐藤", "next"), ("example", "previous"), ("弥生", "next"))
                for cursor in _cursors(connection, rows)[::3]
            ],
            goal_ms=SEARCH_MS,
        ),
    ]


def _single_pages(rows: int, draw: random.Random) -> list[Case]:
    return [
        Case(
            name="受注編集 with panel",
            paths=[f"/orders/{draw.randrange(1, rows + 1)}/" for _ in range(30)],
            goal_ms=LIST_MS,
            is_drawn=True,
        ),
        Case(name="ホーム", paths=["/"], goal_ms=LIST_MS, is_drawn=True),
        Case(name="差異一覧 (no difference)", paths=["/payments/differences/"], goal_ms=LIST_MS),
        Case(
            name="ペイジェント決済状況一覧 (no order)",
            paths=["/payments/providers/paygent/"],
            goal_ms=LIST_MS,
        ),
        Case(name="決済処理中の注文の取消", paths=["/payments/stale-orders/"], goal_ms=LIST_MS),
    ]


def _search(name: str, terms: Sequence[str]) -> Case:
    return Case(name=f"検索: {name}", paths=[_list(q=term) for term in terms], goal_ms=SEARCH_MS)


def _list_of(pairs: Sequence[tuple[str, str]]) -> str:
    return f"/orders/?{urlencode(pairs)}"


def _list(**query: object) -> str:
    return f"/orders/?{urlencode(query, doseq=True)}" if query else "/orders/"


def _cursors(
    connection: psycopg.Connection, rows: int, condition: str = "true", *, parts: int = 10
) -> list[str]:
    """Cursors at a tenth, two tenths ... of what a list shows; or at as many parts of it."""
    found = connection.execute(
        f"SELECT id, ordered_at FROM (SELECT id, ordered_at, row_number() OVER (ORDER BY ordered_at DESC, id DESC)"
        f" AS place FROM orders_order WHERE {condition}) AS ranked WHERE mod(place, %s) = 0 ORDER BY place LIMIT %s",
        [max(rows // parts, 1) if condition == "true" else max(rows * 8 // 100, 1), parts - 1],
    ).fetchall()
    return [listing.cursor_of(Order(pk=pk, ordered_at=at)) for pk, at in found]
