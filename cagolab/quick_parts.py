"""The Jinja2 side of the templates: the lists, with rows that repeat themselves fifty times, and what stands around
every page.

Django's own templates take 5 ms for the rows of a page, these 1 ms. `*.jinja` lie beside the templates that they
belong to: the lists are drawn by cagolab.frame, parts of Django's pages by {% quick %}.
"""

from __future__ import annotations

import functools
from collections.abc import Hashable
from datetime import datetime
from typing import Any, Final

import jinja2
from django.template.defaultfilters import linebreaksbr, truncatechars
from django.templatetags.static import static
from django.urls import reverse
from django_htmx.jinja import htmx_script
from jinja2.runtime import Macro

from cagolab.clock import TOKYO
from orders.views.list_rows import minute
from payments.state_choices import payment_states
from payments.templatetags.payments import payment_deadline, payment_status_badge

# Fields of search areas that a process keeps: some kilobytes each, most of them the same on every page.
KEPT_PARTS: Final = 1_000


def environment(**options: Any) -> jinja2.Environment:
    """What Django's Jinja2 backend draws with; a name that is not there is an error."""
    made = jinja2.Environment(**options | {"undefined": jinja2.StrictUndefined})  # noqa: S701 - Django escapes by default
    made.filters |= {
        "in_tokyo": _in_tokyo,
        "intcomma": _with_commas,
        "linebreaksbr": linebreaksbr,
        "minute": minute,
        "truncatechars": truncatechars,
    }
    made.globals |= {
        # Addresses of files and pages are the same for as long as the process lives.
        "htmx_script": functools.cache(htmx_script),
        "kept": functools.lru_cache(maxsize=KEPT_PARTS)(_drawn),
        "payment_deadline": payment_deadline,
        "payment_states": payment_states,
        "payment_status_badge": payment_status_badge,
        "static": functools.cache(static),
        "url": functools.lru_cache(maxsize=500)(_url),
    }
    return made


def _drawn(macro: Macro, *arguments: Hashable) -> str:
    """{{ kept(parts.checks, boxes) }}: what a macro of an imported part draws, for the same arguments only once."""
    return macro(*arguments)


def _url(name: str, *arguments: Hashable) -> str:
    return reverse(name, args=arguments)


def _with_commas(number: int) -> str:
    return f"{number:,}"


def _in_tokyo(moment: datetime) -> str:
    """2026-11-20T09:05:00+09:00, as <time datetime> wants it."""
    return moment.astimezone(TOKYO).isoformat(timespec="seconds")
