"""How many match is estimated by the planner for one gram, and by the newest texts too for several."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orders import search_text, search_weights
from orders.models import Order
from orders.search_terms import IN_FIELD, LONG, SHORT, Terms
from orders.search_text import SearchField
from orders.search_weights import weigh
from tests.orders.shop import make_method

MILLION = 1_000_000
NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million orders, as their statistics say; the newest four are there."""
    for number in range(4):
        order = Order.objects.create(
            number=str(9000 + number),
            name="山田",
            company="" if number else "株式会社",
            email="yamada@example.jp",
            phone="09" if number == 0 else "08",
            ordered_at=NOW,
            payment_method=make_method(),
        )
        search_text.refresh(order)
    monkeypatch.setattr(search_weights, "_number_of_texts", lambda: MILLION)


def planning(monkeypatch: pytest.MonkeyPatch, **rows: int) -> None:
    """What the planner expects of each index."""
    monkeypatch.setattr(
        search_weights,
        "_planned_rows",
        lambda sql, _parameters: next(rows[name] for name in rows if f"orders_{name}_grams" in sql),
    )


@pytest.mark.parametrize(
    ("terms", "planned", "expected"),
    [
        pytest.param(Terms(anywhere=("9",)), {"short": 990_000}, 990_000, id="one gram: the planner knows"),
        pytest.param(
            Terms(within=((SearchField.NAME, "9"),)), {"field": 40}, 40, id="one gram within a field, too"
        ),
        pytest.param(
            Terms(anywhere=("yamada",)), {"long": 10}, MILLION, id="several grams, taken to be independent"
        ),
        pytest.param(
            Terms(within=((SearchField.EMAIL, "yamada"),)),
            {"long": 10, "field": 10},
            MILLION,
            id="several within a field",
        ),
        pytest.param(Terms(anywhere=("suzuki",)), {"long": 10}, 10, id="several, rarer than the sample"),
        pytest.param(
            Terms(anywhere=("山田", "株式会社")),
            {"long": 10, "short": 10},
            250_000,
            id="two words, of which one is rarer",
        ),
    ],
)
def test_how_many_match(
    monkeypatch: pytest.MonkeyPatch, terms: Terms, planned: dict[str, int], expected: int
) -> None:
    planning(monkeypatch, **planned)
    assert weigh(terms).matching == expected


@pytest.mark.parametrize(
    ("terms", "planned", "asked"),
    [
        pytest.param(
            Terms(within=((SearchField.NAME, "株式会社"),)),
            {"long": 60_000, "field": 8},
            [IN_FIELD],
            id="what stands in other fields is asked of its own",
        ),
        pytest.param(
            Terms(within=((SearchField.EMAIL, "suzuki"),)),
            {"long": 9_000, "field": 60_000},
            [LONG],
            id="three characters are rarer than two in their field",
        ),
        pytest.param(Terms(anywhere=("木", "鈴木")), {"short": 9_000}, [SHORT], id="both of one index"),
        pytest.param(
            Terms(anywhere=("鈴木", "yamada")),
            {"long": 5_000, "short": 9_000},
            [SHORT],
            id="the newest texts say that the other stands everywhere",
        ),
    ],
)
def test_which_index_is_asked(
    monkeypatch: pytest.MonkeyPatch, terms: Terms, planned: dict[str, int], asked: list[str]
) -> None:
    planning(monkeypatch, **planned)
    assert list(weigh(terms).asked) == asked


def test_named_are_all_that_the_grams_name() -> None:
    """Of many names few may match; all of them have to be read."""
    weights = weigh(Terms(anywhere=("yamada", "株式会社")))
    assert weights.matching <= weights.named


def test_between_two_days_only_their_orders_count() -> None:
    assert weigh(Terms(anywhere=("9",), since=NOW)).orders < 1_000
