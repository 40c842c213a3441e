"""請求がないことを確認した注文の取消 (PG-5): the provider could not tell, so a person looked on its own screen.

SBPS has no inquiry by order number, and Paygent's code for "no such payment" stands in the contract: without it
such an order would stay 決済処理中 for ever, with its stock.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from orders import changes, history, locks
from orders.statuses import HIDDEN_BY_DEFAULT, OrderStatus
from payments import labels
from payments.actors import By
from payments.models import Payment, StaleCase, StaleRun
from payments.nightly import rules
from payments.nightly.rules import Money
from payments.nightly.stale_cases import SOURCE

# Our record says that nothing was taken, and no provider has said so for good.
_UNTOLD = sorted(
    status
    for status, money in rules.MONEY.items()
    if money is Money.NONE and status not in rules.FINALLY_WITHOUT_MONEY
)
_WITH_MONEY = sorted(status for status, money in rules.MONEY.items() if money is not Money.NONE)


def waiting() -> QuerySet[StaleCase]:
    """What the newest finished run left because no provider could tell, oldest order first."""
    newest = StaleRun.objects.filter(state=StaleRun.State.FINISHED).order_by("-started_at", "-id")[:1]
    told = Payment.objects.filter(status__in=_WITH_MONEY) | Payment.objects.filter(is_open=True)
    return (
        StaleCase.objects.filter(
            run__in=newest.values("pk"),
            state__in=(StaleCase.State.PERSON, StaleCase.State.LEFT),
            order__status__in=sorted(HIDDEN_BY_DEFAULT),
            order__in=Payment.objects.filter(status__in=_UNTOLD).values("order"),
        )
        .exclude(order__in=told.values("order"))
        .select_related("order")
        .prefetch_related("order__payments__account")
        .order_by("order__ordered_at", "id")
    )


def release(*, case_id: int, by: By, now: datetime) -> changes.StatusChanged | changes.StatusRefused:
    """Cancel the order on the word of a person, with stock and points; the history says whose word it was.

    Refused when meanwhile money has turned up or something is under way. Raises StaleCase.DoesNotExist.
    """
    order_id = StaleCase.objects.values_list("order_id", flat=True).get(pk=case_id)
    with transaction.atomic():
        # Payments before the order, as everywhere; behind the order's lock no new attempt can begin.
        attempts = list(
            Payment.objects.select_for_update(of=("self",))
            .filter(order_id=order_id)
            .select_related("account")
            .order_by("pk")
        )
        order = locks.lock_order(order_id)
        if order.status not in HIDDEN_BY_DEFAULT:
            label = OrderStatus(order.status).label
            return changes.StatusRefused(
                f"注文番号 {order.number} は、すでに「{label}」です。何も変更していません。"
            )
        for payment in attempts:
            if payment.is_open:
                return changes.StatusRefused(
                    f"注文番号 {order.number} の決済の結果を確認中です。確認が終わってから取り消してください。"
                )
            if payment.status in _WITH_MONEY:
                label = labels.status_label(payment.account.provider, payment.status)
                return changes.StatusRefused(
                    f"注文番号 {order.number} の決済は「{label}」です。取り消していません。"
                    "決済処理中の注文の取消をもう一度実行し、結果をご確認ください。"
                )
        history.record(
            order_id=order_id,
            field="決済代行会社での請求の確認",
            old="",
            new="管理画面で、請求がないことを確認しました。",
            actor=by.user,
            actor_name=by.name,
            source=SOURCE,
            ip=by.ip,
            now=now,
        )
        return changes.change_status(
            order_id=order_id,
            to=OrderStatus.CANCELLED,
            actor=by.user,
            actor_name=by.name,
            source=SOURCE,
            ip=by.ip,
            now=now,
            by_system=True,
        )
