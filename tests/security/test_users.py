"""利用者: administrators add people, give roles, take them away, and help who cannot log in. Nobody locks all out."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from cagolab.models import AuditEntry, InitialPassword
from cagolab.roles import ADMINISTER, MOVE_MONEY
from cagolab.security import initial_password, second_factor
from tests.bulk.shop import in_threads
from tests.security.office import PASSWORD, client_of, make_user

pytestmark = pytest.mark.django_db

OWN = "my-own-horse-battery"


@pytest.fixture
def admin() -> Client:
    return client_of(make_user("kanri", "管理者"))


def shown_password(page: Any) -> str:
    found = re.search(r"[a-z2-9]{4}(?:-[a-z2-9]{4}){3}", page.content.decode())
    assert found is not None, page.content.decode()
    return found[0]


def add(admin: Client, **fields: str) -> Any:
    return admin.post(
        "/users/new/",
        {"username": "sato", "last_name": "佐藤", "first_name": "花", "role": "受注編集"} | fields,
    )


def log_in(username: str, password: str) -> tuple[Client, Any]:
    browser = Client()
    return browser, browser.post("/login/", {"username": username, "password": password})


def told(kind: AuditEntry.Kind) -> list[tuple[str, str, str]]:
    rows = AuditEntry.objects.filter(kind=kind).order_by("pk")
    return list(rows.values_list("actor_name", "target", "detail"))


def test_a_new_colleague_chooses_a_password_before_anything_else(admin: Client) -> None:
    password = shown_password(add(admin))
    browser, answer = log_in("sato", password)
    assert answer.status_code == 302
    assert browser.get("/orders/")["Location"].startswith("/password/")
    assert browser.post("/orders/new/")["Location"].startswith("/password/")
    page = browser.get("/password/").content.decode()
    assert "初期パスワードでログインしました。" in page
    assert "受注一覧" not in page
    same = {"old_password": password, "new_password1": password, "new_password2": password}
    assert "現在のパスワードとは違うパスワード" in browser.post("/password/", same).content.decode()
    own = {"old_password": password, "new_password1": OWN, "new_password2": OWN}
    assert browser.post("/password/", own).status_code == 302
    assert browser.get("/orders/").status_code == 200
    assert not InitialPassword.objects.exists()
    browser, _answer = log_in("sato", OWN)
    assert browser.get("/orders/").status_code == 200


def test_the_role_is_the_one_that_was_chosen_and_all_of_it_is_on_record(admin: Client) -> None:
    page = add(admin, role="決済操作")
    user = User.objects.get(username="sato")
    assert user.has_perm(MOVE_MONEY)
    assert not user.has_perm(ADMINISTER)
    assert "no-store" in page["Cache-Control"]
    who = "田中 kanri"
    assert (who, "sato", "利用者を登録しました。") in told(AuditEntry.Kind.USER)
    assert (who, "sato", "権限「決済操作」を付けました。") in told(AuditEntry.Kind.USER)
    assert (who, "sato", "初期パスワードを発行しました。") in told(AuditEntry.Kind.PASSWORD)
    assert shown_password(page) not in str(told(AuditEntry.Kind.PASSWORD))


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("username", "", "ログインIDを入力してください。"),
        ("username", "kanri", "このログインIDはすでに使われています。"),
        ("username", "KANRI", "このログインIDはすでに使われています。"),
        ("username", "佐藤", "半角の英数字"),
        ("username", "a" * 61, "60文字以内"),
        ("last_name", "", "姓を入力してください。"),
        ("last_name", "山" * 31, "30文字以内"),
        ("role", "", "権限を選択してください。"),
        ("role", "社長", "権限を一覧から選択してください。"),
    ],
)
def test_wrong_input_is_told_and_adds_nobody(admin: Client, field: str, value: str, sentence: str) -> None:
    page = add(admin, **{field: value})
    assert page.status_code == 422
    assert sentence in page.content.decode()
    assert User.objects.count() == 1


def test_an_initial_password_that_nobody_used_in_time_is_no_good_any_more(admin: Client) -> None:
    password = shown_password(add(admin))
    InitialPassword.objects.update(
        issued_at=timezone.now() - initial_password.GOOD_FOR - timedelta(minutes=1)
    )
    _browser, page = log_in("sato", password)
    assert "初期パスワードの有効期限が切れています。" in page.content.decode()
    assert "初期パスワードの有効期限" not in log_in("sato", "wrong")[1].content.decode()
    renewed = shown_password(admin.post(f"/users/{User.objects.get(username='sato').pk}/password/"))
    assert log_in("sato", renewed)[1].status_code == 302


def test_a_new_role_counts_from_the_next_click_of_an_open_session(admin: Client) -> None:
    clerk = make_user("clerk", "閲覧")
    browser = client_of(clerk)
    assert browser.get("/orders/new/").status_code == 403
    form = {"last_name": "田中", "first_name": "clerk", "role": "受注編集"}
    assert admin.post(f"/users/{clerk.pk}/", form)["Location"] == "/users/"
    assert browser.get("/orders/new/").status_code == 200
    admin.post(f"/users/{clerk.pk}/", form | {"role": "閲覧"})
    assert browser.get("/orders/new/").status_code == 403
    details = [detail for _who, _target, detail in told(AuditEntry.Kind.USER)]
    assert details[-2:] == ["権限「受注編集」を外しました。", "権限「閲覧」を付けました。"]
    assert {who for who, target, _ in told(AuditEntry.Kind.USER)[-2:] if target == "clerk"} == {"田中 kanri"}


def test_who_is_given_money_sets_up_an_app_at_once(admin: Client, settings: Any) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    session = admin.session
    session[second_factor.STATE] = second_factor.PASSED
    session.save()
    clerk = make_user("clerk", "閲覧")
    browser = client_of(clerk)
    assert browser.get("/orders/").status_code == 200
    admin.post(f"/users/{clerk.pk}/", {"last_name": "田中", "role": "決済操作"})
    assert browser.get("/orders/")["Location"].startswith("/second-factor/")


def test_a_new_name_is_on_record(admin: Client) -> None:
    clerk = make_user("clerk", "閲覧")
    admin.post(f"/users/{clerk.pk}/", {"last_name": "鈴木", "first_name": "一", "role": "閲覧"})
    assert ("田中 kanri", "clerk", "お名前：田中 clerk → 鈴木 一") in told(AuditEntry.Kind.USER)


def test_a_forgotten_password_is_renewed_and_ends_every_session(admin: Client) -> None:
    clerk = make_user("clerk", "閲覧")
    browser = client_of(clerk)
    password = shown_password(admin.post(f"/users/{clerk.pk}/password/"))
    assert browser.get("/orders/")["Location"].startswith("/login/")
    assert log_in("clerk", PASSWORD)[1].status_code == 200
    browser, _answer = log_in("clerk", password)
    assert browser.get("/orders/")["Location"].startswith("/password/")


def test_suspending_is_on_record_under_the_administrators_name(admin: Client) -> None:
    clerk = make_user("clerk", "閲覧")
    admin.post(f"/users/{clerk.pk}/active/", {"active": "0"})
    assert told(AuditEntry.Kind.USER)[-1] == ("田中 kanri", "clerk", "利用：有効 → 停止")


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("", {"last_name": "田中", "role": "閲覧"}),
        ("active/", {"active": "0"}),
        ("password/", {}),
        ("reset-factor/", {}),
    ],
)
def test_nobody_acts_on_oneself_and_so_the_last_administrator_stays(
    admin: Client, path: str, form: dict[str, str]
) -> None:
    me = User.objects.get(username="kanri")
    before = (me.password, me.is_active, [group.name for group in me.groups.all()])
    answer = admin.post(f"/users/{me.pk}/{path}", form, follow=True)
    assert "何も変更していません。" in answer.content.decode()
    me.refresh_from_db()
    assert (me.password, me.is_active, [group.name for group in me.groups.all()]) == before


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_take_each_others_role_at_once_leave_one() -> None:
    first, second = make_user("first", "管理者"), make_user("second", "管理者")
    acts = [(client_of(first), second), (client_of(second), first)]

    def demote() -> None:
        browser, other = acts.pop()
        browser.post(f"/users/{other.pk}/", {"last_name": "田中", "role": "閲覧"})

    in_threads(2, demote)
    left = [user for user in User.objects.all() if user.has_perm(ADMINISTER)]
    assert len(left) == 1


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/users/new/", {"username": "sato", "last_name": "佐藤", "role": "管理者"}),
        ("/users/{other}/", {"last_name": "田中", "role": "管理者"}),
        ("/users/{other}/password/", {}),
    ],
)
def test_at_a_screen_left_open_the_password_is_asked_for_first(
    admin: Client, path: str, form: dict[str, str]
) -> None:
    other = make_user("other", "閲覧")
    session = admin.session
    session["password_given"] = int(time.time()) - 3600
    session.save()
    before = (User.objects.count(), other.password)
    assert admin.post(path.format(other=other.pk), form)["Location"].startswith("/password/confirm/")
    other.refresh_from_db()
    assert (User.objects.count(), other.password) == before
    assert not other.has_perm(ADMINISTER)


def test_the_rights_of_a_superuser_are_changed_on_the_server_only(admin: Client) -> None:
    boss = User.objects.create_superuser("boss", password=PASSWORD)
    page = admin.post(f"/users/{boss.pk}/", {"last_name": "社長", "role": "閲覧"}, follow=True)
    assert "権限はサーバーで変更してください" in page.content.decode()
    assert not boss.groups.exists()
