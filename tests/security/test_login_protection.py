"""Guessing passwords is slow, and locks out whoever guesses instead of whoever is guessed at."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from cagolab.models import AuditEntry, LoginThrottle
from cagolab.security import throttle
from tests.security.office import PASSWORD, client_of, make_user

pytestmark = pytest.mark.django_db
HERE, ELSEWHERE = "203.0.113.5", "198.51.100.9"
LOCKED = "ログインを一時的に停止しています"


@pytest.fixture
def user() -> User:
    return make_user("tanaka", "閲覧")


def log_in(password: str, *, name: str = "tanaka", address: str = HERE) -> Any:
    return Client().post("/login/", {"username": name, "password": password}, REMOTE_ADDR=address)


def guess(times: int, **options: Any) -> None:
    for _ in range(times):
        assert LOCKED not in log_in("wrong", **options).content.decode()


def test_after_ten_wrong_tries_even_the_right_password_is_not_looked_at(user: User) -> None:
    guess(10)
    answer = log_in(PASSWORD)
    assert answer.status_code == 200
    assert LOCKED in answer.content.decode()


def test_nine_wrong_tries_are_forgiven_by_the_right_one(user: User) -> None:
    guess(9)
    assert log_in(PASSWORD).status_code == 302
    guess(9)
    assert log_in(PASSWORD).status_code == 302


def test_the_lock_ends_after_half_an_hour(user: User) -> None:
    guess(10)
    row = LoginThrottle.objects.get(scope="login")
    assert row.locked_until is not None
    assert timedelta(minutes=29) < row.locked_until - timezone.now() <= timedelta(minutes=30)
    LoginThrottle.objects.update(locked_until=timezone.now() - timedelta(seconds=1))
    assert log_in(PASSWORD).status_code == 302


def test_nobody_outside_locks_a_colleague_out(user: User) -> None:
    guess(10, address=ELSEWHERE)
    assert LOCKED in log_in(PASSWORD, address=ELSEWHERE).content.decode()
    assert log_in(PASSWORD, address=HERE).status_code == 302


def test_an_unknown_login_id_is_locked_in_the_same_words(user: User) -> None:
    guess(10, name="nobody")
    assert LOCKED in log_in("wrong", name="nobody").content.decode()


def test_one_address_that_tries_many_login_ids_is_closed(user: User) -> None:
    for number in range(throttle.ADDRESS.tries):
        log_in("wrong", name=f"name{number}")
    assert LOCKED in log_in(PASSWORD).content.decode()
    assert log_in(PASSWORD, address=ELSEWHERE).status_code == 302


def test_guesses_from_everywhere_close_a_login_id_only_where_it_has_never_come_from(user: User) -> None:
    assert log_in(PASSWORD, address=HERE).status_code == 302
    for number in range(throttle.ACCOUNT.tries):
        throttle.login_failed("tanaka", f"198.51.100.{number % 250}")
    assert LOCKED in log_in(PASSWORD, address="192.0.2.77").content.decode()
    assert log_in(PASSWORD, address=HERE).status_code == 302


def test_an_administrator_ends_a_lock_at_once(user: User) -> None:
    guess(10)
    admin = client_of(make_user("admin", "管理者"))
    lock = LoginThrottle.objects.get(scope="login")
    assert "停止を解除" in admin.get("/users/").content.decode()
    admin.post(f"/users/locks/{lock.pk}/release/")
    assert log_in(PASSWORD).status_code == 302
    assert AuditEntry.objects.filter(kind="unlocked", target="tanaka").exists()


def test_a_forgotten_screen_does_not_give_the_password_away(user: User) -> None:
    client = client_of(user)
    for _ in range(10):
        client.post("/password/confirm/", {"password": "wrong"})
    page = client.post("/password/confirm/", {"password": PASSWORD}).content.decode()
    assert "確認を一時的に停止しています" in page


def test_what_was_typed_is_kept_nowhere(user: User) -> None:
    log_in("my-secret-guess")
    log_in("wrong", name="my-password-in-the-wrong-field")
    with connection.cursor() as cursor:
        for table in ("cagolab_auditentry", "cagolab_loginthrottle"):
            cursor.execute(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} AS t")
            text = cursor.fetchone()[0]
            assert "my-secret-guess" not in text
            assert "my-password" not in text
