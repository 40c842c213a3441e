"""The questions that every action has in common: is it a real payment, is it free, does the table allow it, is it in time?"""

from __future__ import annotations

from datetime import datetime

from gateways.vocabulary import Action, PaymentStatus
from payments import deadlines, transitions, wording
from payments.facts import Facts
from payments.permits import Refusal
from payments.transitions import Rule, Window


def admit(action: Action, facts: Facts, now: datetime, *, target: PaymentStatus | None) -> Rule | Refusal:
    """The table's rule for the action, or why it is not possible at all."""
    if action is not Action.INQUIRE and facts.open_operation is not None:
        return _under_way(facts)
    rule = transitions.rule(facts.family, facts.kind, facts.status, action)
    if not rule.is_possible:
        return Refusal(code="status", reason=rule.refusal)
    if action not in facts.capabilities.actions | {Action.INQUIRE, Action.GUIDED_CHANGE}:
        return Refusal(code="provider", reason="この決済代行会社では、この操作は行えません。")
    if late := _too_late(action, rule, facts, now):
        return late
    if target is not None and target not in rule.results:
        return Refusal(
            code="target", reason="変更後の取引状態の指定が正しくありません。画面を読み込み直してください。"
        )
    return rule


def _under_way(facts: Facts) -> Refusal:
    assert facts.open_operation is not None
    name = wording.action_name(Action(facts.open_operation.action), is_dated=facts.takes_date)
    started = wording.clock_time(facts.open_operation.started_at)
    return Refusal(
        code="open",
        reason=f"{name}の結果を確認中です({facts.open_operation.actor_name}さん {started} 開始)。確認が終わるまで操作できません。",
    )


def _too_late(action: Action, rule: Rule, facts: Facts, now: datetime) -> Refusal | None:
    if rule.window is Window.CAPTURE and deadlines.is_past(facts.capture_deadline, now):
        assert facts.capture_deadline is not None
        until = wording.day(facts.capture_deadline)
        if action is Action.CAPTURE:
            return Refusal(
                code="too_late",
                reason=f"仮売上の期限({until})を過ぎています。再度お客様にご購入頂く必要があります。",
            )
        wish = "取消" if action is Action.CANCEL else "金額の変更"
        return Refusal(code="too_late", reason=f"仮売上の期限({until})を過ぎているため、{wish}はできません。")
    if rule.window is Window.CHANGE and deadlines.is_past(facts.change_deadline, now):
        assert facts.change_deadline is not None
        return Refusal(
            code="too_late",
            reason=(
                f"決済代行会社がデータを保持する期限({wording.day(facts.change_deadline)})を過ぎています。"
                "直接お客様口座にご返金ください。"
            ),
        )
    return None
