"""受注一覧: search, pages by key, ticks for 一括操作 (G5-1, G5-2, G5-3, CC-1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from cagolab.frame import framed
from cagolab.roles import EDIT
from orders import listed, listing
from orders.bulk import news
from orders.filters import OrderFilters
from orders.mails import TEMPLATES
from orders.statuses import DISPLAY_ORDER, OPERATOR_MOVES, OrderStatus
from orders.views import search_area
from orders.views.list_rows import drawn_rows

# What 一括操作 can set: every status that an operator may reach from some other one.
BULK_STATUSES = tuple(
    status for status in DISPLAY_ORDER if any(status in moves for moves in OPERATOR_MOVES.values())
)


@require_safe
@permission_required("orders.view_order", raise_exception=True)
def order_list(request: HttpRequest) -> HttpResponse:
    """One page of orders. Everything it shows is in the address, so that it can be kept, sent and gone back to."""
    filters = OrderFilters.from_query(search_area.spread(request.GET))
    size = listing.page_size(request.GET.get("size"))
    can_edit = request.user.has_perm(EDIT)
    address, query = reverse("orders:list"), filters.to_query()
    shown: dict[str, Any] = {}
    rows: list[bytes] = []
    choices = listed.Choices()
    # With a condition that cannot be read, showing the rest would show orders that were not asked for.
    if not filters.errors:
        # Before all else, since its total may be counted meanwhile.
        with choices:
            page = asked_page(filters, request.GET, size=size, numbers=choices.numbers)
        rows = drawn_rows(page.rows, can_edit=can_edit)
        shown = {"page": page} | pager(address, filters, page, size)
    context = shown | {
        "filters": filters,
        "fields": search_area.drawn(
            filters, request.GET, methods=choices.methods(), numbers=choices.numbers()
        ),
        "sorts": search_area.sorts(filters),
        "address": address,
        "size": size,
        "sizes": listing.PAGE_SIZES,
        "bulk_statuses": BULK_STATUSES,
        "can_edit": can_edit,
        "mail_templates": TEMPLATES,
        "query": query,
        "back": request.get_full_path(),
        "news": news.take(request, request.path),
    }
    return framed(request, "orders/list.jinja", context, rows=rows)


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
    numbers: Callable[[], Mapping[OrderStatus, int]] | None = None,
) -> listing.Page:
    """The page that an address asks for; `numbers` as for listing.page."""
    return listing.page(
        filters,
        size=size,
        cursor=query.get("cursor"),
        direction="previous" if query.get("direction") == "previous" else "next",
        numbers=numbers,
    )


def pager(address: str, typed: OrderFilters, page: listing.Page, size: int) -> dict[str, str]:
    """Addresses of the first, the previous and the next page, empty where there is none; and what the first is called.

    `typed` is what was asked for; what a list always asks for besides stands in none of its addresses.
    """
    query = typed.to_query()
    if size != listing.DEFAULT_PAGE_SIZE:
        query = "&".join(filter(None, (query, f"size={size}")))

    def at(**further: str) -> str:
        return f"{address}?{'&'.join(filter(None, (query, urlencode(further))))}"

    previous, following = page.previous_cursor, page.next_cursor
    return {
        "first_page_word": "最初へ" if typed.sort == "oldest" else "最新へ",
        "newest_page": at() if previous else "",
        "previous_page": at(cursor=previous, direction="previous") if previous else "",
        "next_page": at(cursor=following) if following else "",
    }
