"""Orders per 対応状況 and per 決済状況, without counting a million rows.

Triggers on the order table (migration 0003) insert what each statement changed; a minute job folds these
rows into one row per value. A count is the folded row plus what is not folded yet, in one statement.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.db import connection

from orders.models import CountDimension
from orders.statuses import OrderStatus

# Rows folded by one statement, so that a long backlog holds no lock for long.
FOLD_ROWS: Final = 50_000

_VALUES: Final = [(status, str(status.value)) for status in OrderStatus]

_COUNTS: Final = """
    SELECT value, sum(count)::bigint FROM (
        SELECT value, count FROM orders_foldedcount WHERE dimension = '{dimension}'
        UNION ALL
        SELECT value, change FROM orders_countdelta WHERE dimension = '{dimension}'
    ) AS parts GROUP BY value HAVING sum(count) <> 0
"""
STATUS_COUNTS: Final = _COUNTS.format(dimension=CountDimension.STATUS.value)
_PAYMENT_STATUS_COUNTS: Final = _COUNTS.format(dimension=CountDimension.PAYMENT_STATUS.value)
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
    return by_status(_read(STATUS_COUNTS))


def by_status(rows: Iterable[tuple[str, int]]) -> dict[OrderStatus, int]:
    """The same from what STATUS_COUNTS yields."""
    found = dict(rows)
    return {status: found.get(value, 0) for status, value in _VALUES}


def payment_status_counts() -> dict[str, int]:
    """Orders per payment status that occurs; orders without a payment are not in it."""
    return dict(_read(_PAYMENT_STATUS_COUNTS))


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


def _read(counts: str) -> list[tuple[str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(counts)
        return list(cursor.fetchall())
