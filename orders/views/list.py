"""受注一覧: search, pages by key, ticks for 一括操作 (G5-1, G5-2, G5-3, CC-1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from cagolab.navigation import framed
from cagolab.roles import EDIT
from orders import counts, listed, listing
from orders.bulk import news
from orders.filters import OrderFilters
from orders.listed import ListedMethod
from orders.mails import TEMPLATES
from orders.models import PaymentMethod
from orders.statuses import DISPLAY_ORDER, OPERATOR_MOVES, OrderStatus
from orders.views.list_rows import drawn_rows

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
# What 一括操作 can set: every status that an operator may reach from some other one.
BULK_STATUSES = tuple(
    status for status in DISPLAY_ORDER if any(status in moves for moves in OPERATOR_MOVES.values())
)


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


@require_safe
@permission_required("orders.view_order", raise_exception=True)
def order_list(request: HttpRequest) -> HttpResponse:
    """One page of orders. Everything it shows is in the address, so that it can be kept, sent and gone back to."""
    filters = OrderFilters.from_query(spread(request.GET))
    size = listing.page_size(request.GET.get("size"))
    can_edit = request.user.has_perm(EDIT)
    address, query = reverse("orders:list"), filters.to_query()
    numbers = counts.status_counts()
    shown: dict[str, Any] = {}
    # With a condition that cannot be read, showing the rest would show orders that were not asked for.
    if not filters.errors:
        # Before all else, since its total may be counted meanwhile.
        page = asked_page(filters, request.GET, size=size, numbers=numbers)
        shown = {"page": page, "rows": drawn_rows(page.rows, can_edit=can_edit)}
        shown |= pager(address, query, page, size)
    context = shown | search_area(filters, request.GET, methods=listed.methods(), numbers=numbers)
    context |= {
        "address": address,
        "details_open": filters.is_detailed or filters.errors,
        "size": size,
        "sizes": listing.PAGE_SIZES,
        "bulk_statuses": BULK_STATUSES,
        "can_edit": can_edit,
        "mail_templates": TEMPLATES,
        "query": query,
        "back": request.get_full_path(),
        "news": news.take(request, request.path),
    }
    return framed(request, "orders/list.jinja", context)


@require_safe
@permission_required("orders.view_order", raise_exception=True)
def total(request: HttpRequest) -> HttpResponse:
    """検索結果 of a list whose rows were shown before they were counted; asked for by the page itself."""
    filters = OrderFilters.from_query(request.GET)
    found, is_capped = (0, False) if filters.errors else listing.total(filters)
    context = {"total": found, "total_is_capped": is_capped}
    return render(request, "search/total.jinja", context, using="jinja2")


def asked_page(
    filters: OrderFilters,
    query: QueryDict,
    *,
    size: int,
    numbers: Mapping[OrderStatus, int] | None = None,
) -> listing.Page:
    """The page that an address asks for; `numbers` as for listing.page."""
    return listing.page(
        filters,
        size=size,
        cursor=query.get("cursor"),
        direction="previous" if query.get("direction") == "previous" else "next",
        numbers=numbers,
    )


def spread(query: QueryDict) -> QueryDict:
    """Split values such as AUTH,SAUTH: one check box of 決済状況 may stand for several statuses."""
    spreaded = query.copy()
    values = [part for value in query.getlist("payment_status") for part in value.split(",")]
    spreaded.setlist("payment_status", values)
    return spreaded


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
        "checks": tuple(Box(name, label, "1", checked=getattr(filters, name)) for name, label in CHECKS),
        "deadline": box("deadline", "与信期限"),
        "sorts": tuple(Box("sort", label, value, checked=value == filters.sort) for value, label in SORTS),
    }


def pager(address: str, query: str, page: listing.Page, size: int) -> dict[str, str]:
    """Addresses of the first, the previous and the next page; empty where there is none."""
    if size != listing.DEFAULT_PAGE_SIZE:
        query = "&".join(filter(None, (query, f"size={size}")))

    def at(**further: str) -> str:
        return f"{address}?{'&'.join(filter(None, (query, urlencode(further))))}"

    previous, following = page.previous_cursor, page.next_cursor
    return {
        "newest_page": at() if previous else "",
        "previous_page": at(cursor=previous, direction="previous") if previous else "",
        "next_page": at(cursor=following) if following else "",
    }
