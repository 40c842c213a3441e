"""Single telegrams with their meaning: where the answer leaves a doubt, the payment's state decides (094)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateways.interface import Journal
from gateways.outcomes import (
    Approved,
    Declined,
    NotFound,
    NotSent,
    Reason,
    ReasonKind,
    Refused,
    Trade,
    Unknown,
)
from gateways.paygent.account import Account
from gateways.paygent.errors import Refusal
from gateways.paygent.line import Line, unreadable
from gateways.paygent.messages import (
    Authorize,
    AuthorizeAnswer,
    CancelCapture,
    Capture,
    ChangedAnswer,
    Correction,
    Inquire,
    InquiryAnswer,
    Void,
)
from gateways.vocabulary import PaymentStatus

CANCEL_LIMIT_PASSED = "41"

# payment_status in our words (requirements, Status mapping). What is not here needs a person.
STATUSES: dict[str, PaymentStatus] = {
    "10": PaymentStatus.UNPROCESSED,
    "11": PaymentStatus.PAYFAIL,
    "12": PaymentStatus.EXPIRED,
    "15": PaymentStatus.PAYFAIL,
    "20": PaymentStatus.AUTH,
    "32": PaymentStatus.VOID,
    "33": PaymentStatus.EXPIRED,
    "40": PaymentStatus.SALES,
    CANCEL_LIMIT_PASSED: PaymentStatus.SALES,
    "60": PaymentStatus.RETURN,
}
# 売上要求中, オーソリ取消中, 売上取消中: soon something else.
PASSING = frozenset({"30", "31", "42"})

_CANCELLED = frozenset({PaymentStatus.VOID, PaymentStatus.RETURN})

_NOT_FOUND_TEXT = "ペイジェントに、この取引はありません。"
_NOT_TOLD_TEXT = (
    "ペイジェントが取引の状態を回答しませんでした。取引がないのか、照会できないのかは分かりません。"
)
_PASSING_TEXT = "ペイジェントで処理中です。しばらくしてから、もう一度確認してください。"
_EXPIRED_TEXT = "オーソリの有効期限が切れています。再度お客様にご購入頂く必要があります。"
_LIMIT_TEXT = "売上の取消ができる期限を過ぎているため、取り消せませんでした。直接お客様口座にご返金ください。"
_OTHER_STATE_TEXT = (
    "ペイジェントの現在の状態では、この操作はできません。決済状態確認・反映で、実際の状態を確認してください。"
)
_UNCLEAR_TEXT = (
    "ペイジェントで実行されたかどうか分かりません。二重に実行せず、自動確認の結果をお待ちください。"
)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A payment as 094 showed it; `code` is Paygent's own payment_status."""

    trade: Trade
    code: str

    @property
    def status(self) -> PaymentStatus:
        """The canonical status."""
        return STATUSES.get(self.code, PaymentStatus.EXCEPTION)


