"""SBPS's error codes: what the type in the middle says about the payment, and what the operator does now.

A code is three characters for the method, two for the type, three for the element. A type that is not here is
an unknown outcome: never a success, and never the certainty that nothing happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from gateways.outcomes import Declined, NotSent, Reason, ReasonKind, Refused, Unknown


class Verdict(Enum):
    """What a type says about the payment."""

    NOT_STARTED = "not_started"
    DECLINED = "declined"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """A type's verdict, the shared kind of reason, and the sentence for the operator."""

    verdict: Verdict
    kind: ReasonKind
    text: str


def _group(verdict: Verdict, kind: ReasonKind, text: str, types: str) -> dict[str, Meaning]:
    return dict.fromkeys(types.split(), Meaning(verdict=verdict, kind=kind, text=text))


_OTHER_CARD = "お客様に、別のカードか他の決済方法をご案内ください。"
_TYPE_AGAIN = "お客様に、カード情報を入力し直していただいてください。"
_ASK = "決済状態確認・反映で、実際の状態を確認してください。"
_CONTACT = "システム管理者にご連絡ください。"
_WAIT = "二重に実行せず、自動確認の結果をお待ちください。"

# The customer's card was refused; nothing is held.
_DECLINED: dict[str, Meaning] = {
    **_group(
        Verdict.DECLINED,
        ReasonKind.CARD_REFUSED,
        f"ご利用限度額または利用回数を超えているため、カード会社の承認が得られませんでした。{_OTHER_CARD}",
        "22 25 68 69",
    ),
    **_group(
        Verdict.DECLINED,
        ReasonKind.CARD_REFUSED,
        f"このカードは使用できません。{_OTHER_CARD}",
        "20 23 26 28 36 65 70 71 74 75 76",
    ),
    **_group(
        Verdict.DECLINED,
        ReasonKind.CARD_REFUSED,
        f"カード会社が承認を保留したため、決済は完了していません。{_OTHER_CARD}",
        "66 K2",
    ),
    **_group(
        Verdict.DECLINED,
        ReasonKind.CARD_DATA_WRONG,
        f"カード番号または有効期限が正しくありません。{_TYPE_AGAIN}",
        "27 72 73",
    ),
    **_group(
        Verdict.DECLINED,
        ReasonKind.CARD_DATA_WRONG,
        f"セキュリティコードまたは暗証番号が正しくありません。{_TYPE_AGAIN}",
        "24 61 67",
    ),
    **_group(
        Verdict.DECLINED,
        ReasonKind.CARD_DATA_WRONG,
        "このカードでは、選ばれた支払い方法(一括・分割など)を使用できません。"
        "お客様に、別の支払い方法をご案内ください。",
        "29 30 31 32 33 34 35",
    ),
    **_group(
        Verdict.DECLINED,
        ReasonKind.CARD_DATA_WRONG,
        f"カード情報の受け渡しの有効期限が切れました。{_TYPE_AGAIN}",
        "T1 T2",
    ),
}

# Our telegram, the settings or the contract are wrong; nothing was executed.
_WRONG_REQUEST: dict[str, Meaning] = {
    **_group(
        Verdict.REFUSED,
        ReasonKind.CREDENTIALS,
        "SBPSの接続設定(マーチャントID・サービスID・ハッシュキー)が正しくないため、実行されませんでした。"
        "設定をご確認ください。",
        "09 14",
    ),
    **_group(
        Verdict.REFUSED,
        ReasonKind.OUR_REQUEST,
        f"送信した内容に誤りがあるため、SBPSで実行されませんでした。{_CONTACT}",
        "00 01 02 03 04 05 06 07 13 63 78 81 93 K3",
    ),
    **_group(
        Verdict.REFUSED,
        ReasonKind.OUR_REQUEST,
        f"この操作は、SBPSとの契約で許可されていないため、実行されませんでした。{_CONTACT}",
        "38 43 47 54 57 58",
    ),
    **_group(
        Verdict.REFUSED,
        ReasonKind.NOT_FOUND,
        f"登録されたカードがSBPSに見つからないか、登録の状態と合いません。{_TYPE_AGAIN}",
        "95 98",
    ),
}

