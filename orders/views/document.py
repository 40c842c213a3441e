"""納品書: a page to print, of one order or of many at once (CC-1)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from cagolab import clock
from cagolab.roles import VIEW
from cagolab.shop import shop_name
from orders.invoice import invoice_of
from orders.models import Order
from orders.views.order_screen import load_order

# More sheets than this are more than a browser prints in one go.
MAX_DOCUMENTS = 100


@require_safe
@permission_required(VIEW, raise_exception=True)
def document(request: HttpRequest, pk: int) -> HttpResponse:
    """The sheet of one order."""
    return _print(request, [load_order(pk)])


@require_safe
@permission_required(VIEW, raise_exception=True)
def documents(request: HttpRequest) -> HttpResponse:
    """The sheets of the ticked orders (`order`, repeated), in the order of the list."""
    ids = [int(text) for text in request.GET.getlist("order") if text.isdecimal() and len(text) < 19]
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        messages.warning(
            request, "納品書を出力する受注が選択されていません。受注にチェックを入れてください。"
        )
        return redirect("orders:list")
    if len(wanted) > MAX_DOCUMENTS:
        messages.warning(
            request,
            f"納品書を一度に出力できるのは{MAX_DOCUMENTS}件までです（選択 {len(wanted)}件）。"
            "選択を減らしてください。",
        )
        return redirect("orders:list")
    found = Order.objects.prefetch_related("lines").in_bulk(wanted)
    return _print(request, [found[pk] for pk in wanted if pk in found])


def _print(request: HttpRequest, orders: list[Order]) -> HttpResponse:
    sheets: list[dict[str, Any]] = [{"order": order, **invoice_of(order)} for order in orders]
    context = {
        "sheets": sheets,
        "issued_on": clock.now().astimezone(clock.TOKYO).date(),
        "shop": {
            "name": shop_name(),
            # Shops that are no 適格請求書発行事業者 have no number; the line is left out then.
            "registration_number": settings.SHOP_REGISTRATION_NUMBER,
            "address": settings.SHOP_ADDRESS,
            "phone": settings.SHOP_PHONE,
        },
    }
    return render(request, "orders/document.html", context)
