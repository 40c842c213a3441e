"""What came of an operation, as one sentence with the order's number: what happened, and what to do now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal, TypeAlias

from gateways.vocabulary import Action, CancelType, PaymentStatus
from payments import wording
from payments.cancellation import CANCEL_WORDS
from payments.models import Operation

Level: TypeAlias = Literal["success", "info", "warning", "error"]

NOTHING_EXECUTED = (
    "確認いただいた内容から変わったため、まだ何も実行していません。下の新しい内容をご確認ください。"
)


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """One message for the operator; the level is that of Django's messages."""

    level: Level
    text: str

    @property
    def alert(self) -> str:
        """Bootstrap's word for the level."""
        return "danger" if self.level == "error" else self.level


def of_operation(operation: Operation, order_number: str) -> Announcement:
    """The sentence for an operation as it now stands."""
    name = f"注文番号 {order_number} の{operation.name}"
    code = f"(エラーコード {operation.reason_code})" if operation.reason_code else ""
    message = operation.message
    match Operation.State(operation.state):
        case Operation.State.SUCCEEDED:
            return _of_success(operation, order_number)
        case Operation.State.STARTED | Operation.State.UNCONFIRMED:
            return Announcement(
                level="warning",
                text=(
                    f"{name}の結果を確認中です。再度操作する必要はありません。"
                    "結果が分かりしだい、受注編集の決済情報に表示します。"
                ),
            )
        case Operation.State.DECLINED:
            return Announcement(level="error", text=f"{name}は承認されませんでした。{message}{code}")
        case Operation.State.NOT_SENT if operation.action == Action.INQUIRE:
            return Announcement(level="warning", text=f"{name}を行えませんでした。{message}{code}")
        case Operation.State.NOT_SENT:
            return Announcement(
                level="error",
                text=(
                    f"{name}は決済代行会社に送信できなかったため、実行していません(未送信)。{message}{code}"
                    "決済は変わっていません。しばらくしてから、もう一度実行してください。"
                ),
            )
        case Operation.State.NOT_EXECUTED:
            return Announcement(
                level="warning",
                text=f"{name}は実行されていませんでした。必要なときは、もう一度実行してください。",
            )
        case Operation.State.CONTRADICTED:
            return Announcement(level="error", text=f"{name}は確認が必要です。{message}")
        case _:
            return Announcement(level="error", text=f"{name}は受け付けられませんでした。{message}{code}")


def already_executed(operation: Operation, order_number: str) -> Announcement:
    """The result of the first click, for the second one with the same form."""
    first = of_operation(operation, order_number)
    at = wording.clock_time(operation.started_at)
    return Announcement(
        level=first.level,
        text=f"{first.text}(この操作は {at} に受け付け済みです。二重には実行していません。)",
    )


def busy(operation: Operation, order_number: str) -> Announcement:
    """Somebody else's operation is under way."""
    return Announcement(
        level="warning",
        text=(
            f"注文番号 {order_number} は、{operation.actor_name}さんが {wording.clock_time(operation.started_at)} に"
            f"開始した{operation.name}を処理中です。今回の操作は実行していません。"
        ),
    )


def started_by(actor_name: str, started_at: datetime) -> str:
    """山田さん 10:32 開始"""
    return f"{actor_name}さん {wording.clock_time(started_at)} 開始"


def _of_success(operation: Operation, order_number: str) -> Announcement:
    if operation.action == Action.INQUIRE:
        return Announcement(level="info", text=f"注文番号 {order_number}：{operation.message}")
    sentence = _DONE[Action(operation.action)](operation)
    level: Level = "warning" if operation.message else "success"
    return Announcement(level=level, text=f"注文番号 {order_number} {sentence}{operation.message}")


def _ends_as(operation: Operation) -> str:
    return "即時売上" if operation.plan[-1]["result"] == PaymentStatus.CAPTURE else "仮売上"


def _captured(operation: Operation) -> str:
    amount = wording.yen(operation.amount)
    if on := operation.processing_date:
        return f"の{operation.name}を行いました(売上日 {wording.day(on)}、{amount})。"
    if len(operation.plan) > 1:
        return f"の決済金額を {amount} に変更し、売上を確定しました。"
    return f"の売上を確定しました({amount})。"


def _cancelled(operation: Operation) -> str:
    cancel_type, amount = CancelType(operation.plan[-1]["cancel_type"]), wording.yen(operation.amount)
    if on := operation.processing_date:
        kind = "仮売上の取消" if cancel_type is CancelType.VOID else f"返金日 {wording.day(on)}"
        return f"の{operation.name}を行いました({kind}、{amount})。"
    return f"の決済を取り消しました({CANCEL_WORDS[cancel_type]}、{amount})。"


def _changed(operation: Operation) -> str:
    return f"の決済金額を {wording.yen(operation.amount)} に変更しました({_ends_as(operation)})。"


def _reauthorized(operation: Operation) -> str:
    return f"を {wording.yen(operation.amount)} で再オーソリしました({_ends_as(operation)})。"


def _guided(operation: Operation) -> str:
    return f"の決済金額を {wording.yen(operation.amount)} に変更し、売上を確定しました(4段階すべて完了)。"


def _authorized(operation: Operation) -> str:
    return f"の与信が承認されました({wording.yen(operation.amount)}、{_ends_as(operation)})。"


def _requested(operation: Operation) -> str:
    return (
        f"のお支払いの申込を受け付けました({wording.yen(operation.amount)})。お客様のお支払いを待っています。"
    )


_DONE: Mapping[Action, Callable[[Operation], str]] = MappingProxyType(
    {
        Action.AUTHORIZE: _authorized,
        Action.REQUEST: _requested,
        Action.CAPTURE: _captured,
        Action.CANCEL: _cancelled,
        Action.CHANGE_AMOUNT: _changed,
        Action.REAUTHORIZE: _reauthorized,
        Action.GUIDED_CHANGE: _guided,
    }
)
