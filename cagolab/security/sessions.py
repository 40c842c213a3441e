"""How long a session lives: an idle limit, an absolute limit, and the end of all sessions of one user.

Times are the machine's, since the demo's clock may jump.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

STARTED = "started"
SEEN = "seen"
# What pages ask for by themselves; a screen left open must not keep its session alive.
POLLING = frozenset(
    {
        "bulk:news",
        "bulk:progress",
        "exports:progress",
        "payments:differences_progress",
        "payments:panel",
        "payments:stale_run",
    }
)
# The session is written at most this often for having been used.
WRITE_SECONDS = 60


class SessionLifetimeMiddleware:
    """Ends a login that nobody used for SESSION_IDLE_SECONDS, or that is older than SESSION_COOKIE_AGE."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """Before the view, and before the demand to be logged in, which then sends to the login page."""
        session = request.session
        if SESSION_KEY not in session:
            return
        now = int(time.time())
        if _is_over(session, now):
            session.flush()
            request.user = AnonymousUser()
            return
        match = request.resolver_match
        if match is not None and match.view_name in POLLING:
            return
        if now - session[SEEN] >= WRITE_SECONDS:
            session[SEEN] = now


def start(session: SessionBase) -> None:
    """Let the limits run from now on; at login."""
    session[STARTED] = session[SEEN] = int(time.time())


def end_all(user: User, *, but: str | None = None) -> int:
    """End every session of the user except the one with the key `but`. Returns how many ended.

    The user of a session is inside its text, so all living sessions are read: an office has few.
    """
    ended = 0
    for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
        if session.session_key != but and session.get_decoded().get(SESSION_KEY) == str(user.pk):
            session.delete()
            ended += 1
    return ended


def _is_over(session: SessionBase, now: int) -> bool:
    started, seen = session.get(STARTED), session.get(SEEN)
    if started is None or seen is None:
        return True
    return bool(now - started >= settings.SESSION_COOKIE_AGE or now - seen >= settings.SESSION_IDLE_SECONDS)
