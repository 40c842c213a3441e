"""Text together with other conditions: which orders stand on a page of a search, and how many match.

Texts and orders lie in two tables, and neither index knows the other's conditions. So the shorter side is made
first: the orders that the other conditions keep, when they are a short list, or the texts that match. How long
each side is comes from the planner, whose statistics know every common gram.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from orders import search
from orders.models import Order
from orders.planner import expected_rows, sorted_afterwards
from orders.search import Candidates, Terms
from orders.statuses import HIDDEN_BY_DEFAULT

# So many orders are quickly put into a hash, or walked through with the text of each looked up.
SHORT_LIST: Final = 50_000
# Orders of a list that are walked through for one page.
WALKED_ROWS: Final = 10_000
# What counting takes, in microseconds: to read one of the newest texts, as entered or by date; to find one by its
# grams, and to read it; to read that of an order of a list; to put an order of a list aside or into a hash; to look up
# whether an order is on a list that is too long for one.
READ_NEWEST: Final = 0.3
READ_BY_DATE: Final = 1.1
NAME_FOUND: Final = 0.1
READ_FOUND: Final = 1.3
READ_OF_ORDER: Final = 2.5
PUT_INTO_HASH: Final = 0.2
LOOK_UP: Final = 2.0

Key = tuple[datetime, int]


@dataclass(frozen=True)
class Found:
    """Orders of a page, and the ids of all texts that match, where these are few."""

    orders: list[Order]
    hits: list[int] | None


def rows(
    kept: QuerySet[Order],
    terms: Terms,
    *,
    size: int,
    beyond: Key | None,
    oldest_first: bool,
    at_most: int | None,
    is_plain: bool,
    when_many: Callable[[], None],
) -> Found:
    """Up to one more than `size` of the orders in `kept` that match, in the order of the screen.

    `kept` begins beyond the key already. `at_most` is about how many orders the conditions keep, where that is known
    better than the planner guesses it. `is_plain`: nothing is left out but what lists hide anyway. `when_many` is
    called as soon as it is clear that more match than are found on the way, so that somebody has to count them.
    """
    found: list[Order] = []
    near: Candidates | None = None
    wanted = size + 1 if is_plain else None
    for helping in search.candidates(terms, wanted=wanted, beyond=beyond, oldest_first=oldest_first):
        if helping.hits is None:
            when_many()
        nearest = helping.ids[: 3 * size]
        found = _of(nearest, kept, size=size, oldest_first=oldest_first)
        if len(found) <= size and len(nearest) < len(helping.ids):
            found = _of(helping.ids, kept, size=size, oldest_first=oldest_first)
        if len(found) > size or helping.complete:
            return Found(found, helping.hits)
        if is_plain:
            continue
        if near is None:
            near = helping
            if _length(kept, at_most) > SHORT_LIST:
                continue
        listed = _length(kept, at_most)
        walked = _by_walking(kept, terms, near, size=size, listed=listed, oldest_first=oldest_first)
        if walked is not None:
            return Found(walked, None)
        if listed <= SHORT_LIST:
            ids = _meeting(kept, terms, size=size, beyond=beyond, oldest_first=oldest_first)
            return Found(_of(ids, kept, size=size, oldest_first=oldest_first), None)
        is_plain = True  # the list is long, and what matches stands far down: only the grams are left
    return Found(found, None)


def total_of(hits: list[int], kept: QuerySet[Order], *, is_plain: bool) -> int:
    """How many of the orders in `kept` match, when the ids of all matching texts are known."""
    if not hits:
        return 0
    if not is_plain:
        return kept.filter(_is_one_of(hits)).count()
    is_shown, parameters = _is_in(_hidden(), negated=True)
    sql = f"SELECT count(*) FROM unnest(%s::bigint[]) AS order_id WHERE {is_shown}"  # noqa: S608
    (found,) = _fetch(sql, [hits, *parameters])
    return int(found)


def total(kept: QuerySet[Order], terms: Terms, *, limit: int, at_most: int | None, is_plain: bool) -> int:
    """How many of the orders in `kept` match; not more than `limit` are counted."""
    orders = search.number_between(terms)
    matching = min(max(search.estimate(terms), 1), orders)
    if is_plain and expected_rows(_hidden()) <= SHORT_LIST:
        listed, condition, check, prepare = orders, _is_in(_hidden(), negated=True), 0.0, 0.0
    else:
        listed = min(max(_length(kept, at_most), 1), orders)
        if listed <= SHORT_LIST:
            condition, check, prepare = _is_in(kept.order_by()), 0.0, listed * PUT_INTO_HASH
        else:
            condition, check, prepare = _is_looked_up_in(kept.order_by()), LOOK_UP, 0.0
    share = matching / orders
    newest = int(1.3 * limit / share / (listed / orders)) + 1
    reading = READ_BY_DATE if terms.since or terms.until else READ_NEWEST
    by_newest = prepare + min(newest, orders) * (reading + share * check)
    by_walking = listed * PUT_INTO_HASH + min(listed, 1.3 * limit / share) * READ_OF_ORDER
    # The index names all texts; they are read until there are enough.
    read = min(matching, limit / (listed / orders))
    by_grams = prepare + matching * NAME_FOUND + read * (READ_FOUND + check)
    if share > search.EVERYWHERE:
        by_grams = math.inf
    if by_newest <= min(by_walking, by_grams):
        found = _count_newest(terms, *condition, rows=newest if newest < orders else None, limit=limit)
        if found is not None:
            return found
        # Fewer are on the list than it seemed.
        by_walking = 0.0 if share > listed / orders else math.inf
    if by_walking <= by_grams:
        return _count_by_walking(kept.order_by(), terms, limit=limit)
    return _count_by_grams(terms, *condition, limit=limit)


def _hidden() -> QuerySet[Order]:
    return Order.objects.filter(status__in=sorted(HIDDEN_BY_DEFAULT))


def _length(kept: QuerySet[Order], at_most: int | None) -> int:
    planned = expected_rows(kept.order_by())
    return planned if at_most is None else min(planned, at_most)


def _of(ids: list[int], kept: QuerySet[Order], *, size: int, oldest_first: bool) -> list[Order]:
    if not ids:
        return []
    return list(sorted_afterwards(kept.filter(_is_one_of(ids)), oldest_first=oldest_first)[: size + 1])


def _is_one_of(ids: list[int]) -> RawSQL:
    """As one array: thousands of literals would take longer to parse than to look up."""
    return RawSQL("orders_order.id = ANY(ARRAY(SELECT unnest(%s::bigint[])))", [ids], BooleanField())  # noqa: S611


def _by_walking(
    kept: QuerySet[Order],
    terms: Terms,
    near: Candidates,
    *,
    size: int,
    listed: int,
    oldest_first: bool,
) -> list[Order] | None:
    """Rows of a list that is walked through, each order with its own text looked up.

    None when the term is too rare for that, or the page is not full after so many orders as should fill it.
    """
    # With one and a half times as many as a page should need, one more try is hardly ever needed.
    expected = (size + 1) * 3 // 2 * search.NEAR_ROWS // max(len(near.ids), 1)
    by_grams = search.estimate(terms) * READ_FOUND + listed * PUT_INTO_HASH
    if expected > WALKED_ROWS or expected * 2 * READ_OF_ORDER > by_grams:
        return None
    walked = _walk(kept, terms, rows=expected)
    found = _of(walked.ids, kept, size=size, oldest_first=oldest_first)
    return found if len(found) > size or walked.complete else None


def _walk(kept: QuerySet[Order], terms: Terms, *, rows: int) -> Candidates:
    """The matching orders among so many of the list, each with its own text looked up."""
    listed, parameters = kept.values("id")[:rows].query.sql_with_params()
    likes, like_parameters = search.likes(terms)
    sql = f"""
        WITH walked AS MATERIALIZED ({listed})
        SELECT (SELECT count(*) FROM walked), ARRAY(
            SELECT id FROM (SELECT id FROM walked ORDER BY id) AS walked CROSS JOIN LATERAL (
                SELECT text FROM orders_ordersearch WHERE order_id = walked.id OFFSET 0
            ) AS own WHERE {likes}
        )
    """  # noqa: S608  (made by this package; what was typed is bound)
    count, ids = _fetch(sql, [*parameters, *like_parameters])
    return Candidates(ids=ids, complete=count < rows)


def _meeting(
    kept: QuerySet[Order], terms: Terms, *, size: int, beyond: Key | None, oldest_first: bool
) -> list[int]:
    """Ids of the first orders that are on the list and among all matching texts."""
    is_kept, kept_parameters = _is_in(kept.order_by())
    hits, parameters = search.by_grams_sql(terms, limit=None)
    key, key_parameters, order = search.position(beyond, oldest_first)
    sql = f"""
        SELECT ARRAY(SELECT order_id FROM ({hits}) AS hits WHERE {key} AND {is_kept} ORDER BY {order} LIMIT %s)
    """  # noqa: S608
    (ids,) = _fetch(sql, [*parameters, *key_parameters, *kept_parameters, size + 1])
    return list(ids)


def _count_newest(
    terms: Terms, is_kept: str, parameters: list[Any], *, rows: int | None, limit: int
) -> int | None:
    """Count among so many of the newest orders, or among all; None when the newest hold fewer than `limit`."""
    newest, newest_parameters = search.newest_sql(terms, rows=rows)
    sql = f"SELECT count(*) FROM (SELECT FROM ({newest}) AS newest WHERE hit AND {is_kept} LIMIT %s) AS found"  # noqa: S608
    (found,) = _fetch(sql, [*newest_parameters, *parameters, limit])
    return int(found) if rows is None or found >= limit else None


def _count_by_grams(terms: Terms, is_kept: str, parameters: list[Any], *, limit: int) -> int:
    hits, hits_parameters = search.by_grams_sql(terms, limit=None)
    sql = f"SELECT count(*) FROM (SELECT FROM ({hits}) AS hits WHERE {is_kept} LIMIT %s) AS found"  # noqa: S608
    (found,) = _fetch(sql, [*hits_parameters, *parameters, limit])
    return int(found)


def _count_by_walking(kept: QuerySet[Order], terms: Terms, *, limit: int) -> int:
    listed, parameters = kept.values("id").query.sql_with_params()
    likes, like_parameters = search.likes(terms)
    # By id, in which neighbours mostly lie together: half the time of looking them up here and there.
    sql = f"""
        WITH listed AS MATERIALIZED ({listed})
        SELECT count(*) FROM (
            SELECT FROM (SELECT id FROM listed ORDER BY id) AS listed CROSS JOIN LATERAL (
                SELECT text FROM orders_ordersearch WHERE order_id = listed.id OFFSET 0
            ) AS own WHERE {likes} LIMIT %s
        ) AS found
    """  # noqa: S608
    (found,) = _fetch(sql, [*parameters, *like_parameters, limit])
    return int(found)


def _is_in(listed: QuerySet[Order], *, negated: bool = False) -> tuple[str, list[Any]]:
    """A condition on `order_id`, met by a hash of the list: the brackets keep the planner from joining."""
    ids, parameters = listed.values("id").query.sql_with_params()
    return f"(order_id IN ({ids})) IS {'NOT ' if negated else ''}TRUE", list(parameters)


def _is_looked_up_in(listed: QuerySet[Order]) -> tuple[str, list[Any]]:
    """A condition on `order_id` for a list that is too long for a hash: each order is looked up."""
    own = listed.filter(RawSQL("orders_order.id = order_id", [], BooleanField()))  # noqa: S611
    sql, parameters = own.values("pk").query.sql_with_params()
    return f"EXISTS ({sql} OFFSET 0)", list(parameters)


def _fetch(sql: str, parameters: list[Any]) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found: tuple[Any, ...] = cursor.fetchone()
    return found
