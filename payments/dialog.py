"""The confirm dialog of a money action as pure data: what will happen, what the customer sees, what to choose."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from gateways.vocabulary import Action, PaymentStatus
from orders.statuses import OPERATOR_MOVES, OrderStatus
from payments import panel, panel_words, processing_dates, transitions, wording
from payments.cancellation import CANCEL_WORDS
from payments.facts import Facts
from payments.permits import CaptureMode, Choices, Decision, Permit

if TYPE_CHECKING:
    from payments.models import GatewayAccount, Payment

_TARGET_WORDS = {
    PaymentStatus.AUTH: "仮売上(請求は後で売上確定を行ったとき)",
    PaymentStatus.CAPTURE: "即時売上(すぐに請求が確定)",
}
_TARGET_LEGENDS = {
    Action.CHANGE_AMOUNT: "金額変更後の取引状態",
    Action.REAUTHORIZE: "再オーソリ後の取引状態",
}
_CONFIRM_WORDS = {
    Action.CAPTURE: "売上を確定する",
    Action.CANCEL: "取消(返品)する",
    Action.CHANGE_AMOUNT: "決済金額を変更する",
    Action.REAUTHORIZE: "再オーソリする",
    Action.GUIDED_CHANGE: "4段階の変更を始める",
    Action.INQUIRE: "照会して反映する",
}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One radio button; choosing it asks the server for the dialog again, so that the words always match."""

    name: str
    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, kw_only=True)
class Follow:
    """The check box that lets 対応状況 follow the money, once it has moved."""

    label: str
    is_ticked: bool


@dataclass(frozen=True, kw_only=True)
class Dialog:
    """What the dialog's template shows. Without a permit there is nothing to confirm, only a reason."""

    action: Action
    title: str
    confirm_label: str
    confirm_style: str
    order_number: str
    customer_name: str
    amount: int
    payable: int | None
    permit: Permit | None
    reason: str
    legend: str
    choices: tuple[Choice, ...]
    follow: Follow | None
    # 売上・返金日, where the provider needs one (SB-1), and the first day that may be chosen.
    processing_date: date | None
    earliest_date: date | None


def build(
    payment: Payment,
    facts: Facts,
    decision: Decision,
    action: Action,
    *,
    chosen: Choices,
    now: datetime,
    follow: bool | None,
) -> Dialog:
    """The dialog for a decision. `follow` is what the operator ticked so far; None means the account's default."""
    is_dated = facts.takes_date and action in panel.DATED_ACTIONS
    permit = decision if isinstance(decision, Permit) else None
    choices = _choices(facts, action, chosen.target, chosen.mode)
    reason = "" if isinstance(decision, Permit) else decision.reason
    if choices and not isinstance(decision, Permit) and decision.code == panel.NEEDS_CHOICE:
        reason = ""  # the choice below asks the same
    return Dialog(
        action=action,
        title=panel_words.button_label(action, is_dated=is_dated),
        confirm_label=_confirm_words(action, permit, is_dated=is_dated),
        confirm_style=panel_words.BUTTON_STYLES[action],
        order_number=payment.order.number,
        customer_name=payment.order.name,
        amount=payment.amount,
        payable=facts.payable if facts.payable != payment.amount else None,
        permit=permit,
        reason=reason,
        legend=_legend(action, choices),
        choices=choices,
        follow=follow_option(action, facts.order_status, payment.account, follow) if permit else None,
        processing_date=chosen.on or processing_dates.default(facts, now) if is_dated else None,
        earliest_date=processing_dates.earliest(facts) if is_dated else None,
    )


def follow_option(
    action: Action, status: OrderStatus, account: GatewayAccount, ticked: bool | None
) -> Follow | None:
    """The check box for an action, or None where the order could not take that 対応状況."""
    defaults = {Action.CAPTURE: account.follow_capture, Action.CANCEL: account.follow_cancel}
    if action not in defaults:
        return None
    to = account.follow_status(cancels=action is Action.CANCEL)
    if to not in OPERATOR_MOVES[status]:
        return None
    return Follow(
        label=f"実行できたら、対応状況を{to.label}にする(現在：{status.label})",
        is_ticked=defaults[action] if ticked is None else ticked,
    )


def _confirm_words(action: Action, permit: Permit | None, *, is_dated: bool) -> str:
    if is_dated:
        return f"{wording.action_name(action, is_dated=True)}を実行する"
    if action is Action.CANCEL and permit and permit.cancel_type:
        return f"{CANCEL_WORDS[permit.cancel_type]}を実行する"
    return _CONFIRM_WORDS[action]


def _legend(action: Action, choices: tuple[Choice, ...]) -> str:
    if not choices:
        return ""
    if len(choices) == 1:
        return "決済金額とお支払い合計に差異があります。金額の変更はできません。"
    return _TARGET_LEGENDS.get(
        action, "決済金額とお支払い合計に差異があります。どちらの金額で売上を確定しますか。"
    )


def _choices(
    facts: Facts, action: Action, target: PaymentStatus | None, mode: CaptureMode | None
) -> tuple[Choice, ...]:
    if action is Action.CAPTURE:
        return _capture_choices(facts, mode) if facts.amount_differs else ()
    if action not in _TARGET_LEGENDS:
        return ()
    results = transitions.rule(facts.family, facts.kind, facts.status, action).results
    if len(results) < 2:
        return ()
    default = facts.checkout_target if action is Action.REAUTHORIZE else results[0]
    return tuple(
        Choice(
            name="target",
            value=result.value,
            label=_TARGET_WORDS[result],
            is_chosen=result == (target or default),
        )
        for result in results
    )


def _capture_choices(facts: Facts, mode: CaptureMode | None) -> tuple[Choice, ...]:
    as_it_is = Choice(
        name="mode",
        value="as_is",
        label=f"変更せずに {wording.yen(facts.amount)} のまま売上を確定する",
        is_chosen=mode == "as_is",
    )
    if Action.CHANGE_AMOUNT not in facts.capabilities.actions:
        return (as_it_is,)
    changed = Choice(
        name="mode",
        value="change_first",
        label=f"{wording.yen(facts.payable)} に金額を変更してから売上を確定する",
        is_chosen=mode == "change_first",
    )
    return (changed, as_it_is)
