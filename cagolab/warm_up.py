"""What a server process does once before its first piece of work, so that no page or run waits for it."""

from __future__ import annotations

import gc
from pathlib import Path

from django.conf import settings
from django.template.loader import get_template
from django.urls import get_resolver

# Collections of the youngest objects come after so many new ones, those of older ones after so many of the former.
# A page makes some 10,000, and little of it in circles.
_THRESHOLDS = (20_000, 10, 10)


def load_pages() -> None:
    """Compile every template and the table of addresses: else the first page of each process would."""
    folders: list[Path] = settings.TEMPLATES[0]["DIRS"]  # type: ignore[assignment]  # a dict of many kinds
    for folder in folders:
        for template in sorted(folder.rglob("*.html")):
            get_template(str(template.relative_to(folder)), using="django")
        for part in sorted(folder.rglob("*.jinja")):
            get_template(str(part.relative_to(folder)), using="jinja2")
    get_resolver().reverse_dict  # noqa: B018 - filled when it is first looked at


def keep_what_is_loaded() -> None:
    """Leave what was imported and compiled out of every later garbage collection.

    It stays until the process ends. Looking through it again halts all threads for 30 ms and more, about once in
    sixty pages.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
