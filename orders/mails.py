"""Mails about an order: drafted from a template, written down, then sent by a worker (orders.mail_sending)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.template.loader import render_to_string

from cagolab.shop import shop_name
from orders import history
from orders.invoice import invoice_of
from orders.models import Order, SentMail
from orders.statuses import OrderStatus
from orders.tasks import send_mails


@dataclass(frozen=True)
class MailTemplate:
    """A mail the shop sends often; `code` names the text file in templates/orders/mail/.

    `tells` is the 対応状況 that the mail tells the customer of; None where it suits all.
    """

    code: str
    label: str
    subject: str
    tells: OrderStatus | None = None


TEMPLATES = (
    MailTemplate("confirmation", "注文確認", "ご注文ありがとうございます"),
    MailTemplate("paid", "入金確認", "ご入金を確認いたしました", OrderStatus.PAID),
    MailTemplate("shipped", "発送のお知らせ", "商品を発送いたしました", OrderStatus.SHIPPED),
    MailTemplate("cancelled", "お取消し", "ご注文をお取消しいたしました", OrderStatus.CANCELLED),
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
    transaction.on_commit(ring, robust=True)
    return write_mail(order=order, words=words, key=key, author=author, now=now)


def write_mail(
    *, order: Order, words: Draft, key: uuid.UUID, author: history.Author, now: datetime
) -> SentMail:
    """Write the mail down with its line of 変更履歴, once per key; nobody is rung for it."""
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
    except IntegrityError:
        return SentMail.objects.get(key=key, order=order)
    return mail


def ring() -> None:
    """Tell a worker that a mail waits; where nobody hears it, the minute job sends it."""
    send_mails.delay()
