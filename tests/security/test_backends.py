"""Whom a session belongs to, and what they may: as Django's own would say, in fewer questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.backends import db

from cagolab.roles import ROLES, VIEW
from cagolab.security.backends import OfficeBackend
from cagolab.security.session_store import SessionStore
from tests.security.office import client_of, make_user

pytestmark = pytest.mark.django_db

MaxQueries = Callable[[int], Any]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_what_its_group_may(role: str) -> None:
    user = make_user("tanaka", role)
    found = OfficeBackend().get_user(user.pk)
    assert found is not None
    assert found == user
    assert found.get_all_permissions() == set(ROLES[role])
    assert ModelBackend().get_all_permissions(user) == set(ROLES[role])


def test_permissions_of_the_user_and_of_several_groups_count_once_each() -> None:
    user = make_user("tanaka", "閲覧")
    user.groups.add(Group.objects.get(name="受注編集"))
    user.user_permissions.add(Permission.objects.get(codename="move_money"))
    found = OfficeBackend().get_user(user.pk)
    assert found is not None
    assert found.get_all_permissions() == ModelBackend().get_all_permissions(user)
    assert found.has_perm("payments.move_money")


def test_every_column_of_a_user_is_read() -> None:
    user = make_user("tanaka", "閲覧")
    found = OfficeBackend().get_user(user.pk)
    stored = User.objects.get(pk=user.pk)
    assert found is not None
    for field in User._meta.concrete_fields:
        assert getattr(found, field.attname) == getattr(stored, field.attname), field.attname


def test_a_superuser_may_everything() -> None:
    user = User.objects.create_superuser("kanri")
    found = OfficeBackend().get_user(user.pk)
    assert found is not None
    assert found.has_perm(VIEW)
    assert set(ROLES["管理者"]) < found.get_all_permissions()


def test_who_was_locked_out_or_is_not_there_is_nobody() -> None:
    user = make_user("tanaka", "閲覧")
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert OfficeBackend().get_user(user.pk) is None
    assert OfficeBackend().get_user(-1) is None


def test_a_right_that_is_taken_away_is_gone_with_the_next_click() -> None:
    user = make_user("tanaka", "閲覧")
    client = client_of(user)
    assert client.get("/orders/").status_code == 200
    user.groups.clear()
    assert client.get("/orders/").status_code == 403


def test_session_user_and_permissions_are_three_questions(django_assert_max_num_queries: MaxQueries) -> None:
    client = client_of(make_user("tanaka", "閲覧"))
    client.get("/orders/tracking/")  # the session is written for having been used
    with django_assert_max_num_queries(3):
        assert client.get("/orders/tracking/").status_code == 403


def test_a_session_holds_what_djangos_own_store_would_find() -> None:
    written = SessionStore()
    written["word"] = "受注"
    written.save()
    assert SessionStore(written.session_key).load() == {"word": "受注"}
    assert db.SessionStore(written.session_key).load() == {"word": "受注"}


def test_a_session_that_is_over_or_unknown_is_empty_and_has_no_key() -> None:
    over = SessionStore()
    over["word"] = "受注"
    over.set_expiry(-1)
    over.save()
    for key in (over.session_key, "nosuchsessionkeynosuchsessionkey"):
        store = SessionStore(key)
        assert store.load() == {}
        assert store.session_key is None
