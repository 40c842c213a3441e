"""Which of four ways counts the matches of a search soonest: pure arithmetic over what the planner expects.

The newest texts are read until there are enough; or those of the orders that the other conditions keep; or those
that the grams name, each with a look whether its order is kept, or all of them to meet those that are. Measured at a
million orders; only the proportions matter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

# Microseconds: to read one of the newest texts; to find one by its grams, or by those of several indexes at once, for
# each list of the index; to fetch a page of texts, and to read one that was found, or that of an order of a list; to
# put an order of a list aside or into a hash; to look up whether an order is on a list that is too long for one, in the
# order of entry or by date; to pass an order by on the way along an index.
READ_NEWEST: Final = 0.2
NAME_FOUND: Final = 0.05
NAME_MET: Final = 0.3
FETCH_PAGE: Final = 0.8
READ_FOUND: Final = 0.25
READ_OF_ORDER: Final = 0.45
PUT_INTO_HASH: Final = 0.1
LOOK_UP: Final = 1.5
LOOK_UP_BY_DATE: Final = 3.0
PASS_BY: Final = 0.15
TEXTS_OF_A_PAGE: Final = 58
# What so large a share of the texts hold is looked for by reading them, not by their grams.
EVERYWHERE: Final = 0.2
# So many more are read than should be needed: shares vary from year to year.
AMPLE: Final = 1.3
# What the grams name is met with a list for a page where that should take no longer.
MEET_WITHIN_MS: Final = 60
# Orders of a list that are walked through for one page, at most.
WALKED_ROWS: Final = 10_000


class Way(Enum):
    """How the matches are counted."""

    NEWEST = "the newest texts"
    WALKING = "the texts of the orders on the list"
    GRAMS = "the texts that the grams name"
    MEETING = "the texts that the grams name, all put aside to meet the list"


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """About how many texts there are; how many orders between the days asked for; how many of these the other
    conditions keep, and the text matches; and how many texts its grams name."""

    texts: int
    orders: int
    listed: int
    matching: int
    named: int
    # The list goes into a hash, which has to be made first.
    is_hashed: bool
    # Each order has to be looked up, since the list is too long for a hash.
    is_looked_up: bool

    @property
    def share(self) -> float:
        """Of the texts that match."""
        return self.matching / self.orders

    def newest(self, limit: int) -> int:
        """So many of the newest orders should hold `limit` matches."""
        return int(AMPLE * limit / self.share / (self.listed / self.orders)) + 1

    def walked(self, limit: int) -> int:
        """So many orders of the list should hold `limit` matches."""
        return int(AMPLE * limit / self.share) + 1


def cheapest(sizes: Sizes, *, limit: int) -> tuple[Way, float]:
    """The way that should take the least time until `limit` are counted, or all; and the milliseconds it should take."""
    look_up, look_up_by_date = (LOOK_UP, LOOK_UP_BY_DATE) if sizes.is_looked_up else (0.0, 0.0)
    prepare = sizes.listed * PUT_INTO_HASH if sizes.is_hashed else 0.0
    newest = min(sizes.newest(limit), sizes.orders)
    walked = min(sizes.listed, sizes.walked(limit))
    costs = {
        Way.NEWEST: prepare + newest * (READ_NEWEST + sizes.share * look_up_by_date),
        Way.WALKING: _walking(walked, texts=sizes.texts),
    }
    if sizes.share <= EVERYWHERE:
        # The index names all texts; they are read until there are enough.
        matched = min(sizes.matching, limit * sizes.orders / sizes.listed)
        read = sizes.named * matched / sizes.matching
        reading = _reading(read, texts=sizes.texts) + read * READ_FOUND
        costs[Way.GRAMS] = prepare + sizes.named * NAME_FOUND + reading + matched * look_up
        costs[Way.MEETING] = _meeting(listed=walked, named=sizes.named, texts=sizes.texts)
    way = min(costs, key=lambda way: costs[way])
    return way, costs[way] / 1000


def _reading(read: float, *, texts: int) -> float:
    """To fetch the pages of so many texts, which lie anywhere."""
    pages = texts / TEXTS_OF_A_PAGE
    return pages * (1 - math.exp(-read / pages)) * FETCH_PAGE


def _walking(listed: float, *, texts: int) -> float:
    return listed * (PUT_INTO_HASH + READ_OF_ORDER) + _reading(listed, texts=texts)


def _meeting(*, listed: float, named: int, texts: int) -> float:
    found = named * (NAME_FOUND + READ_FOUND + PUT_INTO_HASH) + _reading(named, texts=texts)
    return found + listed * PUT_INTO_HASH


def is_met_soon(*, listed: int, named: int, texts: int) -> bool:
    """Whether a page should be found soon by meeting a list with all that the grams name."""
    return _meeting(listed=listed, named=named, texts=texts) <= MEET_WITHIN_MS * 1000


def is_put_into_hash(*, length: int, looked_up: int) -> bool:
    """Whether a hash of so many orders takes less than to look so many up one by one."""
    return length * PUT_INTO_HASH <= looked_up * LOOK_UP


def otherwise(sizes: Sizes) -> Way:
    """When the newest orders hold fewer matches than it seemed."""
    return Way.WALKING if sizes.share > sizes.listed / sizes.orders else Way.GRAMS


def rows_to_walk(*, expected: int, listed: int, named: int, texts: int) -> int:
    """How many orders of a list to walk through for a page, each with its own text looked up, when about `expected`
    should hold it; 0 where meeting the list with all matching texts is cheaper."""
    # Where fewer should do, as many again may be needed; a shorter list is walked to its end.
    walking = _walking(min(expected * 2, listed), texts=texts)
    meeting = _meeting(listed=listed, named=named, texts=texts)
    return min(expected, WALKED_ROWS) if walking <= meeting and min(expected, listed) <= WALKED_ROWS else 0


@dataclass(frozen=True, kw_only=True)
class Index:
    """What one index would say of a text: about how many texts it `named`, by meeting so many `lists`."""

    named: int
    lists: int


def worth_asking(indexes: Mapping[str, Index], *, texts: int) -> tuple[list[str], int]:
    """Which indexes to ask for a text that stands in several, and about how many texts they name together: the one that
    names fewest, and those that cost less than the reading that they save."""
    first, *others = sorted(indexes, key=lambda index: indexes[index].named)
    asked, named = [first], float(indexes[first].named)
    for name in others:
        index = indexes[name]
        share = min(index.named / texts, 1.0)
        if index.named * index.lists * NAME_MET < named * (1 - share) * (FETCH_PAGE + READ_FOUND):
            asked.append(name)
            named *= share
    return asked, round(named)


def is_walked_sooner(*, walked: int, share_listed: float, window: int, share_matching: float) -> bool:
    """Whether so many orders of a list that an index yields in order are walked through sooner than a window of the
    newest texts is read, with a look whether the order of each that matches is on the list."""
    walking = walked * (PASS_BY / max(share_listed, 1e-6) + PUT_INTO_HASH + READ_OF_ORDER + FETCH_PAGE)
    return walking < window * (READ_NEWEST + share_matching * LOOK_UP_BY_DATE)
