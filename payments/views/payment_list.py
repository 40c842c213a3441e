"""決済状況一覧 and the pages per 決済状況: orders by their payment, with 一括操作 (G5-10, G5-11, G13-7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_safe

from cagolab import clock
from cagolab.frame import framed
from cagolab.roles import MOVE_MONEY, VIEW
from gateways.vocabulary import Action
from orders import counts, listing
from orders.bulk import news
from orders.filters import OrderFilters
from orders.statuses import DISPLAY_ORDER
from orders.views.list import asked_page, pager
from orders.views.search_area import Box, Range, checks, sorts, spread
from payments import deadline_words, labels, status_guide
from payments.models import GatewayAccount
from payments.views.list_rows import drawn_rows


class State(NamedTuple):
    """One check box of 決済状況, with how many orders are in it and what it means."""

    label: str
    value: str
    checked: bool
    number: int
    meaning: str


@permission_required(VIEW, raise_exception=True)
@require_safe
def payment_list(request: HttpRequest) -> HttpResponse:
    """One page of orders that have a payment at a gateway; everything shown is in the address."""
    return _list(request, request.GET.copy(), reverse("payments:list"), status_guide.BULK_KINDS)


@permission_required(VIEW, raise_exception=True)
@require_safe
def status_page(request: HttpRequest, status: str) -> HttpResponse:
    """The list of one 決済状況, under what it means, its deadline and what may be done."""
    if status not in status_guide.PAGES:
        raise Http404(status)
    query = request.GET.copy()
    query.setlist("payment_status", [status])
    guide = status_guide.guide(status, list(GatewayAccount.objects.order_by("pk")))
    address = reverse("payments:status_page", args=[status])
    return _list(request, query, address, guide.bulk_kinds, guide=guide)


def _list(
    request: HttpRequest,
    query: QueryDict,
    address: str,
    bulk_kinds: Mapping[Action, str],
    *,
    guide: status_guide.Guide | None = None,
) -> HttpResponse:
    if not query.getlist("provider"):
        # Orders without a payment at a gateway have no provider, and no place in this list.
        query.setlist("provider", list(labels.PANEL_TITLES))
    filters = OrderFilters.from_query(spread(query))
    size = listing.page_size(query.get("size"))
    can_select = bool(bulk_kinds) and request.user.has_perm(MOVE_MONEY)
    today = clock.today()
    shown: dict[str, Any] = {}
    rows: list[bytes] = []
    # With a condition that cannot be read, showing the rest would show orders that were not asked for.
    if not filters.errors:
        # Before all else, since its total may be counted meanwhile.
        page = asked_page(filters, query, size=size)
        rows = drawn_rows(page.rows, can_select=can_select, today=today)
        shown = {"page": page} | pager(address, OrderFilters.from_query(spread(request.GET)), page, size)
    context = shown | _search_area(filters, query)
    context |= {
        "address": address,
        "guide": guide,
        "can_select": can_select,
        "bulk_kinds": [(action.value, word) for action, word in bulk_kinds.items()],
        "size": size,
        "sizes": listing.PAGE_SIZES,
        "query": filters.to_query(),
        "back": request.get_full_path(),
        "news": news.take(request, address),
    }
    return framed(request, "payments/list.jinja", context, rows=rows)


def _search_area(filters: OrderFilters, typed: QueryDict) -> dict[str, Any]:
    numbers = counts.payment_status_counts()

    def box(name: str) -> Box:
        value = getattr(filters, name)
        shown = typed.get(name, "") if value in (None, "") else str(value)
        return Box(name, "", value=shown, error=filters.errors.get(name, ""))

    ticked = checks(filters)
    days = [str(each) for each in deadline_words.NEAR_DAYS]
    if filters.deadline is not None and str(filters.deadline) not in days:
        days.append(str(filters.deadline))
    return {
        "filters": filters,
        "q": box("q"),
        "kinds": tuple(
            Box("payment_kind", label, kind.value, checked=kind.value in filters.payment_kind)
            for kind, label in labels.KIND_LABELS.items()
        ),
        "statuses": tuple(
            Box("status", status.label, str(status.value), checked=status in filters.status)
            for status in DISPLAY_ORDER
        ),
        "states": tuple(
            State(
                label,
                ",".join(statuses),
                checked=set(statuses) <= set(filters.payment_status),
                number=sum(numbers.get(status.value, 0) for status in statuses),
                meaning=labels.status_meaning(statuses[0]),
            )
            for label, statuses in labels.LIST_STATES
        ),
        "deadline_days": tuple((each, each == str(filters.deadline)) for each in days),
        "checks": ticked,
        "ordered": Range("受注日", "date", box("ordered_from"), box("ordered_to")),
        "other_errors": [
            message
            for name, message in filters.errors.items()
            if name not in ("q", "ordered_from", "ordered_to")
        ],
        "sorts": sorts(filters),
        "details_open": bool(
            filters.errors
            or filters.deadline is not None
            or filters.ordered_from
            or filters.ordered_to
            or any(check.checked for check in ticked)
        ),
    }
