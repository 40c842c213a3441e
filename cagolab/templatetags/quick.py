"""{% quick %}: draw a Jinja2 part within one of Django's templates."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import engines
from django.template.context import Context
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag(takes_context=True)
def quick(context: Context, name: str, **further: Any) -> SafeString:
    """{% quick "orders/list_rows.jinja" oob=True %}: it sees what the template sees, and what is named here."""
    names: dict[str, Any] = {str(key): value for key, value in context.flatten().items()}
    return SafeString(engines["jinja2"].get_template(name).render(names | further))
