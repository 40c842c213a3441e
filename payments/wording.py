"""Sentences that an operator reads before and after a money action. Sources in requirements: G5-8, G13-3 to
G13-5, CC-5, CC-9, and "What the customer will see"."""

from __future__ import annotations

from datetime import date, datetime

from gateways.vocabulary import Action
from payments.cancellation import TOKYO

ACTION_NAMES: dict[Action, str] = {
    Action.AUTHORIZE: "与信",
    Action.REQUEST: "お支払いの申込",
    Action.CAPTURE: "売上確定(実売上)",
    Action.CANCEL: "取消(返品)",
    Action.CHANGE_AMOUNT: "決済金額変更",
    Action.REAUTHORIZE: "再オーソリ",
    Action.GUIDED_CHANGE: "決済金額変更(4段階)",
    Action.INQUIRE: "決済状態確認・反映",
}

# SB-1: where the operator chooses the day on which it counts, it is a request to the provider.
_DATED_NAMES: dict[Action, str] = {Action.CAPTURE: "売上日指定要求", Action.CANCEL: "返金要求"}

CUSTOMER_SEES_HOLD_CANCELLED = "カード会社へは取り消しの連絡のみ入り、お客様へ請求はされません。"
CUSTOMER_SEES_CAPTURE = "締め日に請求額が最終確定され、お客様に請求されます。"
CUSTOMER_SEES_SALE_CANCELLED = "お客様へは請求されませんが、お客様の明細には履歴が残ります。"
CUSTOMER_SEES_HOLD_CHANGED = "お客様への請求はまだ行われません。与信枠の金額だけが変わります。"
CUSTOMER_SEES_CHARGE_CHANGED = "お客様には変更後の金額が請求されます。"
CUSTOMER_SEES_CHARGE_NOW = "変更と同時に売上が確定し、お客様に請求されます。"
CUSTOMER_SEES_WITHDRAWN = (
    "確定していた請求はいったん取り下げられます。請求するには、改めて売上確定(実売上)が必要です。"
)
CUSTOMER_SEES_REAUTHORIZED = "お客様のカードに改めて与信枠が確保されます。請求はまだ行われません。"
CUSTOMER_SEES_RECHARGED = "お客様のカードに改めて請求されます。"
CLOSING_DATE_PASSED = "売上の確定からカード会社の締め日を過ぎている可能性があります。この場合、差額は翌月以降にお客様へ請求または返金されます。"


def yen(amount: int) -> str:
    """1,234円"""
    return f"{amount:,}円"


def action_name(action: Action, *, is_dated: bool) -> str:
    """The action as the operator's manual calls it; `is_dated`: with a 売上・返金日 (SB-1)."""
    return (is_dated and _DATED_NAMES.get(action)) or ACTION_NAMES[action]


def short_day(value: date, today: date) -> str:
    """12/10; with its year where that is another one than today's."""
    return f"{value.month}/{value.day}" if value.year == today.year else day(value)


def day(value: date) -> str:
    """2026/12/1"""
    return f"{value.year}/{value.month}/{value.day}"


def clock_time(moment: datetime) -> str:
    """10:32, in Tokyo."""
    return moment.astimezone(TOKYO).strftime("%H:%M")
