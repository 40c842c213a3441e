"""要判断の決済操作, a part of them: operations that no inquiry can end, since the provider cannot tell whether they made a trade.

Two ways this happens: SBPS finds no payment by our number, and Paygent's "no such payment" is not known by its code.
A person looks at the provider's own screen, and then
- there is no trade: the operation ends as not executed, with the person's reason; or
- there is one: its number is verified by asking the provider, and only then the operation goes on from it.
Before either, the provider is asked once more wherever it can be asked. Both take the lock that recovery takes, and
look again behind the payment's lock, so that of two people, or two tabs, one decides.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from cagolab import clock
from gateways.interface import Lost, Traced, Tracing
from gateways.outcomes import NotSent, Reason, ReasonKind, Refused, Unknown
from gateways.vocabulary import Action
from payments import (
    accounts,
    announcements,
    calling,
    inquiry,
    recovery,
    resuming,
    settlement,
    throttle,
    wording,
)
from payments.actors import By
from payments.journal import OperationJournal
from payments.judgement import WAITING, outcome_text
from payments.models import Operation, Payment

# Kept in Operation.progress once a person has found the trade: from then on asking ends the operation.
_TRACED = "traced"
_NOT_TOLD = outcome_text(Unknown(reason=Reason(kind=ReasonKind.NOT_TOLD)))


_CROWDED = NotSent(
    reason=Reason(kind=ReasonKind.BUSY, text="通信が混み合っているため、照会できませんでした。")
)
_NOT_CONFIGURED = (
    "決済アカウントの接続情報が設定されていないため、照会できません。設定してから、もう一度登録してください。"
)
_UNCHANGED = "まだ何も変えていません。"
_BUSY = f"いま自動確認が照会しています。少し待ってから、もう一度登録してください。{_UNCHANGED}"
_ALREADY = "この操作は、すでに終了したか、ほかの人が登録しました。何も変えていません。"
_NOT_ASKED = f"いま決済代行会社に照会できないため、取引なしと判断できません。時間をおいて、もう一度登録してください。{_UNCHANGED}"
# What holds once it is known that nothing was made.
_AFTERWARDS = {
    Action.AUTHORIZE: "お客様への請求はありません。必要なときは、お客様に再度ご購入をご案内ください。",
    Action.CHANGE_AMOUNT: "元の決済は変更前の金額のまま有効です。必要なときは、もう一度金額を変更してください。",
}


@dataclass(frozen=True, kw_only=True)
class Decided:
    """The operation has ended, or goes on by itself; `text` says how."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Left:
    """Nothing was changed, and this is why."""

    text: str


def waiting() -> QuerySet[Operation]:
    """Every operation that waits for a person, oldest first."""
    return (
        Operation.objects.filter(state=Operation.State.UNCONFIRMED, reason_kind=ReasonKind.NOT_TOLD.value)
        .exclude(action=Action.INQUIRE.value)
        .exclude(progress__has_key=_TRACED)
        .select_related("payment__order", "payment__account")
        .order_by("pk")
    )


def decidable_from(operation: Operation) -> datetime:
    """Before this moment the provider may still be executing what was sent."""
    longest = accounts.capabilities(operation.payment.account.provider).longest_call_seconds
    return operation.started_at + timedelta(seconds=longest) + WAITING


def amount(operation: Operation) -> int:
    """Yen of the trade that is looked for."""
    return settlement.current_step(operation).amount


def known_as(operation: Operation) -> str:
    """Our number of the lost trade on the provider's own screen."""
    tracing = _tracing(operation.payment)
    if tracing is None:
        return operation.payment.provider_order_id
    return tracing.known_as(calling.reference(operation.payment), _lost(operation))


def conclude_absent(*, operation_id: int, reason: str, by: By, now: datetime) -> Decided | Left:
    """The person has seen that there is no trade. The provider is asked once more before it is believed."""
    if left := _not_yet(operation_id, now):
        return left
    with resuming.alone(operation_id) as is_alone:
        if not is_alone:
            return Left(text=_BUSY)
        asked = inquiry.ask_and_settle(operation_id=operation_id, now=now)
        if asked.state not in Operation.OPEN_STATES:
            number = asked.payment.order.number
            told = announcements.of_operation(asked, number).text
            return Decided(text=f"決済代行会社に照会したところ、結果が分かりました。{told}")
        if asked.last_answer != _NOT_TOLD:
            return Left(text=_NOT_ASKED)
        with transaction.atomic():
            payment, operation = settlement.lock(operation_id)
            if not still_waits(operation):
                return Left(text=_ALREADY)
            note = _note(operation, by, now, words=f"取引なしとして終了。理由：{reason}")
            _end(note, Operation.State.SUCCEEDED, "")
            text = f"{by.name}さんが決済代行会社の管理画面で取引がないことを確認しました。理由：{reason}"
            why = Reason(kind=ReasonKind.NOT_TOLD, text=text)
            settlement.close_as_absent(payment, operation, why, clock.now())
    return Decided(
        text=f"注文番号 {payment.order.number} の{operation.name}を「取引なし」として終了しました。"
        f"{_AFTERWARDS[settlement.current_step(operation).action]}"
    )


