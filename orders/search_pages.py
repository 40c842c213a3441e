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
from orders.search import Candidates, Few
from orders.search_costs import (
    Sizes,
    Way,
    cheapest,
    is_met_soon,
    is_put_into_hash,
    is_walked_sooner,
    otherwise,
    rows_to_walk,
)
from orders.search_terms import Terms, by_grams_sql, likes, newest_sql, position
from orders.search_weights import Weights, weigh
from orders.statuses import HIDDEN_BY_DEFAULT

# So many orders are quickly put into a hash, or walked through with the text of each looked up.
SHORT_LIST: Final = 50_000
# So many are walked through before anything else is asked.
WALKED_AT_ONCE: Final = 1_000
Key = tuple[datetime, int]
# A condition on `order_id`, and its parameters.
Condition = tuple[str, list[Any]]


@dataclass(frozen=True)
class Found:
    """Ids of the orders of a page, and how many orders match where finding the page has shown it."""

    ids: list[int]
    total: int | None = None


class Search:
    """A text with other conditions.

    How long each side is the planner is asked once, by whoever has to know first: the rows of a page, or the count
    beside them, which may be another thread.
    """

    def __init__(
        self, kept: QuerySet[Order], terms: Terms, *, at_most: Callable[[], int | None], is_plain: bool
    ) -> None:
        """`kept`: what the other conditions keep, in no order. `at_most` tells about how many these are, where that is
        known better than the planner guesses it. `is_plain`: nothing is left out but what lists hide anyway."""
        self._kept, self._terms, self._at_most, self._is_plain = kept, terms, at_most, is_plain
        self._weighed: Weights | None = None
        self._known_hidden: int | None = None
        self._known_length: int | None = None

    def rows(
        self,
        listed: QuerySet[Order],
        *,
        size: int,
        beyond: Key | None,
        oldest_first: bool,
        is_sorted: bool,
        when_many: Callable[[], None],
    ) -> Found:
        """Up to one more than `size` of the orders that match, in the order of the screen.

        `listed` is the list in that order, and begins beyond the key already; `is_sorted` when no index has its order.
        `when_many` is called as soon as it is clear that more match than are found on the way, so that somebody has to
        count them.
        """
        found: list[int] = []
        near: Candidates | None = None
        wanted = size + 1 if self._is_plain else None
        length: int | None = None
        if not self._is_plain:
            length = self._length() if beyond is None else self._length_of(listed)
            if length <= WALKED_AT_ONCE:
                walked = _walk(listed, self._terms, rows=2 * WALKED_AT_ONCE)
                if walked.complete:
                    found = _of(walked.ids, listed, size=size, oldest_first=oldest_first)
                    return Found(found, total=len(walked.ids) if beyond is None else None)
        for helping in search.candidates(
            self._terms, wanted=wanted, beyond=beyond, oldest_first=oldest_first, weights=self._weights
        ):
            if isinstance(helping, Few):
                few = self._among_few(helping, size=size, beyond=beyond, oldest_first=oldest_first)
                if few is not None:
                    return few
                continue
            if length is None or length > SHORT_LIST or beyond is not None:
                when_many()
            nearest = helping.ids[: 3 * size]
            found = _of(nearest, listed, size=size, oldest_first=oldest_first)
            if len(found) <= size and len(nearest) < len(helping.ids):
                found = _of(helping.ids, listed, size=size, oldest_first=oldest_first)
            if len(found) > size or helping.complete:
                when_many()
                return Found(found)
            if length is None:
                continue
            if near is None:
                near = helping
                if length > SHORT_LIST and (is_sorted or not self._is_walked_sooner(near, size, length)):
                    continue
            if to_walk := self._rows_to_walk(near, size=size, length=length):
                when_many()
                walked = _walk(listed, self._terms, rows=to_walk)
                found = _of(walked.ids, listed, size=size, oldest_first=oldest_first)
                if len(found) > size or walked.complete:
                    is_all = walked.complete and beyond is None
                    return Found(found, total=len(walked.ids) if is_all else None)
            if length <= SHORT_LIST or is_met_soon(
                listed=length, named=self._weights().named, texts=self._weights().texts
            ):
                ids, number = self._meeting(listed, size=size, beyond=beyond, oldest_first=oldest_first)
                # What lies before the key was not looked at.
                return Found(
                    _of(ids, listed, size=size, oldest_first=oldest_first),
                    total=number if beyond is None else None,
                )
            length = None  # the list is long, and what matches stands far down: only the grams are left
        return Found(found)

    def total(self, *, limit: int, within_ms: float = math.inf) -> int | None:
        """How many orders match; not more than `limit` are counted. None where that should take longer than
        `within_ms`."""
        weights = self._weights()
        orders = weights.orders
        listed, is_hashed, is_looked_up = orders, False, False
        if not (self._is_plain and self._hidden() <= SHORT_LIST):
            listed = min(max(self._length(), 1), orders)
            is_hashed, is_looked_up = listed <= SHORT_LIST, listed > SHORT_LIST
        sizes = Sizes(
            texts=weights.texts,
            orders=orders,
            listed=listed,
            matching=min(max(weights.matching, 1), orders),
            named=max(weights.named, 1),
            is_hashed=is_hashed,
            is_looked_up=is_looked_up,
        )
        way, milliseconds = cheapest(sizes, limit=limit)
        if milliseconds > within_ms:
            return None
        is_kept = self._is_looked_up() if is_looked_up else self._is_in_hash()
        if way is Way.NEWEST:
            newest = sizes.newest(limit)
            found = _count_newest(self._terms, is_kept, rows=newest if newest < orders else None, limit=limit)
            if found is not None:
                return found
            way = otherwise(sizes)
        if way is Way.WALKING:
            walked = sizes.walked(limit)
            if walked < listed:
                found = _count_by_walking(self._kept[:walked], self._terms, limit=limit)
                if found >= limit:
                    return found
            return _count_by_walking(self._kept, self._terms, limit=limit)
        if way is Way.MEETING:
            return self._count_by_meeting(limit)
        return self._count_by_grams(is_kept, limit)

    def _is_walked_sooner(self, near: Candidates, size: int, length: int) -> bool:
        expected = self._rows_to_walk(near, size=size, length=length)
        return expected > 0 and is_walked_sooner(
            walked=expected,
            share_listed=length / self._weights().orders,
            window=search.WINDOW_ROWS,
            share_matching=len(near.ids) / search.NEAR_ROWS,
        )

    def _rows_to_walk(self, near: Candidates, *, size: int, length: int) -> int:
        # With one and a half times as many as a page should need, one more try is hardly ever needed.
        expected = (size + 1) * 3 // 2 * search.NEAR_ROWS // max(len(near.ids), 1)
        return rows_to_walk(
            expected=expected, listed=length, named=self._weights().named, texts=self._weights().texts
        )

    def _among_few(self, few: Few, *, size: int, beyond: Key | None, oldest_first: bool) -> Found | None:
        """The page and the total among all that match; None when these are more than a few."""
        key, key_parameters, order = position(beyond, oldest_first)
        length = self._hidden() if self._is_plain else self._length()
        looked_up = min(self._weights().matching, search.FEW_HITS) if few.number is None else few.number
        is_hashed = is_put_into_hash(length=length, looked_up=looked_up)
        is_kept, parameters = self._is_in_hash() if is_hashed else self._is_looked_up()
        sql = f"""
            WITH hits AS MATERIALIZED ({few.sql}),
            number AS MATERIALIZED (SELECT count(*) AS of_hits FROM hits),
            kept AS MATERIALIZED (
                SELECT order_id, ordered_at FROM hits WHERE (SELECT of_hits FROM number) <= %s AND {is_kept}
            )
            SELECT of_hits, (SELECT count(*) FROM kept),
                   ARRAY(SELECT order_id FROM kept WHERE {key} ORDER BY {order} LIMIT %s)
            FROM number
        """  # noqa: S608
        hits, total, ids = _fetch(
            sql, [*few.parameters, search.FEW_HITS, *parameters, *key_parameters, size + 1]
        )
        return Found(ids, total) if hits <= search.FEW_HITS else None

    def _meeting(
        self, kept: QuerySet[Order], *, size: int, beyond: Key | None, oldest_first: bool
    ) -> tuple[list[int], int]:
        """Ids of the first orders that are on the list and among all matching texts, and how many there are."""
        key, key_parameters, order = position(beyond, oldest_first)
        met, parameters = self._met(kept.order_by())
        sql = f"""
            WITH met AS MATERIALIZED (SELECT order_id, ordered_at FROM ({met}) AS met WHERE {key})
            SELECT ARRAY(SELECT order_id FROM met ORDER BY {order} LIMIT %s), (SELECT count(*) FROM met)
        """  # noqa: S608
        ids, number = _fetch(sql, [*parameters, *key_parameters, size + 1])
        return list(ids), int(number)

    def _met(self, kept: QuerySet[Order]) -> tuple[str, list[Any]]:
        """SELECT of the orders on a list that are among all matching texts. The planner takes these to be few and puts
        them into a hash; OFFSET keeps it from looking up each order of the list instead."""
        hits, parameters = by_grams_sql(self._terms, self._weights().asked, limit=None)
        listed, kept_parameters = kept.values("id").query.sql_with_params()
        sql = f"""
            WITH hits AS MATERIALIZED ({hits})
            SELECT order_id, ordered_at FROM ({listed} OFFSET 0) AS listed JOIN hits ON order_id = listed.id
        """  # noqa: S608
        return sql, [*parameters, *kept_parameters]

    def _count_by_meeting(self, limit: int) -> int:
        met, parameters = self._met(self._kept)
        (found,) = _fetch(f"SELECT count(*) FROM ({met} LIMIT %s) AS found", [*parameters, limit])  # noqa: S608
        return int(found)

    def _count_by_grams(self, is_kept: Condition, limit: int) -> int:
        condition, parameters = is_kept
        hits, hits_parameters = by_grams_sql(self._terms, self._weights().asked, limit=None)
        sql = f"SELECT count(*) FROM (SELECT FROM ({hits}) AS hits WHERE {condition} LIMIT %s) AS found"  # noqa: S608
        (found,) = _fetch(sql, [*hits_parameters, *parameters, limit])
        return int(found)

    def _is_in_hash(self) -> Condition:
        """Met by a hash of what is hidden, or of the list: the brackets keep the planner from joining."""
        listed = _hidden() if self._is_plain else self._kept
        ids, parameters = listed.values("id").query.sql_with_params()
        return f"(order_id IN ({ids})) IS {'NOT ' if self._is_plain else ''}TRUE", list(parameters)

    def _is_looked_up(self) -> Condition:
        """Met by looking each order up."""
        own = self._kept.filter(RawSQL("orders_order.id = order_id", [], BooleanField()))  # noqa: S611
        sql, parameters = own.values("pk").query.sql_with_params()
        return f"EXISTS ({sql} OFFSET 0)", list(parameters)

    # Without a lock: what is asked twice at once is answered alike.

    def _weights(self) -> Weights:
        if self._weighed is None:
            self._weighed = weigh(self._terms)
        return self._weighed

    def _hidden(self) -> int:
        if self._known_hidden is None:
            self._known_hidden = expected_rows(_hidden())
        return self._known_hidden

    def _length(self) -> int:
        if self._known_length is None:
            self._known_length = self._length_of(self._kept)
        return self._known_length

    def _length_of(self, listed: QuerySet[Order]) -> int:
        planned, at_most = expected_rows(listed.order_by()), self._at_most()
        return planned if at_most is None else min(planned, at_most)


