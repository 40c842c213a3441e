"""一括売上, 一括取消, 一括再オーソリ, 一括金額変更 (G5-11, X-3): the bulk kinds that move money.

They decide with the same `decide` and move money through the same door as the panel of a single order; a
row's key is the operation's, so that a repeated row replays its operation instead of sending again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from django.db.models import Max
from django.http import QueryDict

from cagolab import clock
from gateways.outcomes import NotSent, Reason, ReasonKind
from gateways.vocabulary import Action, MethodKind, PaymentStatus
from orders.bulk.models import BulkItem, BulkRun
from orders.bulk.registry import (
    Answered,
    Begun,
    Choice,
    Choices,
    DateChoice,
    EndedMeanwhile,
    Ending,
    FollowChoice,
    InvalidParameters,
    Notice,
    Ready,
    Result,
    Row,
    Skip,
    Task,
    Verdict,
    registry,
)
from payments import batches, bulk_rows, labels, operations, wording
from payments.accounts import capabilities
from payments.actors import By
from payments.cancellation import CANCEL_WORDS
from payments.decisions import decide
from payments.facts import Facts
from payments.models import GatewayAccount, Operation, Payment
from payments.panel import DATED_ACTIONS
from payments.permits import Permit, Refusal
from payments.steps import Step
from payments.throttle import CALLS_KEPT_FOR_CLICKS

_NO_PAYMENT = "決済代行会社の決済がない受注です(銀行振込、手入力の受注など)。"
_AMOUNT_DIFFERS = (
    "決済金額とお支払い合計に差異があります。受注編集で、金額を変更してから売上にするか、"
    "決済金額のまま売上にするかを選んでください。"
)
# Names, times and dates of single rows, which would split one reason into many.
_DETAIL = re.compile(r"\([^()]*\)")

_ENDINGS: Mapping[str, Ending] = {
    Operation.State.STARTED: Ending.UNKNOWN,
    Operation.State.UNCONFIRMED: Ending.UNKNOWN,
    Operation.State.SUCCEEDED: Ending.SUCCEEDED,
    Operation.State.DECLINED: Ending.FAILED,
    Operation.State.REFUSED: Ending.FAILED,
    Operation.State.NOT_SENT: Ending.NOT_SENT,
    Operation.State.NOT_EXECUTED: Ending.FAILED,
    Operation.State.CONTRADICTED: Ending.FAILED,
}


@dataclass(frozen=True, kw_only=True)
class MoneyKind:
    """One money action over many payments. `targets`: what the operator may choose as its result."""

    action: Action
    label: str
    word: str
    targets: tuple[PaymentStatus, ...] = ()
    permission: str = "payments.move_money"
    is_atomic: Literal[False] = False

    @property
    def concurrency(self) -> int:
        """What the accounts allow at a time; beyond it rows would only wait for the account's throttle."""
        allowed = GatewayAccount.objects.aggregate(most=Max("max_concurrent_calls"))["most"] or 1
        return max(1, int(allowed) - CALLS_KEPT_FOR_CLICKS)

    @property
    def code(self) -> str:
        return self.action.value

    def parse(self, posted: QueryDict) -> dict[str, Any]:
        """`target`: AUTH or CAPTURE where the action has a choice, nothing means its default. `on`: the 売上・返金日
        of every row that needs one, today unless said; frozen with the run (SB-1)."""
        if self._is_dated:
            return {"on": _day(str(posted.get("on", ""))).isoformat()}
        target = str(posted.get("target", ""))
        if not target:
            return {}
        if target not in self.targets:
            raise InvalidParameters("変更後の取引状態(仮売上・即時売上)を選択してください。")
        return {"target": target}

    def title(self, parameters: Mapping[str, Any]) -> str:
        target = parameters.get("target")
        return f"{self.label}({_TARGET_WORDS[PaymentStatus(target)]}にする)" if target else self.label

    def notices(self, run: BulkRun) -> Sequence[Notice]:
        """What holds for every row of the run."""
        follows = (
            "対応状況は、下のチェックボックスにチェックを入れた場合だけ、成功した受注で変わります。"
            if self._follows
            else "対応状況は変わりません。"
        )
        return (
            Notice(text="実行すると決済代行会社へ送信され、お客様への請求が変わります。", is_warning=True),
            Notice(text=f"{follows}お客様へメールは送信されません。"),
        )

    def follow_choice(self, run: BulkRun) -> FollowChoice | None:
        """対応状況を…にする, ticked when every account of the shop says so."""
        if not self._follows:
            return None
        cancels = self.action is Action.CANCEL
        accounts = list(GatewayAccount.objects.all())
        wishes = [account.follow_cancel if cancels else account.follow_capture for account in accounts]
        names = {account.follow_status(cancels=cancels).label for account in accounts}
        return FollowChoice(
            label=f"成功した受注の対応状況を「{'」「'.join(sorted(names))}」にする", is_default=all(wishes)
        )

    def choices(self, parameters: Mapping[str, Any]) -> Choices | None:
        """仮売上 or 即時売上 afterwards, where the action has the choice (G13-4, G13-5)."""
        if not self.targets:
            return None
        chosen = parameters.get("target", "")
        default = "ご契約の設定(購入時の処理)" if self.action is Action.REAUTHORIZE else "標準"
        wordings = {"": default, **{target.value: _TARGET_WORDS[target] for target in self.targets}}
        return Choices(
            name="target",
            label="実行後の取引状態",
            values=tuple(
                Choice(value=value, label=label, is_chosen=value == chosen)
                for value, label in wordings.items()
            ),
        )

    def date_choice(self, run: BulkRun) -> DateChoice | None:
        """売上・返金日, where the run has payments at a provider that takes one (SB-1)."""
        on = _on(run.parameters)
        dated = [
            account for account in GatewayAccount.objects.all() if capabilities(account.provider).needs_date
        ]
        if not dated or on is None:
            return None
        payments = Payment.objects.filter(
            account__in=dated,
            kind=MethodKind.CARD.value,
            pk__in=BulkItem.objects.filter(run=run).values("payment_id"),
        )
        if not (count := payments.count()):
            return None
        names = "・".join(account.name for account in dated)
        return DateChoice(
            name="on", label="売上・返金日", day=on, help=f"{names}の決済{count:,}件に使う日付です。"
        )

    def rows(self, run: BulkRun) -> Iterable[Row]:
        """Every row with its payment's facts; `amount` is what the action is about."""
        about_payable = self.action in (Action.CHANGE_AMOUNT, Action.REAUTHORIZE)
        return bulk_rows.rows(run, about_payable=about_payable)

    def judge(self, facts: Facts | None, parameters: Mapping[str, Any], now: datetime) -> Verdict:
        """The panel's decision; what needs a person's choice is left out (CC-9)."""
        if facts is None:
            return Skip(reason=_NO_PAYMENT)
        decision = decide(self.action, facts, now, target=_target(parameters), on=_on(parameters))
        if isinstance(decision, Refusal):
            if decision.code == "amount_differs":
                return Skip(reason=_AMOUNT_DIFFERS, words=decision.reason)
            return Skip(reason=_DETAIL.sub("", decision.reason), words=decision.reason)
        if decision.bulk_skip:
            return Skip(reason=decision.bulk_skip)
        return Ready(
            group=self._group(facts, decision),
            word=self._word(facts),
            words=decision.words,
            shown=decision.fingerprint,
            customer_sees=decision.customer_sees,
            warnings=decision.warnings,
            confirmation=decision.second_confirmation,
        )

    def begin(self, tasks: Sequence[Task], now: datetime) -> Mapping[UUID, Begun | Result]:
        """Claim: what is begun has its operation. One row alone goes through the ordinary door."""
        wishes = [self._wish(task) for task in tasks]
        if len(wishes) == 1:
            return {wishes[0].key: _claimed(operations.claim_wish(wishes[0], now))}
        return {key: _claimed(result) for key, result in batches.claim(wishes, now).items()}

    def send(self, begun: Begun) -> Answered | Result:
        """Call: a plain success is left to be settled with others, everything else is settled at once."""
        came_of_it = batches.call(begun.handle)
        if isinstance(came_of_it, batches.Success):
            return Answered(key=begun.key, handle=came_of_it)
        return _result(came_of_it)

    def give_back(self, begun: Begun, reason: str) -> Result:
        """End the operation as 未送信."""
        not_sent = NotSent(reason=Reason(kind=ReasonKind.BUSY, text=reason))
        return _result(operations.conclude(begun.handle, not_sent))

    def settle(self, answered: Sequence[Answered], now: datetime) -> Mapping[UUID, Result]:
        """Settle: many successes in one transaction."""
        try:
            batches.settle([one.handle for one in answered], now)
        except batches.SettledMeanwhile as overtaken:
            raise EndedMeanwhile from overtaken
        return {one.key: _result(one.handle.operation) for one in answered}

    def settle_alone(self, answered: Answered) -> Result:
        """Settle one success through the ordinary door."""
        return _result(batches.settle_alone(answered.handle))

    def known_results(self, keys: Sequence[UUID]) -> Mapping[UUID, Result]:
        """The operations that were begun under these keys, as they stand."""
        begun = Operation.objects.filter(key__in=keys).select_related("payment__account")
        return {operation.key: _result(operation) for operation in begun}

    def _wish(self, task: Task) -> operations.Wish:
        assert task.payment_id is not None
        return operations.Wish(
            payment_id=task.payment_id,
            action=self.action,
            key=task.key,
            shown=task.shown,
            by=By(name=task.actor_name, source=Operation.Source.BULK, user=task.actor, ip=task.ip_address),
            target=_target(task.parameters),
            on=_on(task.parameters),
            follow=task.follow,
        )

    @property
    def _is_dated(self) -> bool:
        return self.action in DATED_ACTIONS

    @property
    def _follows(self) -> bool:
        return self.action in (Action.CAPTURE, Action.CANCEL)

    def _word(self, facts: Facts) -> str:
        if self.action is Action.CHANGE_AMOUNT:
            return labels.amount_change(facts.family, facts.status)
        return self.word

    def _group(self, facts: Facts, permit: Permit) -> str:
        before = labels.status_label(facts.family, facts.status)
        if on := permit.steps[0].on:
            name = wording.action_name(self.action, is_dated=True)
            return f"{name}(売上・返金日 {wording.day(on)}、{before}から)"
        if permit.cancel_type is not None:
            return f"{CANCEL_WORDS[permit.cancel_type]}({before}から)"
        moves = f"{before} → {labels.status_label(facts.family, permit.result)}"
        return f"{self._word(facts)}({moves})" if self.action is Action.CHANGE_AMOUNT else moves


