"""An order as lists show it: the columns of a row, read for the orders of one page without making models of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

import psycopg
from django.db import connection


class ListedOrder(NamedTuple):
    """What the rows of lists are made of; but for `is_mailed`, fields are called like those of the model."""

    pk: int
    number: str
    status: int
    ordered_at: datetime
    paid_at: datetime | None
    shipped_at: datetime | None
    name: str
    prefecture: str
    delivery_name: str
    delivery_prefecture: str
    tracking_number: str
    message: str
    is_subscription: bool
    payment_method_name: str
    payment_total: int
    payment_provider: str
    payment_status: str
    payment_amount: int | None
    payment_deadline: date | None
    payment_sale_on: date | None
    payment_is_open: bool
    # A mail was sent, or waits to be.
    is_mailed: bool


_COLUMNS: Final = ", ".join(name for name in ListedOrder._fields if name not in ("pk", "is_mailed"))
_READ: Final = f"""
    SELECT id, {_COLUMNS}, EXISTS (SELECT FROM orders_sentmail WHERE order_id = orders_order.id)
    FROM orders_order WHERE id = ANY(%s)
"""  # noqa: S608  (the names of this module's fields)
# Django's own loader of moments is written in Python and takes longer for a page than PostgreSQL for its rows. This
# one yields the same, in UTC as the session is.
_MOMENTS: Final = psycopg.adapters.get_loader(
    psycopg.adapters.types["timestamptz"].oid, psycopg.pq.Format.TEXT
)


def read(ids: Sequence[int]) -> list[ListedOrder]:
    """The orders with these ids, in their order; one query, none for no ids."""
    if not ids:
        return []
    with connection.cursor() as cursor:
        cursor.adapters.register_loader("timestamptz", _MOMENTS)
        cursor.execute(_READ, [list(ids)])
        found = {row[0]: ListedOrder._make(row) for row in cursor.fetchall()}
    return [found[pk] for pk in ids if pk in found]
