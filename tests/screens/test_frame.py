"""The frame of every page: security policy, roles, side bar, error pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from pytest_django import Settings

from cagolab.middleware import ContentSecurityPolicyMiddleware, csp_connect
from cagolab.roles import ROLES

Login = Callable[[str], Client]
STYLE = Path(settings.BASE_DIR, "static/css/cagolab.css").read_text()
# Not what is downloaded as a file and never shown as a page.
DOWNLOADED = {"document_file.html"}
TEMPLATES = sorted(
    path
    for ending in ("html", "jinja")
    for path in Path(settings.BASE_DIR, "templates").rglob(f"*.{ending}")
    if path.name not in DOWNLOADED
)


def test_every_answer_forbids_what_is_not_ours(db: None) -> None:
    for path in ("/login/", "/orders/", "/no/such/page/"):
        policy = Client().get(path)["Content-Security-Policy"]
        assert "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:" in policy
        assert "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "connect-src 'self';" in policy


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("http://127.0.0.1:9000", "connect-src 'self' http://127.0.0.1:9000;"),
        ("http://127.0.0.1:9000/token?x=1", "connect-src 'self' http://127.0.0.1:9000;"),
        ("", "connect-src 'self';"),
    ],
)
def test_one_view_may_talk_to_one_more_origin(origin: str, expected: str) -> None:
    @csp_connect(origin)
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    answer = ContentSecurityPolicyMiddleware(view)(RequestFactory().get("/"))
    assert expected in answer["Content-Security-Policy"]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_no_template_carries_inline_script_or_style(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|hx-on|javascript:", text)
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "https://" not in text


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    ("name", "ground"),
    [(f"{colour}-text", "#ffffff") for colour in ("blue", "green", "yellow", "red", "grey")]
    + [("blue-button", "#ffffff"), ("muted", "#eff0f4"), ("blue-text", "#eff0f4"), ("text", "#eff0f4")],
)
def test_text_can_be_read_by_people_with_weak_sight(name: str, ground: str) -> None:
    found = re.search(rf"--{name}: (#[0-9a-f]{{6}});", STYLE)
    assert found
    darker, lighter = sorted((luminance(found[1]), luminance(ground)))
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


@pytest.mark.parametrize("role", [*ROLES, ""])
@pytest.mark.parametrize("path", ["/", "/orders/"])
def test_pages_open_for_every_role_and_for_nobody_without_one(login: Login, role: str, path: str) -> None:
    answer = login(role).get(path)
    assert answer.status_code == (200 if role else 403)
    if not role:
        assert "権限がありません" in answer.content.decode()


@pytest.mark.parametrize("path", ["/", "/orders/"])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_pages_that_show_take_no_other_method(login: Login, path: str, method: str) -> None:
    assert getattr(login("管理者"), method)(path).status_code == 405


def test_the_side_bar_marks_where_the_operator_is(login: Login) -> None:
    page = login("閲覧").get("/orders/").content.decode()
    assert re.search(r'href="/orders/" aria-current="page"', page)
    assert not re.search(r'href="/" aria-current="page"', page)


def test_the_side_bar_offers_settings_to_administrators_only(login: Login) -> None:
    assert "/payments/accounts/" not in login("決済操作").get("/").content.decode()
    assert "/payments/accounts/" in login("管理者").get("/").content.decode()


def test_the_header_names_the_operator_family_name_first(login: Login) -> None:
    assert "田中 花子 様" in re.sub(r"\s+", " ", login("閲覧").get("/").content.decode())


def test_a_demo_says_so_and_shows_its_clock(login: Login, settings: Settings) -> None:
    client = login("閲覧")
    assert "デモ環境" not in client.get("/").content.decode()
    settings.SANDBOX_URL = "http://127.0.0.1:9"  # nobody listens there: the clock is the machine's
    page = client.get("/").content.decode()
    assert "デモ環境" in page
    assert re.search(r"時計 <time [^>]*>\d{4}/\d\d/\d\d \d\d:\d\d</time>", page)


def test_an_unknown_page_says_what_to_do_next(login: Login) -> None:
    answer = login("閲覧").get("/orders/999999999/nothing/")
    assert answer.status_code == 404
    assert "受注一覧で注文番号やお名前から検索してください" in answer.content.decode()


def test_a_failure_of_ours_is_a_japanese_page_without_details(
    login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(request: HttpRequest) -> dict[str, object]:
        raise RuntimeError("secret detail")

    client = login("閲覧")
    client.raise_request_exception = False
    monkeypatch.setattr("cagolab.navigation.shop_name", fail)
    answer = client.get("/")
    page = answer.content.decode()
    assert answer.status_code == 500
    assert "同じ操作をすぐに繰り返さず" in page
    assert "secret detail" not in page
    assert "default-src 'self'" in answer["Content-Security-Policy"]
