"""Mails to the shop: written down with what they report, then sent by a worker, once.

A worker that dies while it talks to the mail server leaves the row at 送信中: it is never sent again by itself.
"""

from __future__ import annotations

import logging
import smtplib
from dataclasses import dataclass
from datetime import datetime

from django.core.mail import EmailMessage
from django.db import transaction

from payments.models import ShopMail
from payments.nightly.settings_row import mail_to

logger = logging.getLogger(__name__)

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
    for tried in range(MAILS_PER_RING):
        mail = _claim()
        if mail is None:
            return tried
        _send(mail)
    return MAILS_PER_RING


def _claim() -> ShopMail | None:
    with transaction.atomic():
        waiting = ShopMail.objects.select_for_update(skip_locked=True).filter(state=ShopMail.State.QUEUED)
        mail = waiting.order_by("id").first()
        if mail is not None:
            mail.state = ShopMail.State.SENDING
            mail.save(update_fields=["state"])
    return mail


def _send(mail: ShopMail) -> None:
    try:
        EmailMessage(subject=mail.subject, body=mail.body, to=[mail.to]).send()
    except (smtplib.SMTPException, OSError, ValueError) as problem:
        logger.warning("mail %s to the shop was not sent: %s", mail.pk, type(problem).__name__)
        mail.state = ShopMail.State.FAILED
    else:
        mail.state = ShopMail.State.SENT
    mail.save(update_fields=["state"])
