"""Taking a notification in: store it, say what it looks like, ring for the worker. Nothing else changes here.

A wrong ShopID, an AccessID or kind of payment that is not the payment's: 不審な通知, kept for a person, and the
provider is not asked. An unknown order: 注文なし, kept too, and shown in 差異一覧 (X-4).
"""

from __future__ import annotations

import hmac
import logging
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F
from kombu.exceptions import OperationalError

from gateways.gmopg.account import Account
from gateways.gmopg.notification import Notice
from gateways.vocabulary import MethodKind
from payments.models import GatewayAccount, Notification, Payment
from payments.reconciliation import findings

logger = logging.getLogger(__name__)

State = Notification.State


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a notification looks like before anybody was asked."""

    state: Notification.State
    payment: Payment | None = None
    message: str = ""


def take_in(account: GatewayAccount, notice: Notice, look: Look, now: datetime) -> Notification:
    """Store a notification, or count a repetition; the same content is one row for ever."""
    with transaction.atomic():
        row, is_new = Notification.objects.get_or_create(
            account=account,
            digest=notice.digest,
            defaults={
                "payment": look.payment,
                "state": look.state,
                "provider_order_id": notice.order_id[:60],
                "status": notice.told_status[:20],
                "amount": notice.amount,
                "fields": dict(notice.fields),
                "received_at": now,
                "message": look.message,
            },
        )
        if not is_new:
            Notification.objects.filter(pk=row.pk).update(times=F("times") + 1)
        elif row.state == State.WAITING:
            transaction.on_commit(ring, robust=True)
        if look.state == State.NO_ORDER and row.provider_order_id:
            findings.record_unknown_trade(
                account=account,
                provider_order_id=row.provider_order_id,
                status=notice.status,
                amount=notice.amount,
                now=now,
            )
    return row


def look_at(account: GatewayAccount, notice: Notice) -> Look:
    """Compare with what is known of the shop and the payment. No signature exists that could prove more."""
    configured = settings.GATEWAY_ACCOUNTS[account.code].account
    assert isinstance(configured, Account)
    if not hmac.compare_digest(notice.shop_id.encode(), configured.shop_id.encode()):
        return Look(state=State.SUSPICIOUS, message="ショップIDが当店のものと一致しません。")
    payment = Payment.objects.filter(account=account, provider_order_id=notice.order_id).first()
    if payment is None:
        return Look(
            state=State.NO_ORDER,
            message="この決済オーダーIDの決済は、管理画面にありません。決済代行会社の管理画面で確認してください。",
        )
    known = str(payment.references.get("access_id", ""))
    if known and not hmac.compare_digest(notice.access_id.lower().encode(), known.lower().encode()):
        return Look(
            state=State.SUSPICIOUS,
            payment=payment,
            message="取引ID(AccessID)が、この決済のものと一致しません。",
        )
    if not notice.is_of_kind(MethodKind(payment.kind)):
        return Look(
            state=State.SUSPICIOUS, payment=payment, message="支払方法が、この決済のものと一致しません。"
        )
    return Look(state=State.WAITING, payment=payment)


def ring() -> None:
    """Tell a worker; where nobody hears it, the minute job does."""
    from payments.notifications.tasks import ask  # its module imports this package

    try:
        ask.apply_async(retry=False)
    except OperationalError:
        logger.warning("the bell for notifications could not be rung; the minute job will")
