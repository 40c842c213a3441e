"""Where ◀ leads: the list that the operator came from, with its filters, through every save."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

# Route of a list and what the link says.
_LISTS = {"orders:list": "受注一覧", "payments:list": "決済状況一覧"}


@dataclass(frozen=True)
class Back:
    """A link to a list."""

    address: str
    label: str


def own_path(request: HttpRequest, address: str) -> str:
    """The address when it is a path of this site, otherwise nothing."""
    allowed = address.startswith("/") and url_has_allowed_host_and_scheme(
        address, allowed_hosts=None, require_https=request.is_secure()
    )
    return address[:2000] if allowed else ""


def back_of(request: HttpRequest) -> Back:
    """The list named in the request, else the one the browser came from, else 受注一覧."""
    named = request.POST.get("back") or request.GET.get("back") or request.headers.get("Referer", "")
    allowed = url_has_allowed_host_and_scheme(
        named, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    if allowed:
        parts = urlsplit(named)
        for route, label in _LISTS.items():
            path = reverse(route)
            if parts.path == path:
                return Back(f"{path}?{parts.query}" if parts.query else path, label)
    return Back(reverse("orders:list"), _LISTS["orders:list"])
