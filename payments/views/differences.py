"""差異一覧: what the provider and we disagree about, and the two things a person may do with it (X-4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from cagolab import clock
from cagolab.htmx import HtmxRequest
from cagolab.roles import MOVE_MONEY, VIEW
from payments import undecided
from payments.actors import By
from payments.models import GatewayAccount, Operation, PaymentDifference
from payments.reconciliation import adopt, bells, listing, standing
from payments.reconciliation import run as runs
from payments.views.operator import by

POLL_SECONDS = 5
MAX_REASON_CHARACTERS = 200


class ReasonForm(forms.Form):
    """Why: typed by the operator and kept."""

    reason = forms.CharField(
        max_length=MAX_REASON_CHARACTERS,
        error_messages={
            "required": "理由を入力してください。まだ何も変えていません。",
            "max_length": f"理由は{MAX_REASON_CHARACTERS}文字以内で入力してください。まだ何も変えていません。",
        },
    )


@permission_required(VIEW, raise_exception=True)
@require_safe
def difference_list(request: HttpRequest) -> HttpResponse:
    """One page of differences, under how the comparisons stand; everything shown is in the address."""
    filters = listing.Filters.from_query(request.GET)
    before = request.GET.get("before", "")
    page = listing.page(
        filters, before=int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    )
    counts = listing.open_counts()
    address = reverse("payments:differences")
    context = _standing() | {
        "page": page,
        "filters": filters,
        "kinds": [
            {
                "value": kind.value,
                "label": kind.label,
                "count": counts[kind.value][0],
                "is_capped": counts[kind.value][1],
                "checked": kind in filters.kinds,
            }
            for kind in PaymentDifference.Kind
        ],
        "states": [*PaymentDifference.State.choices, ("all", "すべて")],
        "newest_page": f"{address}?{filters.to_query()}" if before else "",
        "next_page": f"{address}?{filters.to_query(before=str(page.next_before))}"
        if page.next_before
        else "",
        "back": request.get_full_path(),
        "may_act": request.user.has_perm(MOVE_MONEY),
        "undecided": undecided.waiting().count(),
    }
    return render(request, "payments/differences/list.html", context)


@permission_required(VIEW, raise_exception=True)
@require_safe
def difference_progress(request: HttpRequest) -> HttpResponse:
    """The head of the list, asked for again while a run is under way."""
    context = _standing() | {"may_act": request.user.has_perm(MOVE_MONEY), "is_news": True}
    return render(request, "payments/differences/standing.html", context)


@permission_required(MOVE_MONEY, raise_exception=True)
@require_POST
def difference_start(request: HttpRequest) -> HttpResponse:
    """今すぐ確認する: start a run for one account."""
    account = get_object_or_404(GatewayAccount, code=request.POST.get("account", ""))
    if not runs.can_ask(account):
        messages.error(
            request,
            f"決済アカウント「{account.name}」の接続情報が設定されていないため、確認できません。管理者に連絡してください。",
        )
        return redirect("payments:differences")
    started = runs.start(account=account, by=_by(request), now=clock.now())
    if isinstance(started, runs.AlreadyRunning):
        messages.info(request, f"「{account.name}」は確認中です。二重には開始していません。")
    else:
        bells.ring(started.run)
        messages.success(
            request, f"「{account.name}」の差異確認を開始しました。この画面を閉じても、確認は続きます。"
        )
    return redirect("payments:differences")


@permission_required(MOVE_MONEY, raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def difference_action(request: HtmxRequest, pk: int, action: str) -> HttpResponse:
    """反映 or 対応済みにする: GET shows both sides and asks why, POST does it."""
    if action not in ("adopt", "handle"):
        raise Http404(action)
    rows = PaymentDifference.objects.select_related("account", "order", "payment")
    difference = get_object_or_404(rows, pk=pk)
    back = _back(request)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        context = {
            "row": listing.row(difference),
            "action": action,
            "form": form,
            "typed": request.POST.get("reason", ""),
            "error": str(form.errors["reason"][0]) if form.is_bound else "",
            "back": back,
            "max_reason": MAX_REASON_CHARACTERS,
        }
        template = "dialog.html" if request.htmx else "dialog_page.html"
        status = 422 if form.is_bound else 200
        return render(request, f"payments/differences/{template}", context, status=status)
    do = adopt.adopt if action == "adopt" else adopt.handle
    result = do(difference_id=pk, reason=form.cleaned_data["reason"], by=_by(request), now=clock.now())
    level = messages.SUCCESS if isinstance(result, adopt.Done) else messages.WARNING
    messages.add_message(request, level, result.text)
    return HttpResponseClientRedirect(back) if request.htmx else redirect(back)


def _standing() -> dict[str, Any]:
    standings = standing.of_accounts()
    return {
        "standings": standings,
        "poll_seconds": POLL_SECONDS if any(each.is_running for each in standings) else None,
        "nightly_hour": standing.nightly_hour(),
    }


def _by(request: HttpRequest) -> By:
    return replace(by(request), source=Operation.Source.DIFFERENCES)


def _back(request: HttpRequest) -> str:
    """The list as it was; never an address elsewhere."""
    wanted = request.POST.get("back") or request.GET.get("back", "")
    own = reverse("payments:differences")
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.split("?")[0] == own
    return wanted if is_ours else own
