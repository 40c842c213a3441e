"""Sending mails that were written down as rows: each claimed, sent, and told what became of it, once.

The rows are the work list; a task is only the bell. A worker that dies while it talks to the mail server leaves
its row at 送信中: whether that mail left is unknown, so it is never sent again by itself.
"""

from __future__ import annotations

import logging
import smtplib
from typing import TypeVar

from django.core.mail import EmailMessage
from django.db import models, transaction
from django.db.models import QuerySet

logger = logging.getLogger(__name__)


class QueuedMail(models.Model):
    """One mail: written before it is sent, then told what became of it."""

    class State(models.TextChoices):
        QUEUED = "queued", "送信待ち"
        # Claimed by a worker; a row that stays so was perhaps sent, and is never sent again by itself.
        SENDING = "sending", "送信中"
        SENT = "sent", "送信済み"
        FAILED = "failed", "送信失敗"

    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    error = models.CharField(max_length=300, blank=True)
    to = models.EmailField(max_length=254)
    subject = models.CharField(max_length=200)
    body = models.TextField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.subject


Mail = TypeVar("Mail", bound=QueuedMail)


def send_waiting(mails: QuerySet[Mail], *, limit: int) -> int:
    """Send the oldest that wait, at most so many; how many were tried."""
    for tried in range(limit):
        mail = _claim(mails.order_by("pk"))
        if mail is None:
            return tried
        _send(mail)
    return limit


def send_one(mails: QuerySet[Mail], pk: int) -> None:
    """Send this mail, unless another worker has taken it."""
    mail = _claim(mails.filter(pk=pk))
    if mail is not None:
        _send(mail)


def _claim(mails: QuerySet[Mail]) -> Mail | None:
    with transaction.atomic():
        mail = mails.filter(state=QueuedMail.State.QUEUED).select_for_update(skip_locked=True).first()
        if mail is not None:
            mail.state = QueuedMail.State.SENDING
            mail.save(update_fields=["state"])
    return mail


def _send(mail: QueuedMail) -> None:
    try:
        EmailMessage(subject=mail.subject, body=mail.body, to=[mail.to]).send()
    except (smtplib.SMTPException, OSError, ValueError) as problem:
        # ValueError covers a header that Django refuses; the forms refuse it earlier.
        logger.warning("%s %s was not sent: %s", type(mail).__name__, mail.pk, type(problem).__name__)
        mail.state, mail.error = QueuedMail.State.FAILED, _reason(problem)
    else:
        mail.state, mail.error = QueuedMail.State.SENT, ""
    mail.save(update_fields=["state", "error"])


def _reason(problem: Exception) -> str:
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        return "宛先のメールアドレスがメールサーバーに拒否されました。"
    if isinstance(problem, smtplib.SMTPException | OSError):
        return "メールサーバーに接続できないか、送信を拒否されました。"
    return "件名または宛先に使用できない文字があります。"
