"""Screens of exports: start, progress, stop, the list of one's files, fetching and deleting them.

Files hold customers' names and addresses: making them takes a permission of its own, and a file belongs to
whoever made it; administrators may see, fetch and delete all of them.
"""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from cagolab import clock
from cagolab.audit.entries import Kind, record
from cagolab.roles import ADMINISTER, EXPORT
from orders.exports import endings, files, result_words, tasks, worklist
from orders.exports import start as starting
from orders.exports.documents import Documents
from orders.exports.models import Export
from orders.exports.registry import ExportKind, registry
from orders.selection import Selection, SelectionError
from orders.views import requester
from orders.views.back import own_path
from orders.views.document import MAX_DOCUMENTS

logger = logging.getLogger(__name__)

EXPORTS_PER_PAGE = 30


@require_POST
@permission_required(EXPORT, raise_exception=True)
def start(request: HttpRequest) -> HttpResponse:
    """Freeze what a list has found or ticked: `export`, `encoding`, `scope`, `query`, `order` ids, `back`."""
    kind = registry.get(request.POST.get("export", ""))
    if kind is None:
        raise Http404("no such export")
    selection = Selection.from_post(request.POST)
    if isinstance(kind, Documents) and 0 < len(selection.order_ids) <= MAX_DOCUMENTS:
        # So few are a page to print at once.
        query = "&".join(f"order={pk}" for pk in selection.order_ids)
        return redirect(f"{reverse('orders:documents')}?{query}")
    back = own_path(request, request.POST.get("back", "")) or resolve_url("orders:list")
    encoding = request.POST.get("encoding", "")
    if encoding not in Export.Encoding.values:
        encoding = Export.Encoding.CP932
    user = request.user
    assert isinstance(user, User)
    try:
        export = starting.start(
            kind=kind,
            encoding=encoding,
            selection=selection,
            author=starting.Author(user=user, name=requester.name_of(request)),
            back=back,
            now=clock.now(),
        )
    except SelectionError as error:
        messages.error(request, str(error))
        return redirect(back)
    record(
        Kind.EXPORT,
        request,
        target=kind.label,
        detail=f"出力を開始しました。{export.total:,}件、条件: {export.condition} {export.pk}",
    )
    tasks.ring_after_commit()
    return redirect("exports:export", export.pk)


@require_GET
@permission_required(EXPORT, raise_exception=True)
def export_list(request: HttpRequest) -> HttpResponse:
    """ファイル出力: one's own files, an administrator's list holds everybody's; `before` is the last one shown."""
    sees_all = request.user.has_perm(ADMINISTER)
    exports = Export.objects.order_by("-created_at", "-id")
    if not sees_all:
        exports = exports.filter(created_by_id=request.user.pk)
    before = exports.filter(pk=wanted).first() if (wanted := _uuid(request.GET.get("before", ""))) else None
    if before is not None:
        exports = exports.filter(
            Q(created_at__lt=before.created_at) | Q(created_at=before.created_at, id__lt=before.id)
        )
    found = list(exports[: EXPORTS_PER_PAGE + 1])
    shown = found[:EXPORTS_PER_PAGE]
    context = {
        "exports": [{"export": export, "kind": registry.get(export.kind)} for export in shown],
        "sees_all": sees_all,
        "newest_page": request.path if before else "",
        "next_page": f"{request.path}?before={shown[-1].pk}" if len(found) > len(shown) else "",
        "kept_days": worklist.KEPT_FOR.days,
    }
    return render(request, "exports/list.html", context)


