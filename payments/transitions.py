"""What may be done to a payment in which status: the one table that everything asks.

Buttons, bulk runs, the service and the documentation read it; nothing else compares statuses to decide.
Sources: requirements "The cancel rule", "Deadlines", G13-4 to G13-6, CC-5; gateways' capabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateways.vocabulary import PAID_BY_CONSENT, PAID_BY_NUMBER, Action, MethodKind
from gateways.vocabulary import PaymentStatus as S


class Window(StrEnum):
    """Which of the account's deadlines an action has, and from which date it counts."""

    CAPTURE = "capture"  # capture_days after the authorization
    CHANGE = "change"  # change_days after the last authorization or capture
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What an action leads to. No results: not possible, and `refusal` says why to the operator.

    Several results: for a cancel the cancel rule picks one, otherwise the operator does; the first is the
    default.
    """

    results: tuple[S, ...] = ()
    window: Window = Window.NONE
    refusal: str = ""

    @property
    def is_possible(self) -> bool:
        """Whether the table allows the action at all."""
        return bool(self.results)


_Edges = dict[S, dict[Action, Rule]]

_BY_RULE_HELD = (S.VOID, S.RETURN)
_BY_RULE_SOLD = (S.VOID, S.RETURN, S.RETURNX)
_CANCELLED: dict[Action, Rule] = {Action.REAUTHORIZE: Rule(results=(S.AUTH, S.CAPTURE))}
_SOLD: dict[Action, Rule] = {
    Action.CANCEL: Rule(results=_BY_RULE_SOLD, window=Window.CHANGE),
    Action.CHANGE_AMOUNT: Rule(results=(S.CAPTURE, S.AUTH), window=Window.CHANGE),
    Action.GUIDED_CHANGE: Rule(results=(S.SALES,), window=Window.CHANGE),
}

_GMOPG_CARD: _Edges = {
    S.AUTH: {
        Action.CAPTURE: Rule(results=(S.SALES,), window=Window.CAPTURE),
        Action.CANCEL: Rule(results=_BY_RULE_HELD, window=Window.CHANGE),
        Action.CHANGE_AMOUNT: Rule(results=(S.AUTH, S.CAPTURE), window=Window.CAPTURE),
    },
    S.SAUTH: {Action.CANCEL: Rule(results=_BY_RULE_HELD, window=Window.CHANGE)},
    S.CHECK: {Action.CANCEL: Rule(results=_BY_RULE_HELD, window=Window.CHANGE)},
    S.CAPTURE: _SOLD,
    S.SALES: _SOLD,
    S.VOID: _CANCELLED,
    S.RETURN: _CANCELLED,
    S.RETURNX: _CANCELLED,
}

# Paygent decides by state: a hold is voided, a sale returned; a change is a new payment in the same status. That a
# change ends otherwise (G13-4) is GMO's; Paygent's manual has オーソリ変更 before and 売上変更 after the capture (PG-2).
_PAYGENT_SOLD: dict[Action, Rule] = {
    Action.CANCEL: Rule(results=(S.RETURN,), window=Window.CHANGE),
    Action.CHANGE_AMOUNT: Rule(results=(S.SALES,), window=Window.CHANGE),
}
_PAYGENT_CARD: _Edges = {
    S.AUTH: {
        Action.CAPTURE: Rule(results=(S.SALES,), window=Window.CAPTURE),
        Action.CANCEL: Rule(results=(S.VOID,), window=Window.CAPTURE),
        Action.CHANGE_AMOUNT: Rule(results=(S.AUTH,), window=Window.CAPTURE),
    },
    S.CAPTURE: _PAYGENT_SOLD,
    S.SALES: _PAYGENT_SOLD,
}

# SBPS refuses by itself what is too late; our day count only warns.
_SBPS_SOLD: dict[Action, Rule] = {Action.CANCEL: Rule(results=(S.RETURN,))}
_SBPS_CARD: _Edges = {
    S.AUTH: {
        Action.CAPTURE: Rule(results=(S.SALES,)),
        Action.CANCEL: Rule(results=(S.VOID,)),
    },
    S.CAPTURE: _SBPS_SOLD,
    S.SALES: _SBPS_SOLD,
}

# (provider's rule family, payment kind) -> what each status allows. What is not here is not possible.
TABLE: dict[tuple[str, MethodKind], _Edges] = {
    ("gmopg", MethodKind.CARD): _GMOPG_CARD,
    # The customer pays these elsewhere; what the manuals have operators do with them is to look (G5-10, G13-6).
    **{("gmopg", kind): {} for kind in MethodKind if kind in PAID_BY_NUMBER | PAID_BY_CONSENT},
    ("paygent", MethodKind.CARD): _PAYGENT_CARD,
    ("sbps", MethodKind.CARD): _SBPS_CARD,
}

# What a provider does not offer at all, in whatever status.
_NOT_OFFERED: dict[tuple[str, Action], str] = {
    (
        "paygent",
        Action.REAUTHORIZE,
    ): "ペイジェントでは再オーソリを行えません。再度お客様にご購入頂く必要があります。",
    ("paygent", Action.GUIDED_CHANGE): "ペイジェントでは「決済金額変更」で直接変更できます。",
    ("sbps", Action.CHANGE_AMOUNT): "金額の変更はできません。詳細はSBPSへお問い合わせください。",
    ("sbps", Action.GUIDED_CHANGE): "金額の変更はできません。詳細はSBPSへお問い合わせください。",
    ("sbps", Action.REAUTHORIZE): "SBPSでは再オーソリを行えません。再度お客様にご購入頂く必要があります。",
}

_ALREADY_CAPTURED = "すでに売上が確定しています。"
_ALREADY_CANCELLED = "すでに取り消されています。"
_NOT_FINISHED = "カード会社での承認が済んでいないため、操作できません。"

# Why not, per status and action; the default of the action serves where the pair says nothing special.
_REFUSALS: dict[tuple[S, Action], str] = {
    (S.SALES, Action.CAPTURE): _ALREADY_CAPTURED,
    (S.CAPTURE, Action.CAPTURE): "即時売上のため、売上処理は不要です。",
    (S.VOID, Action.CANCEL): _ALREADY_CANCELLED,
    (S.RETURN, Action.CANCEL): _ALREADY_CANCELLED,
    (S.RETURNX, Action.CANCEL): _ALREADY_CANCELLED,
    (S.SAUTH, Action.CAPTURE): "簡易オーソリのため、このまま売上にはできません。",
    (S.SAUTH, Action.CHANGE_AMOUNT): "簡易オーソリのため、金額を変更できません。",
    (S.CHECK, Action.CAPTURE): "有効性チェックのみのため、売上にできません。",
    (S.CHECK, Action.CHANGE_AMOUNT): "有効性チェックのみのため、金額を変更できません。",
    (S.EXPIRED, Action.CAPTURE): "期限切れです。再度お客様にご購入頂く必要があります。",
    (S.EXPIRED, Action.CANCEL): "期限切れのため、取消は不要です。",
    (S.UNPROCESSED, Action.CANCEL): "お客様の決済が完了していないため、取り消す請求がありません。",
    (S.PAYFAIL, Action.CAPTURE): "決済に失敗しているため、売上にできません。",
    (S.PAYFAIL, Action.CANCEL): "決済に失敗しているため、取り消す請求がありません。",
    (S.EXCEPTION, Action.CAPTURE): "決済の状態が確認できていません。決済状態確認・反映を行ってください。",
    (S.EXCEPTION, Action.CANCEL): "決済の状態が確認できていません。決済状態確認・反映を行ってください。",
}

# Cancelled: what leads on from there depends on whether the provider authorizes again.
_CANCELLED_WORDS: dict[S, str] = {
    S.VOID: "取り消されているため、",
    S.RETURN: "返品済みのため、",
    S.RETURNX: "返品済みのため、",
}
_IMPOSSIBLE_NOW: dict[Action, str] = {
    Action.CAPTURE: "売上にできません。",
    Action.CHANGE_AMOUNT: "金額を変更できません。",
}
_BY_REAUTHORIZING = "必要なときは再オーソリを行ってください。"
_BY_BUYING_AGAIN = "必要なときは、再度お客様にご購入頂く必要があります。"

_DEFAULT_REFUSALS: dict[Action, str] = {
    Action.AUTHORIZE: "この決済は、もう一度与信を取ることができません。",
    Action.REQUEST: "この決済は、もう一度申し込むことができません。",
    Action.CAPTURE: _NOT_FINISHED,
    Action.CANCEL: "いまの取引状態では取消できません。",
    Action.CHANGE_AMOUNT: "いまの取引状態では金額を変更できません。",
    Action.REAUTHORIZE: "取り消した決済ではないため、再オーソリは不要です。",
    Action.GUIDED_CHANGE: "売上が確定した決済ではないため、この操作は不要です。",
    Action.INQUIRE: "この決済は照会できません。",
}

_ONLY_CARDS = "再オーソリはクレジットカード決済だけで行えます。"
_THERE = "GMO-PGの管理画面で行ってください。結果は通知で届き、この画面に反映されます。"
_NUMBER_AMOUNT = (
    "コンビニ決済・Pay-easy決済では、ご注文後に金額を変更できません。"
    "金額を変えるときは、お客様に新しくご注文いただいてください。"
)
_BY_NUMBER: dict[Action, str] = {
    Action.CAPTURE: "お客様のお支払いで入金になるため、この支払方法に売上処理はありません。",
    Action.CANCEL: f"お支払い前の取消(支払いの停止)は、この画面では行えません。{_THERE}",
    Action.CHANGE_AMOUNT: _NUMBER_AMOUNT,
    Action.GUIDED_CHANGE: _NUMBER_AMOUNT,
    Action.REAUTHORIZE: _ONLY_CARDS,
}
_CONSENT_AMOUNT = f"この支払方法の金額の変更は、この画面では行えません。{_THERE}"
_BY_CONSENT: dict[Action, str] = {
    Action.CAPTURE: f"この支払方法の売上確定は、この画面では行えません。{_THERE}",
    Action.CANCEL: f"この支払方法の取消は、この画面では行えません。{_THERE}",
    Action.CHANGE_AMOUNT: _CONSENT_AMOUNT,
    Action.GUIDED_CHANGE: _CONSENT_AMOUNT,
    Action.REAUTHORIZE: _ONLY_CARDS,
}
_WAITS_FOR_RAKUTEN = "受け付けられた処理の完了を待っています。完了は通知で届き、この画面に反映されます。"
_NOT_AGREED = "お客様のお手続きが完了していないため、操作できません。"

_NOTHING_HAPPENED = frozenset({S.UNPROCESSED, S.PAYFAIL, S.EXCEPTION})

# Where the status says more about it than the kind does.
_NOT_A_CARD: dict[tuple[S, Action], str] = {
    (
        S.PAYSUCCESS,
        Action.CANCEL,
    ): "お支払い済みのため、取消はできません。返金するときは、お客様へ直接ご返金ください。",
    (S.EXPIRED, Action.CANCEL): "期限切れのため、取消は不要です。",
    (S.CANCEL, Action.CANCEL): _ALREADY_CANCELLED,
    (S.RETURN, Action.CANCEL): _ALREADY_CANCELLED,
    (S.CAPTURE, Action.CAPTURE): "即時売上のため、売上処理は不要です。",
    (S.SALES, Action.CAPTURE): _ALREADY_CAPTURED,
    **{
        (status, action): words
        for status, words in (
            (S.REQSALES, _WAITS_FOR_RAKUTEN),
            (S.REQCANCEL, _WAITS_FOR_RAKUTEN),
            (S.REQCHANGE, _WAITS_FOR_RAKUTEN),
            (S.AUTHPROCESS, _NOT_AGREED),
            (S.PAYSTART, _NOT_AGREED),
        )
        for action in (Action.CAPTURE, Action.CANCEL, Action.CHANGE_AMOUNT, Action.GUIDED_CHANGE)
    },
}


def rule(family: str, kind: MethodKind, status: S, action: Action) -> Rule:
    """The rule for an action: total, for every family, kind, status and action.

    INQUIRE moves no money and is possible everywhere; AUTHORIZE and REQUEST are the checkout's and start a payment.
    """
    if action is Action.INQUIRE:
        return Rule(results=(status,))
    is_card = kind is MethodKind.CARD
    begins = action is (Action.AUTHORIZE if is_card else Action.REQUEST)
    if begins and status is S.UNPROCESSED and (family, kind) in TABLE:
        return Rule(results=(S.AUTH, S.CAPTURE) if is_card else (S.REQSUCCESS,))
    edge = TABLE.get((family, kind), {}).get(status, {}).get(action)
    if edge is not None:
        return edge
    if not is_card and (refusal := _refusal_of_kind(kind, status, action)):
        return Rule(refusal=refusal)
    if (family, action) in _NOT_OFFERED:
        return Rule(refusal=_NOT_OFFERED[family, action])
    if status in _CANCELLED_WORDS and action in _IMPOSSIBLE_NOW:
        ends = (family, Action.REAUTHORIZE) in _NOT_OFFERED
        way_on = _BY_BUYING_AGAIN if ends else _BY_REAUTHORIZING
        return Rule(refusal=f"{_CANCELLED_WORDS[status]}{_IMPOSSIBLE_NOW[action]}{way_on}")
    return Rule(refusal=_REFUSALS.get((status, action), _DEFAULT_REFUSALS[action]))


def _refusal_of_kind(kind: MethodKind, status: S, action: Action) -> str:
    """Why not, for what is not paid by card; empty where the status alone says it (nothing was ever paid)."""
    if special := _NOT_A_CARD.get((status, action)):
        return special
    if (status, action) in _REFUSALS and status in _NOTHING_HAPPENED:
        return ""
    return (_BY_NUMBER if kind in PAID_BY_NUMBER else _BY_CONSENT).get(action, "")
