"""One entry of the 決済ログ in the words of the screen. Pure; telegrams were masked when they were written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from payments.models import Call, Operation

_STYLES: Mapping[str, str] = MappingProxyType(
    {
        Operation.State.SUCCEEDED.value: "badge-ec-green",
        Operation.State.STARTED.value: "badge-ec-yellow",
        Operation.State.UNCONFIRMED.value: "badge-ec-yellow",
        Operation.State.NOT_SENT.value: "badge-ec-grey",
        Operation.State.NOT_EXECUTED.value: "badge-ec-grey",
    }
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An operation: when, what, with which result, by whom, on which trade."""

    at: datetime
    name: str
    state: str
    style: str
    who: str
    order_id: str
    words: str
    message: str
    calls: Sequence[Call]


def entry(operation: Operation) -> Entry:
    """The entry of an operation whose payment and calls were read with it."""
    who = f"{operation.actor_name}({operation.get_source_display()})"
    if operation.ip_address:
        who = f"{who} {operation.ip_address}"
    message = operation.message
    if operation.reason_code:
        message = f"{message}(エラーコード {operation.reason_code})"
    return Entry(
        at=operation.started_at,
        name=operation.name,
        state=operation.get_state_display(),
        style=_STYLES.get(operation.state, "badge-ec-red"),
        who=who,
        order_id=operation.payment.provider_order_id,
        words=operation.words,
        message=message,
        calls=sorted(operation.calls.all(), key=lambda call: call.pk, reverse=True),
    )
