"""One order that was given up (PG-5): ask the provider about every attempt, free what is held, cancel the order.

1. An attempt that the provider has not finally refused is asked about; nothing is concluded from our record.
2. An authorization is cancelled by the rule; a sale is left to a person, and with it the order.
3. Only when no attempt holds or has taken money does the order become 注文取消し, with stock and points.
A process may die between any two statements: the next try asks again, and a cancel under the same key is a
replay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from cagolab import clock
from gateways.outcomes import ReasonKind
from gateways.vocabulary import Action, PaymentStatus
from orders import changes, locks
from orders.models import Order
from orders.statuses import OrderStatus
from payments import accounts, facts, inquiry, labels, operations, wording
from payments.actors import By
from payments.decisions import decide
from payments.models import LIVE_STATUSES, Operation, Payment, StaleCase
from payments.nightly import rules, stale_worklist
from payments.nightly.rules import Money
from payments.permits import Refusal

SOURCE = "決済処理中の注文の取消"
# Waiting times before another try, in seconds; after the last one the order stays and is reported.
TRY_AGAIN = (60, 120, 300)

_GIVEN_UP = (OrderStatus.PENDING, OrderStatus.PROCESSING)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The case has ended without touching the order."""

    state: StaleCase.State
    message: str


@dataclass(frozen=True, kw_only=True)
class Later:
    """Not known yet: the case is put back, and ends as 取り消さず when its tries are used up."""

    message: str


@dataclass(frozen=True, kw_only=True)
class Free:
    """No attempt holds or has taken money. `seen`: the status of every attempt, by payment id."""

    seen: Mapping[int, str]
    words: str


class _ClaimLost(Exception):
    """Another worker has taken the case over; what this one did to the order is rolled back."""


def handle(case: StaleCase, by: By) -> None:
    """Bring one claimed case as far as it goes, and write down how it stands."""
    result: Ended | Later | Free | None = _look_into(case, by)
    if isinstance(result, Free):
        result = _cancel_order(case, result, by)
    if isinstance(result, Ended):
        stale_worklist.record(case, state=result.state, message=result.message, now=clock.now())
    elif isinstance(result, Later):
        if case.tries < len(TRY_AGAIN):
            stale_worklist.put_back(case, seconds=TRY_AGAIN[case.tries], message=result.message)
        else:
            stale_worklist.record(case, state=StaleCase.State.LEFT, message=result.message, now=clock.now())


def _look_into(case: StaleCase, by: By) -> Ended | Later | Free:
    order = Order.objects.get(pk=case.order_id)
    if order.status not in _GIVEN_UP:
        return _status_moved(order)
    attempts = list(Payment.objects.filter(order=order).select_related("account").order_by("pk"))
    # What our record says is live comes first: the database allows one at a time.
    attempts.sort(key=lambda payment: not (payment.is_open or payment.status in LIVE_STATUSES))
    cancelled = ""
    for payment in attempts:
        if payment.status in rules.FINALLY_WITHOUT_MONEY and not payment.is_open:
            continue
        answer = _ask(case, payment, by)
        if answer is not None:
            return answer
        payment.refresh_from_db()
        found = _judge(case, payment, by)
        if isinstance(found, Ended | Later):
            return found
        cancelled = found or cancelled
    words = cancelled or ("請求は残っていません。" if attempts else "決済はありません。")
    return Free(
        seen=dict(Payment.objects.filter(order=order).values_list("pk", "status")),
        words=words,
    )


def _ask(case: StaleCase, payment: Payment, by: By) -> Ended | Later | None:
    """Let the provider say how the attempt stands; None when our record now says the same."""
    open_operation = facts.open_operation_of(payment)
    if open_operation is not None and not _is_ours(case, open_operation):
        return _left("別の操作の結果を確認中です。確認が終わるまで、注文は取り消しません。")
    was = PaymentStatus(payment.status)
    operation = inquiry.inquire_now(payment_id=payment.pk, by=by, now=clock.now())
    if operation.state in Operation.OPEN_STATES:
        return Later(message="取消(返品)の結果を確認中です。結果が分かるまで、注文は取り消しません。")
    if operation.action != Action.INQUIRE:
        result = _after_own_cancel(operation)
        # Not executed, and the provider has just said so: the attempt is judged as it stands.
        return None if isinstance(result, Later) else result
    if operation.state == Operation.State.SUCCEEDED:
        return None
    if operation.reason_kind == ReasonKind.NOT_FOUND:
        return _without_trade(payment, was)
    if operation.reason_kind == ReasonKind.NOT_TOLD:
        return _not_told(payment)
    if operation.reason_kind == ReasonKind.WRONG_STATE:  # two attempts are live, which our record cannot hold
        return _person(
            f"決済オーダーID {payment.provider_order_id} のほかにも有効な決済があります。"
            "決済代行会社の管理画面で、両方の決済を確認してください。"
        )
    return Later(message=f"決済代行会社に確認できなかったため、注文は取り消していません。{operation.message}")


