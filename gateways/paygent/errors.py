"""Paygent's codes, as far as they are known: families, and the details of refused cards.

`P...` was not accepted, so nothing happened; `E...` is trouble in their system, so nobody knows; four digits
are a business error. What a payment is in the end is told by an inquiry, never by a code alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gateways.outcomes import Declined, Reason, ReasonKind, Refused, Unknown

_OTHER_CARD = "お客様に、別のカードか他の決済方法をご案内ください。"
_TYPE_AGAIN = "お客様に、カード情報を入力し直していただいてください。"

# Details of a card company's "no".
CARD_DETAILS: Mapping[str, tuple[ReasonKind, str]] = {
    "1G12": (ReasonKind.CARD_REFUSED, f"このカードは使用できません。{_OTHER_CARD}"),
    "1G30": (ReasonKind.CARD_REFUSED, f"カード会社が承認を保留しています。{_OTHER_CARD}"),
    "1G44": (ReasonKind.CARD_DATA_WRONG, f"セキュリティコードが正しくありません。{_TYPE_AGAIN}"),
    "1G54": (ReasonKind.CARD_REFUSED, f"カードの1日の利用限度を超えています。{_OTHER_CARD}"),
}
_CARD_COMPANY_SAID_NO = re.compile(r"[0-9]G[0-9]{2}")
# Any other detail of that form is the network's word, not the card company's.
_CARD_NETWORK = re.compile(r"[0-9][A-Z][0-9]{2}")
_BUSINESS = re.compile(r"[0-9]{4}")

_DECLINED_TEXT = f"カード会社の承認が得られませんでした。{_OTHER_CARD}"
_NOT_ACCEPTED_TEXT = (
    "ペイジェントが電文を受け付けなかったため、実行されませんでした。"
    "接続設定とご契約の内容をご確認のうえ、システム管理者にご連絡ください。"
)
_REFUSED_TEXT = "ペイジェントで実行できませんでした。決済状態確認・反映で、実際の状態を確認してください。"
TROUBLE_TEXT = (
    "カード会社またはペイジェントの障害のため、実行されたかどうか分かりません。"
    "二重に実行せず、自動確認の結果をお待ちください。"
)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An error answer: its code, and its detail without quotes."""

    code: str
    detail: str = ""

    @property
    def is_not_accepted(self) -> bool:
        """Whether nothing can have happened, whatever state the payment is in."""
        return self.code.startswith("P")

    @property
    def is_business(self) -> bool:
        """Whether it is about the payment, and not about the telegram or their system."""
        return bool(_BUSINESS.fullmatch(self.code))

    @property
    def is_definite(self) -> bool:
        """Whether it is a "no", and not trouble after which it may have been done all the same."""
        said_no = _CARD_COMPANY_SAID_NO.fullmatch(self.detail) or not _CARD_NETWORK.fullmatch(self.detail)
        return self.is_not_accepted or bool(self.is_business and said_no)

    @property
    def shown_code(self) -> str:
        """Code and detail in one word for the log."""
        return f"{self.code}/{self.detail}" if self.detail else self.code

    def judged(self) -> Declined | Refused | Unknown:
        """What the codes alone say about the telegram."""
        code = self.shown_code[:40]
        if self.is_not_accepted:
            reason = Reason(kind=ReasonKind.OUR_REQUEST, code=code, text=_NOT_ACCEPTED_TEXT)
            return Refused(reason=reason)
        if not self.is_definite:
            return Unknown(reason=Reason(kind=ReasonKind.PROVIDER_TROUBLE, code=code, text=TROUBLE_TEXT))
        if _CARD_COMPANY_SAID_NO.fullmatch(self.detail):
            kind, text = CARD_DETAILS.get(self.detail, (ReasonKind.CARD_REFUSED, _DECLINED_TEXT))
            return Declined(reason=Reason(kind=kind, code=code, text=text))
        return Refused(reason=Reason(kind=ReasonKind.OTHER, code=code, text=_REFUSED_TEXT))
