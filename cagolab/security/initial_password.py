"""Initial passwords: made by the machine, shown to an administrator once, and only good for choosing another."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.utils import timezone

from cagolab.models import InitialPassword
from cagolab.security import sessions, throttle

# Whoever has not come within this time is asked for a new one: it may lie on somebody's desk.
GOOD_FOR = timedelta(days=7)
# Said over the telephone and typed once: no letters and digits that look alike. 16 of 31 are 79 bits.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP = 4, 4
# What the session says from the login until the password was changed.
_MUST_CHANGE = "must_change_password"


def issue(user: User) -> str:
    """Give the user a new initial password, end all sessions and locks, and return it to be shown once."""
    password = "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    user.set_password(password)
    with transaction.atomic():
        user.save(update_fields=["password"])
        InitialPassword.objects.update_or_create(user=user, defaults={"issued_at": timezone.now()})
        throttle.clear(throttle.PASSWORD, str(user.pk))
    sessions.end_all(user)
    return password


def is_expired(user: User) -> bool:
    """True for an initial password that nobody has used in time."""
    return InitialPassword.objects.filter(user=user, issued_at__lt=timezone.now() - GOOD_FOR).exists()


def logged_in(user: User, session: SessionBase) -> None:
    """Note in the session whether its password is still the initial one; asked once per login."""
    if InitialPassword.objects.filter(user=user).exists():
        session[_MUST_CHANGE] = True
    else:
        session.pop(_MUST_CHANGE, None)


def must_change(session: SessionBase) -> bool:
    """True from such a login until the password was changed."""
    return bool(session.get(_MUST_CHANGE))


def changed(user: User, session: SessionBase) -> None:
    """The user has chosen a password."""
    InitialPassword.objects.filter(user=user).delete()
    session.pop(_MUST_CHANGE, None)
