"""請求がないことを確認した注文の取消 (PG-5): the provider could not tell, so a person looked on its own screen.

SBPS has no inquiry by order number, and Paygent's code for "no such payment" stands in the contract: without it
such an order would stay 決済処理中 for ever, with its stock.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.aggregates import BoolAnd, BoolOr
from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from orders import changes, history, locks
from orders.statuses import HIDDEN_BY_DEFAULT, OrderStatus
from payments import labels
from payments.actors import By
from payments.models import Payment, StaleCase, StaleRun
from payments.nightly import rules, stale_orders
from payments.nightly.rules import Money
from payments.nightly.stale_cases import SOURCE

# Cases that are looked through at first, where there are more; mostly they fill a page.
FIRST_CASES = 100

# Our record says that nothing was taken, and no provider has said so for good.
_UNTOLD = sorted(
    status
    for status, money in rules.MONEY.items()
    if money is Money.NONE and status not in rules.FINALLY_WITHOUT_MONEY
)
_WITH_MONEY = sorted(status for status, money in rules.MONEY.items() if money is not Money.NONE)


def waiting(run: StaleRun, *, limit: int) -> list[StaleCase]:
    """What the newest finished run left because no provider could tell, what is 要判断 first, oldest order first."""
    found: list[StaleCase] = []
    numbers = stale_orders.counts(run)
    for state in (StaleCase.State.PERSON, StaleCase.State.LEFT):
        cases = StaleCase.objects.filter(run=run, state=state)
        missing = limit - len(found)
        if numbers[state] > FIRST_CASES and missing:
            first = cases.order_by("pk").values("pk")[:FIRST_CASES]
            untold = list(_untold(StaleCase.objects.filter(pk__in=first))[:missing])
            if len(untold) == missing:
                return found + untold
        if numbers[state] and missing:
            found += _untold(cases)[:missing]
    return found


def _untold(cases: QuerySet[StaleCase]) -> QuerySet[StaleCase]:
    # Looked up for each case: joined with all payments, ten thousand cases would take minutes.
    attempts = (
        Payment.objects.filter(order=OuterRef("order"))
        .order_by()
        .values("order")
        .annotate(
            is_untold=BoolOr(Q(status__in=_UNTOLD)),
            is_free=BoolAnd(~Q(status__in=_WITH_MONEY) & Q(is_open=False)),
        )
        .filter(is_untold=True, is_free=True)
    )
    return (
        cases.filter(Exists(attempts), order__status__in=sorted(HIDDEN_BY_DEFAULT))
        .select_related("order")
        .prefetch_related(Prefetch("order__payments", Payment.objects.select_related("account")))
        .order_by("pk")  # as they were frozen, the oldest order first
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
