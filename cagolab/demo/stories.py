"""What happened to each order of the demo shop: a list of events in time, worked out before anything is sent.

Days are days after the order. The mix gives every 対応状況 and every 決済状況 something to show.
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
    # Payments that are made elsewhere: our request, what the customer does, what the provider's screen does.
    REQUEST = "request"
    OPENS = "opens"
    PAYS = "pays"
    FAILS = "fails"
    SALES_THERE = "sales there"
    CANCEL_THERE = "cancel there"
    CHANGE_THERE = "change there"
    # 決済状態確認・反映.
    LOOK = "look"


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


BY_NUMBER = ("cvs", "payeasy_atm", "payeasy_net")
CARRIERS = ("au", "docomo", "softbank")
BY_CONSENT = (*CARRIERS, "rakuten")
_MINUTE = HOUR / 60


@dataclass(frozen=True)
class StoryElsewhere:
    """What happens to an order of each of these kinds, once per kind and `times`; ages as in Story."""

    name: str
    kinds: tuple[str, ...]
    times: int
    ages: tuple[float, float]
    events: tuple[tuple[float, Event], ...]


_AGREED = ((0, Event.REQUEST), (_MINUTE, Event.PAYS), (2 * _MINUTE, Event.LOOK))

STORIES_ELSEWHERE: Sequence[StoryElsewhere] = (
    StoryElsewhere("waits for the money", BY_NUMBER, 3, (0, 6), ((0, Event.REQUEST),)),
    StoryElsewhere(
        "paid and shipped",
        BY_NUMBER,
        2,
        (4, 120),
        (
            (0, Event.REQUEST),
            (1.3, Event.PAYS),
            (1.301, Event.LOOK),
            (1.5, Event.PAID),
            (2, Event.SHIP),
        ),
    ),
    StoryElsewhere(
        "paid, to be looked at",
        BY_NUMBER,
        1,
        (2, 4),
        ((0, Event.REQUEST), (1, Event.PAYS), (1.001, Event.LOOK)),
    ),
    StoryElsewhere(
        "never paid",
        BY_NUMBER,
        1,
        (10, 60),
        ((0, Event.REQUEST), (8.1, Event.LOOK), (8.5, Event.CANCEL_ORDER)),
    ),
    StoryElsewhere(
        "never paid, to be looked at", ("cvs",), 1, (9, 12), ((0, Event.REQUEST), (8.1, Event.LOOK))
    ),
    StoryElsewhere(
        "stopped on the provider's screen",
        ("cvs",),
        1,
        (3, 30),
        ((0, Event.REQUEST), (0.5, Event.CANCEL_THERE), (0.501, Event.LOOK), (0.6, Event.CANCEL_ORDER)),
    ),
    StoryElsewhere("agreed", BY_CONSENT, 1, (0, 40), _AGREED),
    StoryElsewhere(
        "captured there and shipped",
        BY_CONSENT,
        1,
        (5, 60),
        (*_AGREED, (1, Event.SALES_THERE), (1.01, Event.LOOK), (1.1, Event.PAID), (2, Event.SHIP)),
    ),
    StoryElsewhere(
        "cancelled there",
        BY_CONSENT,
        1,
        (5, 60),
        (*_AGREED, (1, Event.CANCEL_THERE), (1.01, Event.LOOK), (1.1, Event.CANCEL_ORDER)),
    ),
    StoryElsewhere(
        "refused at the carrier",
        CARRIERS,
        1,
        (0, 6),
        ((0, Event.REQUEST), (_MINUTE, Event.FAILS), (0.01, Event.LOOK)),
    ),
    StoryElsewhere(
        "opened and left",
        ("rakuten", "au"),
        1,
        (0, 5),
        ((0, Event.REQUEST), (_MINUTE, Event.OPENS), (0.01, Event.LOOK)),
    ),
    # Rakuten takes days in the demo (see DemoShop), so that what it has accepted can be looked at.
    StoryElsewhere(
        "capture accepted",
        ("rakuten",),
        1,
        (0.2, 1),
        (*_AGREED, (0.1, Event.SALES_THERE), (0.11, Event.LOOK)),
    ),
    StoryElsewhere(
        "cancel accepted",
        ("rakuten",),
        1,
        (0.2, 1),
        (*_AGREED, (0.1, Event.CANCEL_THERE), (0.11, Event.LOOK)),
    ),
    StoryElsewhere(
        "change accepted",
        ("rakuten",),
        1,
        (0.2, 1),
        (*_AGREED, (0.1, Event.CHANGE_THERE), (0.11, Event.LOOK)),
    ),
    StoryElsewhere("to be transferred to our bank account", ("",), 4, (0, 20), ()),
)


@dataclass(frozen=True)
class Planned:
    """One event of one order, at seconds before now (negative) on the shop's clock; `kind` is how it is paid."""

    order_index: int
    event: Event
    seconds: float
    kind: str = "card"


def plan(random: Random, count: int) -> list[Planned]:
    """The events of `count` orders by card and of those paid elsewhere, oldest first. Nothing lies in the future."""
    chosen = random.choices(STORIES, weights=[story.weight for story in STORIES], k=count)
    # Every story at least once, whatever the dice say.
    chosen[: len(STORIES)] = STORIES
    planned: list[Planned] = []
    for index, story in enumerate(chosen):
        age = random.uniform(max(story.ages[0], 0.02), story.ages[1] + 0.9)
        planned += _at(index, "card", age, story.events)
    elsewhere = [(story, kind) for story in STORIES_ELSEWHERE for kind in story.kinds * story.times]
    for index, (told, kind) in enumerate(elsewhere, start=count):
        planned += _at(index, kind, random.uniform(max(told.ages[0], 0.02), told.ages[1]), told.events)
    return sorted(planned, key=lambda event: (event.seconds, event.order_index))


def _at(index: int, kind: str, age: float, events: Sequence[tuple[float, Event]]) -> list[Planned]:
    day = timedelta(days=1).total_seconds()
    start = -age * day
    moments = [(start, Event.ORDER), *((start + 120 + delay * day, event) for delay, event in events)]
    return [Planned(index, event, moment, kind) for moment, event in moments if moment < -5]
