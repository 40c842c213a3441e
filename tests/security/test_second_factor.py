"""The second factor of whoever moves money, and the password again before a large run."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from cagolab.models import RecoveryCode, SecondFactor
from cagolab.security import second_factor
from orders.bulk import tasks
from tests.security.office import PASSWORD, client_of, make_office, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _required(settings: Any) -> None:
    settings.REQUIRE_SECOND_FACTOR = True


@pytest.fixture
def user() -> User:
    return make_user("kaikei", "決済操作")


def code_of(secret: str, *, step: int = 0) -> str:
    return second_factor.code_at(secret, time.time() + step * second_factor.STEP_SECONDS)


def enrolled(user: User) -> tuple[str, list[str]]:
    """Set up the app in a browser of its own; the secret, and the recovery codes as shown."""
    client = client_of(user)
    page = client.get("/second-factor/").content.decode()
    found = re.search(r'secret-code">([A-Z2-7 ]+)<', page)
    assert found is not None
    secret = found[1].replace(" ", "")
    page = client.post("/second-factor/", {"code": code_of(secret, step=-1)}).content.decode()
    codes = re.findall(r"<li>([A-Z2-7-]{19})</li>", page)
    assert len(codes) == 10
    return secret, codes


def after_password() -> Client:
    client = Client()
    answer = client.post("/login/", {"username": "kaikei", "password": PASSWORD, "next": "/orders/"})
    assert answer.status_code == 302
    return client


def give(client: Client, code: str) -> Any:
    return client.post("/login/code/", {"code": code, "next": "/orders/"})


def test_rfc_6238_test_values() -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for moment, code in ((59, "287082"), (1111111109, "081804"), (2000000000, "279037")):
        assert second_factor.code_at(secret, moment) == code


@pytest.mark.parametrize("path", ["/", "/orders/", "/password/", "/payments/", "/users/"])
def test_a_money_role_opens_nothing_before_the_app_is_set_up(user: User, path: str) -> None:
    assert client_of(user).get(path)["Location"].startswith("/second-factor/?next=")


@pytest.mark.parametrize("role", ["閲覧", "受注編集"])
def test_roles_without_money_need_none(role: str) -> None:
    assert client_of(make_user("other", role)).get("/orders/").status_code == 200


def test_with_the_setting_off_nobody_needs_one(user: User, settings: Any) -> None:
    settings.REQUIRE_SECOND_FACTOR = False
    assert client_of(user).get("/orders/").status_code == 200


def test_after_the_app_is_set_up_every_login_asks_for_its_code(user: User) -> None:
    secret, _codes = enrolled(user)
    client = after_password()
    assert client.get("/orders/")["Location"] == "/login/code/?next=%2Forders%2F"
    page = client.get("/login/code/?next=/orders/").content.decode()
    assert "受注一覧" not in page
    assert give(client, code_of(secret))["Location"] == "/orders/"
    assert client.get("/orders/").status_code == 200


def test_between_password_and_code_no_new_app_can_be_set_up(user: User) -> None:
    enrolled(user)
    client = after_password()
    for path in ("/second-factor/", "/second-factor/qr.svg", "/password/confirm/", "/password/"):
        assert client.get(path)["Location"].startswith("/login/code/")
        assert client.post(path, {"code": "123456"}).status_code in (302, 405)
    assert SecondFactor.objects.count() == 1


def test_a_code_is_good_once(user: User) -> None:
    secret, _codes = enrolled(user)
    code = code_of(secret)
    assert give(after_password(), code).status_code == 302
    assert give(after_password(), code).status_code == 422


def test_a_wrong_or_old_code_does_not_open(user: User) -> None:
    secret, _codes = enrolled(user)
    for code in ("000000", code_of(secret, step=-5), code_of(secret, step=5), "", "あ"):
        client = after_password()
        assert give(client, code).status_code in (200, 422)
        assert client.get("/orders/").status_code == 302


def test_full_width_digits_are_digits(user: User) -> None:
    secret, _codes = enrolled(user)
    wide = code_of(secret).translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    assert give(after_password(), wide).status_code == 302


def test_ten_wrong_codes_close_the_second_step(user: User) -> None:
    secret, _codes = enrolled(user)
    client = after_password()
    for _ in range(10):
        give(client, "000000")
    answer = give(client, code_of(secret))
    assert "確認を一時的に停止しています" in answer.content.decode()


def test_a_recovery_code_opens_once_and_is_kept_as_a_digest(user: User) -> None:
    _secret, codes = enrolled(user)
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(t::text, ' ') FROM cagolab_recoverycode AS t")
        stored = cursor.fetchone()[0]
    assert not any(code in stored or code.replace("-", "") in stored for code in codes)
    assert give(after_password(), codes[0].lower()).status_code == 302
    assert give(after_password(), codes[0]).status_code == 422
    assert RecoveryCode.objects.filter(user=user).count() == 9


def test_the_secret_is_encrypted_at_rest_in_session_and_table(user: User) -> None:
    client = client_of(user)
    client.get("/second-factor/")
    pending = second_factor.pending_secret(client.session)
    assert pending not in str(dict(client.session))
    secret, _codes = enrolled(user)
    assert secret not in SecondFactor.objects.get().sealed_secret


def test_the_qr_code_is_a_picture_of_its_own_and_only_while_setting_up(user: User) -> None:
    client = client_of(user)
    assert client.get("/second-factor/qr.svg").status_code == 404
    page = client.get("/second-factor/").content.decode()
    assert "<svg" not in page
    answer = client.get("/second-factor/qr.svg")
    assert answer["Content-Type"] == "image/svg+xml"
    assert "no-store" in answer["Cache-Control"]


def test_an_administrator_resets_the_factor_of_a_lost_phone(user: User, settings: Any) -> None:
    enrolled(user)
    inside = client_of(user)
    settings.REQUIRE_SECOND_FACTOR = False
    client_of(make_user("admin", "管理者")).post(f"/users/{user.pk}/reset-factor/")
    settings.REQUIRE_SECOND_FACTOR = True
    assert not SecondFactor.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert inside.get("/orders/")["Location"].startswith("/login/")
    assert after_password().get("/orders/")["Location"].startswith("/second-factor/")


def test_a_large_run_over_money_takes_the_password_again(
    user: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "_ring", lambda run_id, countdown=0: None)
    settings.REQUIRE_SECOND_FACTOR = False
    settings.REAUTHENTICATION_YEN = 3000
    office, client = make_office(author=user), client_of(user)
    session = client.session
    session["password_given"] = int(time.time()) - 16 * 60
    session.save()
    start = f"/bulk/{office.run.pk}/start/"
    answer = client.post(start)
    assert answer["Location"].startswith("/password/confirm/")
    office.run.refresh_from_db()
    assert office.run.state == "preview"
    back = client.post(answer["Location"], {"password": PASSWORD})
    assert back["Location"] == f"/bulk/{office.run.pk}/"
    client.post(start)
    office.run.refresh_from_db()
    assert office.run.state == "running"


def test_a_small_run_does_not(user: User, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_ring", lambda run_id, countdown=0: None)
    settings.REQUIRE_SECOND_FACTOR = False
    office, client = make_office(author=user), client_of(user)
    session = client.session
    session["password_given"] = 0
    session.save()
    client.post(f"/bulk/{office.run.pk}/start/")
    office.run.refresh_from_db()
    assert office.run.state == "running"
