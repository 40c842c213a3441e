"""Search over a million orders: character grams of one normalised text per order, and windows of the newest."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import F, Func, QuerySet, TextField, Value

from orders.models import OrderSearch
from orders.search_costs import EVERYWHERE
from orders.search_terms import Terms, by_grams_sql, by_reading_sql, likes, position, span
from orders.search_text import SEPARATOR
from orders.search_weights import Weights, weigh

# Rows that are read by LIKE before the grams are asked: first a few, which answer common terms at once, then
# as many more as should hold a page, when the grams have shown that the term is not rare.
NEAR_ROWS: Final = 1_000
WINDOW_ROWS: Final = 10_000
# So many hits among these show that the term is not rare, and that the larger window will have enough of them.
FREQUENT_HITS: Final = 12
# A term with no more hits than this is rare: all its hits are taken, in whatever order the grams yield them, and
# counted with the page.
FEW_HITS: Final = 10_000
# Taken only where no more than so many are expected: with more than FEW_HITS it would be in vain, and a window finds
# the page as soon while they are counted beside it.
EXPECTED_HITS: Final = 6_000
# Hits taken from the grams at first; only when a filter leaves too few of them are all of them taken.
FIRST_HITS: Final = 1_000


@dataclass(frozen=True)
class Candidates:
    """Ids of matching orders in the order asked for. `complete`: no other order matches beyond them. `last`: the key of
    the last order that a window looked at."""

    ids: list[int]
    complete: bool
    last: tuple[datetime, int] | None = None


@dataclass(frozen=True)
class Few:
    """SELECT of ids and dates of all that match, where these should be few; of no use when there are more than
    FEW_HITS, beyond which it does not go on. `number` of them, where it is known."""

    sql: str
    parameters: list[Any]
    number: int | None = None


def matching(terms: Terms) -> QuerySet[OrderSearch]:
    """The search rows that match, found by the grams: for counting, freezing and exporting all of them."""
    rows = OrderSearch.objects.all()
    for function, grams in weigh(terms).asked.items():
        pieces = Func(F("text"), function=function, output_field=ArrayField(TextField()))
        rows = rows.alias(**{function: pieces}).filter(**{f"{function}__contains": grams})
    for part in terms.anywhere:
        rows = rows.filter(text__contains=part)
    for number, (field, part) in enumerate(terms.within):
        name = f"field{number}"
        piece = Func(
            F("text"), Value(SEPARATOR), Value(int(field)), function="split_part", output_field=TextField()
        )
        rows = rows.alias(**{name: piece}).filter(**{f"{name}__contains": part})
    return rows


def candidates(
    terms: Terms,
    *,
    wanted: int | None,
    beyond: tuple[datetime, int] | None,
    oldest_first: bool,
    weights: Callable[[], Weights],
) -> Iterator[Candidates | Few]:
    """Matching orders beyond a key, in ever larger helpings, until the caller has enough.

    `wanted` is how many that will be; None when it depends on more than the text. `weights` are asked for when the
    newest texts do not hold enough.

    The planner misjudges LIKE with ORDER BY and LIMIT, and a LIMIT does not bound a bitmap scan: hence first
    windows of rows by date, and the grams, each fenced off from the sorting. The grams come before the larger
    window only where the term may be rare: otherwise finding that out takes longer than the window.
    """
    near = _window(terms, beyond=beyond, oldest_first=oldest_first, rows=NEAR_ROWS)
    if near.complete and beyond is None:
        yield Few(*by_reading_sql(terms), number=len(near.ids))
    elif (near.complete or len(near.ids) < FREQUENT_HITS) and _may_be_few(near, weights()):
        yield Few(*by_grams_sql(terms, weights().asked, limit=FEW_HITS + 1))
    yield near
    if near.complete:
        return
    rows = WINDOW_ROWS if wanted is None else _rows_to_read(wanted, len(near.ids))
    if rows <= 2 * WINDOW_ROWS:
        further = _window(terms, beyond=near.last, oldest_first=oldest_first, rows=rows)
        yield replace(further, ids=near.ids + further.ids)
        if further.complete:
            return
    is_everywhere = len(near.ids) > NEAR_ROWS * EVERYWHERE
    for limit in (FIRST_HITS, None):
        found = by_reading_sql(terms) if is_everywhere else by_grams_sql(terms, weights().asked, limit=None)
        hits = _hits(*found, beyond=beyond, oldest_first=oldest_first, limit=limit)
        yield hits
        if hits.complete:
            return


def _may_be_few(near: Candidates, weights: Weights) -> bool:
    """Whether taking all hits is worth a try. What is rare in a whole window is rare; otherwise the planner knows."""
    if len(near.ids) < FREQUENT_HITS // 3 and not near.complete:
        return True
    # Of ten thousand orders few may be nearly all: to read them is quicker than to ask for their grams.
    return weights.matching <= min(EXPECTED_HITS, max(NEAR_ROWS, EVERYWHERE * weights.orders))


def _rows_to_read(wanted: int, near: int) -> int:
    """How far the larger window has to go on when the first one had `near` hits and `wanted` are wanted."""
    missing = max(wanted - near, 1)
    # Both numbers vary by their square roots: too few would cost a search of all grams, and a row hardly anything.
    ample = (missing + 3 * math.sqrt(missing) + 2) * (1 + 1.5 / math.sqrt(max(near, 1)))
    return int(ample * NEAR_ROWS / max(near, 1)) + 1


def _window(
    terms: Terms, *, beyond: tuple[datetime, int] | None, oldest_first: bool, rows: int
) -> Candidates:
    matches, like_parameters = likes(terms)
    key, key_parameters, order = position(beyond, oldest_first)
    between, span_parameters = span(terms)
    sql = f"""
        WITH nearest AS MATERIALIZED (
            SELECT order_id, ordered_at, text FROM orders_ordersearch WHERE {key} AND {between}
            ORDER BY {order} LIMIT %s
        )
        SELECT (SELECT count(*) FROM nearest),
               ARRAY(SELECT order_id FROM nearest WHERE {matches} ORDER BY {order}),
               (SELECT ordered_at FROM nearest OFFSET %s), (SELECT order_id FROM nearest OFFSET %s)
    """  # noqa: S608  (only constants of this module are put into the text)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*key_parameters, *span_parameters, rows, *like_parameters, rows - 1, rows - 1])
        read, ids, at, pk = cursor.fetchone()
    return Candidates(ids=ids, complete=read < rows, last=None if pk is None else (at, pk))


def _hits(
    found: str,
    parameters: list[Any],
    *,
    beyond: tuple[datetime, int] | None,
    oldest_first: bool,
    limit: int | None,
) -> Candidates:
    key, key_parameters, order = position(beyond, oldest_first)
    sql = f"""
        WITH hits AS MATERIALIZED ({found})
        SELECT order_id FROM hits WHERE {key} ORDER BY {order} LIMIT %s
    """  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [*parameters, *key_parameters, limit])
        ids = [row[0] for row in cursor.fetchall()]
    return Candidates(ids=ids, complete=limit is None or len(ids) < limit)
