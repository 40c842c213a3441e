"""納品書: one sheet or many, with the invoice block."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.screens.order_pages import order_of, shirt, text_of

pytestmark = pytest.mark.django_db


def test_a_sheet_shows_the_totals_per_rate_and_marks_the_reduced_rate(login: Callable[[str], Client]) -> None:
    order = order_of(shirt(name="ほうじ茶", tax_rate=8, price=1000), name="山田 太郎")
    words = text_of(login("閲覧").get(reverse("orders:document", args=[order.pk])))
    for part in (
        "納品書",
        "山田 太郎 様",
        "ほうじ茶 ※",
        "※ は軽減税率対象商品です。",
        "8%対象 1,080円（内消費税 80円）",
        "10%対象 500円（内消費税 45円）",
        "お支払い合計 1,580円",
    ):
        assert part in words


def test_a_sheet_at_the_standard_rate_has_no_mark(login: Callable[[str], Client]) -> None:
    order = order_of(shirt())
    assert "※" not in text_of(login("閲覧").get(reverse("orders:document", args=[order.pk])))


def test_many_sheets_come_in_the_order_of_the_list_with_few_questions(login: Callable[[str], Client]) -> None:
    client = login("閲覧")
    orders = [order_of(shirt(code=f"c{number}"), name=f"客{number}") for number in range(5)]
    address = reverse("orders:documents")
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(address, {"order": [order.pk for order in reversed(orders)]})
    words = text_of(answer)
    assert [words.index(f"客{number} 様") for number in (4, 3, 2, 1, 0)] == sorted(
        words.index(f"客{number} 様") for number in range(5)
    )
    assert len(asked) <= 7


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([], "選択されていません"),
        (["x", "-1"], "選択されていません"),
        ([str(n) for n in range(101)], "100件まで"),
    ],
)
def test_a_selection_that_cannot_be_printed_is_told(
    login: Callable[[str], Client], ids: list[str], message: str
) -> None:
    answer = login("閲覧").get(reverse("orders:documents"), {"order": ids}, follow=True)
    assert message in text_of(answer)


def test_documents_are_for_whoever_may_look(login: Callable[[str], Client]) -> None:
    assert login("").get(reverse("orders:documents"), {"order": ["1"]}).status_code == 403
