"""The conditions of a list: read from a query, written back, and told when they cannot be read."""

from __future__ import annotations

from datetime import date

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from orders import filters as module
from orders.filters import OrderFilters
from orders.statuses import DISPLAY_ORDER


def read(query: str) -> OrderFilters:
    return OrderFilters.from_query(QueryDict(query))


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30)
DAYS = st.none() | st.dates(module.FIRST_DAY, module.LAST_DAY)
CODES = st.lists(st.sampled_from(["AUTH", "SALES", "VOID"]), unique=True).map(
    lambda each: tuple(sorted(each))
)


@st.composite
def any_filters(draw: st.DrawFn) -> OrderFilters:
    def ends(values: st.SearchStrategy[object]) -> tuple[object, object]:
        low, high = draw(values), draw(values)
        return (high, low) if low is not None and high is not None and low > high else (low, high)  # type: ignore[operator]

    asked: dict[str, object] = {
        name: draw(TEXTS) for name in ("q", "name", "kana", "company", "email", "phone", "number", "tracking")
    }
    asked["status"] = tuple(status for status in DISPLAY_ORDER if draw(st.booleans()))
    asked["method"] = tuple(sorted(draw(st.sets(st.integers(0, 10**17), max_size=3))))
    for name in ("payment_status", "payment_kind", "provider"):
        asked[name] = draw(CODES)
    asked["amount_min"], asked["amount_max"] = ends(st.none() | st.integers(0, module.MAX_YEN))
    for name in ("ordered", "paid", "updated", "delivery"):
        asked[f"{name}_from"], asked[f"{name}_to"] = ends(DAYS)
    for name in ("differs", "open", "live", "uncaptured"):
        asked[name] = draw(st.booleans())
    asked["deadline"] = draw(st.none() | st.integers(0, 366))
    asked["sort"] = draw(st.sampled_from(module.SORTS))
    return OrderFilters(**asked)  # type: ignore[arg-type]


@given(any_filters())
def test_a_query_string_reads_back_as_what_wrote_it(filters: OrderFilters) -> None:
    # Text that holds nothing to search for is refused when it is read; the rest comes back as it was.
    once = read(filters.to_query())
    assert read(once.to_query()) == once
    assert set(once.errors) <= {"q", "name", "kana", "company", "email", "phone", "number", "tracking"}
    for name in set(OrderFilters.__dataclass_fields__) - set(once.errors) - {"errors", "notices"}:
        value = getattr(filters, name)
        assert getattr(once, name) == (value.strip() if isinstance(value, str) else value)


def test_no_condition_is_an_empty_query() -> None:
    assert OrderFilters().to_query() == ""
    assert read("") == OrderFilters()
    assert read("page=3&cursor=abc&size=20") == OrderFilters()


def test_what_an_operator_types_is_understood() -> None:
    filters = read(
        "amount_min=１，０００円&amount_max=¥2,000&ordered_from=2026/11/01&ordered_to=2026年11月30日&deadline=７"
    )
    assert not filters.errors
    assert (filters.amount_min, filters.amount_max, filters.deadline) == (1000, 2000, 7)
    assert (filters.ordered_from, filters.ordered_to) == (date(2026, 11, 1), date(2026, 11, 30))


@pytest.mark.parametrize(
    ("query", "name", "words"),
    [
        ("amount_min=たくさん", "amount_min", "整数（円）"),
        ("amount_min=-1", "amount_min", "整数（円）"),
        ("amount_max=99999999999", "amount_max", "整数（円）"),
        ("amount_min=2000&amount_max=1000", "amount_max", "上限の金額は、始まり以上"),
        ("ordered_from=2026-02-30", "ordered_from", "実在する日付"),
        ("ordered_from=0001-01-01", "ordered_from", "1990年から"),
        ("paid_from=2026-12-02&paid_to=2026-12-01", "paid_to", "入金日の終わりの日"),
        ("delivery_to=明日", "delivery_to", "実在する日付"),
        ("deadline=1000", "deadline", "366"),
        ("status=2", "status", "対応状況を一覧から"),
        ("status=abc", "status", "対応状況を一覧から"),
        ("method=x", "method", "お支払方法を一覧から"),
        ("payment_status='; DROP", "payment_status", "一覧から"),
        ("q=--", "q", "検索できる文字がありません"),
    ],
)
def test_what_cannot_be_read_is_told_at_its_field_and_not_applied(query: str, name: str, words: str) -> None:
    filters = read(query)
    assert words in filters.errors[name]
    assert filters == OrderFilters()


def test_one_wrong_field_leaves_the_others_as_they_are() -> None:
    filters = read("q=山田&amount_min=x&differs=1")
    assert (filters.q, filters.differs, list(filters.errors)) == ("山田", True, ["amount_min"])


def test_a_term_that_is_cut_says_so() -> None:
    filters = read("q=" + "a" * 300)
    assert len(filters.q) == 200
    assert "200文字" in filters.notices[0]


def test_the_detailed_search_stays_open_while_it_holds_a_condition() -> None:
    assert not read("q=x&status=1&sort=oldest").is_detailed
    assert read("amount_min=1").is_detailed
