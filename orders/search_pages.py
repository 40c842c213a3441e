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
from orders.search import Candidates
from orders.search_costs import Sizes, Way, cheapest, is_met_soon, otherwise, rows_to_walk
from orders.search_terms import Terms, likes, position
from orders.statuses import HIDDEN_BY_DEFAULT

# So many orders are quickly put into a hash, or walked through with the text of each looked up.
SHORT_LIST: Final = 50_000
Key = tuple[datetime, int]


@dataclass(frozen=True)
class Found:
    """Ids of the orders of a page; with them those of all texts that match, where these are few, or how many orders
    match, where finding the page has shown it."""

    ids: list[int]
    hits: list[int] | None = None
    total: int | None = None


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
    found: list[int] = []
    near: Candidates | None = None
    wanted = size + 1 if is_plain else None
    listed = None if is_plain else _length(kept, at_most)
    for helping in search.candidates(terms, wanted=wanted, beyond=beyond, oldest_first=oldest_first):
        if helping.hits is None and (listed is None or listed > SHORT_LIST or beyond is not None):
            when_many()
        nearest = helping.ids[: 3 * size]
        found = _of(nearest, kept, size=size, oldest_first=oldest_first)
        if len(found) <= size and len(nearest) < len(helping.ids):
            found = _of(helping.ids, kept, size=size, oldest_first=oldest_first)
        if len(found) > size or helping.complete:
            if helping.hits is None:
                when_many()
            return Found(found, helping.hits)
        if listed is None:
            continue
        if near is None:
            near = helping
            if listed > SHORT_LIST:
                continue
        matching = search.estimate(terms)
        if to_walk := _rows_to_walk(near, size=size, listed=listed, matching=matching):
            when_many()
            walked = _walk(kept, terms, rows=to_walk)
            found = _of(walked.ids, kept, size=size, oldest_first=oldest_first)
            if len(found) > size or walked.complete:
                is_all = walked.complete and beyond is None
                return Found(found, total=len(walked.ids) if is_all else None)
        if listed <= SHORT_LIST or is_met_soon(listed=listed, matching=matching):
            ids, number = _meeting(kept, terms, size=size, beyond=beyond, oldest_first=oldest_first)
            # What lies before the key was not looked at.
            return Found(
                _of(ids, kept, size=size, oldest_first=oldest_first), total=number if beyond is None else None
            )
        listed = None  # the list is long, and what matches stands far down: only the grams are left
    return Found(found)


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


def total(
    kept: QuerySet[Order],
    terms: Terms,
    *,
    limit: int,
    at_most: int | None,
    is_plain: bool,
    within_ms: float = math.inf,
) -> int | None:
    """How many of the orders in `kept` match; not more than `limit` are counted. None where that should take longer
    than `within_ms`."""
    orders = search.number_between(terms)
    is_hashed = is_looked_up = False
    if is_plain and expected_rows(_hidden()) <= SHORT_LIST:
        listed, condition = orders, _is_in(_hidden(), negated=True)
    elif (listed := min(max(_length(kept, at_most), 1), orders)) <= SHORT_LIST:
        is_hashed, condition = True, _is_in(kept.order_by())
    else:
        is_looked_up, condition = True, _is_looked_up_in(kept.order_by())
    sizes = Sizes(
        orders=orders,
        listed=listed,
        matching=min(max(search.estimate(terms), 1), orders),
        is_hashed=is_hashed,
        is_looked_up=is_looked_up,
    )
    way, milliseconds = cheapest(sizes, limit=limit)
    if milliseconds > within_ms:
        return None
    if way is Way.NEWEST:
        newest = sizes.newest(limit)
        found = _count_newest(terms, *condition, rows=newest if newest < orders else None, limit=limit)
        if found is not None:
            return found
        way = otherwise(sizes)
    if way is Way.WALKING:
        return _count_by_walking(kept.order_by(), terms, limit=limit)
    if way is Way.MEETING:
        return _count_by_meeting(kept.order_by(), terms, limit=limit)
    return _count_by_grams(terms, *condition, limit=limit)


def _hidden() -> QuerySet[Order]:
    return Order.objects.filter(status__in=sorted(HIDDEN_BY_DEFAULT))


def _length(kept: QuerySet[Order], at_most: int | None) -> int:
    planned = expected_rows(kept.order_by())
    return planned if at_most is None else min(planned, at_most)


