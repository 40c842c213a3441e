"""What a payment status means, until when something must happen, and what may be done in it (G13-7).

Read from the table of transitions and the accounts' days, so that the page cannot say anything else than the
service does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from gateways.vocabulary import Action, PaymentStatus
from payments import labels, wording
from payments.models import GatewayAccount
from payments.transitions import TABLE, Window

# The pages, in the order of a payment's life, with the manual's short names.
PAGES: Mapping[str, str] = MappingProxyType(
    {
        PaymentStatus.AUTH.value: "仮売上",
        PaymentStatus.SALES.value: "実売上",
        PaymentStatus.CAPTURE.value: "即時売上",
        PaymentStatus.VOID.value: "取消",
        PaymentStatus.RETURN.value: "返品",
        PaymentStatus.RETURNX.value: "月跨返品",
        PaymentStatus.CHECK.value: "有効性チェック",
    }
)

# 一括操作, in the manual's order: kind of the bulk run and its word.
BULK_KINDS: Mapping[Action, str] = MappingProxyType(
    {
        Action.CAPTURE: "一括売上",
        Action.CANCEL: "一括取消",
        Action.REAUTHORIZE: "一括再オーソリ",
        Action.CHANGE_AMOUNT: "一括金額変更",
    }
)


@dataclass(frozen=True, kw_only=True)
class Guide:
    """The head of a status page."""

    name: str
    meaning: str
    deadlines: tuple[str, ...]
    actions: str
    bulk_kinds: Mapping[Action, str]


def guide(status: str, accounts: Sequence[GatewayAccount]) -> Guide:
    """The head of the page of one status; `accounts` give their contracts' days and what their provider allows."""
    windows = {account: _windows(PaymentStatus(status), account.provider) for account in accounts}
    allowed = [action for action in BULK_KINDS if any(action in own for own in windows.values())]
    return Guide(
        name=PAGES[status],
        meaning=labels.status_meaning(status),
        deadlines=tuple(
            sentence for account, own in windows.items() if (sentence := _deadlines(own, account))
        ),
        actions="、".join(wording.ACTION_NAMES[action] for action in allowed),
        bulk_kinds={action: BULK_KINDS[action] for action in allowed},
    )


def _windows(status: PaymentStatus, provider: str) -> dict[Action, Window]:
    return {
        action: rule.window
        for (family, _kind), edges in TABLE.items()
        for action, rule in edges.get(status, {}).items()
        if family == provider
    }


def _deadlines(windows: Mapping[Action, Window], account: GatewayAccount) -> str:
    days = {Window.CAPTURE: account.capture_days, Window.CHANGE: account.change_days}
    since = {Window.CAPTURE: "与信日", Window.CHANGE: "与信日(売上確定後は売上日)"}
    parts = []
    for window in (Window.CAPTURE, Window.CHANGE):
        names = [wording.ACTION_NAMES[action] for action in BULK_KINDS if windows.get(action) is window]
        if names:
            parts.append(f"{'・'.join(names)}は{since[window]}から{days[window]}日後まで")
    return f"{account.name}：{'、'.join(parts)}" if parts else ""
