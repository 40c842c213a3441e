"""Who sent a request, for the history: the user, the name people know, and the address."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.http import HttpRequest

from cagolab import people
from orders.history import Author


def name_of(request: HttpRequest) -> str:
    """The operator's name as people know it."""
    return people.name_of(request.user)[:150]


def ip_of(request: HttpRequest) -> str | None:
    """The address the request came from, as the web server saw it."""
    return request.META.get("REMOTE_ADDR") or None


def author_of(request: HttpRequest, source: str) -> Author:
    """The author of what this request changes."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101  (every view behind this asks for a permission)
    return Author(user=user, name=name_of(request), source=source, ip=ip_of(request))
