"""決済処理中の注文の取消: what would be cancelled, the button, each run's result, and who waits for a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST, require_safe

from cagolab import clock
from cagolab.htmx import HtmxRequest
from cagolab.roles import MOVE_MONEY, VIEW
from orders import changes
from orders.models import Order
from payments import labels
from payments.models import NightlyJob, Payment, StaleCase, StaleRun
from payments.nightly import adoption, release, rules, stale_orders, stale_worklist
from payments.nightly.settings_row import job, nightly_settings
from payments.views.operator import by

SHOWN_ORDERS = 200
SHOWN_RUNS = 10


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """An order that would be taken, and what our own record lets expect."""

    order: Order
    expectation: str


@permission_required(VIEW, raise_exception=True)
@require_safe
def stale_order_list(request: HttpRequest) -> HttpResponse:
    """What would be cancelled now; nothing is executed or asked here."""
    now = clock.now()
    settings = nightly_settings()
    found = stale_worklist.stale(
        now, pending_days=settings.pending_days, cart_days=settings.cart_days
    ).order_by("ordered_at", "id")
    schedule = job(NightlyJob.Kind.STALE_ORDERS)
    context = {
        "candidates": _candidates(found.prefetch_related("payments__account")[:SHOWN_ORDERS]),
        "total": found.count(),
        "until": now.isoformat(),
        "settings": settings,
        "schedule": schedule,
        "next_run": rules.next_run(schedule.hour, schedule.last_run_on, now) if schedule.is_on else None,
        "running": stale_orders.running(),
        "waiting": _waiting(),
        "untold": release.waiting()[:SHOWN_ORDERS],
        "runs": [
            (run, stale_orders.counts(run))
            for run in StaleRun.objects.order_by("-started_at", "-id")[:SHOWN_RUNS]
        ],
        "may_move_money": request.user.has_perm(MOVE_MONEY),
    }
    return render(request, "payments/nightly/stale_orders.html", context)


@permission_required(MOVE_MONEY, raise_exception=True)
@require_POST
def stale_order_start(request: HttpRequest) -> HttpResponse:
    """実行: take what the page showed, or go to the run that is under way."""
    now = clock.now()
    until = _moment(request.POST.get("until", ""))
    if until is None:
        messages.error(
            request, "送信された内容が正しくありません。何も実行していません。もう一度実行してください。"
        )
        return redirect("payments:stale_orders")
    run, is_new = stale_orders.start(by=by(request), until=until, now=now)
    if not is_new:
        messages.info(request, "すでに実行中のため、新しく開始していません。実行中の処理を表示します。")
    return redirect("payments:stale_run", run.pk)


@permission_required(VIEW, raise_exception=True)
@require_safe
def stale_order_run(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """One run: its progress while it works, then how each order ended."""
    run = get_object_or_404(StaleRun, pk=pk)
    counts = stale_orders.counts(run)
    total = counts.total()
    open_cases = counts[StaleCase.State.WAITING] + counts[StaleCase.State.CLAIMED]
    context = {
        "run": run,
        "counts": counts,
        "total": total,
        "ended": total - open_cases,
        "cases": stale_worklist.ended(run),
        "waiting_cases": StaleCase.objects.filter(run=run, state=StaleCase.State.WAITING, tries__gt=0)
        .select_related("order")
        .order_by("id"),
        "is_running": run.state == StaleRun.State.RUNNING,
    }
    template = "payments/nightly/run_body.html" if request.htmx else "payments/nightly/run.html"
    return render(request, template, context)


@permission_required(MOVE_MONEY, raise_exception=True)
@require_POST
def adopt(request: HttpRequest, pk: int) -> HttpResponse:
    """受注として採用: the customer has paid; 入金済み."""
    payment = get_object_or_404(Payment, pk=pk)
    result = adoption.adopt(payment_id=payment.pk, by=by(request), now=clock.now())
    if isinstance(result, changes.StatusRefused):
        messages.error(request, result.reason)
    else:
        messages.success(
            request,
            f"注文番号 {result.number} を受注として採用し、対応状況を「{result.after.label}」にしました。"
            "内容を確認し、発送の準備をしてください。",
        )
    return redirect("payments:stale_orders")


@permission_required(MOVE_MONEY, raise_exception=True)
@require_POST
def release_order(request: HttpRequest, pk: int) -> HttpResponse:
    """請求がないことを確認して取り消す: a person has looked where we cannot ask."""
    case = get_object_or_404(StaleCase, pk=pk)
    result = release.release(case_id=case.pk, by=by(request), now=clock.now())
    if isinstance(result, changes.StatusRefused):
        messages.error(request, result.reason)
    else:
        messages.success(request, f"注文番号 {result.number} を取り消し、在庫とポイントを元に戻しました。")
    return redirect("payments:stale_orders")


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _waiting() -> list[tuple[Payment, str]]:
    return [
        (payment, labels.status_label(payment.account.provider, payment.status))
        for payment in adoption.waiting()[:SHOWN_ORDERS]
    ]


def _candidates(orders: Iterable[Order]) -> list[Candidate]:
    return [Candidate(order=order, expectation=_expectation(list(order.payments.all()))) for order in orders]


def _expectation(attempts: list[Payment]) -> str:
    if not attempts:
        return "取り消します（決済はありません）"
    if any(payment.is_open for payment in attempts):
        return "取り消しません（決済の結果を確認中です）"
    if any(payment.status in rules.TAKEN for payment in attempts):
        return "取り消しません（お客様のお支払いがあります）"
    asked = [payment for payment in attempts if payment.status not in rules.FINALLY_WITHOUT_MONEY]
    if not asked:
        return "取り消します（請求は残っていません）"
    label = labels.status_label(asked[-1].account.provider, asked[-1].status)
    return f"決済代行会社に確認してから判断します（当店の記録：{label}）"
