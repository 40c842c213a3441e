"""What happened to each order of the demo shop: a list of events in time, worked out before anything is sent.

Days are days after the order. The mix gives every 対応状況 and every card status something to show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from random import Random


class Event(StrEnum):
    """One thing that a customer or an operator does."""

    ORDER = "order"
    TRY_BAD_CARD = "try bad card"
    PAY = "pay"
    PAY_AT_ONCE = "pay at once"
    CAPTURE = "capture"
    CANCEL = "cancel"
    REAUTHORIZE = "reauthorize"
    EDIT = "edit"
    CHANGE_AMOUNT = "change amount"
    IN_PROGRESS = "in progress"
    PAID = "paid"
    SHIP = "ship"
    CANCEL_ORDER = "cancel order"
    TAKE_BACK = "take back"


@dataclass(frozen=True)
class Story:
    """Events with their delay after the order, and whether the customer reached the card page at all."""

    name: str
    weight: int
    # The order is this old (days), at least and at most.
    ages: tuple[int, int]
    events: tuple[tuple[float, Event], ...]


HOUR = 1 / 24

STORIES: Sequence[Story] = (
    Story("held", 34, (0, 80), ((0, Event.PAY),)),
    Story("held after a refused card", 6, (0, 60), ((0, Event.TRY_BAD_CARD), (HOUR / 6, Event.PAY))),
    Story("about to expire", 8, (78, 89), ((0, Event.PAY), (1, Event.IN_PROGRESS))),
    Story("expired by our count", 4, (95, 150), ((0, Event.PAY),)),
    Story(
        "captured and shipped",
        60,
        (5, 198),
        ((0, Event.PAY), (1, Event.CAPTURE), (1.1, Event.PAID), (2, Event.SHIP)),
    ),
    Story("captured, to be shipped", 20, (2, 12), ((0, Event.PAY), (1, Event.CAPTURE), (1.05, Event.PAID))),
    Story("sold at once", 24, (1, 160), ((0, Event.PAY_AT_ONCE), (1, Event.SHIP))),
    Story("sold at once today", 4, (0, 0), ((0, Event.PAY_AT_ONCE),)),
    Story(
        "cancelled the same day",
        14,
        (1, 190),
        ((0, Event.PAY), (HOUR, Event.CANCEL), (HOUR * 1.1, Event.CANCEL_ORDER)),
    ),
    Story(
        "hold returned later", 14, (6, 190), ((0, Event.PAY), (3, Event.CANCEL), (3.01, Event.CANCEL_ORDER))
    ),
    Story(
        "sale returned in its month or later",
        12,
        (40, 190),
        ((0, Event.PAY), (1, Event.CAPTURE), (12, Event.CANCEL), (12.1, Event.CANCEL_ORDER)),
    ),
    Story(
        "sale returned across months",
        10,
        (60, 190),
        ((0, Event.PAY), (1, Event.CAPTURE), (2, Event.SHIP), (40, Event.TAKE_BACK), (40.1, Event.CANCEL)),
    ),
    Story("amount changed", 14, (4, 80), ((0, Event.PAY), (1, Event.EDIT), (1.1, Event.CHANGE_AMOUNT))),
    Story(
        "amount changed after capture",
        6,
        (10, 150),
        ((0, Event.PAY), (1, Event.CAPTURE), (4, Event.EDIT), (4.1, Event.CHANGE_AMOUNT), (5, Event.SHIP)),
    ),
    Story("amount differs", 10, (1, 60), ((0, Event.PAY), (0.5, Event.EDIT))),
    Story("reauthorized", 6, (5, 60), ((0, Event.PAY), (2, Event.CANCEL), (3, Event.REAUTHORIZE))),
    Story("shipped but not captured", 5, (8, 50), ((0, Event.PAY), (2, Event.SHIP))),
    Story("order cancelled, money still held", 4, (5, 50), ((0, Event.PAY), (2, Event.CANCEL_ORDER))),
    Story("refused card only", 5, (0, 30), ((0, Event.TRY_BAD_CARD),)),
    Story("left at the card page", 6, (0, 25), ()),
)


@dataclass(frozen=True)
class Planned:
    """One event of one order, at seconds before now (negative) on the shop's clock."""

    order_index: int
    event: Event
    seconds: float


def plan(random: Random, count: int) -> list[Planned]:
    """The events of `count` orders, oldest first. Nothing lies in the future."""
    day = timedelta(days=1).total_seconds()
    chosen = random.choices(STORIES, weights=[story.weight for story in STORIES], k=count)
    # Every story at least once, whatever the dice say.
    chosen[: len(STORIES)] = STORIES
    planned = []
    for index, story in enumerate(chosen):
        age = random.uniform(max(story.ages[0], 0.02), story.ages[1] + 0.9)
        start = -age * day
        planned.append(Planned(index, Event.ORDER, start))
        for delay, event in story.events:
            moment = start + 120 + delay * day
            if moment < -5:
                planned.append(Planned(index, event, moment))
    return sorted(planned, key=lambda event: (event.seconds, event.order_index))