_TARGET_WORDS = {PaymentStatus.AUTH: "仮売上", PaymentStatus.CAPTURE: "即時売上"}
_CHOICE = (PaymentStatus.AUTH, PaymentStatus.CAPTURE)

KINDS = (
    MoneyKind(action=Action.CAPTURE, label="一括売上", word="売上"),
    MoneyKind(action=Action.CANCEL, label="一括取消", word="取消"),
    MoneyKind(action=Action.REAUTHORIZE, label="一括再オーソリ", word="再オーソリ", targets=_CHOICE),
    MoneyKind(action=Action.CHANGE_AMOUNT, label="一括金額変更", word="金額変更", targets=_CHOICE),
)


def register() -> None:
    """Hand the kinds to the bulk engine."""
    for kind in KINDS:
        registry.register(kind)


def _day(text: str) -> date:
    if not text:
        return clock.today()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidParameters(
            "売上・返金日は「2026-12-31」のように実在する日付で入力してください。"
        ) from error


def _on(parameters: Mapping[str, Any]) -> date | None:
    on = parameters.get("on")
    return date.fromisoformat(on) if on else None


def _target(parameters: Mapping[str, Any]) -> PaymentStatus | None:
    target = parameters.get("target")
    return PaymentStatus(target) if target else None


def _claimed(result: operations.Result) -> Begun | Result:
    if isinstance(result, operations.Busy):
        return Result(ending=Ending.FAILED, message=_busy(result.operation))
    if isinstance(result, operations.Changed):
        return Result(ending=Ending.RECHECK, message=_changed(result.decision))
    if isinstance(result, operations.Replayed):
        return _result(result.operation)
    return Begun(key=result.operation.key, handle=result.operation)


def _busy(operation: Operation) -> str:
    return (
        f"別の操作({operation.name})が実行中です"
        f"({operation.actor_name}さん {wording.clock_time(operation.started_at)} 開始)。送信していません。"
    )


def _changed(decision: Permit | Refusal) -> str:
    now_is = decision.reason if isinstance(decision, Refusal) else f"現在の判定: {decision.words}"
    return f"確認後に条件が変わったため、送信していません。{now_is}"


def _result(operation: Operation) -> Result:
    ending = _ENDINGS[operation.state]
    if ending is Ending.UNKNOWN:
        return Result(
            ending=ending,
            message="送信しましたが、結果を確認中です。結果が分かるまで、この決済は操作できません。",
        )
    if ending is not Ending.SUCCEEDED:
        return Result(ending=ending, message=operation.message or operation.get_state_display())
    result = Step.from_json(operation.plan[-1]).result
    label = labels.standing_label(
        operation.payment.account.provider,
        result,
        sale_on=operation.processing_date,
        today=clock.today(),
    )
    return Result(ending=ending, message=f"{label}になりました。{operation.message}")
