"""配送番号CSV登録: the upload and its report (G13-2)."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from cagolab import clock
from cagolab.audit.entries import Kind, record
from cagolab.roles import EDIT
from orders import tracking_csv
from orders.views.requester import author_of

SOURCE = "配送番号CSV登録"


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(EDIT, raise_exception=True)
def upload(request: HttpRequest) -> HttpResponse:
    """GET asks for a file; POST applies it and reports every line that was not applied."""
    if request.method != "POST":
        return _show(request)
    uploaded = request.FILES.get("file")
    if uploaded is None or not uploaded.size:
        return _show(request, error="CSVファイルを選択してください。")
    # One byte more than allowed is enough to know that it is too much.
    content = uploaded.read(tracking_csv.MAX_BYTES + 1)
    try:
        result = tracking_csv.apply(content, author=author_of(request, SOURCE), now=clock.now())
    except tracking_csv.FileError as problem:
        return _show(request, error=str(problem))
    record(
        Kind.IMPORT,
        request,
        target=SOURCE,
        detail=f"登録{len(result.saved)}件、変更なし{len(result.unchanged)}件、登録できず{len(result.bad)}件",
    )
    return _show(request, result=result)


def _show(
    request: HttpRequest, *, error: str = "", result: tracking_csv.Result | None = None
) -> HttpResponse:
    context = {"error": error, "result": result, "max_lines": tracking_csv.MAX_LINES}
    return render(request, "orders/tracking_csv.html", context, status=422 if error else 200)
