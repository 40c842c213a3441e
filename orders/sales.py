"""売上状況: orders and yen per day in Tokyo, kept by triggers on the order table (migration 0004).

A sale is an order by its 受注日 with its お支払い合計; 注文取消し, 返品, 購入処理中 and 決済処理中 are none. A day is
its folded row plus what is not folded yet, in one statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.db import connection

# Rows folded by one statement, so that a long backlog holds no lock for long.
FOLD_ROWS: Final = 50_000

_READ = """
    SELECT day, sum(orders)::bigint, sum(amount)::bigint FROM (
        SELECT day, orders, amount FROM orders_dailysales WHERE day BETWEEN %(first)s AND %(last)s
        UNION ALL
        SELECT day, orders, amount FROM orders_salesdelta WHERE day BETWEEN %(first)s AND %(last)s
    ) AS parts GROUP BY day
"""
# Two folds at once take different rows; a row that is being folded is still counted by readers, once.
_FOLD = """
    WITH taken AS (
        DELETE FROM orders_salesdelta WHERE id IN (
            SELECT id FROM orders_salesdelta ORDER BY id LIMIT %(rows)s FOR UPDATE SKIP LOCKED
        ) RETURNING day, orders, amount
    ), folded AS (
        INSERT INTO orders_dailysales (day, orders, amount)
        SELECT day, sum(orders), sum(amount) FROM taken GROUP BY day ORDER BY day
        ON CONFLICT (day) DO UPDATE SET
            orders = orders_dailysales.orders + EXCLUDED.orders,
            amount = orders_dailysales.amount + EXCLUDED.amount
    )
    SELECT count(*) FROM taken
"""


@dataclass(frozen=True, kw_only=True)
class Sales:
    """What was sold on one day: how many orders, and yen."""

    day: date
    orders: int
    amount: int


def daily(first: date, last: date) -> list[Sales]:
    """Every day from `first` to `last`, both included, days without a sale too."""
    with connection.cursor() as cursor:
        cursor.execute(_READ, {"first": first, "last": last})
        found = {day: (orders, amount) for day, orders, amount in cursor.fetchall()}
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [
        Sales(day=day, orders=orders, amount=amount)
        for day in days
        for orders, amount in [found.get(day, (0, 0))]
    ]


def fold() -> int:
    """Fold the deltas that are there into the days. Returns how many. May run at several places at once."""
    folded = 0
    while taken := _fold_some():
        folded += taken
        if taken < FOLD_ROWS:
            break
    return folded


def _fold_some() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_FOLD, {"rows": FOLD_ROWS})
        return int(cursor.fetchone()[0])
