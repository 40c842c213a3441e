"""The payment panel of an order as pure data: what stands, what may be done, and why the rest may not.

Built from facts and decisions that were read before; no query here, and the clock is an argument.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from cagolab.clock import TOKYO
from gateways.vocabulary import Action, MethodKind, PaymentStatus
from payments import (
    announcements,
    deadline_words,
    deadlines,
    labels,
    panel_words,
    processing_dates,
    transitions,
    undecided,
    wording,
)
from payments.decisions import decide
from payments.facts import Facts
from payments.models import Operation, Payment
from payments.permits import Decision, Permit
from payments.transitions import Window

# Those that carry a 売上・返金日 where the provider takes one (SB-1).
DATED_ACTIONS = (Action.CAPTURE, Action.CANCEL)
# The amount differs: the button is there, and the dialog asks which way (CC-9).
NEEDS_CHOICE = "amount_differs"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the panel: field name, value, and what is remarkable about it."""

    name: str
    value: str
    badge: str = ""
    marks: tuple[str, ...] = ()
    alert: str = ""


@dataclass(frozen=True, kw_only=True)
class Button:
    """One action that may be done now."""

    action: Action
    label: str
    style: str


@dataclass(frozen=True, kw_only=True)
class DatedRequest:
    """An action with a 売上・返金日 of its own (SB-1). Once done, or impossible, `standing` says how it stands."""

    action: Action
    label: str
    style: str
    on: date
    earliest: date | None
    is_possible: bool
    standing: str


