"""Finding members (会員) by parts of their name, kana and mail address, however many there are.

What is searched stands beside the member (`search_text`), written by a trigger: members are written by more than one
program. First the newest members are read, which answers what many have in common; the grams are asked for the rest.
"""

from __future__ import annotations

from typing import Any, Final

from django.db import connection, transaction

from orders import search_terms, search_text
from orders.models import Customer

NEWEST_ROWS: Final = 10_000
# So many hits of the grams are taken; of more, which are common among old members only, any may be shown.
MOST_HITS: Final = 3_000


def matching(typed: str, *, limit: int) -> list[Customer]:
    """Up to `limit` members in whom each word of what was typed occurs, newest first; width, kana and spaces do not
    matter."""
    parts, _ = search_text.parse(typed)
    if parts:
        ids = _among_newest(parts, limit)
        if len(ids) < limit:
            ids = sorted({*ids, *_by_grams(parts)}, reverse=True)[:limit]
        found = Customer.objects.filter(pk__in=ids)
    else:
        found = Customer.objects.none() if typed.strip() else Customer.objects.all()
    return list(found.order_by("-pk")[:limit])


def _among_newest(parts: tuple[str, ...], limit: int) -> list[int]:
    matches, parameters = search_terms.likes(search_terms.Terms(anywhere=parts))
    sql = f"""
        SELECT id FROM (
            SELECT id, search_text AS text FROM orders_customer ORDER BY id DESC LIMIT %s
        ) AS newest WHERE {matches} ORDER BY id DESC LIMIT %s
    """  # noqa: S608  (made by this package; what was typed is bound)
    return _ids(sql, [NEWEST_ROWS, *parameters, limit])


def _by_grams(parts: tuple[str, ...]) -> list[int]:
    terms = search_terms.Terms(anywhere=parts)
    asked = search_terms.grams_of(terms)
    held = " AND ".join(f"{function}(search_text) @> %s::text[]" for function in asked)
    matches, parameters = search_terms.likes(terms)
    sql = f"""
        SELECT id FROM (SELECT id, search_text AS text FROM orders_customer WHERE {held}) AS hits
        WHERE {matches} LIMIT %s
    """  # noqa: S608
    with transaction.atomic():
        with connection.cursor() as cursor:
            # What seems common the planner would look for by reading members and computing the grams of each.
            cursor.execute(
                "SELECT set_config('enable_seqscan', 'off', true),"
                " set_config('max_parallel_workers_per_gather', '0', true)"
            )
        return _ids(sql, [*asked.values(), *parameters, MOST_HITS])


def _ids(sql: str, parameters: list[Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [row[0] for row in cursor.fetchall()]
