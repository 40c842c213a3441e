"""Mails to the shop: written down with what they report, then sent by a worker, once (cagolab.mail_queue)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cagolab.mail_queue import send_waiting
from payments.models import ShopMail
from payments.nightly.settings_row import mail_to

MAILS_PER_RING = 20


@dataclass(frozen=True, kw_only=True)
class Words:
    """A mail without its address."""

    subject: str
    body: str


def write(*, key: str, words: Words, now: datetime) -> ShopMail:
    """Write a mail down; the same key gives the mail that is there already."""
    mail, _created = ShopMail.objects.get_or_create(
        key=key,
        defaults={
            "to": mail_to(),
            "subject": words.subject[:200],
            "body": words.body,
            "written_at": now,
        },
    )
    return mail


def send_queued() -> int:
    """Send what waits. Returns the number of mails that were tried."""
    return send_waiting(ShopMail.objects.all(), limit=MAILS_PER_RING)