@dataclass(frozen=True, kw_only=True)
class Impossible:
    """One action that may not be done now, and why."""

    label: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class PlanStep:
    """One step of an operation of several, for 「今どこまで進んだか」. `state`: done, now, failed or waiting."""

    name: str
    state: str


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """Another payment of the same order: a refused authorization, or an older trade (PG-4)."""

    order_id: str
    status: str
    badge: str
    amount: str
    at: datetime
    message: str


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Everything that the template shows; `watched` is the operation to look at again in some seconds."""

    rows: tuple[Row, ...]
    requests: tuple[DatedRequest, ...]
    buttons: tuple[Button, ...]
    impossible: tuple[Impossible, ...]
    warnings: tuple[str, ...]
    last: announcements.Announcement | None
    steps: tuple[PlanStep, ...]
    started_by: str
    watched: int | None
    # The operation under way that only a person can end, and what that person looks up.
    undecided: int | None
    look_up: str
    refused_subscription: bool


def build(
    payment: Payment,
    facts: Facts,
    decisions: Mapping[Action, Decision],
    *,
    last_operation: Operation | None,
    now: datetime,
    may_move_money: bool,
) -> Panel:
    """The panel of a payment whose order and account are joined already."""
    order = payment.order
    is_open = facts.open_operation is not None
    needs_person = is_open and last_operation is not None and undecided.still_waits(last_operation)
    buttons, impossible = _actions(facts, decisions) if may_move_money else ((), ())
    return Panel(
        rows=_rows(payment, facts, last_operation, now),
        requests=_requests(facts, decisions, now) if may_move_money else (),
        buttons=buttons,
        impossible=impossible,
        warnings=_warnings(facts, now),
        last=_last_words(last_operation, order.number),
        steps=_steps(last_operation),
        started_by=(
            announcements.started_by(facts.open_operation.actor_name, facts.open_operation.started_at)
            if facts.open_operation
            else ""
        ),
        watched=last_operation.pk if is_open and last_operation else None,
        undecided=last_operation.pk if needs_person and last_operation else None,
        look_up=last_operation.message if needs_person and last_operation else "",
        refused_subscription=not is_open and _is_refused_subscription(payment),
    )


def attempt(payment: Payment, message: str, provider: str) -> Attempt:
    """One line of the other attempts."""
    return Attempt(
        order_id=payment.provider_order_id,
        status=labels.status_label(provider, payment.status),
        badge=panel_words.badge_style(payment.status),
        amount=wording.yen(payment.amount),
        at=payment.created_at,
        message=message,
    )


def _is_refused_subscription(payment: Payment) -> bool:
    return payment.order.is_subscription and payment.status in panel_words.NOTHING_HELD


def _rows(payment: Payment, facts: Facts, last_operation: Operation | None, now: datetime) -> tuple[Row, ...]:
    provider = payment.account.provider
    rows = [
        Row(name="決済種別", value=f"{labels.KIND_LABELS[facts.kind]}({payment.account.name})"),
        Row(
            name="取引状態",
            value=labels.standing_label(
                provider,
                payment.status,
                sale_on=deadlines.tokyo_day(payment.captured_at) if payment.captured_at else None,
                today=deadlines.tokyo_day(now),
            ),
            badge=panel_words.badge_style(payment.status),
            marks=_marks(payment, facts, now),
        ),
        Row(name="決済オーダーID", value=payment.provider_order_id),
    ]
    for key, name in panel_words.REFERENCE_ROWS:
        value = panel_words.reference_words(key, str(payment.references.get(key, "")).strip())
        if key == panel_words.METHOD and facts.kind is MethodKind.CARD:
            value = panel_words.method_words(payment.installments, payment.references)
        if value:
            rows.append(Row(name=name, value=value))
    if payment.authorized_at:
        rows.append(Row(name="与信日時", value=_moment(payment.authorized_at)))
    if payment.captured_at and facts.takes_date:
        rows.append(Row(name="売上日", value=wording.day(deadlines.tokyo_day(payment.captured_at))))
    elif payment.captured_at:
        rows.append(Row(name="売上日時", value=_moment(payment.captured_at)))
    if refunded_on := _refund_day(payment, last_operation):
        rows.append(Row(name="返金日", value=wording.day(refunded_on)))
    rows.extend(_deadline_rows(facts, now))
    rows.append(
        Row(
            name="決済金額",
            value=wording.yen(payment.amount),
            alert=(
                f"※決済金額とお支払い合計に差異があります。(お支払い合計 {wording.yen(facts.payable)})"
                if facts.amount_differs
                else ""
            ),
        )
    )
    return tuple(rows)


def _refund_day(payment: Payment, operation: Operation | None) -> date | None:
    if payment.status != PaymentStatus.RETURN or operation is None or operation.action != Action.CANCEL:
        return None
    return operation.processing_date if operation.state == Operation.State.SUCCEEDED else None


def _marks(payment: Payment, facts: Facts, now: datetime) -> tuple[str, ...]:
    marks = []
    if facts.open_operation is not None:
        marks.append("確認中")
    elif _is_refused_subscription(payment):
        marks.append("カード未決済")
    if deadlines.is_past(_capture_deadline(facts), now) and not facts.capabilities.reports_expiry:
        marks.append("期限超過(見込み)")
    if payment.dates_estimated:
        marks.append("日時は推定")
    return tuple(marks)


def _capture_deadline(facts: Facts) -> date | None:
    rule = transitions.rule(facts.family, facts.kind, facts.status, Action.CAPTURE)
    return facts.capture_deadline if rule.is_possible else None


def _change_deadline(facts: Facts) -> date | None:
    rule = transitions.rule(facts.family, facts.kind, facts.status, Action.CANCEL)
    return facts.change_deadline if rule.is_possible and rule.window is Window.CHANGE else None


def _deadline_rows(facts: Facts, now: datetime) -> list[Row]:
    rows = []
    for name, deadline in (("売上期限", _capture_deadline(facts)), ("取消期限", _change_deadline(facts))):
        if deadline is not None:
            rows.append(
                Row(
                    name=name,
                    value=f"{wording.day(deadline)}({deadline_words.days_left((deadline - deadlines.tokyo_day(now)).days)})",
                )
            )
    return rows


def _warnings(facts: Facts, now: datetime) -> tuple[str, ...]:
    deadline = _capture_deadline(facts)
    if deadline is None:
        return ()
    left = (deadline - deadlines.tokyo_day(now)).days
    until = wording.day(deadline)
    rule = transitions.rule(facts.family, facts.kind, facts.status, Action.CAPTURE)
    if left < 0 and rule.window is Window.NONE:
        return (
            f"売上期限の目安({until})を過ぎています。決済代行会社が売上を受け付けないことがあります。"
            "お早めに売上を確定するか、お客様にご連絡ください。",
        )
    if left < 0:
        can_cancel = isinstance(decide(Action.CANCEL, facts, now), Permit)
        rest = "取消は行えます。" if can_cancel else ""
        return (f"売上期限({until})を過ぎています。再度お客様にご購入頂く必要があります。{rest}",)
    if left <= deadline_words.NEAR_DAYS[0]:
        return (
            f"売上期限({until})まで{'あと' + str(left) + '日' if left else '本日限り'}です。"
            "期限を過ぎると売上を確定できません。",
        )
    return ()


def _actions(
    facts: Facts, decisions: Mapping[Action, Decision]
) -> tuple[tuple[Button, ...], tuple[Impossible, ...]]:
    buttons: list[Button] = []
    impossible: list[Impossible] = []
    for action, decision in decisions.items():
        if facts.takes_date and action in DATED_ACTIONS:
            continue  # has its own date beside it
        label = panel_words.BUTTON_LABELS[action]
        if isinstance(decision, Permit) or decision.code == NEEDS_CHOICE:
            buttons.append(Button(action=action, label=label, style=panel_words.BUTTON_STYLES[action]))
        elif action is Action.GUIDED_CHANGE and facts.changes_captured_amount:
            continue  # this contract never needs the four steps
        elif decision.code != "open":  # said once, above the buttons
            impossible.append(Impossible(label=label, reason=decision.reason))
    return tuple(buttons), tuple(impossible)


def _requests(facts: Facts, decisions: Mapping[Action, Decision], now: datetime) -> tuple[DatedRequest, ...]:
    if not facts.takes_date:
        return ()
    return tuple(
        DatedRequest(
            action=action,
            label=wording.action_name(action, is_dated=True),
            style=panel_words.BUTTON_STYLES[action],
            on=processing_dates.default(facts, now),
            earliest=processing_dates.earliest(facts),
            is_possible=isinstance(decision, Permit) or decision.code == NEEDS_CHOICE,
            standing=_standing(action, facts, decision, deadlines.tokyo_day(now)),
        )
        for action in DATED_ACTIONS
        for decision in (decisions[action],)
    )


def _standing(action: Action, facts: Facts, decision: Decision, today: date) -> str:
    """What was asked for already, in the manual's words; otherwise why it cannot be asked for."""
    if action is Action.CANCEL and facts.status in (PaymentStatus.VOID, PaymentStatus.RETURN):
        return "返金要求済みです"
    asked = facts.status is PaymentStatus.SALES or (
        facts.status is PaymentStatus.RETURN and facts.checkout_target is PaymentStatus.AUTH
    )
    if action is Action.CAPTURE and asked and facts.captured_at is not None:
        return f"売上日指定要求済み({wording.short_day(deadlines.tokyo_day(facts.captured_at), today)})"
    if isinstance(decision, Permit) or decision.code == "open":
        return ""
    return decision.reason


def _last_words(operation: Operation | None, order_number: str) -> announcements.Announcement | None:
    if operation is None or operation.state in (*Operation.OPEN_STATES, Operation.State.SUCCEEDED):
        return None
    return announcements.of_operation(operation, order_number)


def _steps(operation: Operation | None) -> tuple[PlanStep, ...]:
    if operation is None or len(operation.plan) < 2 or operation.state == Operation.State.SUCCEEDED:
        return ()
    here = "now" if operation.state in Operation.OPEN_STATES else "failed"
    states = ["done"] * operation.step + [here] + ["waiting"] * (len(operation.plan) - operation.step - 1)
    return tuple(
        PlanStep(
            name=f"{wording.ACTION_NAMES[Action(step['action'])]} {wording.yen(step['amount'])}", state=state
        )
        for step, state in zip(operation.plan, states, strict=True)
    )


def _moment(moment: datetime) -> str:
    return moment.astimezone(TOKYO).strftime("%Y/%m/%d %H:%M:%S")