# Not found, wrong state, too late, too early; nothing changed.
_NOT_NOW: dict[str, Meaning] = {
    **_group(
        Verdict.REFUSED,
        ReasonKind.NOT_FOUND,
        f"この取引はSBPSに見つかりません。{_ASK}",
        "11 12 39 44 51 83",
    ),
    **_group(
        Verdict.REFUSED,
        ReasonKind.WRONG_STATE,
        f"SBPSの現在の取引状態では、この操作はできません。{_ASK}",
        "40 49 50 59 94 W2 K0",
    ),
    **_group(
        Verdict.REFUSED,
        ReasonKind.TOO_LATE,
        "オーソリの期限が切れているため、売上にできませんでした。再度お客様にご購入頂く必要があります。",
        "42",
    ),
    **_group(
        Verdict.REFUSED,
        ReasonKind.TOO_LATE,
        "カード会社の締日を過ぎているため、返金できませんでした。お客様には請求がかかっています。"
        "直接お客様口座にご返金ください。",
        "56",
    ),
    **_group(
        Verdict.REFUSED,
        ReasonKind.TOO_EARLY,
        "売上日がオーソリの日より前のため、実行されませんでした。売上・返金日を選び直してください。",
        "W1",
    ),
    **_group(
        Verdict.REFUSED,
        ReasonKind.TOO_EARLY,
        "返金日が売上日より前のため、実行されませんでした。売上・返金日を選び直してください。",
        "W5",
    ),
    **_group(
        Verdict.REFUSED,
        ReasonKind.AMOUNT_MISMATCH,
        "金額がSBPSの取引の金額を超えているため、実行されませんでした。SBPSの管理画面で金額をご確認ください。",
        "79 K1 W4",
    ),
}

# Done already: an inquiry in the same breath tells whether it is what was asked for.
_ALREADY: dict[str, Meaning] = {
    **_group(
        Verdict.UNKNOWN,
        ReasonKind.ALREADY_DONE,
        f"SBPSではすでに処理済みの可能性があります。{_WAIT}",
        "37 41 45 46 52 60 96 97 K5",
    ),
    **_group(
        Verdict.UNKNOWN,
        ReasonKind.BUSY,
        f"SBPSでこの取引の別の処理が進んでいます。{_WAIT}",
        "W0 W3 W6",
    ),
}

_TROUBLE: dict[str, Meaning] = {
    **_group(
        Verdict.NOT_STARTED,
        ReasonKind.OUR_REQUEST,
        "送信した時刻がSBPSの時刻と合わないため、実行されませんでした。"
        "サーバーの時計を確認してから、もう一度実行してください。",
        "10",
    ),
    **_group(
        Verdict.NOT_STARTED,
        ReasonKind.BUSY,
        "SBPSが混み合っているため、実行されませんでした。しばらくしてから、もう一度実行してください。",
        "92",
    ),
    **_group(
        Verdict.UNKNOWN,
        ReasonKind.PROVIDER_TROUBLE,
        f"カード会社またはSBPSの障害のため、実行されたかどうか分かりません。{_WAIT}",
        "21 64 80 84 85 86 90",
    ),
    **_group(
        Verdict.UNKNOWN,
        ReasonKind.OTHER,
        "カード会社の代行承認または再与信の情報が返されました。SBPSの管理画面で取引を確認してください。",
        "77 K4",
    ),
}

TABLE: Mapping[str, Meaning] = {**_DECLINED, **_WRONG_REQUEST, **_NOT_NOW, **_ALREADY, **_TROUBLE}

UNHEARD_OF = Meaning(
    verdict=Verdict.UNKNOWN,
    kind=ReasonKind.OTHER,
    text=f"SBPSから未知のエラーが返されたため、実行されたかどうか分かりません。{_WAIT}",
)

# Cards, and what is common to all methods; the numbers of other methods mean other things.
_METHODS = ("101", "999")
_NO_SUCH_PAYMENT = frozenset({"11", "12"})


def type_of(code: str) -> str:
    """The type inside a code; empty for a code that is not one of a card call."""
    return code[3:5] if len(code) == 8 and code.startswith(_METHODS) else ""


def judge(code: str) -> Declined | Refused | NotSent | Unknown:
    """The outcome that a code stands for."""
    meaning = TABLE.get(type_of(code), UNHEARD_OF)
    reason = Reason(kind=meaning.kind, code=code, text=meaning.text)
    match meaning.verdict:
        case Verdict.DECLINED:
            return Declined(reason=reason)
        case Verdict.REFUSED:
            return Refused(reason=reason)
        case Verdict.NOT_STARTED:
            return NotSent(reason=reason)
        case Verdict.UNKNOWN:
            return Unknown(reason=reason)


def is_done_already(code: str) -> bool:
    """Whether it says that what was asked for happened before."""
    return TABLE.get(type_of(code), UNHEARD_OF).kind is ReasonKind.ALREADY_DONE


def says_no_such_payment(code: str) -> bool:
    """Whether it says that SBPS knows no payment under the number."""
    return type_of(code) in _NO_SUCH_PAYMENT
