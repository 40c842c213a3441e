"""Between the password and the office: nothing opens until the second factor and one's own password are there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from cagolab.htmx import HtmxRequest
from cagolab.middleware import page_of
from cagolab.security import initial_password, second_factor

OPEN_BEFORE_THE_CODE = frozenset({"login_code", "logout"})
OPEN_BEFORE_THE_OWN_PASSWORD = frozenset({"password_change", "logout"})
OPEN_BEFORE_ENROLMENT = frozenset({"second_factor", "second_factor_qr", "password_confirm", "logout"})


class SecondFactorMiddleware:
    """Sends to the code, to choosing a password, or to setting up an app, whoever may not enter without.

    Nothing else is executed.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HtmxRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """After the demand to be logged in: whoever is not was already sent away."""
        if not isinstance(request.user, User) or not getattr(view, "login_required", True):
            return None
        name = request.resolver_match.view_name if request.resolver_match else ""
        if second_factor.is_wanted(request.session):
            return None if name in OPEN_BEFORE_THE_CODE else _send(request, "login_code")
        if initial_password.must_change(request.session):
            return None if name in OPEN_BEFORE_THE_OWN_PASSWORD else _send(request, "password_change")
        if name not in OPEN_BEFORE_ENROLMENT and second_factor.must_enrol(request.user, request.session):
            return _send(request, "second_factor")
        return None


def _send(request: HtmxRequest, name: str) -> HttpResponse:
    plain = not request.htmx and request.method in ("GET", "HEAD")
    back = request.get_full_path() if plain else page_of(request)
    address = f"{reverse(name)}?{urlencode({'next': back})}"
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)
