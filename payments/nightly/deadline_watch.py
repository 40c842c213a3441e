"""売上期限のお知らせ: a daily mail about authorizations that end within 14, 7, 3 or 1 days (day + N inclusive)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db.models import QuerySet

from orders.models import Order
from orders.models.order import HAS_DEADLINE
from orders.statuses import HIDDEN_BY_DEFAULT, OrderStatus
from payments import deadline_words
from payments.deadlines import tokyo_day
from payments.nightly import reports, shop_mails

# Money of these is not captured any more, or not yet an order's.
_NOT_WATCHED = {*HIDDEN_BY_DEFAULT, OrderStatus.CANCELLED, OrderStatus.RETURNED}


def watch(now: datetime) -> bool:
    """Write the day's mail; one per day, and none where nothing ends soon. Runs in the tick's transaction."""
    today = tokyo_day(now)
    soon = list(
        _held()
        .filter(payment_deadline__range=(today, today + timedelta(days=deadline_words.NEAR_DAYS[0])))
        .order_by("payment_deadline", "id")
    )
    if not soon:
        return False
    overdue = _held().filter(payment_deadline__lt=today).count()
    words = reports.of_deadlines(_groups(soon, today), overdue=overdue, today=today)
    shop_mails.write(key=f"deadline-watch-{today.isoformat()}", words=words, now=now)
    return True


def _held() -> QuerySet[Order]:
    return Order.objects.filter(HAS_DEADLINE).exclude(status__in=_NOT_WATCHED)


def _groups(orders: list[Order], today: date) -> list[tuple[str, list[Order]]]:
    groups: list[tuple[str, list[Order]]] = []
    nearest_first = sorted(deadline_words.NEAR_DAYS)
    for shortest, days in zip([-1, *nearest_first], nearest_first, strict=False):
        found = [order for order in orders if shortest < _days_left(order, today) <= days]
        if found:
            groups.append((f"あと{days}日以内", found))
    return groups


def _days_left(order: Order, today: date) -> int:
    assert order.payment_deadline is not None
    return (order.payment_deadline - today).days
