"""What every request and every answer passes: the content security policy, and the demand to be logged in."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from cagolab.htmx import HtmxRequest

View = Callable[..., HttpResponseBase]

POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    # Bootstrap's check marks and arrows are data: images inside its style sheet.
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
# Set on an answer by csp_connect, read by the middleware.
_CONNECT_ORIGIN = "_csp_connect_origin"


def csp_connect(origin: str) -> Callable[[View], View]:
    """Let the pages of one view talk to one more origin ("https://host:port"); the checkout's token call.

    An address with a path is cut down to its origin; an empty one allows nothing more.
    """
    parts = urlsplit(origin)
    allowed = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def wrapped(*args: Any, **kwargs: Any) -> HttpResponseBase:
            response = view(*args, **kwargs)
            setattr(response, _CONNECT_ORIGIN, allowed)
            return response

        return wrapped

    return decorate


class ContentSecurityPolicyMiddleware:
    """Every answer says that only our own files may run: no inline script, no inline style, no frame.

    And that browsers keep no page, unless the answer says otherwise (static files do).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        policy = dict(POLICY)
        if origin := getattr(response, _CONNECT_ORIGIN, ""):
            policy["connect-src"] += f" {origin}"
        response["Content-Security-Policy"] = "; ".join(f"{name} {value}" for name, value in policy.items())
        # The back button asks anew: it shows no order as it was before the money moved, and nobody's order
        # after the logout. The answer to a POST stays, so that "back" to a form with errors finds it.
        if request.method in ("GET", "HEAD") and "Cache-Control" not in response:
            response["Cache-Control"] = "no-store"
        return response


class HtmxLoginRequiredMiddleware(LoginRequiredMiddleware):
    """Nobody sees a page without logging in, and after logging in everybody is back where they were.

    What was asked for is not done later either: a POST, or a part of a page, comes back as the page it was
    sent from, and the login page says that nothing was executed.
    """

    def handle_no_permission(  # type: ignore[override]  # htmx takes its redirect in a header
        self, request: HtmxRequest, view_func: Any
    ) -> HttpResponse:
        """Send the browser to the login page; htmx gets a redirect of the whole page, not a swap."""
        if not request.htmx and request.method in ("GET", "HEAD"):
            return super().handle_no_permission(request, view_func)
        query = {"next": page_of(request)}
        if request.method not in ("GET", "HEAD"):
            query["lost"] = "1"
        login = f"{resolve_url(self.get_login_url(view_func))}?{urlencode(query)}"
        if request.htmx:
            return HttpResponseClientRedirect(login)
        return redirect(login)


def page_of(request: HtmxRequest) -> str:
    """The path of the page that the browser shows while it sends this request; home when it does not say."""
    address = (request.htmx.current_url if request.htmx else None) or request.headers.get("Referer", "")
    allowed = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    if not address or not allowed:
        return resolve_url("home")
    parts = urlsplit(address)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
