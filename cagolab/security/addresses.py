"""Where a request comes from: the client's address behind a known number of proxies."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase


class ClientAddressMiddleware:
    """Makes REMOTE_ADDR the client's address, for everything behind it: history, throttle, log.

    Each trusted proxy appends the address it was called from to X-Forwarded-For. With TRUSTED_PROXIES = n the
    n-th entry from the right was therefore written by ours, and what stands left of it by anybody. With 0 the
    header counts for nothing.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.META["REMOTE_ADDR"] = client_address(
            request.META.get("REMOTE_ADDR", ""),
            request.META.get("HTTP_X_FORWARDED_FOR", ""),
            trusted_proxies=settings.TRUSTED_PROXIES,
        )
        return self.get_response(request)


def client_address(peer: str, forwarded: str, *, trusted_proxies: int) -> str:
    """The client's address; `peer`'s own where the header is too short or unreadable, empty for a socket file."""
    entries = [entry.strip() for entry in forwarded.split(",") if entry.strip()]
    if 0 < trusted_proxies <= len(entries):
        return _address(entries[-trusted_proxies]) or _address(peer)
    return _address(peer)


def address_of(request: HttpRequest) -> str | None:
    """The client's address, or None where there is none (a socket file, a command)."""
    return request.META.get("REMOTE_ADDR") or None


def network_of(address: str | None) -> str:
    """What is counted as one client: an IPv4 address, or the /64 that one IPv6 customer owns."""
    if not address:
        return ""
    parsed = ipaddress.ip_address(address)
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _address(text: str) -> str:
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return ""
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)
