"""Orders per 対応状況 and per 決済状況, without counting a million rows.

Triggers on the order table (migration 0003) insert what each statement changed; a minute job folds these
rows into one row per value. A count is the folded row plus what is not folded yet, in one statement.
"""

from __future__ import annotations

from typing import Final

from django.db import connection

from orders.models import CountDimension
from orders.statuses import OrderStatus

# Rows folded by one statement, so that a long backlog holds no lock for long.
FOLD_ROWS: Final = 50_000

_READ = """
    SELECT value, sum(count)::bigint FROM (
        SELECT value, count FROM orders_foldedcount WHERE dimension = %(dimension)s
        UNION ALL
        SELECT value, change FROM orders_countdelta WHERE dimension = %(dimension)s
    ) AS parts GROUP BY value HAVING sum(count) <> 0
"""
# Two folds at once take different rows; a row that is being folded is still counted by readers, once.
_FOLD = """
    WITH taken AS (
        DELETE FROM orders_countdelta WHERE id IN (
            SELECT id FROM orders_countdelta ORDER BY id LIMIT %(rows)s FOR UPDATE SKIP LOCKED
        ) RETURNING dimension, value, change
    ), folded AS (
        INSERT INTO orders_foldedcount (dimension, value, count)
        SELECT dimension, value, sum(change) FROM taken GROUP BY dimension, value ORDER BY dimension, value
        ON CONFLICT (dimension, value) DO UPDATE SET count = orders_foldedcount.count + EXCLUDED.count
    )
    SELECT count(*) FROM taken
"""


def status_counts() -> dict[OrderStatus, int]:
    """Orders per status; every status is there, 0 where there are none."""
    found = _read(CountDimension.STATUS)
    return {status: found.get(str(status.value), 0) for status in OrderStatus}


def payment_status_counts() -> dict[str, int]:
    """Orders per payment status that occurs; orders without a payment are not in it."""
    return _read(CountDimension.PAYMENT_STATUS)


def fold() -> int:
    """Fold the deltas that are there into the counts. Returns how many. May run at several places at once."""
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


def _read(dimension: CountDimension) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(_READ, {"dimension": dimension.value})
        return dict(cursor.fetchall())
