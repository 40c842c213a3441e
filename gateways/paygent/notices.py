"""決済情報差分通知: Paygent tells that a payment changed, by POST and in a queue (091).

A notice is a hint. Its state is not covered by the hash, it may come twice, late and out of order: whoever gets
one asks (094) and stores what the answer says. `payment_notice_id` is the key against duplicates, whichever way a
notice came.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from pydantic import TypeAdapter, ValidationError

from gateways import notices
from gateways.interface import Journal, PaymentReference
from gateways.notices import NotANotice, Notice, NoticeFailure
from gateways.outcomes import NotSent, Reason, ReasonKind, Refused, Unknown
from gateways.paygent import trading_ids
from gateways.paygent.account import Account
from gateways.paygent.errors import Refusal
from gateways.paygent.line import Line, unreadable
from gateways.paygent.messages import NextNotice, PaymentId
from gateways.paygent.telegrams import STATUSES
from gateways.vocabulary import PaymentStatus

_HASHED = ("payment_notice_id", "payment_id", "trading_id", "payment_type", "payment_amount")
_QUEUE_EMPTY = "1"
_PAYMENT_ID = TypeAdapter(PaymentId)
# Kept of an answer to 091: what the telegram itself carries says nothing about the payment.
_ENVELOPE = frozenset({"result", "success_code", "response_code", "response_detail"})
# States that pass (the adapter asks again): in Paygent's own words for the screen.
_PASSING_WORDS = {"30": "売上要求中", "31": "オーソリ取消中", "42": "売上取消中"}
_SOLD = frozenset({PaymentStatus.SALES, PaymentStatus.CAPTURE})


class Desk:
    """Takes the notices of one merchant. Anything but `result=0` makes Paygent send a notice again."""

    received = "result=0"
    not_received = "result=1"

    def __init__(self, account: Account) -> None:
        self._hash_key = account.hash_key.get_secret_value()

    def read(self, body: bytes) -> Notice:
        """One with a wrong hash or without its ids is read all the same, and carries the doubt."""
        fields = notices.read_form(body)
        if not fields.keys() & {"payment_notice_id", "payment_id", "hc"}:
            raise NotANotice
        if not hmac.compare_digest(hash_of(fields, self._hash_key).encode(), fields.get("hc", "").encode()):
            return _doubted(fields, "署名(hc)が一致しません。")
        if not _has_its_ids(fields):
            return _doubted(fields, "通知IDと決済IDがありません。")
        return _notice(fields, is_signed=True)

    def repeats(self, fields: Mapping[str, str], payment: PaymentReference) -> bool:
        """Payment, status and amount as recorded; a sale by our own word, at once or captured."""
        told = STATUSES.get(fields.get("payment_status", ""))
        recorded = PaymentStatus.SALES if payment.status in _SOLD else payment.status
        return (
            told is recorded
            and fields.get("payment_id", "") == payment.references.get("payment_id")
            and notices.yen(fields.get("payment_amount", "")) == payment.amount
        )


class NoticeQueue:
    """The queue of an account: every notice comes out once, and again when it is named."""

    def __init__(self, account: Account) -> None:
        self._line = Line(account)

    def take(self, journal: Journal) -> Notice | NoticeFailure | None:
        """091: the oldest notice that was not taken yet; None when there is none."""
        answer = self._line.fields(NextNotice(), journal)
        if isinstance(answer, dict) and answer.get("success_code") == _QUEUE_EMPTY:
            return None
        return _from_queue(answer)

    def again(self, number: str, journal: Journal) -> Notice | NoticeFailure:
        """091 of one notice. Paygent does not say what it answers for a number that it never gave: any refusal."""
        answer = self._line.fields(NextNotice(payment_notice_id=number), journal)
        if isinstance(answer, dict) and answer.get("success_code") == _QUEUE_EMPTY:
            return Refused(
                reason=Reason(kind=ReasonKind.NOT_FOUND, text="ペイジェントに、この番号の通知はありません。")
            )
        found = _from_queue(answer)
        if isinstance(found, Notice) and found.number != number:
            return unreadable("payment_notice_id")
        return found


def hash_of(fields: Mapping[str, str], hash_key: str) -> str:
    """`hc`: what is missing counts as empty."""
    text = "".join(fields.get(name, "") for name in _HASHED) + hash_key
    return hashlib.sha256(text.encode()).hexdigest()


def _from_queue(answer: dict[str, str] | Refusal | NoticeFailure) -> Notice | NoticeFailure:
    if isinstance(answer, Refusal):
        judged = answer.judged()
        if answer.is_not_accepted:
            return NotSent(reason=judged.reason)
        # A clear "no" to a question about no payment; trouble in their system leaves the notice's fate open.
        return Refused(reason=judged.reason) if answer.is_definite else Unknown(reason=judged.reason)
    if not isinstance(answer, dict):
        return answer
    fields = notices.cut({key: value for key, value in answer.items() if key not in _ENVELOPE})
    return _notice(fields, is_signed=False) if _has_its_ids(fields) else unreadable("notice")


def _notice(fields: Mapping[str, str], *, is_signed: bool) -> Notice:
    number, trading_id = fields["payment_notice_id"], fields.get("trading_id", "")
    return Notice(
        digest=notices.digest(["payment_notice_id", number]),
        number=number,
        order_id=trading_id or fields["payment_id"],
        known_as=trading_ids.to_order(trading_id),
        remembered={"new_trading_id": trading_id} if trading_id else {},
        told_status=_told(fields.get("payment_status", "")),
        amount=notices.yen(fields.get("payment_amount", "")),
        fields=notices.storable(fields),
        is_signed=is_signed,
    )


def _doubted(fields: Mapping[str, str], doubt: str) -> Notice:
    """A forgery takes no genuine notice's number: its whole content is what makes it the same one again."""
    trading_id = fields.get("trading_id", "")
    return Notice(
        digest=notices.digest([f"{key}={value}" for key, value in sorted(fields.items())]),
        order_id=trading_id or fields.get("payment_id", ""),
        known_as=trading_ids.to_order(trading_id),
        told_status=_told(fields.get("payment_status", "")),
        amount=notices.yen(fields.get("payment_amount", "")),
        fields=notices.storable(fields),
        doubt=doubt,
    )


def _told(code: str) -> str:
    known = STATUSES.get(code)
    return known.value if known else _PASSING_WORDS.get(code, code)


def _has_its_ids(fields: Mapping[str, str]) -> bool:
    try:
        for name in ("payment_notice_id", "payment_id"):
            _PAYMENT_ID.validate_python(fields.get(name, ""))
    except ValidationError:
        return False
    return True
