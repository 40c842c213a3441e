"""What each action would do to a payment now: its steps, the operator's words, what the customer sees."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import TypeAlias

from gateways.vocabulary import Action, CancelType, PaymentStatus
from orders.statuses import OrderStatus
from payments import deadlines, gates, processing_dates, wording
from payments.cancellation import CANCEL_WORDS, cancel_decision
from payments.facts import Facts
from payments.permits import Choices, Decision, Permit, Refusal
from payments.steps import Step
from payments.transitions import Rule

Decider: TypeAlias = Callable[[Facts, datetime, Rule, Choices], Decision]


def capture(facts: Facts, now: datetime, rule: Rule, choices: Choices) -> Decision:
    warnings: list[str] = []
    bulk_skip = ""
    if facts.order_status in (OrderStatus.CANCELLED, OrderStatus.RETURNED):
        bulk_skip = f"対応状況が「{facts.order_status.label}」です。"
        warnings.append(f"{bulk_skip}請求してよいか確認してください。")
    on = _processing_date(facts, choices, now)
    if isinstance(on, Refusal):
        return on
    capture = Step(action=Action.CAPTURE, result=rule.results[0], amount=facts.amount, on=on)
    warnings += processing_dates.capture_warnings(facts, on, now)
    if not facts.amount_differs:
        return Permit(
            action=Action.CAPTURE,
            steps=(capture,),
            words=f"{wording.yen(facts.amount)}{processing_dates.capture_words(on)}",
            customer_sees=wording.CUSTOMER_SEES_CAPTURE,
            warnings=tuple(warnings),
            bulk_skip=bulk_skip,
        )
    difference = f"決済金額 {wording.yen(facts.amount)} と お支払い合計 {wording.yen(facts.payable)} に差異があります。"
    if choices.mode == "as_is":
        return Permit(
            action=Action.CAPTURE,
            steps=(capture,),
            words=f"金額を変更せず、{wording.yen(facts.amount)}{processing_dates.capture_words(on)}",
            customer_sees=f"お客様には変更前の {wording.yen(facts.amount)} が請求されます。",
            warnings=(difference, *warnings),
            bulk_skip=difference,
        )
    if choices.mode == "change_first":
        change = _change_to_a_hold(facts, now)
        if isinstance(change, Refusal):
            return change
        after = Step(action=Action.CAPTURE, result=rule.results[0], amount=facts.payable)
        return Permit(
            action=Action.CAPTURE,
            steps=(*change.steps, after),
            words=(
                f"決済金額を {wording.yen(facts.amount)} から {wording.yen(facts.payable)} に変更し、"
                "続けて売上を確定します(実売上)。"
            ),
            customer_sees=wording.CUSTOMER_SEES_CAPTURE,
            warnings=(*change.warnings, *warnings),
            bulk_skip=bulk_skip,
        )
    if Action.CHANGE_AMOUNT not in facts.capabilities.actions:
        choose = "金額の変更はできません。決済金額のまま売上にするかを選んでください。"
    else:
        choose = "「金額を変更してから売上」か「決済金額のまま売上」を選んでください。"
    return Refusal(code="amount_differs", reason=f"{difference}{choose}")


def cancel(facts: Facts, now: datetime, rule: Rule, choices: Choices) -> Decision:
    if len(rule.results) == 1:  # decided by state, not by day
        by_state = CancelType(rule.results[0].value)
        kind: CancelType | None = by_state
        reason = f"{CANCEL_WORDS[by_state]}します。"
    else:
        by_rule = cancel_decision(facts.status, facts.authorized_at, facts.captured_at, now)
        kind, reason = by_rule.cancel_type, by_rule.words
    if kind is None:
        return Refusal(code="status", reason="翌月以降は取り消せません。請求はありません。")
    on = _processing_date(facts, choices, now)
    if isinstance(on, Refusal):
        return on
    if on is not None:
        reason = processing_dates.cancel_words(facts, kind, on)
    sold = facts.captured_at is not None
    return Permit(
        action=Action.CANCEL,
        steps=(
            Step(
                action=Action.CANCEL,
                result=PaymentStatus(kind.value),
                amount=facts.amount,
                cancel_type=kind,
                on=on,
            ),
        ),
        words=reason,
        customer_sees=(
            wording.CUSTOMER_SEES_SALE_CANCELLED if sold else wording.CUSTOMER_SEES_HOLD_CANCELLED
        ),
        warnings=tuple(processing_dates.cancel_warnings(facts, on, now)),
    )


def change_amount(facts: Facts, now: datetime, rule: Rule, choices: Choices) -> Decision:
    if refusal := _unpayable(facts) or _nothing_to_change(facts):
        return refusal
    sold = facts.captured_at is not None
    if sold and not facts.changes_captured_amount:
        return Refusal(
            code="guided",
            reason=(
                "ご契約では売上確定後の金額を直接変更できません。"
                "「決済金額変更(4段階)」で、取消・再オーソリ・金額変更・売上を順に行ってください。"
            ),
        )
    result = choices.target or rule.results[0]
    warnings: list[str] = []
    second = ""
    if sold and deadlines.past_closing_day(facts.captured_at, facts.closing_day, now):
        warnings.append(wording.CLOSING_DATE_PASSED)
    if facts.uses_3ds and facts.capabilities.loses_3ds:
        warnings.append(
            "3Dセキュアで認証された決済です。金額を変更すると3Dセキュアなしの決済になり、"
            "不正利用の際の補償(チャージバック)の対象外になります。"
        )
    if result is not PaymentStatus.AUTH:
        sees = wording.CUSTOMER_SEES_CHARGE_CHANGED if sold else wording.CUSTOMER_SEES_CHARGE_NOW
        ends_as = "即時売上" if result is PaymentStatus.CAPTURE else "実売上"
    else:
        sees = wording.CUSTOMER_SEES_WITHDRAWN if sold else wording.CUSTOMER_SEES_HOLD_CHANGED
        ends_as = "仮売上"
        second = (
            "確定していた請求を取り下げ、後で売上確定(実売上)をやり直すことを確認しました。" if sold else ""
        )
    return Permit(
        action=Action.CHANGE_AMOUNT,
        steps=(Step(action=Action.CHANGE_AMOUNT, result=result, amount=facts.payable),),
        words=(
            f"決済金額を {wording.yen(facts.amount)} から {wording.yen(facts.payable)} に変更し、"
            f"{ends_as}にします。"
        ),
        customer_sees=sees,
        warnings=tuple(warnings),
        second_confirmation=second,
    )


def reauthorize(facts: Facts, now: datetime, rule: Rule, choices: Choices) -> Decision:
    if facts.order_status in (OrderStatus.CANCELLED, OrderStatus.RETURNED):
        return Refusal(
            code="order_status",
            reason=(
                f"対応状況が「{facts.order_status.label}」のため、再オーソリできません。"
                "先に対応状況を変更してください。"
            ),
        )
    if facts.other_payment_is_live:
        return Refusal(
            code="other_live", reason="この注文には別の有効な決済があるため、再オーソリできません。"
        )
    if refusal := _unpayable(facts):
        return refusal
    result = choices.target or facts.checkout_target
    charged = result is PaymentStatus.CAPTURE
    return Permit(
        action=Action.REAUTHORIZE,
        steps=(Step(action=Action.REAUTHORIZE, result=result, amount=facts.payable),),
        words=f"{wording.yen(facts.payable)}で再オーソリを行い、{'即時売上' if charged else '仮売上'}にします。",
        customer_sees=wording.CUSTOMER_SEES_RECHARGED if charged else wording.CUSTOMER_SEES_REAUTHORIZED,
    )


def guided_change(facts: Facts, now: datetime, rule: Rule, choices: Choices) -> Decision:
    if facts.changes_captured_amount:
        return Refusal(code="direct", reason="ご契約では「決済金額変更」で直接変更できます。")
    if refusal := _unpayable(facts) or _nothing_to_change(facts):
        return refusal
    first = gates.admit(Action.CANCEL, facts, now, target=None)
    if isinstance(first, Refusal):
        return first
    cancelled = cancel(facts, now, first, Choices())
    if isinstance(cancelled, Refusal):
        return cancelled
    return Permit(
        action=Action.GUIDED_CHANGE,
        steps=(
            *cancelled.steps,
            Step(action=Action.REAUTHORIZE, result=PaymentStatus.AUTH, amount=facts.amount),
            Step(action=Action.CHANGE_AMOUNT, result=PaymentStatus.AUTH, amount=facts.payable),
            Step(action=Action.CAPTURE, result=PaymentStatus.SALES, amount=facts.payable),
        ),
        words=(
            f"次の4段階を順に行います。(1) 取消：{cancelled.words} "
            f"(2) 再オーソリ：{wording.yen(facts.amount)} "
            f"(3) 金額変更：{wording.yen(facts.payable)} (4) 売上確定(実売上)"
        ),
        customer_sees=(
            "お客様の明細には、はじめの売上を取り消した履歴が残り、"
            f"改めて {wording.yen(facts.payable)} が請求されます。"
        ),
        warnings=(
            "再オーソリが承認されなかった場合、この注文は有効な決済のない状態になります。"
            "その場合はお客様に再度ご購入頂く必要があります。",
        ),
        bulk_skip="4段階の操作が必要です。受注編集から行ってください。",
    )


def inquire(facts: Facts, now: datetime, rule: Rule, choices: Choices) -> Decision:
    return Permit(
        action=Action.INQUIRE,
        steps=(Step(action=Action.INQUIRE, result=facts.status, amount=facts.amount),),
        words="決済代行会社に最新の取引状態を問い合わせ、反映します。",
        customer_sees="お客様への影響はありません。",
    )


def authorize(facts: Facts, now: datetime, rule: Rule, choices: Choices) -> Decision:
    if refusal := _unpayable(facts):
        return refusal
    return Permit(
        action=Action.AUTHORIZE,
        steps=(
            Step(
                action=Action.AUTHORIZE, result=choices.target or facts.checkout_target, amount=facts.payable
            ),
        ),
        words=f"{wording.yen(facts.payable)}の与信を行います。",
        customer_sees="",
    )


def request(facts: Facts, now: datetime, rule: Rule, choices: Choices) -> Decision:
    if refusal := _unpayable(facts):
        return refusal
    return Permit(
        action=Action.REQUEST,
        steps=(Step(action=Action.REQUEST, result=rule.results[0], amount=facts.payable),),
        words=f"{wording.yen(facts.payable)}のお支払いを申し込みます。",
        customer_sees="",
    )


def _unpayable(facts: Facts) -> Refusal | None:
    if facts.payable == 0:
        return Refusal(
            code="zero", reason="お支払い合計が0円のため行えません。請求しない場合は取消を行ってください。"
        )
    highest = facts.capabilities.max_amount_by_kind.get(facts.kind, facts.capabilities.max_amount)
    if facts.payable > highest:
        limit = wording.yen(highest)
        return Refusal(code="too_much", reason=f"お支払い合計が決済できる上限({limit})を超えています。")
    return None


def _nothing_to_change(facts: Facts) -> Refusal | None:
    if facts.amount == facts.payable:
        return Refusal(
            code="no_difference",
            reason="決済金額とお支払い合計は同じです。金額を変えるときは、先に受注を登録してください。",
        )
    return None


def _change_to_a_hold(facts: Facts, now: datetime) -> Decision:
    rule = gates.admit(Action.CHANGE_AMOUNT, facts, now, target=PaymentStatus.AUTH)
    if isinstance(rule, Refusal):
        return rule
    return change_amount(facts, now, rule, Choices(target=PaymentStatus.AUTH))


def _processing_date(facts: Facts, choices: Choices, now: datetime) -> date | None | Refusal:
    """売上・返金日 (SB-1): not before the authorization, nor before the sale; None where no date is sent."""
    if not facts.takes_date:
        return None
    on = choices.on or processing_dates.default(facts, now)
    earliest = processing_dates.earliest(facts)
    if earliest is not None and on < earliest:
        what = "売上日" if facts.captured_at else "与信日"
        return Refusal(
            code="date",
            reason=f"売上・返金日は、{what}({wording.day(earliest)})以降の日付を指定してください。",
        )
    return on
