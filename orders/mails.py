"""Mails about an order: drafted from a template, written down, then sent by a worker, once.

The rows of SentMail are the work list; the task is only the bell. A worker that dies while it talks to the
mail server leaves the row at 送信中: whether that mail left is unknown, so it is never sent again by itself.
"""

from __future__ import annotations

import logging
import smtplib
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string

from cagolab.shop import shop_name
from orders import history
from orders.invoice import invoice_of
from orders.models import Order, SentMail

logger = logging.getLogger(__name__)

# One ring sends at most so many, so that a worker comes back to other work.
MAILS_PER_RING = 50


@dataclass(frozen=True)
class MailTemplate:
    """A mail the shop sends often; `code` names the text file in templates/orders/mail/."""

    code: str
    label: str
    subject: str


TEMPLATES = (
    MailTemplate("confirmation", "注文確認", "ご注文ありがとうございます"),
    MailTemplate("paid", "入金確認", "ご入金を確認いたしました"),
    MailTemplate("shipped", "発送のお知らせ", "商品を発送いたしました"),
    MailTemplate("cancelled", "お取消し", "ご注文をお取消しいたしました"),
)


@dataclass(frozen=True)
class Draft:
    """A mail as it would be sent; the operator may change each part."""

    to: str
    subject: str
    body: str


def draft(template: MailTemplate, order: Order) -> Draft:
    """Fill the template with the order as it is stored now."""
    words: dict[str, Any] = {"order": order, "shop_name": shop_name(), **invoice_of(order)}
    body = render_to_string(f"orders/mail/{template.code}.txt", words)
    subject = f"【{shop_name()}】{template.subject}（ご注文番号 {order.number}）"
    return Draft(to=order.email, subject=subject[:200], body=f"{body.strip()}\n")


def queue_mail(
    *, order: Order, words: Draft, key: uuid.UUID, author: history.Author, now: datetime
) -> SentMail:
    """Write the mail down and ring for it once that is committed; the same key gives the same mail."""
    try:
        with transaction.atomic():
            mail = SentMail.objects.create(
                order=order,
                sent_at=now,
                actor_name=author.name,
                to=words.to,
                subject=words.subject,
                body=words.body,
                key=key,
            )
            sent = history.FieldChange("メール送信", "", f"{words.subject}（宛先 {words.to}）")
            history.record_all(order_id=order.pk, changes=[sent], author=author, version=0, now=now)
            transaction.on_commit(ring, robust=True)
    except IntegrityError:
        return SentMail.objects.get(key=key, order=order)
    return mail


def ring() -> None:
    """Tell a worker that a mail waits; where nobody hears it, the minute job sends it."""
    from orders.tasks import send_mails  # its module imports this one

    send_mails.delay()


def send_queued() -> int:
    """Send what waits; the number of mails that were tried."""
    for tried in range(MAILS_PER_RING):
        mail = _claim()
        if mail is None:
            return tried
        _send(mail)
    return MAILS_PER_RING


def _claim() -> SentMail | None:
    with transaction.atomic():
        waiting = SentMail.objects.select_for_update(skip_locked=True).filter(state=SentMail.State.QUEUED)
        mail = waiting.order_by("id").first()
        if mail is not None:
            mail.state = SentMail.State.SENDING
            mail.save(update_fields=["state"])
    return mail


def _send(mail: SentMail) -> None:
    try:
        EmailMessage(subject=mail.subject, body=mail.body, to=[mail.to]).send()
    except (smtplib.SMTPException, OSError, ValueError) as problem:
        # ValueError covers a header that Django refuses; the forms refuse it earlier.
        logger.warning("mail %s was not sent: %s", mail.pk, type(problem).__name__)
        mail.state, mail.error = SentMail.State.FAILED, _reason(problem)
    else:
        mail.state, mail.error = SentMail.State.SENT, ""
    mail.save(update_fields=["state", "error"])


def _reason(problem: Exception) -> str:
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        return "宛先のメールアドレスがメールサーバーに拒否されました。"
    if isinstance(problem, smtplib.SMTPException | OSError):
        return "メールサーバーに接続できないか、送信を拒否されました。"
    return "件名または宛先に使用できない文字があります。"
