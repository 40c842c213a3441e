"""What lists show: the columns of a row, read for the orders of one page, and お支払方法 to choose from; without making
models of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from cagolab.postgres.carried import Carried
from orders import counts
from orders.models import Order
from orders.statuses import OrderStatus


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


class ListedMethod(NamedTuple):
    """One お支払方法 that a list can be narrowed to."""

    pk: int
    name: str


_COLUMNS: Final = ", ".join(name for name in ListedOrder._fields if name not in ("pk", "is_mailed"))
_READ: Final = f"""
    SELECT id, {_COLUMNS}, EXISTS (SELECT FROM orders_sentmail WHERE order_id = orders_order.id)
    FROM orders_order WHERE id = ANY({{ids}})
"""  # noqa: S608  (the names of this module's fields)
_METHODS: Final = "SELECT id, name FROM orders_paymentmethod ORDER BY sort_no, id"


def read(ids: Sequence[int]) -> list[ListedOrder]:
    """The orders with these ids, in their order; one query, none for no ids."""
    if not ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_READ.format(ids="%s"), [list(ids)])
        found = {row[0]: ListedOrder._make(row) for row in cursor.fetchall()}
    return [found[pk] for pk in ids if pk in found]


def read_chosen(sql: str, parameters: Sequence[Any], *, oldest_first: bool) -> list[ListedOrder]:
    """The orders whose ids a SELECT yields, in the order of lists; one query."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_READ.format(ids=f'ARRAY({sql})')} ORDER BY {_order(oldest_first)}", parameters)
        return [ListedOrder._make(row) for row in cursor.fetchall()]


def first_and_number(rows: QuerySet[Order], *, number: int, oldest_first: bool) -> tuple[list[int], int]:
    """Ids of the first orders in the order of lists, and how many orders there are; all are read once, and sorted."""
    listed, parameters = rows.order_by().values("id", "ordered_at").query.sql_with_params()
    sql = f"""
        WITH listed AS MATERIALIZED ({listed})
        SELECT ARRAY(SELECT id FROM listed ORDER BY {_order(oldest_first)} LIMIT %s), (SELECT count(*) FROM listed)
    """  # noqa: S608  (made by Django; what was typed is bound)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*parameters, number])
        ids, found = cursor.fetchone()
    return list(ids), int(found)


def _order(oldest_first: bool) -> str:
    return "ordered_at, id" if oldest_first else "ordered_at DESC, id DESC"


class Choices(Carried):
    """What 受注一覧 can be narrowed to; read in one message with the first query within its block."""

    def __init__(self) -> None:
        super().__init__(counts.STATUS_COUNTS, _METHODS)

    def numbers(self) -> dict[OrderStatus, int]:
        """Orders per 対応状況."""
        return counts.by_status(self.answers()[0])

    def methods(self) -> list[ListedMethod]:
        """お支払方法 in the order of the checkout."""
        return [ListedMethod._make(row) for row in self.answers()[1]]
