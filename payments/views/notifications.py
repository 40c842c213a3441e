"""結果通知: what providers have told us, above all what waits for a person."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from cagolab import clock
from cagolab.people import name_of
from cagolab.roles import MOVE_MONEY, VIEW
from payments import labels
from payments.models import NoticeCursor, Notification
from payments.notifications import listing

PAGE_SIZE = 50


@dataclass(frozen=True, kw_only=True)
class Tab:
    """A part of the list. `count` is None where it is not counted."""

    show: str
    label: str
    count: int | None
    is_current: bool


@permission_required(VIEW, raise_exception=True)
@require_safe
def notification_list(request: HttpRequest) -> HttpResponse:
    """Newest first: those for a person, of one kind with ?show=no_order, or all with ?show=all."""
    tabs = _tabs(request.GET.get("show", ""))
    show = next(tab.show for tab in tabs if tab.is_current)
    rows = listing.matching(show).select_related("account", "payment__order")
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        # Rows are numbered as they come in.
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    context = {
        "tabs": tabs,
        "show": show,
        "rows": [(row, labels.word_of(row.account.provider, row.status)) for row in shown],
        "next_before": shown[-1].pk if len(found) > PAGE_SIZE else None,
        "cursors": NoticeCursor.objects.filter(account__notice_poll_minutes__gt=0).select_related("account"),
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


def _tabs(wanted: str) -> list[Tab]:
    counts = listing.waiting_counts()
    known = {"": ("対応が必要", sum(counts.values()))}
    known |= {state.value: (state.label, counts.get(state, 0)) for state in Notification.FOR_A_PERSON}
    show = wanted if wanted in known or wanted == listing.ALL else ""
    tabs = [
        Tab(show=each, label=label, count=count, is_current=each == show)
        for each, (label, count) in known.items()
    ]
    return [*tabs, Tab(show=listing.ALL, label="すべて", count=None, is_current=show == listing.ALL)]
