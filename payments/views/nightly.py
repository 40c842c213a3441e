"""決済処理中の注文の取消: what would be cancelled, the button, each run's result, and who waits for a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST, require_safe

from cagolab import clock
from cagolab.htmx import HtmxRequest
from cagolab.roles import MOVE_MONEY, VIEW
from orders import changes
from orders.models import Order
from payments import labels
from payments.models import NightlyJob, Payment, StaleCase, StaleRun
from payments.nightly import adoption, release, rules, stale_listing, stale_orders
from payments.nightly.settings_row import job, nightly_settings
from payments.views.list_rows import PaymentRow, payment_rows
from payments.views.operator import by

SHOWN_WAITING = 20
SHOWN_RUNS = 10


class Attempt(NamedTuple):
    """What our own record says of a payment."""

    status: str
    is_open: bool
    provider: str


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """The cells of an order that would be taken, and what our own record lets expect."""

    cells: PaymentRow
    expectation: str


@permission_required(VIEW, raise_exception=True)
@require_safe
def stale_order_list(request: HttpRequest) -> HttpResponse:
    """What would be cancelled now; nothing is executed or asked here."""
    now = clock.now()
    settings = nightly_settings()
    after = _key(request)
    page = stale_listing.orders(
        now, pending_days=settings.pending_days, cart_days=settings.cart_days, after=after
    )
    schedule = job(NightlyJob.Kind.STALE_ORDERS)
    waiting = list(adoption.waiting()[: SHOWN_WAITING + 1])
    runs = list(StaleRun.objects.order_by("-started_at", "-id")[:SHOWN_RUNS])
    # One at most is under way.
    running = next((run for run in runs if run.state == StaleRun.State.RUNNING), None)
    finished = next((run for run in runs if run.state == StaleRun.State.FINISHED), None)
    untold = release.waiting(finished, limit=SHOWN_WAITING + 1) if finished else []
    context = _pager(reverse("payments:stale_orders"), after, page.next_after) | {
        "candidates": _candidates(page.orders),
        "page": page,
        "until": now.isoformat(),
        "settings": settings,
        "schedule": schedule,
        "next_run": rules.next_run(schedule.hour, schedule.last_run_on, now) if schedule.is_on else None,
        "running": running,
        "waiting": _with_labels(waiting[:SHOWN_WAITING]),
        "has_more_waiting": len(waiting) > SHOWN_WAITING,
        "untold": untold[:SHOWN_WAITING],
        "has_more_untold": len(untold) > SHOWN_WAITING,
        "shown_waiting": SHOWN_WAITING,
        "runs": [(run, stale_orders.counts(run)) for run in runs],
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
    """One run: its progress while it works, then how each order ended, page by page."""
    run = get_object_or_404(StaleRun, pk=pk)
    counts = stale_orders.counts(run)
    total = counts.total()
    open_cases = counts[StaleCase.State.WAITING] + counts[StaleCase.State.CLAIMED]
    after = _key(request)
    page = stale_listing.cases(run, after=after)
    context = _pager(reverse("payments:stale_run", args=[run.pk]), after, page.next_after) | {
        "run": run,
        "counts": counts,
        "total": total,
        "ended": total - open_cases,
        "cases": page.cases,
        "after": after,
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


def _key(request: HttpRequest) -> int | None:
    after = request.GET.get("after", "")
    return int(after) if after.isascii() and after.isdecimal() and len(after) < 19 else None


def _pager(address: str, after: int | None, next_after: int | None) -> dict[str, str]:
    return {
        "newest_page": address if after else "",
        "next_page": f"{address}?after={next_after}" if next_after else "",
    }


def _with_labels(payments: Iterable[Payment]) -> list[tuple[Payment, str]]:
    return [(payment, labels.status_label(payment.account.provider, payment.status)) for payment in payments]


def _candidates(orders: Sequence[Order]) -> list[Candidate]:
    attempts: dict[int, list[Attempt]] = {order.pk: [] for order in orders}
    payments = Payment.objects.filter(order__in=attempts).order_by("pk")
    for order_id, status, is_open, provider in payments.values_list(
        "order_id", "status", "is_open", "account__provider"
    ):
        attempts[order_id].append(Attempt(status, is_open, provider))
    return [
        Candidate(cells=cells, expectation=_expectation(attempts[cells.order.pk]))
        for cells in payment_rows(orders)
    ]


def _expectation(attempts: list[Attempt]) -> str:
    if not attempts:
        return "取り消します（決済はありません）"
    if any(attempt.is_open for attempt in attempts):
        return "取り消しません（決済の結果を確認中です）"
    if any(attempt.status in rules.TAKEN for attempt in attempts):
        return "取り消しません（お客様のお支払いがあります）"
    asked = [attempt for attempt in attempts if attempt.status not in rules.FINALLY_WITHOUT_MONEY]
    if not asked:
        return "取り消します（請求は残っていません）"
    label = labels.status_label(asked[-1].provider, asked[-1].status)
    return f"決済代行会社に確認してから判断します（当店の記録：{label}）"
