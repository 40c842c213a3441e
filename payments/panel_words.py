"""The words and colours of the payment panel: EC-CUBE's buttons, the manuals' field names."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gateways.vocabulary import Action
from gateways.vocabulary import PaymentStatus as S
from payments import wording

BUTTON_LABELS: Mapping[Action, str] = MappingProxyType(
    {
        Action.CAPTURE: "売上確定(実売上)実行",
        Action.CANCEL: "取消(返品)実行",
        Action.CHANGE_AMOUNT: "決済金額変更",
        Action.REAUTHORIZE: "再オーソリ実行",
        Action.GUIDED_CHANGE: "決済金額変更(4段階)",
        Action.INQUIRE: "決済状態確認・反映",
    }
)


def button_label(action: Action, *, is_dated: bool) -> str:
    """The button's words; `is_dated`: with a 売上・返金日 (SB-1)."""
    if is_dated and action in (Action.CAPTURE, Action.CANCEL):
        return wording.action_name(action, is_dated=True)
    return BUTTON_LABELS[action]


# EC-CUBE's plugin: capture green, cancel red, changes light blue, asking white.
BUTTON_STYLES: Mapping[Action, str] = MappingProxyType(
    {
        Action.CAPTURE: "btn-ec-success",
        Action.CANCEL: "btn-ec-delete",
        Action.CHANGE_AMOUNT: "btn-ec-change",
        Action.REAUTHORIZE: "btn-ec-change",
        Action.GUIDED_CHANGE: "btn-ec-change",
        Action.INQUIRE: "btn-ec-regular",
    }
)

_BADGES: Mapping[S, str] = MappingProxyType(
    {
        S.AUTH: "blue",
        S.SAUTH: "blue",
        S.CHECK: "blue",
        S.SALES: "green",
        S.CAPTURE: "green",
        S.PAYSUCCESS: "green",
        S.REQSUCCESS: "yellow",
        S.REQSALES: "yellow",
        S.REQCANCEL: "yellow",
        S.REQCHANGE: "yellow",
        S.PAYSTART: "yellow",
        S.PAYFAIL: "red",
        S.EXCEPTION: "red",
    }
)

# What the provider gave us, as adapters name it in Payment.references, and the panel's row for it.
METHOD = "method"
REFERENCE_ROWS: tuple[tuple[str, str], ...] = (
    ("approve", "承認番号"),
    (METHOD, "支払い方法"),
    ("forward", "仕向け先"),
    ("tran_id", "トランザクションID"),
    # By these an operator finds the payment on the provider's own screen.
    ("tracking_id", "トラッキングID"),
    ("payment_id", "決済ID"),
    ("store", "お支払い先"),
    ("cvs_receipt_no", "受付番号"),
    ("cvs_conf_no", "確認番号"),
    ("bk_code", "収納機関番号"),
    ("cust_id", "お客様番号"),
    ("conf_no", "確認番号"),
    ("payment_term", "お支払期限"),
    ("finish_date", "お支払い日時"),
    ("au_pay_info_no", "au決済情報番号"),
    ("docomo_settlement_code", "ドコモ決済番号"),
    ("sb_tracking_id", "ソフトバンク処理トラッキングID"),
    ("order_date", "楽天ペイ受注日時"),
    ("completion_date", "楽天ペイ売上日時"),
)
# Values of 14 digits, which are times in Tokyo.
_MOMENTS = frozenset({"payment_term", "finish_date", "order_date", "completion_date"})

# CC-6: an order whose payment ended like this was never paid by card.
NOTHING_HELD = frozenset({S.UNPROCESSED, S.AUTHENTICATED, S.AUTHPROCESS, S.PAYFAIL})

NO_PAYMENT = (
    "この受注には、決済代行会社での決済がありません(手入力で登録した受注など)。"
    "この画面から行える決済操作はありません。"
)
# PG-9: where the operator then enters the payment.
ENTER_BY_HAND: Mapping[str, str] = MappingProxyType(
    {"paygent": "決済が必要なときは、ペイジェントオンラインで手入力してください。"}
)


def subscription_refused(decline_code: str) -> str:
    """CC-6: nobody stands before a card page who could type the card again; the 決済ログ has the reason in full."""
    code = f"(エラーコード {decline_code})" if decline_code else ""
    return (
        f"カード未決済です。登録済みのカードで与信が取れませんでした{code}。"
        "お客様に他の決済方法をご案内ください。"
    )


def badge_style(status: str) -> str:
    """The colour class of a payment status."""
    return f"badge-ec-{_BADGES.get(S(status), 'grey')}"


def reference_words(key: str, value: str) -> str:
    """What the provider gave us, for a person; a time that is none stays as it came."""
    if key not in _MOMENTS or len(value) != 14 or not value.isdecimal():
        return value
    return f"{value[:4]}/{value[4:6]}/{value[6:8]} {value[8:10]}:{value[10:12]}"


def method_words(installments: int, references: Mapping[str, str]) -> str:
    """支払い方法: 一括払い, 分割n回, or リボ払い (the provider's method 5)."""
    if references.get(METHOD) == "5":
        return "リボ払い"
    return "一括払い" if installments <= 1 else f"分割{installments}回"
