"""What travels between the server and the rooms."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, read completely. Header names are lower case."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer. `headers` are sent after Content-Type and Content-Length."""

    body: bytes
    status: int = 200
    content_type: str = "text/html; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


def page(title: str, text: str, *, status: int = 200) -> Answer:
    """An HTML page as a web server in front of a provider would show it."""
    body = (
        '<!DOCTYPE html>\n<html lang="ja"><head><meta charset="utf-8"><title>'
        f"{title}</title></head><body><h1>{title}</h1><p>{text}</p></body></html>\n"
    )
    return Answer(body.encode(), status=status)


NOT_FOUND = page("404 Not Found", "お探しのページは見つかりませんでした。", status=404)
MAINTENANCE = page("メンテナンス中", "ただいまシステムメンテナンスを行っております。")
INTERNAL_ERROR = page("500 Internal Server Error", "システムエラーが発生しました。", status=500)
UNAVAILABLE = page("503 Service Unavailable", "ただいまアクセスが集中しております。", status=503)