class Telegrams:
    """The telegrams of one account. Safe to share between threads."""

    def __init__(self, account: Account) -> None:
        self.line = Line(account)
        self._not_found_codes = account.not_found_codes

    def look(
        self, journal: Journal, *, payment_id: str = "", trading_id: str = ""
    ) -> Seen | NotFound | NotSent | Unknown:
        """094 by payment_id, or by trading_id where there is none.

        NotFound only for a code that the account has configured as meaning exactly this: any other error may
        as well be about the question.
        """
        question = Inquire(payment_id=payment_id) if payment_id else Inquire(trading_id=trading_id)
        answer = self.line.ask(question, InquiryAnswer, journal, must_be_whole="payment_amount")
        if isinstance(answer, Refusal):
            code = answer.shown_code[:40]
            if answer.code in self._not_found_codes:
                return NotFound(reason=Reason(kind=ReasonKind.NOT_FOUND, code=code, text=_NOT_FOUND_TEXT))
            # Asked by the number that Paygent itself gave, such an answer is about something else.
            may_be_absent = answer.is_business and not payment_id
            kind = ReasonKind.NOT_TOLD if may_be_absent else ReasonKind.OTHER
            return Unknown(reason=Reason(kind=kind, code=code, text=_NOT_TOLD_TEXT))
        if not isinstance(answer, InquiryAnswer):
            return answer
        if payment_id and answer.payment_id != payment_id:
            return unreadable("payment_id")
        if not payment_id and answer.trading_id not in {"", trading_id}:
            return unreadable("trading_id")
        if answer.payment_status in PASSING:
            reason = Reason(kind=ReasonKind.BUSY, code=answer.payment_status, text=_PASSING_TEXT)
            return Unknown(reason=reason)
        return Seen(trade=_trade(answer, trading_id), code=answer.payment_status)

    def authorize(
        self, request: Authorize, journal: Journal
    ) -> Approved | Declined | Refused | NotSent | Unknown:
        """020. Its result alone decides; never sent a second time with one trading_id."""
        answer = self.line.ask(request, AuthorizeAnswer, journal, must_be_whole="payment_id")
        if isinstance(answer, Refusal):
            return answer.judged()
        if not isinstance(answer, AuthorizeAnswer):
            return answer
        if answer.trading_id not in {"", request.trading_id}:
            return unreadable("trading_id")
        references = {
            "payment_id": answer.payment_id,
            "trading_id": request.trading_id,
            "forward": answer.acq_name,
            "card_no": answer.masked_card_number,
        }
        kept = {name: value for name, value in references.items() if value}
        return Approved(trade=Trade(references=kept))

    def correct(
        self, request: Correction, journal: Journal
    ) -> Approved | Declined | Refused | NotSent | Unknown:
        """028 or 029. The answer names the payment that stands from now on."""
        answer = self.line.ask(request, ChangedAnswer, journal, must_be_whole="payment_id")
        if isinstance(answer, Refusal):
            return answer.judged()
        if not isinstance(answer, ChangedAnswer):
            return answer
        return Approved(
            trade=Trade(references={"payment_id": answer.payment_id, "trading_id": request.trading_id})
        )

    def move(
        self, telegram: Void | Capture | CancelCapture, journal: Journal
    ) -> Approved | Refused | NotSent | Unknown:
        """021, 022 or 023. Everything but a clean "done" is followed by 094, and the state decides.

        A "no" with the state of before: Refused. No clear answer with the state of before: Unknown, it may
        still be under way.
        """
        answer = self.line.ask(telegram, ChangedAnswer, journal)
        if isinstance(answer, ChangedAnswer):
            if answer.payment_id == telegram.payment_id:
                return Approved(trade=Trade(references={"payment_id": answer.payment_id}))
            answer = unreadable("payment_id")
        if isinstance(answer, NotSent):
            return answer
        said = answer.judged().reason if isinstance(answer, Refusal) else answer.reason
        seen = self.look(journal, payment_id=telegram.payment_id)
        if isinstance(seen, Seen):
            return _judged_by_state(telegram, answer, said, seen)
        if isinstance(answer, Refusal) and answer.is_not_accepted:
            return Refused(reason=said)
        return Unknown(reason=Reason(kind=said.kind, code=said.code, text=_UNCLEAR_TEXT))


def _judged_by_state(
    telegram: Void | Capture | CancelCapture, answer: Refusal | Unknown, said: Reason, seen: Seen
) -> Approved | Refused | Unknown:
    captures = isinstance(telegram, Capture)
    goals = frozenset({PaymentStatus.SALES}) if captures else _CANCELLED
    before = PaymentStatus.SALES if isinstance(telegram, CancelCapture) else PaymentStatus.AUTH
    if seen.status in goals:
        return Approved(trade=seen.trade)
    if isinstance(telegram, CancelCapture) and seen.code == CANCEL_LIMIT_PASSED:
        return Refused(reason=Reason(kind=ReasonKind.TOO_LATE, code=said.code, text=_LIMIT_TEXT))
    if seen.status is before:
        definite = isinstance(answer, Refusal) and answer.is_definite
        if definite:
            return Refused(reason=said)
        return Unknown(reason=Reason(kind=said.kind, code=said.code, text=_UNCLEAR_TEXT))
    if seen.status is PaymentStatus.EXCEPTION:
        return Unknown(reason=Reason(kind=ReasonKind.OTHER, code=seen.code, text=_UNCLEAR_TEXT))
    if seen.status is PaymentStatus.EXPIRED:
        return Refused(reason=Reason(kind=ReasonKind.TOO_LATE, code=said.code, text=_EXPIRED_TEXT))
    return Refused(reason=Reason(kind=ReasonKind.WRONG_STATE, code=said.code, text=_OTHER_STATE_TEXT))


def _trade(answer: InquiryAnswer, asked_trading_id: str) -> Trade:
    references = {"payment_id": answer.payment_id}
    trading_id = answer.trading_id or asked_trading_id
    if trading_id:
        references["trading_id"] = trading_id
    return Trade(
        status=STATUSES.get(answer.payment_status, PaymentStatus.EXCEPTION),
        amount=answer.payment_amount,
        processed_at=_last_date(answer),
        authorized_at=answer.authorized_date,
        captured_at=answer.payment_date,
        references=references,
    )


def _last_date(answer: InquiryAnswer) -> datetime | None:
    return answer.cancel_date or answer.payment_date or answer.authorized_date or answer.payment_init_date
