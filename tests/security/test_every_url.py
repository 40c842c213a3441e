"""Every address, with every role and every method: what is not in the table below is refused (invariant 12)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from cagolab.roles import ADMINISTER, EDIT, EXPORT, MOVE_MONEY, ROLES, VIEW
from orders.bulk import tasks
from orders.exports import tasks as export_tasks
from tests.security.office import Office, client_of, contents, make_office, make_user

pytestmark = pytest.mark.django_db

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# Besides the permissions: everybody, and everybody who is logged in.
ANYBODY = "anybody"
LOGGED_IN = "logged in"

# Who may use which method. A new address without a line here fails the first test.
ALLOWED: dict[str, dict[str, str]] = {
    "login": {"GET": ANYBODY, "POST": ANYBODY},
    "login_code": {"GET": LOGGED_IN, "POST": LOGGED_IN},
    "logout": {"POST": LOGGED_IN},
    "password_change": {"GET": LOGGED_IN, "POST": LOGGED_IN},
    "password_confirm": {"GET": LOGGED_IN, "POST": LOGGED_IN},
    "second_factor": {"GET": LOGGED_IN, "POST": LOGGED_IN},
    "second_factor_qr": {"GET": LOGGED_IN},
    "home": {"GET": VIEW},
    "audit": {"GET": ADMINISTER},
    "users": {"GET": ADMINISTER},
    "user_new": {"GET": ADMINISTER, "POST": ADMINISTER},
    "user_edit": {"GET": ADMINISTER, "POST": ADMINISTER},
    "user_password": {"POST": ADMINISTER},
    "user_reset_factor": {"POST": ADMINISTER},
    "user_active": {"POST": ADMINISTER},
    "lock_release": {"POST": ADMINISTER},
    "orders:list": {"GET": VIEW},
    "orders:total": {"GET": VIEW},
    "orders:new": {"GET": EDIT, "POST": EDIT},
    "orders:new_calculate": {"POST": EDIT},
    "orders:new_products": {"GET": EDIT},
    "orders:new_members": {"GET": EDIT},
    "orders:new_member": {"POST": EDIT},
    "orders:tracking_csv": {"GET": EDIT, "POST": EDIT},
    "orders:documents": {"GET": VIEW},
    "orders:edit": {"GET": VIEW, "POST": EDIT},
    "orders:calculate": {"POST": EDIT},
    "orders:products": {"GET": EDIT},
    "orders:history": {"GET": VIEW},
    "orders:document": {"GET": VIEW},
    "orders:mail": {"GET": EDIT, "POST": EDIT},
    "orders:tracking": {"POST": EDIT},
    "orders:ship": {"GET": EDIT, "POST": EDIT},
    "bulk:list": {"GET": VIEW},
    "bulk:preview": {"POST": MOVE_MONEY},
    "bulk:news": {"GET": VIEW},
    "bulk:run": {"GET": VIEW},
    "bulk:progress": {"GET": VIEW},
    "bulk:choose": {"POST": MOVE_MONEY},
    "bulk:start": {"POST": MOVE_MONEY},
    "bulk:stop": {"POST": MOVE_MONEY},
    "bulk:retry": {"POST": MOVE_MONEY},
    "bulk:result_csv": {"GET": VIEW},
    "exports:list": {"GET": EXPORT},
    "exports:start": {"POST": EXPORT},
    "exports:export": {"GET": EXPORT},
    "exports:progress": {"GET": EXPORT},
    "exports:stop": {"POST": EXPORT},
    "exports:delete": {"POST": EXPORT},
    "exports:download": {"GET": EXPORT},
    "payments:list": {"GET": VIEW},
    "payments:status_page": {"GET": VIEW},
    "payments:provider_list": {"GET": VIEW},
    "payments:accounts": {"GET": ADMINISTER},
    "payments:account": {"GET": ADMINISTER, "POST": ADMINISTER},
    "payments:attention": {"GET": VIEW},
    "payments:differences": {"GET": VIEW},
    "payments:differences_progress": {"GET": VIEW},
    "payments:differences_start": {"POST": MOVE_MONEY},
    "payments:difference": {"GET": MOVE_MONEY, "POST": MOVE_MONEY},
    "payments:stale_orders": {"GET": VIEW},
    "payments:stale_orders_start": {"POST": MOVE_MONEY},
    "payments:stale_orders_adopt": {"POST": MOVE_MONEY},
    "payments:stale_orders_release": {"POST": MOVE_MONEY},
    "payments:stale_run": {"GET": VIEW},
    "payments:nightly_settings": {"GET": ADMINISTER, "POST": ADMINISTER},
    "payments:notifications": {"GET": VIEW},
    "payments:notification_handled": {"POST": MOVE_MONEY},
    "payments:undecided": {"GET": ADMINISTER, "POST": ADMINISTER},
    "payments:panel": {"GET": VIEW},
    "payments:log": {"GET": VIEW},
    "payments:action": {"GET": MOVE_MONEY, "POST": MOVE_MONEY},
    "notify:receive": {"POST": ANYBODY},
    "checkout:cart": {"GET": ANYBODY, "POST": ANYBODY},
    "checkout:card": {"GET": ANYBODY},
    "checkout:number": {"GET": ANYBODY, "POST": ANYBODY},
    "checkout:pay": {"POST": ANYBODY},
    "checkout:forget_card": {"POST": ANYBODY},
    "checkout:back": {"POST": ANYBODY},
    "checkout:result": {"GET": ANYBODY},
}
# Forms that need some field to be looked at as what they are.
FIELDS: dict[str, dict[str, Any]] = {
    "bulk:preview": {"kind": "capture"},
    "exports:start": {"export": "orders", "scope": "all"},
    "user_active": {"active": "0"},
    "user_new": {"username": "new", "last_name": "新人", "role": "管理者"},
    "user_edit": {"last_name": "田中", "role": "管理者"},
    "payments:differences_start": {"account": "gmo"},
}
# Right for the role, and then there is no such object in this office: the role is looked at first.
NOT_THERE = {
    "notify:receive",
    "second_factor_qr",
    "payments:difference",
    "payments:stale_orders_adopt",
    "payments:stale_orders_release",
    "payments:stale_run",
    "payments:notification_handled",
    "payments:undecided",
}


def addresses(resolver: URLResolver, namespace: str = "") -> Iterator[tuple[str, frozenset[str]]]:
    """(name, arguments) of every address of the site."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from addresses(pattern, inner)
        else:
            assert isinstance(pattern, URLPattern)
            yield f"{namespace}{pattern.name}", frozenset(pattern.pattern.converters)


