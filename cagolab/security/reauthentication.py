"""Asking for the password again before much money is moved at once (OWASP ASVS 7.5.3)."""

from __future__ import annotations

import time
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.urls import reverse

GIVEN = "password_given"


def given(session: SessionBase) -> None:
    """The password was given just now; at login, and when it was asked for again."""
    session[GIVEN] = int(time.time())


def is_recent(request: HttpRequest) -> bool:
    """True when the password was given within the last REAUTHENTICATION_SECONDS."""
    return bool(time.time() - request.session.get(GIVEN, 0) < settings.REAUTHENTICATION_SECONDS)


def is_large(*, rows: int, yen: int) -> bool:
    """True for a run that takes the password again: more orders, or more yen, than the settings allow without."""
    return rows > settings.REAUTHENTICATION_ROWS or yen > settings.REAUTHENTICATION_YEN


def address(back: str) -> str:
    """Where the password is asked for; afterwards the browser is at `back` again."""
    return f"{reverse('password_confirm')}?{urlencode({'next': back})}"
