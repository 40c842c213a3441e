"""How many texts a search will find, and which indexes to ask: from the planner's statistics and a sample of the newest
texts.

The planner knows how often each common gram occurs, but takes the grams of a word to be independent of each other,
and a field to be the whole text; the sample knows neither what is rare nor what was common years ago.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from orders.search_costs import Index, worth_asking
from orders.search_terms import (
    Terms,
    grams_of,
    grams_of_whole_texts,
    likes,
    named_sql,
    said_by,
    span,
    unsaid_by,
)

# Texts that are read to learn how common a term is.
SAMPLED_ROWS: Final = 2_000


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Of all `texts` so many `orders` lie between the days of the terms, and of these about so many are `matching`. To
    find them, so many of all texts are `named` by the grams that are to be `asked` for, by function."""

    texts: int
    orders: int
    matching: int
    named: int
    asked: dict[str, list[str]]


def weigh(terms: Terms) -> Weights:
    """Ask the planner and, where several grams are asked for, the newest texts; two to six queries."""
    texts = _number_of_texts()
    orders = _number_between(terms) or texts
    grams = grams_of(terms)
    planned = {function: _planned_rows(*named_sql({function: grams[function]})) for function in grams}
    independent = math.prod(planned[function] / texts for function in grams)
    if sum(map(len, grams.values())) == 1 and not unsaid_by(grams, terms):
        (named,) = planned.values()
        return Weights(
            texts=texts, orders=orders, matching=round(independent * orders), named=named, asked=grams
        )
    whole = grams_of_whole_texts(terms)
    said = [said_by(function, terms, of_whole_texts=False) for function in grams]
    said_of_whole = [said_by(function, terms, of_whole_texts=True) for function in whole]
    share, *shares = _sample([terms, *said, *said_of_whole])
    asked, named = _choose(grams, planned, shares[: len(said)], texts)
    if whole:
        planned = {function: _planned_rows(*named_sql({function: whole[function]})) for function in whole}
        asked_of_whole, named_of_whole = _choose(whole, planned, shares[len(said) :], texts)
        if named_of_whole < named:
            asked, named = asked_of_whole, named_of_whole
    return Weights(
        texts=texts,
        orders=orders,
        matching=min(round(max(independent, share) * orders), named),
        named=named,
        asked=asked,
    )


def _choose(
    grams: dict[str, list[str]], planned: dict[str, int], shares: Sequence[float], texts: int
) -> tuple[dict[str, list[str]], int]:
    """Which of these to ask for, and about how many texts they name."""
    indexes = {
        function: Index(named=max(planned[function], round(share * texts)), lists=len(grams[function]))
        for function, share in zip(grams, shares, strict=True)
    }
    asked, named = worth_asking(indexes, texts=texts)
    return {function: grams[function] for function in asked}, named


def _number_between(terms: Terms) -> int | None:
    """About how many texts there are between the days of the terms, at least 1; None where it is any day."""
    between, parameters = span(terms)
    if not parameters:
        return None
    return max(_planned_rows(f"SELECT FROM orders_ordersearch WHERE {between}", parameters), 1)  # noqa: S608


def _number_of_texts() -> int:
    """As of the last ANALYZE."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = 'orders_ordersearch'::regclass")
        return max(int(cursor.fetchone()[0]), 1)


def _planned_rows(sql: str, parameters: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
        (plan,) = cursor.fetchone()
    return int(plan[0]["Plan"]["Plan Rows"])


def _sample(conditions: Sequence[Terms]) -> list[float]:
    """Which share of the newest texts, between the days of the first condition, fulfils each condition."""
    wanted = [likes(condition) for condition in conditions]
    between, span_parameters = span(conditions[0])
    sql = f"""
        SELECT {", ".join(f"coalesce(avg(({matches})::int)::float, 0)" for matches, _ in wanted)}
        FROM (
            SELECT text FROM orders_ordersearch WHERE {between} ORDER BY ordered_at DESC, order_id DESC LIMIT %s
        ) AS newest
    """  # noqa: S608  (made by orders.search_terms; what was typed is bound)
    like_parameters = [parameter for _, parameters in wanted for parameter in parameters]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*like_parameters, *span_parameters, SAMPLED_ROWS])
        return [float(share) for share in cursor.fetchone()]
