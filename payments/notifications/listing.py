"""結果通知 as a list: what its address asks for, and how many wait for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.db.models import Count, QuerySet

from payments.models import Notification

# Totals are exact up to here.
TOTAL_LIMIT: Final = 10_000
ALL: Final = "all"

_WAITING = Notification.objects.filter(state__in=Notification.FOR_A_PERSON, handled_at__isnull=True)


def matching(show: str) -> QuerySet[Notification]:
    """Newest first: those for a person; of one state, until they are marked; or all."""
    if show == ALL:
        rows = Notification.objects.all()
    elif show in Notification.FOR_A_PERSON:
        rows = _WAITING.filter(state=show)
    else:
        rows = _WAITING.all()
    return rows.order_by("-received_at", "-id")


def waiting_counts() -> Mapping[str, int]:
    """How many wait for a person, by state."""
    counted = _WAITING.order_by().values_list("state").annotate(Count("pk"))
    return dict(counted)


def waiting_total() -> tuple[int, bool]:
    """How many wait for a person, and whether there are more than it says."""
    found = _WAITING.order_by()[: TOTAL_LIMIT + 1].count()
    return min(found, TOTAL_LIMIT), found > TOTAL_LIMIT
