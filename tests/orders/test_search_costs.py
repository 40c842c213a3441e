"""How matches are counted: by the newest texts where many match, by grams where few do, by the list where it is short,
and where neither is short, by what both have."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.search_costs import (
    Index,
    Sizes,
    Way,
    cheapest,
    is_met_soon,
    is_walked_sooner,
    otherwise,
    rows_to_walk,
    worth_asking,
)

MILLION = 1_000_000
LIMIT = 10_001


def sizes(*, matching: int, listed: int = MILLION, named: int | None = None) -> Sizes:
    """As for a list with other conditions, or, where it holds everything, without."""
    is_everything = listed == MILLION
    return Sizes(
        texts=MILLION,
        orders=MILLION,
        listed=listed,
        matching=matching,
        named=matching if named is None else named,
        is_hashed=not is_everything and listed <= 50_000,
        is_looked_up=50_000 < listed < MILLION,
    )


@pytest.mark.parametrize(
    ("given_sizes", "way"),
    [
        pytest.param(sizes(matching=1_000_000), Way.NEWEST, id="every order matches"),
        pytest.param(sizes(matching=300_000), Way.NEWEST, id="many match"),
        pytest.param(sizes(matching=100), Way.GRAMS, id="hardly one matches"),
        pytest.param(sizes(matching=20_000), Way.GRAMS, id="one in fifty matches"),
        pytest.param(sizes(matching=500_000, listed=1_000), Way.WALKING, id="a short list of a common name"),
        pytest.param(sizes(matching=50, listed=20_000), Way.GRAMS, id="a longer list of a rare name"),
        pytest.param(sizes(matching=600_000, listed=900_000), Way.WALKING, id="a long list, and many match"),
        pytest.param(
            sizes(matching=9_000, listed=60_000, named=190_000), Way.WALKING, id="few of those that are named"
        ),
        pytest.param(sizes(matching=10_000, listed=40), Way.WALKING, id="forty orders differ in amount"),
        pytest.param(sizes(matching=33_000, listed=190_000), Way.MEETING, id="a longer list, and many match"),
        pytest.param(
            sizes(matching=50_000, listed=60_000), Way.MEETING, id="as many match as are on the list"
        ),
        pytest.param(sizes(matching=8_000, listed=190_000), Way.GRAMS, id="fewer match than are on the list"),
        pytest.param(sizes(matching=40_000, listed=900_000), Way.GRAMS, id="nearly all are on the list"),
    ],
)
def test_each_search_is_counted_in_its_way(given_sizes: Sizes, way: Way) -> None:
    assert cheapest(given_sizes, limit=LIMIT)[0] is way


def test_when_the_newest_hold_too_few_the_rarer_side_is_read() -> None:
    assert otherwise(sizes(matching=500_000, listed=100_000)) is Way.WALKING
    assert otherwise(sizes(matching=10_000, listed=100_000)) is Way.GRAMS


def test_so_many_of_the_newest_are_read_as_should_hold_enough() -> None:
    assert sizes(matching=MILLION).newest(10_000) == 13_001
    assert sizes(matching=MILLION // 10).newest(10_000) == 130_001
    assert sizes(matching=MILLION, listed=MILLION // 4).newest(10_000) == 52_001


@given(st.integers(1, MILLION), st.integers(1, MILLION), st.integers(1, 20_000))
def test_what_lies_everywhere_is_never_looked_for_by_its_grams(
    listed: int, matching: int, limit: int
) -> None:
    given_sizes = sizes(matching=matching, listed=listed)
    way, milliseconds = cheapest(given_sizes, limit=limit)
    assert not (way in (Way.GRAMS, Way.MEETING) and given_sizes.share > 0.2)
    assert 0 < milliseconds < math.inf


def test_what_takes_longer_is_known_beforehand() -> None:
    _way, common = cheapest(sizes(matching=900_000), limit=LIMIT)
    _way, both_long = cheapest(sizes(matching=60_000, listed=100_000), limit=LIMIT)
    assert common < 10 < 40 < both_long


@pytest.mark.parametrize(
    ("expected", "listed", "named", "rows"),
    [
        pytest.param(800, 900_000, 100_000, 800, id="a common name in a long list"),
        pytest.param(3_800, 420, 11_000, 3_800, id="a short list is walked to its end"),
        pytest.param(90_000, 420, 11_000, 10_000, id="a short list of a rare name, too"),
        pytest.param(3_800, 20_000, 500, 0, id="few texts match"),
        pytest.param(15_000, 900_000, 900_000, 0, id="a page would wait too long"),
    ],
)
def test_a_list_is_walked_through_where_that_is_cheaper_than_all_matching_texts(
    expected: int, listed: int, named: int, rows: int
) -> None:
    assert rows_to_walk(expected=expected, listed=listed, named=named, texts=MILLION) == rows


@pytest.mark.parametrize(
    ("listed", "named", "is_soon"),
    [(60_000, 30_000, True), (300_000, 1_000, True), (900_000, 1_000, False), (60_000, 150_000, False)],
)
def test_a_page_is_found_by_meeting_only_where_that_is_soon(listed: int, named: int, is_soon: bool) -> None:
    assert is_met_soon(listed=listed, named=named, texts=MILLION) is is_soon


RARE, COMMON, EVERYWHERE = (
    Index(named=20, lists=1),
    Index(named=70_000, lists=1),
    Index(named=990_000, lists=1),
)


@pytest.mark.parametrize(
    ("indexes", "asked"),
    [
        pytest.param({"long": COMMON, "short": RARE}, ["short"], id="beside a rare one reading is cheaper"),
        pytest.param(
            {"field": EVERYWHERE, "long": COMMON}, ["long"], id="what stands everywhere saves nothing"
        ),
        pytest.param({"field": EVERYWHERE, "short": EVERYWHERE}, ["field"], id="one is asked in any case"),
        pytest.param(
            {"long": Index(named=100_000, lists=1), "short": COMMON}, ["short", "long"], id="neither is rare"
        ),
        pytest.param(
            {"field": Index(named=25_000, lists=3), "long": Index(named=10_000, lists=2)},
            ["long"],
            id="three lists take longer than they save",
        ),
        pytest.param(
            {"long": COMMON, "short": Index(named=80_000, lists=1), "field": Index(named=400_000, lists=1)},
            ["long", "short"],
            id="two have said enough",
        ),
    ],
)
def test_an_index_is_asked_where_it_costs_less_than_the_reading_it_saves(
    indexes: dict[str, Index], asked: list[str]
) -> None:
    assert worth_asking(indexes, texts=MILLION)[0] == asked


@pytest.mark.parametrize(
    ("walked", "share_listed", "share_matching", "is_sooner"),
    [
        pytest.param(500, 0.06, 0.14, True, id="a page is near the beginning of the list"),
        pytest.param(500, 0.0001, 0.14, False, id="the list is hardly to be found along the index"),
        pytest.param(9_000, 0.5, 0.01, False, id="a rare text is far down"),
    ],
)
def test_a_list_is_walked_through_before_a_window_is_read_where_that_is_sooner(
    walked: int, share_listed: float, share_matching: float, is_sooner: bool
) -> None:
    assert is_sooner is is_walked_sooner(
        walked=walked, share_listed=share_listed, window=10_000, share_matching=share_matching
    )
