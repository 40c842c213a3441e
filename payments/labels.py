"""取引状態 and 決済状況 as the operators' manuals word them, per provider, with their meaning (G5-10)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from gateways.vocabulary import MethodKind
from gateways.vocabulary import PaymentStatus as S
from payments import wording

_GMOPG: Mapping[S, str] = MappingProxyType(
    {
        S.UNPROCESSED: "未決済",
        S.AUTHENTICATED: "未決済",
        S.AUTHPROCESS: "未決済",
        S.REQSUCCESS: "要求成功",
        S.REQSALES: "注文確定受付",
        S.REQCANCEL: "キャンセル受付",
        S.REQCHANGE: "注文金額変更受付",
        S.PAYSUCCESS: "支払い完了",
        S.PAYSTART: "決済開始",
        S.EXPIRED: "期限切れ",
        S.CANCEL: "キャンセル",
        S.PAYFAIL: "決済失敗",
        S.AUTH: "仮売上済み",
        S.SALES: "実売上済み",
        S.CAPTURE: "即時売上済み",
        S.VOID: "取消済み",
        S.RETURN: "返品済み",
        S.RETURNX: "月跨ぎ返品済み",
        S.SAUTH: "簡易オーソリ済み",
        S.CHECK: "有効性チェック済み",
        S.EXCEPTION: "例外エラー",
    }
)

_PAYGENT: Mapping[S, str] = MappingProxyType(
    {
        **_GMOPG,
        S.AUTH: "オーソリOK",
        S.SALES: "売上",
        S.CAPTURE: "売上",
        S.VOID: "オーソリ取消済",
        S.RETURN: "売上キャンセル",
        S.EXPIRED: "オーソリ期限切",
    }
)
_SBPS: Mapping[S, str] = MappingProxyType({**_GMOPG, S.RETURN: "返金要求済み"})

# Where a provider's screen word differs from the common one.
_LABELS: Mapping[str, Mapping[S, str]] = MappingProxyType(
    {"gmopg": _GMOPG, "paygent": _PAYGENT, "sbps": _SBPS}
)

# 決済金額変更 of one payment, where a provider's manual has words of its own by what the payment was (PG-2).
AMOUNT_CHANGES: Mapping[str, Mapping[S, str]] = MappingProxyType(
    {"paygent": MappingProxyType({S.AUTH: "オーソリ変更", S.SALES: "売上変更", S.CAPTURE: "売上変更"})}
)

PANEL_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "gmopg": "PGマルチペイメントサービス決済情報",
        "paygent": "ペイジェント決済情報",
        "sbps": "クレジットカード支払",
    }
)

KIND_LABELS: Mapping[MethodKind, str] = MappingProxyType(
    {
        MethodKind.CARD: "クレジット決済",
        MethodKind.CVS: "コンビニ決済",
        MethodKind.PAYEASY_ATM: "Pay-easy決済(銀行ATM)",
        MethodKind.PAYEASY_NET: "Pay-easy決済(ネットバンク)",
        MethodKind.AU: "auかんたん決済",
        MethodKind.DOCOMO: "ドコモケータイ払い",
        MethodKind.SOFTBANK: "ソフトバンクまとめて支払い",
        MethodKind.RAKUTEN: "楽天ペイ",
    }
)

# The 19 states of the list, in the manual's order, each with the statuses it stands for.
LIST_STATES: tuple[tuple[str, tuple[S, ...]], ...] = (
    ("未決済", (S.UNPROCESSED, S.AUTHENTICATED, S.AUTHPROCESS)),
    ("要求成功", (S.REQSUCCESS,)),
    ("注文確定受付", (S.REQSALES,)),
    ("キャンセル受付", (S.REQCANCEL,)),
    ("注文金額変更受付", (S.REQCHANGE,)),
    ("支払い完了", (S.PAYSUCCESS,)),
    ("決済開始", (S.PAYSTART,)),
    ("期限切れ", (S.EXPIRED,)),
    ("キャンセル", (S.CANCEL,)),
    ("決済失敗", (S.PAYFAIL,)),
    ("仮売上済み", (S.AUTH,)),
    ("実売上済み", (S.SALES,)),
    ("即時売上済み", (S.CAPTURE,)),
    ("取消済み", (S.VOID,)),
    ("返品済み", (S.RETURN,)),
    ("月跨ぎ返品済み", (S.RETURNX,)),
    ("簡易オーソリ済み", (S.SAUTH,)),
    ("有効性チェック済み", (S.CHECK,)),
    ("例外エラー", (S.EXCEPTION,)),
)

_MEANINGS: Mapping[S, str] = MappingProxyType(
    {
        S.UNPROCESSED: "カード情報の入力までで止まっているか、与信が通らなかった注文です。",
        S.AUTHENTICATED: "本人認証の途中で止まっている注文です。",
        S.AUTHPROCESS: "認証の途中の注文です。",
        S.REQSUCCESS: "決済の申し込みを受け付け、お客様のお支払いを待っている注文です。",
        S.REQSALES: "売上の確定を受け付け、完了の連絡を待っている注文です。",
        S.REQCANCEL: "キャンセルを受け付け、完了の連絡を待っている注文です。",
        S.REQCHANGE: "金額変更を受け付け、完了の連絡を待っている注文です。",
        S.PAYSUCCESS: "お客様のお支払いが完了した注文です(コンビニ、ATM、ネットバンク)。",
        S.PAYSTART: "お客様が決済を始めた注文です。",
        S.EXPIRED: "お支払いの期限までにお支払いがなかった注文です。",
        S.CANCEL: "取り消された注文です(キャリア決済、楽天ペイ)。",
        S.PAYFAIL: "決済がエラーになった注文です。",
        S.AUTH: "与信枠を確保した注文です。請求するには売上確定(実売上)が必要です。",
        S.SALES: "売上を確定し、お客様への請求が決まった注文です。",
        S.CAPTURE: "購入と同時に売上が確定した注文です。売上処理は不要です。",
        S.VOID: "当日のうちに取り消した注文です。",
        S.RETURN: "翌日以降に取り消した注文です。仮売上からの取消は、月を跨いでも返品です。",
        S.RETURNX: "売上の翌月以降に取り消した注文です。",
        S.SAUTH: "簡易オーソリだけを行った注文です。",
        S.CHECK: "カードの有効性だけを確認した注文です。請求はありません。",
        S.EXCEPTION: "どの状態にも当てはまりません。決済代行会社の管理画面をご確認ください。",
    }
)


def status_label(provider: str, status: str) -> str:
    """The screen word for a status; an unknown provider reads as the common words."""
    return _LABELS.get(provider, _GMOPG)[S(status)]


def amount_change(provider: str, status: str) -> str:
    """What the change of a payment's amount is called, by what the payment is before it."""
    return AMOUNT_CHANGES.get(provider, {}).get(S(status), "金額変更")


def standing_label(provider: str, status: str, *, sale_on: date | None, today: date) -> str:
    """The screen word for where a payment stands: a sale as of a later day is only asked for (SB-1)."""
    if status == S.SALES and sale_on is not None and sale_on > today:
        return f"売上日指定要求済み({wording.short_day(sale_on, today)})"
    return status_label(provider, status)


def word_of(provider: str, told: str) -> str:
    """The screen word for a status that a provider has told; what is in no vocabulary stays as it came."""
    return status_label(provider, told) if told in {status.value for status in S} else told


def status_meaning(status: str) -> str:
    """What the status means, in the manual's sense (G5-10)."""
    return _MEANINGS[S(status)]