def conclude_present(*, operation_id: int, trade_id: str, by: By, now: datetime) -> Decided | Left:
    """The person has read the provider's number of the trade. It is asked about first; a wrong one changes nothing."""
    if left := _not_yet(operation_id, now):
        return left
    operation = _read(operation_id)
    payment = operation.payment
    rules = accounts.capabilities(payment.account.provider)
    tracing = _tracing(payment)
    if tracing is None:
        return Left(text=_NOT_CONFIGURED)
    if not re.fullmatch(rules.trace_pattern, trade_id):
        return Left(text=f"番号「{trade_id}」の形が正しくありません。{_UNCHANGED}")
    others = Payment.objects.filter(account=payment.account, **{f"references__{rules.trace_key}": trade_id})
    if other := others.exclude(pk=payment.pk).select_related("order").first():
        return Left(
            text=f"番号「{trade_id}」は、注文番号 {other.order.number} の決済に使われています。{_UNCHANGED}"
        )
    note = _note(operation, by, now, words=f"取引ありとして照会：{trade_id}")
    with throttle.slot(payment.account) as admitted:
        traced: Traced | Refused | NotSent | Unknown = _CROWDED
        if admitted:
            where = calling.reference(payment)
            traced = tracing.trace(where, _lost(operation), trade_id, OperationJournal(note))
    if not isinstance(traced, Traced):
        return _not_verified(note, traced.reason)
    return _go_on(operation_id, note, traced)


def _go_on(operation_id: int, note: Operation, traced: Traced) -> Decided | Left:
    """Remember where the trade is, and let asking do the rest, as recovery would."""
    with resuming.alone(operation_id) as is_alone, transaction.atomic():
        _payment, operation = settlement.lock(operation_id)
        if not is_alone or not still_waits(operation):
            left = _BUSY if not is_alone else _ALREADY
            _end(note, Operation.State.REFUSED, left)
            return Left(text=left)
        operation.progress = {**operation.progress, **traced.progress, _TRACED: "1"}
        operation.save(update_fields=["progress"])
        _end(
            note, Operation.State.SUCCEEDED, "決済代行会社に照会し、この操作の取引であることを確認しました。"
        )
    operation = recovery.recover(operation, clock.now())
    told = announcements.of_operation(operation, operation.payment.order.number).text
    return Decided(text=f"取引を確認しました。{told}")


def _not_yet(operation_id: int, now: datetime) -> Left | None:
    operation = _read(operation_id)
    if not still_waits(operation):
        return Left(text=_ALREADY)
    if now < (begin := decidable_from(operation)):
        return Left(
            text=f"決済代行会社でまだ処理中かもしれません。{wording.clock_time(begin)} 以降に登録してください。{_UNCHANGED}"
        )
    return None


def _read(operation_id: int) -> Operation:
    return Operation.objects.select_related("payment__order", "payment__account").get(pk=operation_id)


def still_waits(operation: Operation) -> bool:
    """Whether a person has to say what became of it."""
    return (
        operation.state == Operation.State.UNCONFIRMED
        and operation.reason_kind == ReasonKind.NOT_TOLD
        and _TRACED not in operation.progress
    )


def _tracing(payment: Payment) -> Tracing | None:
    """Who can be asked about a number; None while the account's credentials are missing."""
    try:
        gateway = accounts.gateway(payment.account.code)
    except accounts.AccountNotConfigured:
        return None
    return gateway if isinstance(gateway, Tracing) else None


def _lost(operation: Operation) -> Lost:
    step = settlement.current_step(operation)
    return Lost(action=step.action, amount=step.amount, progress=operation.progress)


def _note(operation: Operation, by: By, now: datetime, *, words: str) -> Operation:
    """The person's part as a row of the 決済ログ: who, when, from where, and what was said or asked."""
    payment = operation.payment
    return Operation.objects.create(
        payment=payment,
        action=Action.INQUIRE.value,
        key=uuid.uuid4(),
        plan=[],
        status_before=payment.status,
        amount_before=payment.amount,
        amount=payment.amount,
        words=words[:300],
        source=by.source,
        actor=by.user,
        actor_name=by.name,
        ip_address=by.ip,
        started_at=now,
        timeout_at=settlement.call_timeout(payment, now),
    )


def _end(note: Operation, state: Operation.State, message: str) -> None:
    note.state, note.message, note.settled_at = state, message[:400], clock.now()
    note.save(update_fields=["state", "message", "settled_at"])


def _not_verified(note: Operation, reason: Reason) -> Left:
    text = f"{reason.text}{_UNCHANGED}番号を確かめて、もう一度登録してください。"
    _end(note, Operation.State.REFUSED, text)
    return Left(text=text)
