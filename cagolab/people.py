"""How a user is called on screens and in records."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User


def name_of(user: AbstractBaseUser | AnonymousUser) -> str:
    """姓 名, as in Japan; the login id of somebody who has entered no name."""
    if isinstance(user, User) and (name := f"{user.last_name} {user.first_name}".strip()):
        return name
    return user.get_username()
