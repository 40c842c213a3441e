"""What a person does with a difference: 反映 (take over the provider's state) or 対応済みにする (X-4).

Adoption goes through the inquiry's own door: the provider is asked again at the moment of the click, and what
it says then is applied under the payment's lock. Status and amount are written nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from django.db import transaction

from cagolab import clock
from gateways.vocabulary import Action, PaymentStatus
from orders import history
from orders.statuses import OrderStatus
from payments import inquiry, labels, settlement, wording
from payments.actors import By
from payments.models import Notification, Operation, Payment, PaymentDifference
from payments.reconciliation import findings
from payments.reconciliation.compare import against_order

State = PaymentDifference.State


@dataclass(frozen=True, kw_only=True)
class Done:
    """The difference is closed; `text` tells what came of it."""

    text: str


@dataclass(frozen=True, kw_only=True)
class NotDone:
    """Nothing was changed; `text` tells why, and what to do."""

    text: str


Result: TypeAlias = Done | NotDone


def adopt(*, difference_id: int, reason: str, by: By, now: datetime) -> Result:
    """反映: ask the provider again and take over what it says now. Raises PaymentDifference.DoesNotExist.

    `reason` is the operator's, kept with the difference and in the order's 操作履歴.
    """
    difference = PaymentDifference.objects.select_related("payment__account", "order").get(pk=difference_id)
    if not difference.is_open:
        return NotDone(text=_already_closed(difference))
    payment = difference.payment
    if payment is None or not difference.is_adoptable:
        return NotDone(
            text="この差異は、決済代行会社の状態を反映しても解消しません。「どうするか」の案内に従ってください。"
        )
    if payment.is_open:
        return NotDone(
            text="この受注の決済は、別の操作の結果を確認中です。確認が終わってから、もう一度反映してください。"
        )
    before = _words(payment)
    operation = inquiry.inquire_now(payment_id=payment.pk, by=by, now=now)
    if operation.action != Action.INQUIRE or operation.state != Operation.State.SUCCEEDED:
        return NotDone(text=f"反映していません。{operation.message}")
    return _adopted(difference.pk, before, operation, reason=reason, by=by)


def handle(*, difference_id: int, reason: str, by: By, now: datetime) -> Result:
    """対応済みにする: a person has dealt with it elsewhere. Raises PaymentDifference.DoesNotExist."""
    with transaction.atomic():
        rows = PaymentDifference.objects.select_for_update(of=("self",)).select_related("order")
        difference = rows.get(pk=difference_id)
        if not difference.is_open:
            return NotDone(text=_already_closed(difference))
        _close(difference, State.HANDLED, reason=reason, by=by, now=now)
        if difference.kind == PaymentDifference.Kind.UNKNOWN_TRADE:
            # What told of the trade has been looked into with it.
            Notification.objects.filter(
                account=difference.account_id,
                provider_order_id=difference.provider_order_id,
                state=Notification.State.NO_ORDER,
                handled_at__isnull=True,
            ).update(handled_at=now, handled_by_name=by.name)
    number = difference.order.number if difference.order else ""
    which = f"注文番号 {number}" if number else f"決済オーダーID {difference.provider_order_id}"
    return Done(text=f"{which} の差異({difference.get_kind_display()})を対応済みにしました。")


def _adopted(difference_id: int, before: str, operation: Operation, *, reason: str, by: By) -> Result:
    now = clock.now()
    with transaction.atomic():
        payment, _operation = settlement.lock(operation.pk)
        after = _words(payment)
        rows = list(
            PaymentDifference.objects.select_for_update(of=("self",)).filter(
                payment=payment, state=State.OPEN
            )
        )
        if difference_id not in {row.pk for row in rows}:
            return Done(text=operation.message)
        for row in rows:
            if row.kind in PaymentDifference.ADOPTABLE and after != before:
                _close(row, State.ADOPTED, reason=reason, by=by, now=now)
        # What no longer holds closes by itself; what the order's 対応状況 contradicts stays.
        still = set(against_order(OrderStatus(payment.order.status), PaymentStatus(payment.status)))
        findings.close_gone(payment, keep=still, now=now)
        if after != before:
            history.record(
                order_id=payment.order_id,
                field="決済の差異の反映",
                old=before,
                new=f"{after}(理由：{reason})",
                actor=by.user,
                actor_name=by.name,
                source=by.source.label,
                ip=by.ip,
                now=now,
            )
    number = payment.order.number
    if after == before:
        return Done(
            text=f"注文番号 {number} の決済は、いま確認したところ当店の記録と一致していました。差異を解消しました。"
        )
    return Done(text=f"注文番号 {number} の決済に、決済代行会社の状態を反映しました({before} → {after})。")


def _close(
    difference: PaymentDifference, state: PaymentDifference.State, *, reason: str, by: By, now: datetime
) -> None:
    difference.state = state
    difference.reason = reason
    difference.closed_at = now
    difference.closed_by = by.user
    difference.closed_by_name = by.name
    difference.save()


def _already_closed(difference: PaymentDifference) -> str:
    closed_at = difference.closed_at
    at = (
        f"{wording.day(closed_at.astimezone(clock.TOKYO))} {wording.clock_time(closed_at)}"
        if closed_at
        else ""
    )
    return (
        f"この差異は {at} に{difference.get_state_display()}になっています({difference.closed_by_name})。"
        "今回は何も変えていません。"
    )


def _words(payment: Payment) -> str:
    label = labels.status_label(payment.account.provider, payment.status)
    dated = payment.captured_at or payment.authorized_at
    on = f"({wording.day(dated.astimezone(clock.TOKYO))})" if dated else ""
    return f"{label} {wording.yen(payment.amount)}{on}"
