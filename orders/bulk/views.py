"""Screens of bulk runs: preview, start, progress, stop, results, repeat, CSV, history (G5-3, G5-11, X-3).

A list posts to `preview`; from there on only the run's id travels. Everybody who may see orders may look at a
run. Starting takes the kind's permission and being the one who made (and read) the preview; stopping and
repeating take the kind's permission, so that a colleague can pull the brake.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HTMX_STOP_POLLING

from cagolab import clock
from cagolab.audit.entries import Kind, record
from cagolab.roles import MOVE_MONEY, VIEW
from cagolab.security import reauthentication
from orders.bulk import news as bulk_news
from orders.bulk import preview as previews
from orders.bulk import queries, results_csv, tasks, worklist
from orders.bulk.models import BulkRun
from orders.bulk.registry import BulkKind, InvalidParameters, registry
from orders.exports import csv_text
from orders.selection import Selection
from orders.views import requester
from orders.views.back import own_path


@require_POST
@permission_required(VIEW, raise_exception=True)
def preview(request: HttpRequest) -> HttpResponse:
    """Freeze and judge what a list has selected: `kind`, `scope` (page or all), `order` ids, `query`, `back`."""
    kind = _kind(request.POST.get("kind", ""))
    _require(request, kind)
    back = own_path(request, request.POST.get("back", "")) or resolve_url("bulk:list")
    try:
        run = previews.preview(
            kind=kind,
            selection=Selection.from_post(request.POST),
            parameters=kind.parse(request.POST),
            author=_author(request),
            back=back,
            now=clock.now(),
        )
    except (previews.SelectionError, InvalidParameters) as error:
        messages.error(request, str(error))
        return redirect(back)
    return redirect("bulk:run", run.pk)


@require_GET
@permission_required(VIEW, raise_exception=True)
def run_list(request: HttpRequest) -> HttpResponse:
    """一括処理の履歴: newest first; `before` is the last run of the page before, `show=to_repeat` what failed lately."""
    wanted = _uuid(request.GET.get("before", ""))
    before = BulkRun.objects.filter(pk=wanted).first() if wanted else None
    since = clock.now() - queries.REMIND_FOR if request.GET.get("show") == "to_repeat" else None
    runs = list(queries.runs_page(before=before, to_repeat_since=since))
    shown = runs[: queries.RUNS_PER_PAGE]
    counts = queries.counts_of([run.pk for run in shown])
    context = {
        "runs": [{"run": run, "title": _title(run), "counts": counts[run.pk]} for run in shown],
        "next_before": shown[-1].pk if len(runs) > len(shown) else None,
        "is_first_page": before is None,
        "to_repeat": queries.rows_to_repeat(since).count() if since else None,
        "remind_days": queries.REMIND_FOR.days,
    }
    return render(request, "bulk/list.html", context)


@require_GET
@permission_required(VIEW, raise_exception=True)
def run_detail(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The run's one page: what will happen, then how far it is, then what came of it; `show` filters the rows."""
    run = get_object_or_404(BulkRun, pk=run_id)
    after = request.GET.get("after", "")
    page = queries.rows_page(
        run,
        show=request.GET.get("show", "all"),
        after=int(after) if after.isascii() and after.isdecimal() and len(after) < 19 else 0,
    )
    if request.headers.get("HX-Target") == "rows":
        return render(request, "bulk/rows.html", {"run": run, "page": page})
    context = {**_standing(request, run), "page": page, "back": run.back or resolve_url("bulk:list")}
    if run.state == BulkRun.State.PREVIEW:
        context |= _preview_context(request, run)
        return render(request, "bulk/preview.html", context)
    return render(request, "bulk/run.html", context)


