"""操作履歴: who did what, when, from where, with which result, for administrators (X-6)."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from cagolab.audit import listing
from cagolab.roles import ADMINISTER


@permission_required(ADMINISTER, raise_exception=True)
@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """One page of one tab; everything it shows is in the address."""
    query = request.GET.copy()
    tab = query.get("tab", "")
    if tab not in listing.SOURCES:
        tab = next(iter(listing.SOURCES))
    before = query.get("before", "")
    query.pop("before", None)
    filters = listing.Filters.from_query(query)
    source = listing.SOURCES[tab]
    tabs = []
    for name, other in listing.SOURCES.items():
        query["tab"] = name
        tabs.append({"label": other.label, "address": f"?{query.urlencode()}", "current": name == tab})
    query["tab"] = tab
    page = None if filters.errors else listing.page(source, filters, before=before)
    address = f"?{query.urlencode()}"
    context = {
        "tab": tab,
        "tabs": tabs,
        "source": source,
        "filters": filters,
        "people": listing.people(),
        "page": page,
        "newest_page": address if before else "",
        "next_page": f"{address}&before={page.next_before}" if page and page.next_before else "",
    }
    return render(request, "cagolab/audit.html", context)