def _is_ours(case: StaleCase, operation: Operation) -> bool:
    keys = {
        StaleCase(pk=case.pk, run_id=case.run_id, tries=t).key(operation.payment_id)
        for t in range(case.tries + 1)
    }
    return operation.key in keys


def _after_own_cancel(operation: Operation) -> Ended | Later | None:
    if operation.state == Operation.State.SUCCEEDED:
        return None
    if operation.state in (Operation.State.NOT_EXECUTED, Operation.State.NOT_SENT):
        return Later(message=operation.message)
    return _left(f"取消(返品)を行えませんでした。{operation.message}")


def _without_trade(payment: Payment, was: PaymentStatus) -> Ended | None:
    if rules.MONEY[was] is not Money.NONE:
        label = labels.status_label(payment.account.provider, was)
        return _person(
            f"記録では「{label}」ですが、決済代行会社にこの取引({payment.provider_order_id})がありません。"
            "決済代行会社の管理画面で確認してください。"
        )
    if not accounts.gateway(payment.account.code).capabilities.not_found_is_proof:
        return _not_told(payment)
    return None


def _not_told(payment: Payment) -> Ended:
    return _person(
        f"決済代行会社にこの取引({payment.provider_order_id})が見つかりません。請求がないことを、"
        "決済代行会社の管理画面で確認してください。"
    )


def _judge(case: StaleCase, payment: Payment, by: By) -> Ended | Later | str:
    """What the provider's word means for the order; a text where the attempt stands in nobody's way."""
    label = labels.status_label(payment.account.provider, payment.status)
    match rules.MONEY[PaymentStatus(payment.status)]:
        case Money.NONE:
            return ""
        case Money.HELD:
            return _cancel_payment(case, payment, by)
        case Money.TAKEN:
            return _person(
                f"決済代行会社で「{label}」{wording.yen(payment.amount)}が見つかりました。"
                "「受注として採用」か「返金」を選んでください。"
            )
        case Money.UNCLEAR:
            return _left(f"決済が「{label}」のため、注文は取り消していません。決済の完了をお待ちください。")


def _cancel_payment(case: StaleCase, payment: Payment, by: By) -> Ended | Later | str:
    now = clock.now()
    decision = decide(Action.CANCEL, facts.read(payment), now)
    if isinstance(decision, Refusal):
        return _left(f"仮売上が残っていますが、取り消せません。{decision.reason}")
    done = operations.execute(
        payment_id=payment.pk,
        action=Action.CANCEL,
        key=case.key(payment.pk),
        shown=decision.fingerprint,
        by=by,
        now=now,
    )
    if isinstance(done, operations.Changed):
        return Later(message="処理の途中で取消の種類が変わったため、送信していません。もう一度判断します。")
    if isinstance(done, operations.Busy):
        return _left("別の操作が始まったため、注文は取り消していません。")
    operation = done.operation
    if operation.state in Operation.OPEN_STATES:
        return Later(message="取消(返品)の結果を確認中です。結果が分かるまで、注文は取り消しません。")
    if problem := _after_own_cancel(operation):
        return problem
    payment.refresh_from_db()
    label = labels.status_label(payment.account.provider, payment.status)
    return f"決済代行会社に仮売上 {wording.yen(payment.amount)}があったため取り消しました({label})。"


def _cancel_order(case: StaleCase, free: Free, by: By) -> Ended | Later | None:
    """注文取消し with stock and points, together with the case's own end: both or neither."""
    now = clock.now()
    try:
        with transaction.atomic():
            # Payments before the order, as everywhere; behind the order's lock no new attempt can begin.
            list(
                Payment.objects.select_for_update(of=("self",)).filter(order_id=case.order_id).order_by("pk")
            )
            order = locks.lock_order(case.order_id)
            attempts = Payment.objects.filter(order_id=case.order_id)
            if (
                dict(attempts.values_list("pk", "status")) != free.seen
                or attempts.filter(is_open=True).exists()
            ):
                return Later(message="処理の途中で決済が変わったため、もう一度確認します。")
            if order.status not in _GIVEN_UP:
                return _status_moved(order)
            result = changes.change_status(
                order_id=case.order_id,
                to=OrderStatus.CANCELLED,
                actor=by.user,
                actor_name=by.name,
                source=SOURCE,
                ip=by.ip,
                now=now,
                by_system=True,
            )
            if isinstance(result, changes.StatusRefused):
                return _left(result.reason)
            message = f"{free.words}注文を取り消し、在庫とポイントを元に戻しました。"
            if not stale_worklist.record(case, state=StaleCase.State.CANCELLED, message=message, now=now):
                raise _ClaimLost
    except _ClaimLost:
        pass
    return None


def _status_moved(order: Order) -> Ended:
    label = OrderStatus(order.status).label
    return _left(f"対応状況が「{label}」になっていたため、何もしていません。")


def _left(message: str) -> Ended:
    return Ended(state=StaleCase.State.LEFT, message=message)


def _person(message: str) -> Ended:
    return Ended(state=StaleCase.State.PERSON, message=message)