SITE = dict(addresses(get_resolver()))


@pytest.fixture(autouse=True, scope="module")
def _nobody_elses_rows(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Each test sees the tables as they were when it began, and its own changes: so a change is always its own."""
    with django_db_blocker.unblock():
        connection.ensure_connection()
        connection.connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    yield
    if connection.connection is not None:
        connection.connection.isolation_level = None


@pytest.mark.django_db(transaction=True)
def test_what_others_commit_meanwhile_is_no_change() -> None:
    with transaction.atomic():
        before = contents()
        other = connection.copy()
        try:
            with other.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO cagolab_loginthrottle (scope, key, tries, last_at) VALUES ('x', 'x', 1, now())"
                )
        finally:
            other.close()
        assert contents() == before
    assert contents() != before


@pytest.fixture(autouse=True)
def _no_bells(monkeypatch: pytest.MonkeyPatch) -> None:
    """A started run is a row, and so is an export; no worker is called for them."""
    monkeypatch.setattr(tasks, "_ring", lambda run_id, countdown=0: None)
    monkeypatch.setattr(export_tasks, "_ring", lambda: None)


def test_every_address_is_in_the_table_and_no_other() -> None:
    assert sorted(SITE) == sorted(ALLOWED)


def send(client: Client, office: Office, name: str, method: str) -> Any:
    path = reverse(name, kwargs=office.arguments(name, SITE[name]))
    if method == "POST":
        return client.post(path, FIELDS.get(name, {}))
    return client.generic(method, path)


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_without_login_nothing_opens_but_what_is_for_everybody(name: str) -> None:
    office, client = make_office(), client_of(None)
    before = contents()
    for method in METHODS:
        if ALLOWED[name].get(method) == ANYBODY:
            continue
        answer = send(client, office, name, method)
        public = ANYBODY in ALLOWED[name].values()
        assert answer.status_code == 405 if public else answer["Location"].startswith("/login/"), method
    assert contents() == before


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_a_role_may_do_what_the_table_says_and_nothing_else_changes_anything(name: str) -> None:
    user = make_user("clerk", "")
    office = make_office(author=user)
    for role in ("", *ROLES):
        with transaction.atomic():
            user.groups.set(Group.objects.filter(name=role))
            _try_every_method(user, office, name, role)
            transaction.set_rollback(True)


def _try_every_method(user: User, office: Office, name: str, role: str) -> None:
    rights = {ANYBODY, LOGGED_IN, *ROLES.get(role, ())}
    allowed = [method for method in METHODS if ALLOWED[name].get(method) in rights]
    client = client_of(user)
    before = contents()
    for method in METHODS:
        if method not in allowed:
            status = send(client, office, name, method).status_code
            # A wrong method is refused as such, or for want of the right, whichever is asked for first.
            assert status in ((403,) if method in ALLOWED[name] else (403, 405)), (role, method, status)
    assert contents() == before, role
    for method in allowed:
        status = send(client_of(user), office, name, method).status_code
        assert status < 500, (role, method, status)
        assert status not in (403, 405), (role, method, status)
        assert status != 404 or name in NOT_THERE, (role, method)


@pytest.mark.parametrize("name", ["bulk:choose", "bulk:start", "bulk:stop", "bulk:retry"])
@pytest.mark.parametrize("state", ["preview", "running", "finished"])
def test_a_foreign_run_over_money_is_out_of_reach_of_an_editor(name: str, state: str) -> None:
    office = make_office(author=make_user("cashier", "決済操作"))
    type(office.run).objects.filter(pk=office.run.pk).update(state=state)
    editor: User = make_user("editor", "受注編集")
    client = client_of(editor)
    before = contents()
    assert send(client, office, name, "POST").status_code in (403, 404)
    assert contents() == before


def test_a_preview_is_started_by_nobody_but_its_author() -> None:
    office = make_office(author=make_user("cashier", "決済操作"))
    client = client_of(make_user("admin", "管理者"))
    before = contents()
    assert send(client, office, "bulk:start", "POST").status_code == 403
    assert contents() == before