def _hidden() -> QuerySet[Order]:
    return Order.objects.filter(status__in=sorted(HIDDEN_BY_DEFAULT))


def _of(ids: list[int], kept: QuerySet[Order], *, size: int, oldest_first: bool) -> list[int]:
    if not ids:
        return []
    own = sorted_afterwards(kept.filter(_is_one_of(ids)), oldest_first=oldest_first)
    return list(own.values_list("pk", flat=True)[: size + 1])


def _is_one_of(ids: list[int]) -> RawSQL:
    """As one constant array: thousands of literals would take longer to parse than to look up, and an array that is
    made within the query would be looked through for each row of a list that an index holds."""
    return RawSQL("orders_order.id = ANY(%s::bigint[])", [ids], BooleanField())  # noqa: S611


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


def _count_newest(terms: Terms, is_kept: Condition, *, rows: int | None, limit: int) -> int | None:
    """Count among so many of the newest orders, or among all; None when the newest hold fewer than `limit`."""
    condition, parameters = is_kept
    newest, newest_parameters = newest_sql(terms, rows=rows)
    sql = (
        f"SELECT count(*) FROM (SELECT FROM ({newest}) AS newest WHERE hit AND {condition} LIMIT %s) AS found"  # noqa: S608
    )
    (found,) = _fetch(sql, [*newest_parameters, *parameters, limit])
    return int(found) if rows is None or found >= limit else None


def _count_by_walking(kept: QuerySet[Order], terms: Terms, *, limit: int) -> int:
    listed, parameters = kept.values("id").query.sql_with_params()
    own, own_parameters = _own_texts(f"ARRAY({listed})", terms)
    sql = f"SELECT count(*) FROM ({own} LIMIT %s) AS found"  # noqa: S608
    (found,) = _fetch(sql, [*parameters, *own_parameters, limit])
    return int(found)


def _fetch(sql: str, parameters: list[Any]) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found: tuple[Any, ...] = cursor.fetchone()
    return found
