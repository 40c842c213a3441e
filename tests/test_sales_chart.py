"""The bars of 売上状況: within the drawing, in proportion, and readable."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cagolab.sales_chart import BASE, TOP, WIDTH, chart
from orders.sales import Sales

TODAY = date(2026, 12, 2)


def days(*amounts: int) -> list[Sales]:
    first = TODAY - timedelta(days=len(amounts) - 1)
    return [
        Sales(day=first + timedelta(days=number), orders=1, amount=amount)
        for number, amount in enumerate(amounts)
    ]


@pytest.mark.parametrize(
    ("highest", "top"),
    [
        (0, 10_000),
        (1, 10_000),
        (10_000, 10_000),
        (10_001, 20_000),
        (34_000, 50_000),
        (123_456_789, 200_000_000),
    ],
)
def test_the_top_line_is_a_round_amount(highest: int, top: int) -> None:
    assert chart(days(0, highest)).top_amount == top


@given(st.lists(st.integers(min_value=0, max_value=10**10), min_size=1, max_size=30))
def test_bars_stay_inside_and_a_sale_is_always_seen(amounts: list[int]) -> None:
    drawn = chart(days(*amounts))
    for bar, amount in zip(drawn.bars, amounts, strict=True):
        assert bar.x >= 0
        assert bar.x + bar.width <= WIDTH
        assert bar.width > 0
        assert TOP <= bar.y <= BASE
        assert bar.y + bar.height == BASE
        assert (bar.height > 0) == (amount > 0)


def test_today_is_dated_and_every_week_before() -> None:
    labels = [bar.label for bar in chart(days(*[1] * 30)).bars if bar.label]
    assert labels == ["11/4", "11/11", "11/18", "11/25", "12/2"]
