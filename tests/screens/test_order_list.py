"""受注一覧: what it shows, finds, offers, and what it costs."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cagolab.roles import ROLES
from orders import search_text
from orders.filters import OrderFilters
from orders.models import Order, SentMail
from orders.statuses import DISPLAY_ORDER, HIDDEN_BY_DEFAULT, OrderStatus
from tests.screens.conftest import NOON

Login = Callable[[str], Client]
MakeOrder = Callable[..., Order]
MAX_QUERIES = 12


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def numbers_in(page: str) -> list[str]:
    return re.findall(r'<strong class="number">(\d+)</strong>', page)


def test_a_row_shows_what_operators_look_for(login: Login, make_order: MakeOrder) -> None:
    order = make_order(
        message="のし紙を希望します。",
        tracking_number="4901-1111",
        delivery_name="鈴木 花子",
        delivery_prefecture="大分県",
        payment_provider="gmopg",
        payment_kind="card",
        payment_status="AUTH",
        payment_amount=2700,
    )
    page = text_of(login("閲覧"), "/orders/")
    for words in (
        order.number,
        "山田 太郎1",
        "2026/11/20 11:59",
        "クレジットカード決済",
        "新規受付",
        "仮売上済み",
        "¥2,700",
        "未入金",
        "のし紙を希望します。",
        "未出荷",
        "4901-1111",
        "鈴木 花子",
        "大分県",
        "検索結果：1件が該当しました",
    ):
        assert words in page


def test_dates_of_payment_and_shipping_are_days_in_tokyo(login: Login, make_order: MakeOrder) -> None:
    late = NOON.replace(hour=15, minute=30)  # 00:30 of the next day in Tokyo
    make_order(status=OrderStatus.SHIPPED, paid_at=late, shipped_at=late)
    page = text_of(login("閲覧"), "/orders/")
    assert page.count('<span class="number">2026/11/21</span>') == 2


def test_an_envelope_marks_orders_that_were_mailed(login: Login, make_order: MakeOrder) -> None:
    order = make_order()
    client = login("閲覧")
    assert "メール送信済み" not in text_of(client, "/orders/")
    SentMail.objects.create(
        order=order, sent_at=NOON, actor_name="田中", to="a@example.jp", subject="s", body="b"
    )
    assert "メール送信済み" in text_of(client, "/orders/")


def test_unfinished_orders_are_left_out_unless_ticked(login: Login, make_order: MakeOrder) -> None:
    shown = make_order()
    hidden = [make_order(status=status) for status in HIDDEN_BY_DEFAULT]
    client = login("閲覧")
    assert numbers_in(text_of(client, "/orders/")) == [shown.number]
    assert set(numbers_in(text_of(client, "/orders/?status=8&status=7"))) == {
        order.number for order in hidden
    }


def test_every_status_has_its_box_with_a_live_count(login: Login, make_order: MakeOrder) -> None:
    for status in DISPLAY_ORDER:
        make_order(status=status)
    make_order()
    page = text_of(login("閲覧"), "/orders/")
    for status in DISPLAY_ORDER:
        expected = 2 if status is OrderStatus.NEW else 1
        assert (
            f'{status.label}<span class="check-count" id="count-status-{status.value}">({expected})</span>'
            in page
        )


def test_one_box_finds_by_number_name_mail_and_phone(login: Login, make_order: MakeOrder) -> None:
    wanted = make_order(name="渡辺 みなみ", kana="ワタナベ", email="minami@example.com", phone="0977123456")
    other = make_order()
    for order in (wanted, other):
        search_text.refresh(order)
    client = login("閲覧")
    for term in (wanted.number, "渡辺", "minami@", "0977-12"):
        assert wanted.number in numbers_in(text_of(client, f"/orders/?q={term}")), term
        if term != wanted.number:
            assert other.number not in numbers_in(text_of(client, f"/orders/?q={term}")), term


def test_an_empty_result_suggests_what_to_try(login: Login, make_order: MakeOrder) -> None:
    make_order()
    page = text_of(login("閲覧"), "/orders/?q=見つからない")
    assert "検索結果：0件が該当しました" in page
    assert "検索条件に合う受注はありませんでした" in page
    assert "<table" not in page


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("amount_min=abc", "整数（円）で入力してください"),
        ("amount_max=-1", "整数（円）で入力してください"),
        ("amount_min=99999999999", "整数（円）で入力してください"),
        ("ordered_from=2026-02-30", "実在する日付"),
        ("ordered_to=abc", "実在する日付"),
        ("paid_from=0", "実在する日付"),
        ("updated_to=2026", "実在する日付"),
        ("delivery_from=明日", "実在する日付"),
        ("ordered_from=2026-11-02&ordered_to=2026-11-01", "終わりの日"),
        ("amount_min=2&amount_max=1", "上限の金額"),
        ("deadline=x", "期限までの日数"),
        ("status=99", "対応状況を一覧から選択してください"),
        ("status=x", "対応状況を一覧から選択してください"),
        ("method=x", "お支払方法を一覧から選択してください"),
        ("payment_status=%3Cb%3E", "条件を一覧から選択してください"),
    ],
)
def test_a_wrong_condition_is_told_at_its_field_and_nothing_is_listed(
    login: Login, make_order: MakeOrder, query: str, sentence: str
) -> None:
    order = make_order()
    page = text_of(login("閲覧"), f"/orders/?{query}")
    assert sentence in page
    assert "検索条件に誤りがあるため、検索していません" in page
    assert '<details class="search-details" open>' in page
    assert order.number not in numbers_in(page)
    assert "<b>" not in page


@pytest.mark.parametrize(
    "query",
    [
        "size=7",
        "size=abc",
        "size=1000000",
        "cursor=%00",
        "cursor=aaaa",
        "cursor=MTIzLjE&direction=sideways",
        "sort=sideways",
        "unknown=1",
        "q=%00",
        "q=%25_%5C%27%22%3Cscript%3E",
        "q=" + "あ" * 400,
        "payment_status=AUTH,SAUTH",
        "payment_status=,,",
        "status=1&status=1",
        "name=%E5%B1%B1&kana=%E3%83%A4&company=x&email=x&phone=1&number=1&tracking=1",
        "method=999999999999999999",
        "differs=1&open=1&live=1&uncaptured=1&deadline=7",
    ],
)
def test_whatever_stands_in_the_address_the_page_opens(
    login: Login, make_order: MakeOrder, query: str
) -> None:
    make_order()
    page = text_of(login("閲覧"), f"/orders/?{query}")
    assert "受注一覧" in page
    assert "<script>" not in page


def test_a_search_is_shown_again_as_it_was_typed(login: Login, db: None) -> None:
    page = text_of(
        login("閲覧"),
        "/orders/?q=%22%3E%3Cb%3E&status=6&ordered_from=2026-11-01&amount_max=5000&sort=oldest&size=20",
    )
    assert 'value="&#34;&gt;&lt;b&gt;"' in page
    assert re.search(r'value="6" id="status-6" checked', page)
    assert 'name="ordered_from" value="2026-11-01"' in page
    assert 'name="amount_max" value="5000"' in page
    assert '<option value="oldest" selected>' in page
    assert '<option value="20" selected>' in page


def test_a_box_of_several_payment_statuses_finds_each_of_them(login: Login, make_order: MakeOrder) -> None:
    wanted = [
        make_order(payment_status=status, payment_provider="gmopg")
        for status in ("UNPROCESSED", "AUTHENTICATED")
    ]
    make_order(payment_status="AUTH", payment_provider="gmopg")
    page = text_of(login("閲覧"), "/orders/?payment_status=UNPROCESSED,AUTHENTICATED,AUTHPROCESS")
    assert numbers_in(page) == [order.number for order in wanted]
    assert re.search(r'value="UNPROCESSED,AUTHENTICATED,AUTHPROCESS"[^>]* checked', page)


def test_pages_follow_each_other_there_and_back(login: Login, make_order: MakeOrder) -> None:
    numbers = [make_order().number for _ in range(25)]
    client = login("閲覧")

    def link(page: str, words: str) -> str:
        found = re.search(rf'href="([^"]+)"[^>]*>(?:<i[^>]*></i> )?{words}', page)
        assert found, words
        return found[1].replace("&amp;", "&")

    first = text_of(client, "/orders/?size=10&status=1")
    second = text_of(client, link(first, "次へ"))
    third = text_of(client, link(second, "次へ"))
    assert numbers_in(first) + numbers_in(second) + numbers_in(third) == numbers
    assert "次へ" not in third
    assert "前へ" not in first
    assert numbers_in(text_of(client, link(third, "前へ"))) == numbers_in(second)
    assert numbers_in(text_of(client, link(third, "最新へ"))) == numbers_in(first)
    assert "status=1" in link(first, "次へ")


def test_an_order_that_arrives_meanwhile_shifts_no_page(login: Login, make_order: MakeOrder) -> None:
    numbers = [make_order().number for _ in range(12)]
    client = login("閲覧")
    first = text_of(client, "/orders/?size=10")
    following = re.search(r'href="([^"]+)" rel="next"', first)
    assert following
    make_order(ordered_at=NOON + timedelta(hours=1))
    assert numbers_in(text_of(client, following[1].replace("&amp;", "&"))) == numbers[10:]


@pytest.mark.parametrize("size", [10, 50, 100])
@pytest.mark.parametrize("query", ["", "&q=yamada", "&status=1&payment_status=AUTH&amount_min=1"])
def test_a_page_costs_the_same_queries_at_any_size(
    login: Login, make_order: MakeOrder, size: int, query: str
) -> None:
    for _ in range(110):
        search_text.refresh(
            make_order(
                payment_status="AUTH", payment_provider="gmopg", payment_kind="card", payment_amount=2700
            )
        )
    client = login("管理者")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = text_of(client, f"/orders/?size={size}{query}")
    assert len(numbers_in(page)) == size
    assert len(queries) <= MAX_QUERIES, [query["sql"][:120] for query in queries]


@pytest.mark.parametrize("role", ROLES)
def test_only_those_who_may_edit_get_ticks_inputs_and_the_bulk_bar(
    login: Login, make_order: MakeOrder, role: str
) -> None:
    order = make_order()
    page = text_of(login(role), "/orders/")
    may_edit = role != "閲覧"
    for part in (
        'id="bulk-form"',
        'name="order"',
        f"/orders/{order.pk}/tracking/",
        f"/orders/{order.pk}/ship/",
    ):
        assert (part in page) == may_edit, part


def test_the_bulk_bar_posts_the_search_so_that_all_that_match_can_be_taken(
    login: Login, make_order: MakeOrder
) -> None:
    for _ in range(12):
        make_order()
    page = text_of(login("受注編集"), "/orders/?size=10&status=1")
    assert 'name="kind" value="order_status"' in page
    assert 'name="query" value="status=1"' in page
    assert 'name="back" value="/orders/?size=10&amp;status=1"' in page
    assert 'data-list-total="12件"' in page
    assert "購入処理中</option>" not in page


def test_head_is_answered_like_get(login: Login, make_order: MakeOrder) -> None:
    make_order()
    answer: Any = login("閲覧").head("/orders/")
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_total_beyond_the_limit_is_not_claimed_to_be_exact(
    login: Login, make_order: MakeOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.listing.TOTAL_LIMIT", 10)
    for _ in range(12):
        make_order()
    page = text_of(login("受注編集"), "/orders/?size=10")
    assert "検索結果：10件以上が該当しました" in page
    assert 'data-list-total="10件以上"' in page


def test_rows_do_not_wait_for_a_total_that_takes_long(
    login: Login, make_order: MakeOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(11):
        make_order()
    client = login("受注編集")

    def slowly(_filters: OrderFilters) -> tuple[int, bool]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(60)")
        raise AssertionError("nobody waits that long")

    with monkeypatch.context() as patch:
        patch.setattr("orders.listing.total", slowly)
        patch.setattr("orders.listing.COUNT_WITHIN_MS", 50)
        page = text_of(client, "/orders/?size=10&status=1&amount_min=0&sort=oldest")
    assert len(numbers_in(page)) == 10
    assert "件数を数えています" in page
    assert "検索結果すべてを出力" in page
    (address,) = re.findall(r'hx-get="(/orders/total/[^"]*)"', page)
    assert "検索結果：11件が該当しました" in text_of(client, html.unescape(address))


def test_the_total_counts_what_the_list_shows(login: Login, make_order: MakeOrder) -> None:
    make_order(payment_total=5000)
    make_order(payment_total=700)
    client = login("閲覧")
    assert "検索結果：1件が該当しました" in text_of(client, "/orders/total/?amount_min=1000")
    assert "検索結果：0件が該当しました" in text_of(client, "/orders/total/?amount_min=many")
