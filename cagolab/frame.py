"""Pages of Jinja2 within the frame that stands around every page (templates/frame.jinja)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.template.loader import get_template

# Stands for the rows while the page around them is drawn. Nobody who writes something that a page shows can know it.
_ROWS: Final = secrets.token_hex(16)


def framed(
    request: HttpRequest, template: str, context: dict[str, Any], *, rows: Sequence[bytes] = ()
) -> HttpResponse:
    """Draw a page that extends the frame; it sees what Django's own templates are given by context processors.

    `rows` were drawn before, and stand where the template says {{ rows }}: nine tenths of a list need not be copied
    and encoded again for each page. The template finds `rows` empty where there are none.
    """
    seen: dict[str, Any] = {}
    for processor in engines["django"].engine.template_context_processors:  # type: ignore[attr-defined]
        seen |= processor(request)
    seen |= context | {"rows": _ROWS if rows else ""}
    page = get_template(template, using="jinja2").render(seen, request)
    if not rows:
        return HttpResponse(page)
    before, after = page.split(_ROWS)
    return HttpResponse(b"".join([before.encode(), *rows, after.encode()]))
