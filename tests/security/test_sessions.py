"""How long a login lasts, and what ends it."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from cagolab.security import sessions
from tests.security.office import PASSWORD, client_of, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return make_user("tanaka", "閲覧")


def age(client: Client, **seconds: int) -> None:
    session = client.session
    for name, value in seconds.items():
        session[name] = int(time.time()) - value
    session.save()


def test_an_hour_without_a_click_ends_the_session(user: User) -> None:
    client = client_of(user)
    age(client, seen=59 * 60)
    assert client.get("/orders/").status_code == 200
    age(client, seen=61 * 60)
    assert client.get("/orders/")["Location"].startswith("/login/")


def test_twelve_hours_end_it_however_busy_it_was(user: User) -> None:
    client = client_of(user)
    age(client, started=12 * 3600 + 1)
    assert client.get("/orders/")["Location"].startswith("/login/")


def test_a_click_counts_and_what_pages_ask_by_themselves_does_not(user: User) -> None:
    client = client_of(user)
    age(client, seen=600)
    client.get("/payments/orders/1/panel/", headers={"HX-Request": "true"})
    assert time.time() - client.session["seen"] > 500
    client.get("/orders/")
    assert time.time() - client.session["seen"] < 100


def test_every_address_that_a_page_asks_again_and_again_is_known_as_polling() -> None:
    folder = Path(settings.BASE_DIR) / "templates"
    pages = [*folder.rglob("*.html"), *folder.rglob("*.jinja")]
    lines = [line for page in pages for line in page.read_text().splitlines()]
    asked = {
        match.group(1)
        for line in lines
        if (match := re.search(r"hx-get=\"\{[%{] url[ (]'([\w:]+)'[^>]*hx-trigger=\"every ", line))
    }
    assert "exports:progress" in asked
    assert asked == sessions.POLLING


def test_what_is_sent_with_an_expired_session_is_not_executed(user: User) -> None:
    client = client_of(user)
    age(client, seen=61 * 60)
    answer = client.post("/password/", {"old_password": PASSWORD})
    assert "lost=1" in answer["Location"]


def test_the_sessions_of_a_suspended_user_die_at_once(user: User) -> None:
    client, admin = client_of(user), client_of(make_user("admin", "管理者"))
    admin.post(f"/users/{user.pk}/active/", {"active": "0"})
    assert client.get("/orders/")["Location"].startswith("/login/")
    answer = Client().post("/login/", {"username": "tanaka", "password": PASSWORD})
    assert answer.status_code == 200
    admin.post(f"/users/{user.pk}/active/", {"active": "1"})
    assert client.get("/orders/")["Location"].startswith("/login/")
    assert Client().post("/login/", {"username": "tanaka", "password": PASSWORD}).status_code == 302


def test_nobody_suspends_oneself() -> None:
    admin = make_user("admin", "管理者")
    client_of(admin).post(f"/users/{admin.pk}/active/", {"active": "0"})
    admin.refresh_from_db()
    assert admin.is_active


def test_a_new_password_ends_the_other_sessions_and_not_this_one(user: User) -> None:
    here, there = client_of(user), client_of(user)
    new = "another-horse-battery"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert here.post("/password/", form).status_code == 302
    assert here.get("/orders/").status_code == 200
    assert there.get("/orders/")["Location"].startswith("/login/")


def test_a_login_gets_a_new_session_key(user: User) -> None:
    client = Client()
    client.get("/checkout/")
    client.post("/login/", {"username": "tanaka", "password": PASSWORD})
    first = client.session.session_key
    client.post("/logout/")
    client.post("/login/", {"username": "tanaka", "password": PASSWORD})
    assert client.session.session_key != first
    assert sessions.end_all(user) == 1
