"""The sales of the last days as bars, placed by the server: the page needs no script and no style for it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orders.sales import Sales

# Units of the drawing; the page scales it.
WIDTH: Final = 720
HEIGHT: Final = 220
LEFT: Final = 8
TOP: Final = 32
BASE: Final = 190
GAP: Final = 6
# Every so many days a date is written, counted back from today.
LABEL_EVERY: Final = 7


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One day; `label` is empty where no date is written under it."""

    sales: Sales
    x: int
    y: int
    width: int
    height: int
    label: str
    label_x: int


@dataclass(frozen=True, kw_only=True)
class Chart:
    """All bars, and the yen that the top line stands for."""

    bars: Sequence[Bar]
    top_amount: int
    width: int = WIDTH
    height: int = HEIGHT
    top: int = TOP
    base: int = BASE


def chart(days: Sequence[Sales]) -> Chart:
    """Bars for the days, oldest at the left; the top line is a round amount that no day exceeds."""
    top_amount = _round_up(max((day.amount for day in days), default=0))
    step = (WIDTH - 2 * LEFT) // max(1, len(days))
    bars = []
    for number, day in enumerate(days):
        height = (BASE - TOP) * max(0, day.amount) // top_amount
        if day.amount > 0:
            height = max(1, height)
        x = LEFT + number * step
        is_labelled = (len(days) - 1 - number) % LABEL_EVERY == 0
        bars.append(
            Bar(
                sales=day,
                x=x,
                y=BASE - height,
                width=step - GAP,
                height=height,
                label=f"{day.day.month}/{day.day.day}" if is_labelled else "",
                label_x=x + (step - GAP) // 2,
            )
        )
    return Chart(bars=bars, top_amount=top_amount)


def _round_up(amount: int) -> int:
    """The next of 1, 2 and 5 times a power of ten, at least 10,000 yen."""
    power = 10_000
    while True:
        for factor in (1, 2, 5):
            if amount <= factor * power:
                return factor * power
        power *= 10
