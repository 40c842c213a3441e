"""Asking the provider: it moves no money, and it is the only way out of 確認中 (invariant 5)."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import IntegrityError, transaction

from cagolab import clock
from gateways.outcomes import Found, InquiryOutcome, NotFound, Reason, ReasonKind, Trade, Unknown
from gateways.vocabulary import Action, PaymentStatus
from payments import (
    accounts,
    ask_schedule,
    calling,
    facts,
    labels,
    order_copy,
    resuming,
    settlement,
    wording,
)
from payments.actors import By
from payments.judgement import Before, Verdict, answer_text, judge, may_conclude_not_executed
from payments.models import Operation, Payment


def ask_and_settle(*, operation_id: int, now: datetime) -> Operation:
    """Ask about an open operation and settle it if the answer allows.

    An answer that shows the goal settles at once. "Not executed" needs the waiting time and equal answers,
    except where the provider itself had said no: then one confirmation is enough.
    """
    operation = Operation.objects.get(pk=operation_id)
    if operation.state not in Operation.OPEN_STATES:
        return operation
    payment = Payment.objects.select_related("account").get(pk=operation.payment_id)
    if resuming.is_resumable(operation, payment):
        return resuming.resume(operation, payment, now)
    step = operation.step
    answer = calling.ask(payment, operation)
    with transaction.atomic():
        payment, operation = settlement.lock(operation_id)
        if operation.state in Operation.OPEN_STATES and operation.step == step:
            _settle_by_answer(payment, operation, answer, clock.now())
        return operation


def inquire_now(*, payment_id: int, by: By, now: datetime) -> Operation:
    """決済状態確認・反映: fetch the provider's state and store it (G5-7).

    While an operation is open, it is that operation which is asked about; otherwise the answer is adopted,
    with a row of its own in the 決済ログ. Returns the operation that tells what came of it.
    """
    payment = Payment.objects.select_related("order", "account").get(pk=payment_id)
    known = _record(payment)
    if open_operation := facts.open_operation_of(payment):
        return ask_and_settle(operation_id=open_operation.pk, now=now)
    operation = Operation.objects.create(
        payment=payment,
        action=Action.INQUIRE.value,
        key=uuid.uuid4(),
        plan=[],
        status_before=payment.status,
        amount_before=payment.amount,
        amount=payment.amount,
        source=by.source,
        actor=by.user,
        actor_name=by.name,
        ip_address=by.ip,
        started_at=now,
        timeout_at=settlement.call_timeout(payment, now),
    )
    answer = calling.ask(payment, operation)
    try:
        with transaction.atomic():
            payment, operation = settlement.lock(operation.pk)
            is_older = _record(payment) != known
            _adopt_by_answer(payment, operation, answer, clock.now(), is_older=is_older)
    except IntegrityError:
        return _second_live_payment(operation.pk)
    return operation


def _settle_by_answer(payment: Payment, operation: Operation, answer: InquiryOutcome, now: datetime) -> None:
    step = settlement.current_step(operation)
    before = Before(status=PaymentStatus(operation.status_before), amount=operation.amount_before)
    proof = accounts.capabilities(payment.account.provider).not_found_is_proof
    verdict = judge(step, before, answer, not_found_is_proof=proof)
    operation.asks += 1
    if verdict is Verdict.EXECUTED:
        assert isinstance(answer, Found)
        settlement.step_executed(payment, operation, answer.trade, now)
        if step.action is Action.REQUEST:  # the customer may have been quicker than we asked
            order_copy.after_adoption(payment, operation, answer.trade, now)
        return
    text = answer_text(answer)
    operation.equal_answers = operation.equal_answers + 1 if text == operation.last_answer else 1
    operation.last_answer = text
    if verdict is Verdict.UNCHANGED and operation.presumed:
        settlement.close(payment, operation, Operation.State(operation.presumed), None, now)
        return
    if verdict is Verdict.UNCHANGED and may_conclude_not_executed(
        equal_answers=operation.equal_answers, timeout_at=operation.timeout_at, now=now
    ):
        settlement.close(payment, operation, Operation.State.NOT_EXECUTED, _not_executed(operation), now)
        return
    if verdict is Verdict.CONTRADICTED and _is_certain(operation, now):
        _contradict(payment, operation, answer, now)
        return
    if isinstance(answer, Unknown) and answer.reason.kind is ReasonKind.NOT_TOLD:
        operation.reason_kind, operation.reason_code = answer.reason.kind.value, answer.reason.code[:40]
        operation.message = answer.reason.text[:400]
    operation.state = Operation.State.UNCONFIRMED
    operation.ask_at = ask_schedule.next_ask(operation.asks, now)
    operation.save()


def _is_certain(operation: Operation, now: datetime) -> bool:
    return bool(operation.presumed) or may_conclude_not_executed(
        equal_answers=operation.equal_answers, timeout_at=operation.timeout_at, now=now
    )


def _contradict(payment: Payment, operation: Operation, answer: InquiryOutcome, now: datetime) -> None:
    """The provider shows neither what was asked for nor what was before: its word is taken, a person told."""
    if isinstance(answer, Found):
        settlement.apply_trade(payment, answer.trade, goal=None, now=now)
        told = (
            f"{labels.status_label(payment.account.provider, payment.status)} {wording.yen(payment.amount)}"
        )
    else:
        payment.status = PaymentStatus.EXCEPTION.value
        told = "取引なし"
    reason = Reason(
        kind=ReasonKind.WRONG_STATE,
        code=operation.reason_code,
        text=(
            f"{operation.name}の結果が決済代行会社の状態({told})と合いません。決済代行会社の状態を反映しました。"
            "決済代行会社の管理画面で操作されていないか確認してください。"
        ),
    )
    state = Operation.State.REFUSED if operation.presumed == Operation.State.REFUSED else None
    settlement.close(payment, operation, state or Operation.State.CONTRADICTED, reason, now)
    if isinstance(answer, Found):
        order_copy.after_adoption(payment, operation, answer.trade, now)


def _not_executed(operation: Operation) -> Reason:
    return Reason(
        kind=ReasonKind(operation.reason_kind or ReasonKind.NO_ANSWER),
        code=operation.reason_code,
        text=f"{operation.name}は実行されていませんでした。必要なときは、もう一度実行してください。",
    )


def _record(payment: Payment) -> tuple[object, ...]:
    """Our record of a payment. Where it moves while the provider is asked, the answer may be older than it."""
    moves = payment.operations.exclude(action=Action.INQUIRE.value).order_by("-pk")
    newest = moves.values_list("pk", flat=True).first()
    return payment.status, payment.amount, payment.authorized_at, payment.captured_at, newest


def _adopt_by_answer(
    payment: Payment, operation: Operation, answer: InquiryOutcome, now: datetime, *, is_older: bool
) -> None:
    if is_older and not payment.is_open:
        text = (
            "照会している間に、この決済の記録が変わりました。回答の方が古いことがあるため、照会の結果は反映していません。"
            "必要なときは、もう一度確認してください。"
        )
        reason = Reason(kind=ReasonKind.BUSY, text=text)
        settlement.close(payment, operation, Operation.State.REFUSED, reason, now)
        return
    if payment.is_open:
        # A money operation was claimed while we asked: its own answer decides.
        reason = Reason(kind=ReasonKind.BUSY, text="別の操作が始まったため、照会の結果は反映していません。")
        settlement.close(payment, operation, Operation.State.REFUSED, reason, now)
        return
    if isinstance(answer, Found) and answer.trade.status is not None:
        operation.message = _adoption_words(payment, answer.trade, now)
        settlement.close(payment, operation, Operation.State.SUCCEEDED, None, now)
        order_copy.after_adoption(payment, operation, answer.trade, now)
        return
    if isinstance(answer, NotFound):
        text = "決済代行会社にこの取引がありません。決済オーダーIDを確認してください。"
        reason = Reason(kind=ReasonKind.NOT_FOUND, code=answer.reason.code, text=text)
        settlement.close(payment, operation, Operation.State.REFUSED, reason, now)
        return
    kind = answer.reason.kind if not isinstance(answer, Found) else ReasonKind.UNREADABLE
    detail = answer.reason.text if not isinstance(answer, Found) else ""
    reason = Reason(
        kind=kind,
        text=f"決済代行会社に確認できませんでした。取引状態は変えていません。しばらくしてからもう一度お試しください。{detail}",
    )
    settlement.close(payment, operation, Operation.State.NOT_SENT, reason, now)


def _second_live_payment(operation_id: int) -> Operation:
    """The provider has revived a payment whose order is paid otherwise: our database holds one at a time."""
    reason = Reason(
        kind=ReasonKind.WRONG_STATE,
        text=(
            "決済代行会社ではこの決済が有効ですが、この受注にはほかにも有効な決済があるため、反映していません。"
            "どちらの決済を残すか決め、不要な方を決済代行会社の管理画面で取り消してください。"
        ),
    )
    with transaction.atomic():
        payment, operation = settlement.lock(operation_id)
        settlement.close(payment, operation, Operation.State.REFUSED, reason, clock.now())
    return operation


def _adoption_words(payment: Payment, trade: Trade, now: datetime) -> str:
    provider = payment.account.provider
    before = (payment.status, payment.amount)
    old = f"{labels.status_label(provider, payment.status)} {wording.yen(payment.amount)}"
    settlement.apply_trade(payment, trade, goal=None, now=now)
    new = f"{labels.status_label(provider, payment.status)} {wording.yen(payment.amount)}"
    if (payment.status, payment.amount) == before:
        return f"決済代行会社の状態は {new} で、当店の記録と一致しています。"
    return f"決済代行会社の状態を反映しました({old} → {new})。"
