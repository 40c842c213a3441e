"""The shop itself, as the environment names it."""

from __future__ import annotations

from email.utils import parseaddr

from django.conf import settings


def shop_name() -> str:
    """The shop's name, as its mails are signed (SHOP_MAIL_FROM)."""
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return name or address
