"""The search behind an export in words, for its page and for 操作履歴."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from orders.filters import OrderFilters
from orders.models import PaymentMethod
from orders.selection import Selection
from orders.statuses import OrderStatus
from orders.views.search_area import CHECKS, DAYS, TEXTS

_CODES = (("payment_status", "決済状況"), ("payment_kind", "決済種別"), ("provider", "決済代行会社"))


def of(selection: Selection) -> str:
    """All conditions, such as 検索語「山田」、対応状況 新規受付・入金済み."""
    if not selection.all_that_match:
        return f"一覧で選択した受注（{len(selection.order_ids)}件）"
    return "、".join(_conditions(selection.filters)) or "条件なし（購入処理中・決済処理中を除くすべての受注）"


def _conditions(filters: OrderFilters) -> Iterable[str]:
    if filters.q:
        yield f"検索語「{filters.q}」"
    if filters.status:
        yield f"対応状況 {'・'.join(OrderStatus(status).label for status in filters.status)}"
    for name, label in TEXTS:
        if value := getattr(filters, name):
            yield f"{label}「{value}」"
    for name, label in DAYS:
        first, last = getattr(filters, f"{name}_from"), getattr(filters, f"{name}_to")
        if first or last:
            yield f"{label} {_day(first)}〜{_day(last)}"
    if filters.amount_min is not None or filters.amount_max is not None:
        yield f"購入金額 {_yen(filters.amount_min)}〜{_yen(filters.amount_max)}"
    if filters.method:
        names = PaymentMethod.objects.filter(pk__in=filters.method).values_list("name", flat=True)
        yield f"支払方法 {'・'.join(names)}"
    for name, label in _CODES:
        if codes := getattr(filters, name):
            yield f"{label} {'・'.join(codes)}"
    if filters.deadline is not None:
        yield f"与信期限まで{filters.deadline}日以内"
    for name, label in CHECKS:
        if getattr(filters, name):
            yield label


def _day(value: date | None) -> str:
    return f"{value:%Y/%m/%d}" if value else ""


def _yen(value: int | None) -> str:
    return "" if value is None else f"{value:,}円"