@require_GET
@permission_required(VIEW, raise_exception=True)
def progress(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The part of the page that asks again every other second while the run goes on."""
    run = get_object_or_404(BulkRun, pk=run_id)
    context = _standing(request, run)
    context["is_news"] = request.GET.get("seen") != context["seen"]
    return render(request, "bulk/progress.html", context)


@require_GET
@permission_required(VIEW, raise_exception=True)
def news(request: HttpRequest) -> HttpResponse:
    """What the list at the path `at` has to tell of the runs started there; asked again until all have ended."""
    told = bulk_news.take(request, request.GET.get("at", ""))
    status = HTTPStatus.OK if told.running else HTMX_STOP_POLLING
    return render(
        request, "bulk/news.jinja", {"news": told, "is_polled": True}, status=status, using="jinja2"
    )


@require_POST
@permission_required(VIEW, raise_exception=True)
def choose(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Preview the same rows with another parameter; the old preview stays as it was."""
    run = get_object_or_404(BulkRun, pk=run_id, state=BulkRun.State.PREVIEW)
    kind = _kind(run.kind)
    _require(request, kind)
    try:
        parameters = kind.parse(request.POST)
    except InvalidParameters as error:
        messages.error(request, str(error))
        return redirect("bulk:run", run.pk)
    author = _author(request)
    other = previews.preview_with(kind=kind, run=run, parameters=parameters, author=author, now=clock.now())
    return redirect("bulk:run", other.pk)


@require_POST
@permission_required(VIEW, raise_exception=True)
def start(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Start a previewed run, once. Posted again it changes nothing and shows the run."""
    run = get_object_or_404(BulkRun, pk=run_id)
    kind = _kind(run.kind)
    _require(request, kind)
    if run.created_by_id != request.user.pk:
        raise PermissionDenied("only the author of a preview starts it")
    if run.state == BulkRun.State.PREVIEW:
        if previews.confirmations(run) and "confirmed" not in request.POST:
            messages.error(
                request, "確認のチェックボックスにチェックを入れてから、もう一度実行してください。"
            )
        elif _takes_the_password(request, run, kind):
            messages.info(
                request, "大きな一括処理のため、パスワードを確認してから、もう一度実行してください。"
            )
            return redirect(reauthentication.address(resolve_url("bulk:run", run.pk)))
        elif worklist.start(
            run,
            follow="follow" in request.POST and kind.follow_choice(run) is not None,
            now=clock.now(),
        ):
            tasks.ring_for(run)
            bulk_news.expect(request, run)
            record(Kind.BULK, request, target=_title(run), detail=f"開始しました。対象{run.taken}件 {run.pk}")
    return redirect("bulk:run", run.pk)


@require_POST
@permission_required(VIEW, raise_exception=True)
def stop(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Stop a running run: what nobody has begun is left undone."""
    run = get_object_or_404(BulkRun, pk=run_id)
    _require(request, _kind(run.kind))
    if worklist.stop(run, by_name=_author(request).name, now=clock.now()):
        record(Kind.BULK, request, target=_title(run), detail=f"中止しました。 {run.pk}")
        messages.warning(request, "中止しました。実行中だった受注は、結果が出るまでそのまま続きます。")
    return redirect("bulk:run", run.pk)


@require_POST
@permission_required(VIEW, raise_exception=True)
def retry(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """A new preview of what failed, was stopped or asks for another look; what is being confirmed stays out."""
    run = get_object_or_404(BulkRun, pk=run_id)
    kind = _kind(run.kind)
    _require(request, kind)
    if run.state != BulkRun.State.FINISHED:
        messages.error(request, "一括処理が終了してから、もう一度実行してください。")
        return redirect("bulk:run", run.pk)
    try:
        again = previews.preview_again(kind=kind, run=run, author=_author(request), now=clock.now())
    except previews.SelectionError:
        messages.info(request, "もう一度実行できる受注はありません。")
        return redirect("bulk:run", run.pk)
    return redirect("bulk:run", again.pk)


@require_GET
@permission_required(VIEW, raise_exception=True)
def result_csv(request: HttpRequest, run_id: UUID) -> HttpResponseBase:
    """CSV of the results; `encoding=cp932` for old spreadsheets, otherwise UTF-8 with its mark."""
    run = get_object_or_404(BulkRun, pk=run_id)
    encoding: csv_text.Encoding = "cp932" if request.GET.get("encoding") == "cp932" else "utf-8-sig"
    charset = "Shift_JIS" if encoding == "cp932" else "UTF-8"
    record(
        Kind.EXPORT, request, target=f"一括処理の結果CSV({_title(run)})", detail=f"{run.ticked}件 {run.pk}"
    )
    name = f"bulk_{clock.now().astimezone(clock.TOKYO):%Y%m%d_%H%M%S}.csv"
    return StreamingHttpResponse(
        results_csv.lines(run, encoding=encoding),
        content_type=f"text/csv; charset={charset}",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _standing(request: HttpRequest, run: BulkRun) -> dict[str, Any]:
    """How the run stands: one query, two when it is over."""
    counts = queries.counts_of([run.pk])[run.pk]
    is_running = run.state == BulkRun.State.RUNNING
    is_over = run.state == BulkRun.State.FINISHED
    return {
        "run": run,
        "news": bulk_news.News(bulletins=bulk_news.of_run(run) if is_over else ()),
        "title": _title(run),
        "counts": counts,
        "is_running": is_running,
        # Rows that are being confirmed may still change after the end, but no faster than the minute job.
        "poll_seconds": 2 if is_running else 15 if counts.unknown else 0,
        # Told to screen readers at the start, every ten percent, and at the end.
        "seen": f"{run.state}-{counts.percent // 10}-{counts.unknown if not is_running else ''}",
        "moves_money": _kind(run.kind).permission == MOVE_MONEY,
        "may_act": request.user.has_perm(_kind(run.kind).permission),
    }


def _preview_context(request: HttpRequest, run: BulkRun) -> dict[str, Any]:
    kind = _kind(run.kind)
    return {
        "notices": kind.notices(run),
        "follow_choice": kind.follow_choice(run),
        "choices": kind.choices(run.parameters) if request.user.has_perm(kind.permission) else None,
        "date_choice": kind.date_choice(run) if request.user.has_perm(kind.permission) else None,
        "confirmations": previews.confirmations(run),
        "shows_effects": any(group["customer_sees"] for group in run.groups),
        "total_amount": _yen_of(run),
        "may_start": run.taken > 0
        and run.created_by_id == request.user.pk
        and request.user.has_perm(kind.permission),
    }


def _yen_of(run: BulkRun) -> int:
    return sum(group["amount"] for group in run.groups)


def _takes_the_password(request: HttpRequest, run: BulkRun, kind: BulkKind) -> bool:
    """True for much money at once, unless the password was given a moment ago."""
    return (
        kind.permission == MOVE_MONEY
        and reauthentication.is_large(rows=run.taken, yen=_yen_of(run))
        and not reauthentication.is_recent(request)
    )


def _kind(code: str) -> BulkKind:
    kind = registry.get(code)
    if kind is None:
        raise Http404(f"no bulk kind {code}")
    return kind


def _title(run: BulkRun) -> str:
    return _kind(run.kind).title(run.parameters)


def _require(request: HttpRequest, kind: BulkKind) -> None:
    if not request.user.has_perm(kind.permission):
        raise PermissionDenied(f"{kind.code} takes {kind.permission}")


def _author(request: HttpRequest) -> previews.Author:
    assert request.user.is_authenticated
    return previews.Author(
        user=request.user,
        name=requester.name_of(request),
        ip_address=requester.ip_of(request),
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
