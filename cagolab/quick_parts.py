"""The Jinja2 side of the templates: parts of pages that repeat themselves fifty times, such as the rows of a list.

Django's own templates take 5 ms for the rows of a page, these 1 ms. `*.jinja` lie beside the templates that they
belong to, which draw them by {% quick %}.
"""

from __future__ import annotations

from typing import Any

import jinja2
from django.contrib.humanize.templatetags.humanize import intcomma
from django.template.defaultfilters import truncatechars
from django.urls import reverse

from payments.state_choices import payment_states
from payments.templatetags.payments import payment_deadline, payment_status_badge


def environment(**options: Any) -> jinja2.Environment:
    """What Django's Jinja2 backend draws with; a name that is not there is an error."""
    made = jinja2.Environment(**options | {"undefined": jinja2.StrictUndefined})  # noqa: S701 - Django escapes by default
    made.filters |= {"intcomma": intcomma, "truncatechars": truncatechars}
    made.globals |= {
        "payment_deadline": payment_deadline,
        "payment_states": payment_states,
        "payment_status_badge": payment_status_badge,
        "url": reverse,
    }
    return made
