"""結果通知: what providers have told us, above all what waits for a person."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from cagolab import clock
from cagolab.people import name_of
from cagolab.roles import MOVE_MONEY, VIEW
from payments import labels
from payments.models import Notification

PAGE_SIZE = 50


@permission_required(VIEW, raise_exception=True)
@require_safe
def notification_list(request: HttpRequest) -> HttpResponse:
    """Newest first: those for a person, or all with ?show=all."""
    shows_all = request.GET.get("show") == "all"
    for_a_person = Notification.objects.filter(state__in=Notification.FOR_A_PERSON, handled_at__isnull=True)
    rows = Notification.objects.all() if shows_all else for_a_person
    rows = rows.select_related("account", "payment__order").order_by("-received_at", "-id")
    before = request.GET.get("before", "")
    if before.isdigit() and len(before) < 19:
        # Rows are numbered as they come in.
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    context = {
        "rows": [(row, labels.word_of(row.account.provider, row.status)) for row in shown],
        "shows_all": shows_all,
        "open_count": for_a_person.count(),
        "next_before": shown[-1].pk if len(found) > PAGE_SIZE else None,
        "may_handle": request.user.has_perm(MOVE_MONEY),
    }
    return render(request, "payments/notifications/list.html", context)


@permission_required(MOVE_MONEY, raise_exception=True)
@require_POST
def notification_handled(request: HttpRequest, pk: int) -> HttpResponse:
    """対応済みにする: somebody has looked into it; payments are untouched."""
    row = get_object_or_404(Notification, pk=pk, state__in=Notification.FOR_A_PERSON)
    Notification.objects.filter(pk=row.pk, handled_at__isnull=True).update(
        handled_at=clock.now(), handled_by_name=name_of(request.user)
    )
    messages.success(
        request,
        f"決済オーダーID {row.provider_order_id} の通知を対応済みにしました。決済は変更していません。",
    )
    return redirect("payments:notifications")
