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
# each list of the index; to read it; to read that of an order of a list; to put an order of a list aside or into a
# hash; to look up whether an order is on a list that is too long for one.
READ_NEWEST: Final = 0.3
NAME_FOUND: Final = 0.1
NAME_MET: Final = 0.3
READ_FOUND: Final = 1.3
READ_OF_ORDER: Final = 1.6
PUT_INTO_HASH: Final = 0.2
LOOK_UP: Final = 2.0
# What so large a share of the texts hold is looked for by reading them, not by their grams.
EVERYWHERE: Final = 0.2
# So many more are read than should be needed: shares vary from year to year.
AMPLE: Final = 1.3
# What the grams name is met with a list for a page where that should take no longer.
MEET_WITHIN_MS: Final = 70
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
    """About how many orders there are, are kept by the other conditions, and match the text."""

    orders: int
    listed: int
    matching: int
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


def cheapest(sizes: Sizes, *, limit: int) -> tuple[Way, float]:
    """The way that should take the least time until `limit` are counted, or all; and the milliseconds it should take."""
    check = LOOK_UP if sizes.is_looked_up else 0.0
    prepare = sizes.listed * PUT_INTO_HASH if sizes.is_hashed else 0.0
    # The index names all texts; they are read until there are enough.
    read = min(sizes.matching, limit * sizes.orders / sizes.listed)
    costs = {
        Way.NEWEST: prepare + min(sizes.newest(limit), sizes.orders) * (READ_NEWEST + sizes.share * check),
        Way.WALKING: sizes.listed * PUT_INTO_HASH
        + min(sizes.listed, AMPLE * limit / sizes.share) * READ_OF_ORDER,
        Way.GRAMS: math.inf
        if sizes.share > EVERYWHERE
        else prepare + sizes.matching * NAME_FOUND + read * (READ_FOUND + check),
        Way.MEETING: math.inf
        if sizes.share > EVERYWHERE
        else _meeting(listed=min(sizes.listed, AMPLE * limit / sizes.share), matching=sizes.matching),
    }
    way = min(costs, key=lambda way: costs[way])
    return way, costs[way] / 1000


def _meeting(*, listed: float, matching: int) -> float:
    return matching * (NAME_FOUND + READ_FOUND + PUT_INTO_HASH) + listed * PUT_INTO_HASH


def is_met_soon(*, listed: int, matching: int) -> bool:
    """Whether a page should be found soon by meeting a list with all that match."""
    return _meeting(listed=listed, matching=matching) <= MEET_WITHIN_MS * 1000


def is_put_into_hash(*, length: int, looked_up: int) -> bool:
    """Whether a hash of so many orders takes less than to look so many up one by one."""
    return length * PUT_INTO_HASH <= looked_up * LOOK_UP


def otherwise(sizes: Sizes) -> Way:
    """When the newest orders hold fewer matches than it seemed."""
    return Way.WALKING if sizes.share > sizes.listed / sizes.orders else Way.GRAMS


def rows_to_walk(*, expected: int, listed: int, matching: int) -> int:
    """How many orders of a list to walk through for a page, each with its own text looked up, when about `expected`
    should hold it; 0 where meeting the list with all matching texts is cheaper."""
    # Where fewer should do, as many again may be needed; a shorter list is walked to its end.
    walking = min(expected * 2, listed) * READ_OF_ORDER
    meeting = _meeting(listed=listed, matching=matching)
    return min(expected, WALKED_ROWS) if walking <= meeting and min(expected, listed) <= WALKED_ROWS else 0


@dataclass(frozen=True, kw_only=True)
class Index:
    """What one index would say of a text: about how many texts it `named`, by meeting so many `lists`."""

    named: int
    lists: int


def worth_asking(indexes: Mapping[str, Index], *, orders: int) -> list[str]:
    """Which indexes to ask for a text that stands in several: the one that names fewest, and those that cost less than
    the reading that they save."""
    first, *others = sorted(indexes, key=lambda index: indexes[index].named)
    asked, named = [first], float(indexes[first].named)
    for name in others:
        index = indexes[name]
        share = min(index.named / orders, 1.0)
        if index.named * index.lists * NAME_MET < named * (1 - share) * READ_FOUND:
            asked.append(name)
            named *= share
    return asked