@require_GET
@permission_required(EXPORT, raise_exception=True)
def detail(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """The export's one page: how far it is, then what there is to fetch."""
    export = _own(request, export_id)
    return render(request, "exports/export.html", _standing(export))


@require_GET
@permission_required(EXPORT, raise_exception=True)
def progress(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """The part of the page that asks again while a worker writes."""
    context = _standing(_own(request, export_id))
    context["is_news"] = request.GET.get("seen") != context["seen"]
    return render(request, "exports/progress.html", context)


@require_POST
@permission_required(EXPORT, raise_exception=True)
def stop(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """Stop an export that is being written; what was written is deleted."""
    export = _own(request, export_id)
    if endings.stop(export, clock.now()):
        record(Kind.EXPORT, request, target=_kind(export).label, detail=f"出力を中止しました。 {export.pk}")
        messages.warning(request, "出力を中止しました。途中まで作成したファイルは残りません。")
    return redirect("exports:export", export.pk)


@require_POST
@permission_required(EXPORT, raise_exception=True)
def delete(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """Delete the file now, before its time is over."""
    export = _own(request, export_id)
    label = _kind(export).label
    if export.state != Export.State.FINISHED:
        messages.info(request, "削除するファイルはありません。")
        return redirect("exports:list")
    try:
        endings.remove(export)
    except OSError:
        logger.exception("the file of export %s cannot be deleted", export.pk)
        messages.error(request, f"{label}のファイルを削除できませんでした。管理者に連絡してください。")
        return redirect("exports:list")
    record(Kind.EXPORT, request, target=label, detail=f"ファイルを削除しました。 {export.pk}")
    messages.success(request, f"{label}（{export.total:,}件）のファイルを削除しました。")
    return redirect("exports:list")


@require_GET
@permission_required(EXPORT, raise_exception=True)
def download(request: HttpRequest, export_id: UUID) -> HttpResponseBase:
    """The file, streamed; `part` of a file that is fetched in parts, counted from 1."""
    export = _own(request, export_id)
    kind = _kind(export)
    span = _span(export, request.GET.get("part", "1"))
    if export.state != Export.State.FINISHED or span is None:
        messages.error(request, "このファイルはダウンロードできません。一覧からもう一度出力してください。")
        return redirect("exports:export", export.pk)
    first, last, part = span
    try:
        content = files.blocks(export, first=first, last=last)
    except OSError:
        logger.exception("the file of export %s is not there", export.pk)
        messages.error(
            request,
            "ファイルが見つかりません。期限が過ぎて削除された可能性があります。もう一度出力してください。",
        )
        return redirect("exports:export", export.pk)
    record(
        Kind.EXPORT,
        request,
        target=kind.label,
        detail=f"ファイルをダウンロードしました。{export.total:,}件 {export.pk} {part}".strip(),
    )
    made = f"{export.created_at.astimezone(clock.TOKYO):%Y%m%d_%H%M%S}"
    name = f"{kind.file_name}_{made}{f'_{part}' if part else ''}.{kind.ending}"
    charset = "Shift_JIS" if export.encoding == Export.Encoding.CP932 else "UTF-8"
    return StreamingHttpResponse(
        content,
        content_type=f"{kind.content_type}; charset={charset}",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(last - first),
            "X-Content-Type-Options": "nosniff",
        },
    )


def _standing(export: Export) -> dict[str, Any]:
    kind = _kind(export)
    return {
        "export": export,
        "kind": kind,
        "sentences": result_words.of(export, kind),
        "parts": _parts(export),
        "kept_days": worklist.KEPT_FOR.days,
        # Told to screen readers at the start, every ten percent, and at the end.
        "seen": f"{export.state}-{export.percent // 10}",
    }


def _parts(export: Export) -> list[dict[str, int]]:
    """What there is to fetch of a file in parts: number, and from which sheet to which."""
    size = starting.CHUNK_ORDERS
    return [
        {"number": number, "first": (number - 1) * size + 1, "last": min(number * size, export.total)}
        for number in range(1, len(export.ends) + 1)
    ]


def _span(export: Export, part: str) -> tuple[int, int, str] | None:
    """The bytes of a part and the part's name in the file's; the whole file where there are no parts."""
    if not export.ends:
        return 0, export.size, ""
    if not (part.isascii() and part.isdecimal() and len(part) < 6 and 1 <= int(part) <= len(export.ends)):
        return None
    bounds = [0, *export.ends]
    return bounds[int(part) - 1], bounds[int(part)], part if len(export.ends) > 1 else ""


def _own(request: HttpRequest, export_id: UUID) -> Export:
    export = get_object_or_404(Export, pk=export_id)
    if export.created_by_id != request.user.pk and not request.user.has_perm(ADMINISTER):
        raise PermissionDenied("a file belongs to whoever made it")
    return export


def _kind(export: Export) -> ExportKind:
    kind = registry.get(export.kind)
    if kind is None:
        raise Http404(f"no export kind {export.kind}")
    return kind


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