def _of(ids: list[int], kept: QuerySet[Order], *, size: int, oldest_first: bool) -> list[int]:
    if not ids:
        return []
    own = sorted_afterwards(kept.filter(_is_one_of(ids)), oldest_first=oldest_first)
    return list(own.values_list("pk", flat=True)[: size + 1])


def _is_one_of(ids: list[int]) -> RawSQL:
    """As one constant array: thousands of literals would take longer to parse than to look up, and an array that is
    made within the query would be looked through for each row of a list that an index holds."""
    return RawSQL("orders_order.id = ANY(%s::bigint[])", [ids], BooleanField())  # noqa: S611


def _rows_to_walk(near: Candidates, *, size: int, listed: int, matching: int) -> int:
    # With one and a half times as many as a page should need, one more try is hardly ever needed.
    expected = (size + 1) * 3 // 2 * search.NEAR_ROWS // max(len(near.ids), 1)
    return rows_to_walk(expected=expected, listed=listed, matching=matching)


def _walk(kept: QuerySet[Order], terms: Terms, *, rows: int) -> Candidates:
    """The matching orders among so many of the list, each with its own text looked up."""
    listed, parameters = kept.values("id")[:rows].query.sql_with_params()
    own, own_parameters = _own_texts("(SELECT ids FROM walked)", terms)
    sql = f"""
        WITH walked AS MATERIALIZED (SELECT ARRAY({listed}) AS ids)
        SELECT cardinality(ids), ARRAY({own}) FROM walked
    """  # noqa: S608  (made by this package; what was typed is bound)
    count, ids = _fetch(sql, [*parameters, *own_parameters])
    return Candidates(ids=ids, complete=count < rows)


def _own_texts(ids: str, terms: Terms) -> tuple[str, list[Any]]:
    """SELECT of those of an array of orders whose own text matches. The index is asked for the array as a whole,
    which takes two thirds of the time of asking it for one order after the other."""
    matches, parameters = likes(terms)
    sql = f"SELECT order_id FROM orders_ordersearch WHERE order_id = ANY({ids}::bigint[]) AND {matches}"  # noqa: S608
    return sql, parameters


def _meeting(
    kept: QuerySet[Order], terms: Terms, *, size: int, beyond: Key | None, oldest_first: bool
) -> tuple[list[int], int]:
    """Ids of the first orders that are on the list and among all matching texts, and how many there are."""
    key, key_parameters, order = position(beyond, oldest_first)
    met, parameters = _met(kept.order_by(), terms)
    sql = f"""
        WITH met AS MATERIALIZED (SELECT order_id, ordered_at FROM ({met}) AS met WHERE {key})
        SELECT ARRAY(SELECT order_id FROM met ORDER BY {order} LIMIT %s), (SELECT count(*) FROM met)
    """  # noqa: S608
    ids, number = _fetch(sql, [*parameters, *key_parameters, size + 1])
    return list(ids), int(number)


def _met(kept: QuerySet[Order], terms: Terms) -> tuple[str, list[Any]]:
    """SELECT of the orders on a list that are among all matching texts. The planner takes these to be few and puts
    them into a hash; OFFSET keeps it from looking up each order of the list instead."""
    hits, parameters = search.by_grams_sql(terms, limit=None)
    listed, kept_parameters = kept.values("id").query.sql_with_params()
    sql = f"""
        WITH hits AS MATERIALIZED ({hits})
        SELECT order_id, ordered_at FROM ({listed} OFFSET 0) AS listed JOIN hits ON order_id = listed.id
    """  # noqa: S608
    return sql, [*parameters, *kept_parameters]


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


def _count_by_meeting(kept: QuerySet[Order], terms: Terms, *, limit: int) -> int:
    met, parameters = _met(kept, terms)
    (found,) = _fetch(f"SELECT count(*) FROM ({met} LIMIT %s) AS found", [*parameters, limit])  # noqa: S608
    return int(found)


def _count_by_walking(kept: QuerySet[Order], terms: Terms, *, limit: int) -> int:
    listed, parameters = kept.values("id").query.sql_with_params()
    own, own_parameters = _own_texts(f"ARRAY({listed})", terms)
    sql = f"SELECT count(*) FROM ({own} LIMIT %s) AS found"  # noqa: S608
    (found,) = _fetch(sql, [*parameters, *own_parameters, limit])
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
