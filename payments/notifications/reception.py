"""Taking a notification in: store it, say what it looks like, ring for the worker. Nothing else changes here.

What cannot be the provider's or cannot be of the payment that it names: 偽造の疑い, kept for a person, and the
provider is not asked. An unknown order: 注文なし, kept too, and shown in 差異一覧 (X-4).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from celery import current_app
from django.db import transaction
from django.db.models import F
from kombu.exceptions import OperationalError

from gateways.notices import Notice
from payments import calling
from payments.models import GatewayAccount, Notification, Operation, Payment
from payments.reconciliation import findings

logger = logging.getLogger(__name__)

_ASK = "payments.notifications.tasks.ask"

State = Notification.State
Origin = Notification.Origin


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a notification looks like before anybody was asked."""

    state: Notification.State
    payment: Payment | None = None
    message: str = ""


def take_in(account: GatewayAccount, notice: Notice, look: Look, now: datetime) -> None:
    """Store a notification that came, or count a repetition; the same content is one row for ever."""
    believable = Origin.SIGNED if notice.is_signed else Origin.UNSIGNED
    row, is_new = _store(account, notice, look, Origin.DOUBTED if notice.doubt else believable, now)
    if not is_new:
        Notification.objects.filter(pk=row.pk).update(times=F("times") + 1)


def take_in_fetched(account: GatewayAccount, notice: Notice, now: datetime) -> bool:
    """Store a notification from the provider's own queue. False where it had come by itself already."""
    if Notification.objects.filter(account=account, digest=notice.digest).exists():
        return False
    _row, is_new = _store(account, notice, look_at(account, notice), Origin.FETCHED, now)
    return is_new


def look_at(account: GatewayAccount, notice: Notice) -> Look:
    """Compare with what is known of the account and the payment."""
    if notice.doubt:
        return Look(state=State.SUSPICIOUS, message=notice.doubt)
    payment = _payment_of(account, notice)
    if payment is None:
        return Look(
            state=State.NO_ORDER,
            message="この取引の決済は、管理画面にありません。決済代行会社の管理画面で確認してください。",
        )
    if contradiction := notice.contradiction(calling.reference(payment)):
        return Look(state=State.SUSPICIOUS, payment=payment, message=contradiction)
    return Look(state=State.WAITING, payment=payment)


def ring() -> None:
    """Tell a worker; where nobody hears it, the minute job does."""
    try:
        current_app.send_task(_ASK, retry=False)
    except OperationalError:
        logger.warning("the bell for notifications could not be rung; the minute job will")


def _store(
    account: GatewayAccount, notice: Notice, look: Look, origin: Notification.Origin, now: datetime
) -> tuple[Notification, bool]:
    with transaction.atomic():
        row, is_new = Notification.objects.get_or_create(
            account=account,
            digest=notice.digest,
            defaults={
                "payment": look.payment,
                "number": notice.number,
                "origin": origin,
                "state": look.state,
                "provider_order_id": notice.order_id[:60],
                "status": notice.told_status[:20],
                "amount": notice.amount,
                "fields": dict(notice.fields),
                "received_at": now,
                "message": look.message,
            },
        )
        if is_new and row.state == State.WAITING:
            transaction.on_commit(ring, robust=True)
        if look.state == State.NO_ORDER and row.provider_order_id:
            findings.record_unknown_trade(
                account=account,
                provider_order_id=row.provider_order_id,
                status=notice.status,
                amount=notice.amount,
                now=now,
            )
    return row, is_new


def _payment_of(account: GatewayAccount, notice: Notice) -> Payment | None:
    """By our own id, or as the trade that an action of several telegrams has made for a payment."""
    payments = Payment.objects.filter(account=account)
    found = payments.filter(provider_order_id=notice.known_as).first() if notice.known_as else None
    if found is not None or not notice.remembered:
        return found
    # Named like the condition of its index, so that PostgreSQL uses it.
    noted = Operation.objects.exclude(progress={}).filter(progress__contains=dict(notice.remembered))
    return payments.filter(operations__in=noted).first()
