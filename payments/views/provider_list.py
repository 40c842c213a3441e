"""A provider's own payment list, such as ペイジェント決済状況一覧 (PG-1, PG-2): three columns of boxes, each a
bulk run of its own over what was ticked in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from cagolab import clock
from cagolab.frame import framed
from cagolab.roles import MOVE_MONEY, VIEW
from cagolab.templatetags.quick import macro
from gateways.vocabulary import Action
from orders import listing
from orders.bulk import news
from orders.filters import OrderFilters
from orders.listed import ListedOrder
from orders.models import PaymentMethod
from orders.views.list import asked_page, pager
from orders.views.search_area import search_area, spread
from payments import deadline_words, deadlines, facts_of_orders, provider_lists
from payments.decisions import decide
from payments.permits import Permit
from payments.provider_lists import Tick
from payments.views.list_rows import PaymentRow, payment_rows


@dataclass(frozen=True, kw_only=True)
class Row:
    """One order: its cells as in 決済状況一覧, and its boxes.

    `change_address`: where the amount of this one order is changed (PG-2); empty where it does not differ.
    """

    cells: PaymentRow
    ticks: tuple[Tick, ...]
    change_address: str
    # The authorization ends soon, or should have ended.
    is_urgent: bool


@permission_required(VIEW, raise_exception=True)
@require_safe
def provider_list(request: HttpRequest, provider: str) -> HttpResponse:
    """One page of the provider's orders: those with a payment there, and those that were to be paid there."""
    listed = provider_lists.LISTS.get(provider)
    if listed is None:
        raise Http404(provider)
    methods = _methods(provider)
    query = request.GET.copy()
    query.setlist("provider", [provider])
    query.setlist("unpaid_method", [str(method.pk) for method in methods])
    filters = OrderFilters.from_query(spread(query))
    size = listing.page_size(query.get("size"))
    address = reverse("payments:provider_list", args=[provider])
    typed = replace(filters, provider=(), unpaid_method=())
    today = clock.today()
    can_select = request.user.has_perm(MOVE_MONEY)
    shown: dict[str, Any] = {}
    rows: list[bytes] = []
    # With a condition that cannot be read, showing the rest would show orders that were not asked for.
    if not filters.errors:
        # Before all else, since its total may be counted meanwhile.
        page = asked_page(filters, query, size=size)
        drawn = macro("payments/provider_row.jinja", "provider_row")
        rows = [drawn(row, listed, can_select, today).encode() for row in _rows(listed, page.rows)]
        shown = {"page": page} | pager(address, typed, page, size)
    context = shown | search_area(filters, query, methods=methods)
    context |= {
        "listed": listed,
        "address": address,
        "details_open": typed.is_detailed or filters.errors,
        "can_select": can_select,
        "size": size,
        "sizes": listing.PAGE_SIZES,
        "query": filters.to_query(),
        "back": request.get_full_path(),
        "news": news.take(request, address),
    }
    return framed(request, "payments/provider_list.jinja", context, rows=rows)


def _methods(provider: str) -> list[PaymentMethod]:
    """What customers of this installation pay with at the provider."""
    codes = [code for code, account in settings.GATEWAY_ACCOUNTS.items() if account.provider == provider]
    return list(PaymentMethod.objects.filter(account__in=codes))


def _rows(listed: provider_lists.ProviderList, orders: list[ListedOrder]) -> list[Row]:
    payments = facts_of_orders.by_order(pk__in=[order.pk for order in orders])
    now = clock.now()
    soon = deadlines.tokyo_day(now) + timedelta(days=deadline_words.NEAR_DAYS[0])
    rows = []
    for cells in payment_rows(orders):
        payment_id, facts = payments.get(cells.order.pk, (None, None))
        ticks = provider_lists.ticks(listed, facts, now)
        changes = facts is not None and isinstance(decide(Action.CHANGE_AMOUNT, facts, now), Permit)
        address = reverse("payments:action", args=[payment_id, Action.CHANGE_AMOUNT.value]) if changes else ""
        deadline = cells.order.payment_deadline
        is_urgent = deadline is not None and deadline <= soon
        rows.append(Row(cells=cells, ticks=ticks, change_address=address, is_urgent=is_urgent))
    return rows
