"""Login, logout, change of password, and what an expired session does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.screens.conftest import PASSWORD

HTMX: dict[str, Any] = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_superuser("tanaka", password=PASSWORD)


def test_login_leads_to_home(user: User) -> None:
    answer = Client().post("/login/", {"username": "tanaka", "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_login_leads_back_to_where_the_operator_was(user: User) -> None:
    answer = Client().post(
        "/login/", {"username": "tanaka", "password": PASSWORD, "next": "/orders/?q=%E5%B1%B1%E7%94%B0"}
    )
    assert answer["Location"] == "/orders/?q=%E5%B1%B1%E7%94%B0"


@pytest.mark.parametrize(
    "foreign", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_login_never_leads_to_another_site(user: User, foreign: str) -> None:
    answer = Client().post("/login/", {"username": "tanaka", "password": PASSWORD, "next": foreign})
    assert answer["Location"] == "/"


@pytest.mark.parametrize(("name", "password"), [("tanaka", "wrong"), ("nobody", PASSWORD)])
def test_a_wrong_login_is_told_in_the_same_words_whoever_it_was(user: User, name: str, password: str) -> None:
    page = Client().post("/login/", {"username": name, "password": password}).content.decode()
    assert "ログインIDとパスワードをもう一度ご確認ください。" in page
    assert password not in page


def test_empty_fields_are_named() -> None:
    page = Client().post("/login/", {}).content.decode()
    assert "ログインIDを入力してください。" in page
    assert "パスワードを入力してください。" in page


def test_logout_takes_a_post_only(login: Callable[[str], Client]) -> None:
    client = login("閲覧")
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/").status_code == 302
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("path", ["/", "/orders/", "/password/", "/orders/?status=1"])
def test_nothing_opens_without_login(db: None, path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login/?next=/")


def test_htmx_without_login_reloads_the_whole_page_at_login_and_comes_back(db: None) -> None:
    answer = Client().get("/orders/", **HTMX, HTTP_HX_CURRENT_URL="http://testserver/orders/?status=1")
    assert answer.status_code == 200
    assert answer["HX-Redirect"] == "/login/?next=%2Forders%2F%3Fstatus%3D1"
    assert answer.content == b""


def test_htmx_does_not_come_back_to_another_site(db: None) -> None:
    answer = Client().get("/orders/", **HTMX, HTTP_HX_CURRENT_URL="https://evil.example/orders/")
    assert answer["HX-Redirect"] == "/login/?next=%2F"


def test_a_post_without_login_is_not_repeated_and_the_login_page_says_so(db: None) -> None:
    client = Client()
    answer = client.post("/orders/", HTTP_REFERER="http://testserver/orders/?status=6")
    assert answer["Location"] == "/login/?next=%2Forders%2F%3Fstatus%3D6&lost=1"
    assert "直前の操作は実行されていません" in client.get(answer["Location"]).content.decode()


def test_a_page_older_than_the_session_says_that_nothing_was_executed(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    answer = client.post("/password/", {}, HTTP_REFERER="http://testserver/password/")
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "セッションの有効期限が切れました。操作は実行されていません。" in page
    assert 'href="/password/"' in page


def test_htmx_from_a_page_older_than_the_session_opens_the_page_again(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    answer = client.post("/password/", {}, **HTMX, HTTP_HX_CURRENT_URL="http://testserver/password/")
    assert (answer.status_code, answer["HX-Redirect"]) == (200, "/password/")
    assert "操作は実行されていません" in client.get("/password/").content.decode()


def test_the_password_is_changed_and_the_operator_stays_logged_in(user: User) -> None:
    client = Client()
    client.force_login(user)
    new = "another-horse-battery"
    fields = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    page = client.post("/password/", fields, follow=True).content.decode()
    assert "パスワードを変更しました" in page
    user.refresh_from_db()
    assert user.check_password(new)


def test_a_mistyped_new_password_changes_nothing(user: User) -> None:
    client = Client()
    client.force_login(user)
    fields = {
        "old_password": PASSWORD,
        "new_password1": "another-horse-1",
        "new_password2": "another-horse-2",
    }
    page = client.post("/password/", fields).content.decode()
    assert "新しいパスワードが確認用と一致しません" in page
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
