"""The request as views see it after django-htmx's middleware."""

from __future__ import annotations

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class HtmxRequest(HttpRequest):
    """A request that knows whether htmx sent it (`if request.htmx`). For annotations only."""

    htmx: HtmxDetails
