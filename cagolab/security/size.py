"""No request larger than what the office ever sends: nothing fills the disk before a view looks at it."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase

# The largest form is a file of tracking numbers: 1 MiB, and what multipart adds.
MAX_REQUEST_BYTES = 3 * 1024 * 1024
TOO_LARGE = (
    "送信されたデータが大きすぎます。ファイルを分けて、もう一度送信してください。何も実行していません。"
)


class RequestSizeMiddleware:
    """Refuses by Content-Length with 413; without one the web server hands on no body at all."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        announced = request.META.get("CONTENT_LENGTH") or "0"
        if not announced.isdecimal() or int(announced) > MAX_REQUEST_BYTES:
            return HttpResponse(TOO_LARGE, status=413, content_type="text/plain; charset=utf-8")
        return self.get_response(request)
