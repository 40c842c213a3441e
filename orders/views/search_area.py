"""The search area above 受注一覧 and lists like it: its fields, each with what was typed and what is wrong with it."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from orders.filters import OrderFilters
from orders.listed import ListedMethod
from orders.models import PaymentMethod
from orders.statuses import DISPLAY_ORDER, OrderStatus

TEXTS = (
    ("name", "お名前"),
    ("kana", "お名前(フリガナ)"),
    ("company", "会社名"),
    ("email", "メールアドレス"),
    ("phone", "電話番号"),
    ("number", "注文番号"),
    ("tracking", "お問い合わせ番号"),
)
DAYS = (("ordered", "受注日"), ("paid", "入金日"), ("updated", "更新日"), ("delivery", "お届け日"))
CHECKS = (
    ("open", "確認中の決済"),
    ("differs", "金額相違"),
    ("live", "注文取消し・返品で請求あり"),
    ("uncaptured", "発送済みで未売上"),
)
SORTS = (("newest", "受注日の新しい順"), ("oldest", "受注日の古い順"))
# Areas that a process keeps, 10 KB each: operators ask for the same few lists, and leaf through them.
KEPT_AREAS: Final = 200


class Box(NamedTuple):
    """One field of the search area, as typed; `error` when it could not be used."""

    name: str
    label: str
    value: str = ""
    error: str = ""
    checked: bool = False
    number: int | None = None


class Range(NamedTuple):
    """Two boxes with 〜 between them."""

    label: str
    kind: str
    first: Box
    last: Box


def spread(query: QueryDict) -> QueryDict:
    """Split values such as AUTH,SAUTH: one check box of 決済状況 may stand for several statuses."""
    values = query.getlist("payment_status")
    if not any("," in value for value in values):
        return query
    spreaded = query.copy()
    spreaded.setlist("payment_status", [part for value in values for part in value.split(",")])
    return spreaded


def sorts(filters: OrderFilters) -> tuple[Box, ...]:
    """In which order the list may be asked for."""
    return tuple(Box("sort", label, value, checked=value == filters.sort) for value, label in SORTS)


def checks(filters: OrderFilters) -> tuple[Box, ...]:
    """確認が必要な受注: conditions that are ticked."""
    return tuple(Box(name, label, "1", checked=getattr(filters, name)) for name, label in CHECKS)


def drawn(
    filters: OrderFilters,
    typed: QueryDict,
    *,
    methods: Iterable[ListedMethod],
    numbers: Mapping[OrderStatus, int],
) -> SafeString:
    """The fields as they stand on the page; no query."""
    if filters.errors:
        # What was typed is shown as it was, and says what is wrong with it.
        return _draw(search_area(filters, typed, methods=methods, numbers=numbers))
    return _drawn(filters, tuple(methods), tuple(numbers.items()))


@functools.lru_cache(maxsize=KEPT_AREAS)
def _drawn(
    filters: OrderFilters, methods: tuple[ListedMethod, ...], numbers: tuple[tuple[OrderStatus, int], ...]
) -> SafeString:
    return _draw(search_area(filters, QueryDict(), methods=methods, numbers=dict(numbers)))


def _draw(fields: dict[str, Any]) -> SafeString:
    return SafeString(render_to_string("orders/search_fields.jinja", fields, using="jinja2"))


def search_area(
    filters: OrderFilters,
    typed: QueryDict,
    *,
    methods: Iterable[ListedMethod | PaymentMethod],
    numbers: Mapping[OrderStatus, int] | None = None,
) -> dict[str, Any]:
    """The fields of the search area, each with what was typed and what is wrong with it.

    `methods` are offered as 支払方法; `numbers` of orders stand beside 対応状況 where they are given.
    """

    def box(name: str, label: str = "") -> Box:
        value = getattr(filters, name)
        shown = typed.get(name, "") if value in (None, "") else str(value)
        return Box(name, label, value=shown, error=filters.errors.get(name, ""))

    return {
        "filters": filters,
        "details_open": filters.is_detailed or bool(filters.errors),
        "q": box("q"),
        "statuses": tuple(
            Box(
                "status",
                status.label,
                str(status.value),
                checked=status in filters.status,
                number=numbers[status] if numbers else None,
            )
            for status in DISPLAY_ORDER
        ),
        "status_error": filters.errors.get("status", ""),
        "texts": tuple(box(name, label) for name, label in TEXTS),
        "ranges": [
            *(Range(label, "date", box(f"{name}_from"), box(f"{name}_to")) for name, label in DAYS),
            Range("購入金額", "number", box("amount_min"), box("amount_max")),
        ],
        "methods": tuple(
            Box("method", method.name, str(method.pk), checked=method.pk in filters.method)
            for method in methods
        ),
        "choice_errors": [
            filters.errors[name]
            for name in ("method", "payment_status", "payment_kind", "provider")
            if name in filters.errors
        ],
        "checks": checks(filters),
        "deadline": box("deadline", "与信期限"),
        "sorts": sorts(filters),
    }
