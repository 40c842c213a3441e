"""Filters as nobody would think of them: drawn at random, one to four together, common and rare, and contradictory."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from gateways.vocabulary import MethodKind
from gateways.vocabulary import PaymentStatus as S
from orders.statuses import OrderStatus
from tests.bench.lists.rows import YEARS

# Names and values of an address's query.
Pairs = list[tuple[str, str]]
TEXTS = (
    ("q", ("佐藤", "加藤", "田", "美", "村", "ん", "勘解由", "高橋 美咲", "株式会社", "example", "keitai", "090", "12", "@k")),
    ("name", ("佐藤", "田", "藤", "太郎")),
    ("kana", ("さとう", "ん", "サ")),
    ("company", ("会社", "青空")),
    ("email", ("tanaka", "keitai", "jp", "12@")),
    ("phone", ("090", "12", "0901")),
)  # fmt: skip


def lists(draw: random.Random, number: int) -> list[Pairs]:
    """So many lists without a text."""
    return [_together(draw, draw.choice((1, 2, 2, 3, 3, 4))) for _ in range(number)]


def searches(draw: random.Random, number: int) -> list[Pairs]:
    """So many lists with a text, now and then two."""
    return [
        [*_texts(draw, draw.choice((1, 1, 1, 2))), *_together(draw, draw.choice((1, 1, 2, 3)))]
        for _ in range(number)
    ]


def _texts(draw: random.Random, number: int) -> Pairs:
    return [(name, draw.choice(words)) for name, words in draw.sample(TEXTS, number)]


def _together(draw: random.Random, number: int) -> Pairs:
    today = datetime.now(UTC).date()

    def days(name: str) -> Pairs:
        first, last = sorted(today - timedelta(days=draw.randrange(YEARS * 365)) for _ in range(2))
        return draw.choice(
            (
                [(f"{name}_from", first.isoformat())],
                [(f"{name}_to", last.isoformat())],
                [(f"{name}_from", first.isoformat()), (f"{name}_to", last.isoformat())],
            )
        )

    def some(name: str, values: Sequence[str]) -> Pairs:
        return [(name, value) for value in draw.sample(values, draw.choice((1, 1, 2, 3)))]

    def one(*choices: Pairs) -> Pairs:
        return draw.choice(choices)

    kinds: list[Callable[[], Pairs]] = [
        lambda: some("status", [str(status.value) for status in OrderStatus]),
        lambda: some("payment_status", [status.value for status in S]),
        lambda: some("payment_kind", [kind.value for kind in MethodKind]),
        lambda: some("method", [str(number) for number in range(1, len(MethodKind) + 1)]),
        lambda: one([("provider", "gmopg")], [("provider", "paygent")]),
        lambda: one([("amount_min", "40000")], [("amount_max", "3000")], [("amount_min", "1000")]),
        lambda: one(*([(name, "1")] for name in ("open", "differs", "live", "uncaptured"))),
        lambda: one([("deadline", "0")], [("deadline", "7")], [("deadline", "30")]),
        lambda: one([("tracking", "4")], [("tracking", "12")], [("tracking", "123")]),
        lambda: [("sort", "oldest")],
        *(lambda name=name: days(name) for name in ("ordered", "paid", "updated", "delivery")),
    ]
    return [pair for kind in draw.sample(kinds, number) for pair in kind()]
