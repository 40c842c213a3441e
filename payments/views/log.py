"""決済ログ: every operation of an order and every telegram under it, newest first (G5-7, X-6)."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from cagolab.htmx import HtmxRequest
from cagolab.roles import VIEW
from payments import log, queries
from payments.models import Payment
from payments.views.panel import order_page


@permission_required(VIEW, raise_exception=True)
@require_safe
def payment_log(request: HtmxRequest, pk: int) -> HttpResponse:
    """One page of the log of the payment's order; `before` continues with older operations."""
    payment = get_object_or_404(Payment.objects.select_related("order"), pk=pk)
    text = request.GET.get("before", "")
    before = int(text) if text.isdecimal() and len(text) <= 18 else None
    page = queries.log_page(payment.order_id, before=before)
    context = {
        "payment": payment,
        "entries": [log.entry(operation) for operation in page.operations],
        "next_before": page.next_before,
        "continues": before is not None,
        "back": order_page(payment.order_id),
    }
    if not request.htmx:
        return render(request, "payments/log_page.html", context)
    return render(request, "payments/log_entries.html" if before else "payments/log.html", context)
