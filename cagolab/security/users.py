"""What administrators do with logins: add, change the role, suspend, help with passwords.

Everything happens under one lock and only while the acting administrator still is one, and nobody can be acted on
by oneself: so whatever two administrators do to each other at the same moment, one is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.http import HttpRequest

from cagolab.audit.entries import Kind, acting, record
from cagolab.roles import ADMINISTER, ROLES
from cagolab.security import initial_password, second_factor, sessions, throttle


class NotAllowed(Exception):
    """The acting user has lost the right meanwhile, or acts on himself."""


def add(
    request: HttpRequest, *, username: str, last_name: str, first_name: str, role: str
) -> tuple[User, str]:
    """A new login with an initial password, which is returned to be shown once. Raises IntegrityError, NotAllowed."""
    with _administering(request):
        user = User.objects.create_user(username, last_name=last_name, first_name=first_name)
        user.groups.add(Group.objects.get(name=role))
        return user, _new_password(request, user)


def change(request: HttpRequest, user: User, *, last_name: str, first_name: str, role: str) -> bool:
    """Name and role; the role counts from the next click on. Returns whether anything changed. Raises NotAllowed."""
    with _administering(request, on=user):
        before, after = f"{user.last_name} {user.first_name}".strip(), f"{last_name} {first_name}".strip()
        if renamed := before != after:
            User.objects.filter(pk=user.pk).update(last_name=last_name, first_name=first_name)
            record(
                Kind.USER,
                request,
                target=user.get_username(),
                detail=f"お名前：{before or '(なし)'} → {after}",
            )
        if moved := role_of(user) != role:
            others = user.groups.filter(name__in=ROLES).exclude(name=role)
            user.groups.remove(*others)
            user.groups.add(Group.objects.get(name=role))
        return renamed or moved


def set_active(request: HttpRequest, user: User, *, active: bool) -> None:
    """Suspend, which ends all sessions at once, or let in again. Raises NotAllowed."""
    with _administering(request, on=user):
        user.is_active = active
        user.save(update_fields=["is_active"])
    if not active:
        sessions.end_all(user)


def renew_password(request: HttpRequest, user: User) -> str:
    """A new initial password, which ends all sessions; returned to be shown once. Raises NotAllowed."""
    with _administering(request, on=user):
        return _new_password(request, user)


def forget_factor(request: HttpRequest, user: User) -> None:
    """For somebody who has lost the phone; ends all sessions. Raises NotAllowed."""
    with _administering(request, on=user):
        second_factor.reset(user)
        throttle.clear(throttle.CODE, str(user.pk))
        record(
            Kind.SECOND_FACTOR, request, target=user.get_username(), detail="2段階認証をリセットしました。"
        )
    sessions.end_all(user)


def role_of(user: User) -> str:
    """The highest role that the user has, empty without any."""
    held = {group.name for group in user.groups.all()}
    return next((role for role in reversed(ROLES) if role in held), "")


def _new_password(request: HttpRequest, user: User) -> str:
    record(Kind.PASSWORD, request, target=user.get_username(), detail="初期パスワードを発行しました。")
    return initial_password.issue(user)


@contextmanager
def _administering(request: HttpRequest, *, on: User | None = None) -> Iterator[None]:
    """A transaction in which nobody else changes users, written to 操作履歴 as the request's user's doing."""
    with transaction.atomic(), acting(request):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('cagolab:users', 0))")
        # Read anew: the request's own copy remembers its permissions.
        actor = User.objects.filter(pk=request.user.pk or 0, is_active=True).first()
        if actor is None or not actor.has_perm(ADMINISTER) or (on is not None and on.pk == actor.pk):
            raise NotAllowed
        yield
