"""納品書: a page to print, of one order or of the ticked ones of a page (CC-1); more of them are an export."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from cagolab.audit.entries import Kind, record
from cagolab.roles import VIEW
from orders.invoice import sheets_of
from orders.models import Order
from orders.selection import Selection
from orders.views.order_screen import load_order

# More sheets than this are more than a page that is made while the browser waits.
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
    wanted = Selection.from_post(request.GET).order_ids
    if not wanted:
        messages.warning(
            request, "納品書を出力する受注が選択されていません。受注にチェックを入れてください。"
        )
        return redirect("orders:list")
    if len(wanted) > MAX_DOCUMENTS:
        messages.warning(
            request,
            f"納品書を一度に表示できるのは{MAX_DOCUMENTS}件までです（選択 {len(wanted)}件）。"
            "選択を減らすか、検索結果のすべてを選択して出力してください。",
        )
        return redirect("orders:list")
    found = Order.objects.prefetch_related("lines").in_bulk(wanted)
    return _print(request, [found[pk] for pk in wanted if pk in found])


def _print(request: HttpRequest, orders: list[Order]) -> HttpResponse:
    if request.method == "GET":
        first = "、".join(order.number for order in orders[:10])
        more = f" ほか{len(orders) - 10}件" if len(orders) > 10 else ""
        record(
            Kind.EXPORT,
            request,
            target="納品書",
            detail=f"{len(orders)}件を表示しました。注文番号 {first}{more}",
        )
    return render(request, "orders/document.html", sheets_of(orders))
