"""What is done to one row of 受注一覧 without leaving it: お問い合わせ番号 and 出荷済にする."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST

from cagolab import clock
from cagolab.roles import EDIT
from orders import changes, counts, editing, listed, locks, status_guards
from orders.models import Order
from orders.statuses import OrderStatus
from orders.views.list_rows import draw_row, order_row
from orders.views.requester import author_of

SOURCE = "受注一覧"


@require_POST
@permission_required(EDIT, raise_exception=True)
def tracking(request: HttpRequest, pk: int) -> HttpResponse:
    """Save the お問い合わせ番号 of one row; the answer is the row, of which the list takes the field again, with what
    became of it.

    `before` is the number that the operator saw: when somebody else has entered another one since, that one
    is kept and shown beside what was typed.
    """
    get_object_or_404(Order, pk=pk)
    typed = request.POST.get("tracking_number", "")
    before = request.POST.get("before", "")
    error = ""
    with transaction.atomic():
        order = locks.lock_order(pk)
        if order.tracking_number != before:
            stored = order.tracking_number or "（空欄）"
            error = (
                f"ほかの人が先に変更しました。現在の番号は {stored} です。もう一度保存すると上書きします。"
            )
        else:
            result = editing.set_tracking_number(
                order_id=pk, tracking_number=typed, author=author_of(request, SOURCE), now=clock.now()
            )
            if isinstance(result, editing.Invalid):
                error = " ".join(result.errors.values())
        row = order_row(*listed.read([pk]))
    row.tracking_error, row.tracking_saved = error, not error
    if error:
        row.tracking_typed = typed
    return HttpResponse(draw_row(row, can_edit=True))


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(EDIT, raise_exception=True)
def ship(request: HttpRequest, pk: int) -> HttpResponse:
    """出荷済にする: a dialog with what is to be considered (CC-8), then the change.

    A warning that was not in the dialog the operator confirmed brings the dialog back; nothing is changed.
    """
    order = get_object_or_404(Order, pk=pk)
    refused = changes.check_status(order, OrderStatus.SHIPPED)
    warnings = status_guards.warnings(order, OrderStatus.SHIPPED)
    is_confirmed = request.method == "POST" and set(warnings) <= set(request.POST.getlist("read"))
    if refused or not is_confirmed:
        is_again = request.method == "POST"
        context = {"order": order, "refused": refused, "warnings": warnings, "is_again": is_again}
        return render(request, "orders/list_ship.html", context)
    author = author_of(request, SOURCE)
    result = changes.change_status(
        order_id=order.pk,
        to=OrderStatus.SHIPPED,
        actor=author.user,
        actor_name=author.name,
        source=author.source,
        ip=author.ip,
        now=clock.now(),
    )
    if isinstance(result, changes.StatusRefused):
        return render(request, "orders/list_ship.html", {"order": order, "refused": result.reason})
    row = draw_row(order_row(*listed.read([pk])), can_edit=True, oob=True)
    # The list shows how many orders have each 対応状況.
    numbers = [(status.value, f"{number:,}") for status, number in counts.status_counts().items()]
    return render(request, "orders/list_shipped.html", {"order": order, "row": row, "numbers": numbers})
