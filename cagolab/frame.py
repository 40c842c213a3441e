"""Pages of Jinja2 within the frame that stands around every page (templates/frame.jinja)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import engines


def framed(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """Draw a page that extends the frame; it sees what Django's own templates are given by context processors."""
    frame: dict[str, Any] = {}
    for processor in engines["django"].engine.template_context_processors:  # type: ignore[attr-defined]
        frame |= processor(request)
    return render(request, template, frame | context, using="jinja2")
