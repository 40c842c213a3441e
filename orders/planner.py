"""What PostgreSQL's planner knows without looking: about how many rows there are to come."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, ExpressionWrapper, F, OrderBy, QuerySet

from orders.models import Order


def expected_rows(orders: QuerySet[Any]) -> int:
    """About how many rows a query yields."""
    return int(json.loads(orders.values("pk").explain(format="json"))[0]["Plan"]["Plan Rows"])


def entries_of(index: str) -> int | None:
    """About how many rows an index with a condition holds, as of the last VACUUM; None when that is not known."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s)", [index])
        entries = int(cursor.fetchone()[0])
    return entries if entries >= 0 else None


def sorted_afterwards(orders: QuerySet[Order], *, oldest_first: bool) -> QuerySet[Order]:
    """In the order of the screen, by what no index holds.

    The planner would walk an index by date and look for the other conditions in passing, which it takes to be
    spread evenly over the years.
    """
    at = ExpressionWrapper(F("ordered_at") + timedelta(0), output_field=DateTimeField())
    order: tuple[OrderBy | str, ...] = (at.asc(), "id") if oldest_first else (at.desc(), "-id")
    return orders.order_by(*order)
