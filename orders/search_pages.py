"""Text together with other conditions: which orders stand on a page of a search, and how many match.

Texts and orders lie in two tables, and neither index knows the other's conditions. So the shorter side is made
first: the orders that the other conditions keep, when they are a short list, or the texts that match. How long
each side is comes from the planner, whose statistics know every common gram.
"""

from __future__ import annotations

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
# Orders of a short list that are walked through for one page.
WALKED_ROWS: Final = 10_000
# Of the newest orders so many are read to count matches, before the grams of all orders are asked.
COUNTED_ROWS: Final = 100_000
# Looking up the text of an order of a list takes so many times as long as reading a text that its grams found.
LOOKING_UP: Final = 2

Key = tuple[datetime, int]


@dataclass(frozen=True)
class Found:
    """Orders of a page, and the ids of all texts that match, where these are few."""

    orders: list[Order]
    hits: list[int] | None


def rows(
    kept: QuerySet[Order], terms: Terms, *, size: int, beyond: Key | None, oldest_first: bool, is_plain: bool
) -> Found:
    """Up to one more than `size` of the orders in `kept` that match, in the order of the screen.

    `kept` begins beyond the key already. `is_plain`: nothing is left out but what lists hide anyway.
    """
    found: list[Order] = []
    wanted = size + 1 if is_plain else None
    for helping in search.candidates(terms, wanted=wanted, beyond=beyond, oldest_first=oldest_first):
        nearest = helping.ids[: 3 * size]
        found = _of(nearest, kept, size=size, oldest_first=oldest_first)
        if len(found) <= size and len(nearest) < len(helping.ids):
            found = _of(helping.ids, kept, size=size, oldest_first=oldest_first)
        if len(found) > size or helping.complete:
            return Found(found, helping.hits)
        if not is_plain and expected_rows(kept.order_by()) <= SHORT_LIST:
            return Found(
                _of_short_list(kept, terms, helping, size=size, beyond=beyond, oldest_first=oldest_first),
                None,
            )
        is_plain = True  # the list is long: it is not asked again
    return Found(found, None)


def total_of(hits: list[int], kept: QuerySet[Order]) -> int:
    """How many of the orders in `kept` match, when the ids of all matching texts are known."""
    return kept.filter(_is_one_of(hits)).count() if hits else 0


def total(kept: QuerySet[Order], terms: Terms, *, limit: int, is_plain: bool) -> int:
    """How many of the orders in `kept` match; not more than `limit` are counted."""
    if is_plain:
        hidden = Order.objects.filter(status__in=sorted(HIDDEN_BY_DEFAULT))
        if expected_rows(hidden) <= SHORT_LIST:
            return _count(terms, *_is_in(hidden, negated=True), share=1.0, limit=limit)
    listed = expected_rows(kept)
    if listed > SHORT_LIST:
        share = listed / search.number_of_orders()
        return _count(terms, *_is_looked_up_in(kept), share=share, limit=limit)
    if listed * LOOKING_UP <= search.estimate(terms):
        return _count_by_walking(kept, terms, limit=limit)
    return _count_by_grams(terms, *_is_in(kept), limit=limit)


def _of(ids: list[int], kept: QuerySet[Order], *, size: int, oldest_first: bool) -> list[Order]:
    if not ids:
        return []
    return list(sorted_afterwards(kept.filter(_is_one_of(ids)), oldest_first=oldest_first)[: size + 1])


def _is_one_of(ids: list[int]) -> RawSQL:
    """As one array: thousands of literals would take longer to parse than to look up."""
    return RawSQL("orders_order.id = ANY(ARRAY(SELECT unnest(%s::bigint[])))", [ids], BooleanField())  # noqa: S611


def _of_short_list(
    kept: QuerySet[Order],
    terms: Terms,
    near: Candidates,
    *,
    size: int,
    beyond: Key | None,
    oldest_first: bool,
) -> list[Order]:
    """Rows of a short list: walked through where the term is frequent, else met with all matching texts."""
    # With one and a half times as many as a page should need, one more try is hardly ever needed.
    expected = (size + 1) * 3 // 2 * search.NEAR_ROWS // max(len(near.ids), 1)
    if expected <= min(WALKED_ROWS, search.estimate(terms)):
        walked = _walk(kept, terms, rows=expected)
        found = _of(walked.ids, kept, size=size, oldest_first=oldest_first)
        if len(found) > size or walked.complete:
            return found
    ids = _meeting(kept, terms, size=size, beyond=beyond, oldest_first=oldest_first)
    return _of(ids, kept, size=size, oldest_first=oldest_first)


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


def _count(terms: Terms, is_kept: str, parameters: list[Any], *, share: float, limit: int) -> int:
    """Count among the newest orders where these should hold enough matches, else among all matching texts."""
    orders = search.number_of_orders()
    expected = limit * orders / max(search.estimate(terms) * share, 1)
    enough = int(expected * 1.3) + 1
    if enough <= COUNTED_ROWS:
        newest, newest_parameters = search.newest_sql(terms, rows=enough)
        sql = f"""
            WITH newest AS MATERIALIZED ({newest})
            SELECT (SELECT count(*) FROM newest), (
                SELECT count(*) FROM (SELECT FROM newest WHERE hit AND {is_kept} LIMIT %s) AS found
            )
        """  # noqa: S608
        read, found = _fetch(sql, [*newest_parameters, *parameters, limit])
        if found >= limit or read < enough:
            return int(found)
    return _count_by_grams(terms, is_kept, parameters, limit=limit)


def _count_by_grams(terms: Terms, is_kept: str, parameters: list[Any], *, limit: int) -> int:
    hits, hits_parameters = search.by_grams_sql(terms, limit=None)
    sql = f"SELECT count(*) FROM (SELECT FROM ({hits}) AS hits WHERE {is_kept} LIMIT %s) AS found"  # noqa: S608
    (found,) = _fetch(sql, [*hits_parameters, *parameters, limit])
    return int(found)


def _count_by_walking(kept: QuerySet[Order], terms: Terms, *, limit: int) -> int:
    # By id, in which neighbours mostly lie together: half the time of looking them up here and there.
    listed, parameters = kept.order_by("id").values("id").query.sql_with_params()
    likes, like_parameters = search.likes(terms)
    sql = f"""
        SELECT count(*) FROM (
            SELECT FROM ({listed}) AS listed CROSS JOIN LATERAL (
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
