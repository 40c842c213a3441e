"""決済情報差分通知: Paygent tells that a payment changed, by POST and in a queue (091).

A notice is a hint. Its state is not covered by the hash, it may come twice, late and out of order: whoever gets
one asks (094) and stores what the answer says. `payment_notice_id` is the key against duplicates.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from pydantic import ValidationError

from gateways.interface import Journal
from gateways.outcomes import NotSent, Unknown
from gateways.paygent.account import Account
from gateways.paygent.errors import Refusal
from gateways.paygent.line import Line, unreadable
from gateways.paygent.messages import Answer, NextNotice, PaymentId

# The body that ends the repetition of a notice by POST.
RECEIVED = "result=0"

_HASHED = ("payment_notice_id", "payment_id", "trading_id", "payment_type", "payment_amount")
_QUEUE_EMPTY = "1"


class Notice(Answer):
    """Which payment changed. The state in it is left out on purpose."""

    payment_notice_id: PaymentId
    payment_id: PaymentId
    trading_id: str = ""
    payment_type: str = ""


class Forged(Exception):
    """The hash of a notice is not the one that Paygent would have sent."""


def received(fields: Mapping[str, str], account: Account) -> Notice:
    """A notice that came by POST. Raises Forged, also for one without its ids."""
    hashed = hash_of(fields, account.hash_key.get_secret_value())
    if not hmac.compare_digest(hashed.encode(), fields.get("hc", "").encode()):
        raise Forged
    try:
        return Notice.model_validate(dict(fields))
    except ValidationError as error:
        raise Forged from error


def hash_of(fields: Mapping[str, str], hash_key: str) -> str:
    """`hc`: what is missing counts as empty."""
    text = "".join(fields.get(name, "") for name in _HASHED) + hash_key
    return hashlib.sha256(text.encode()).hexdigest()


class NoticeQueue:
    """The queue of an account: every notice comes out once."""

    def __init__(self, account: Account) -> None:
        self._line = Line(account)

    def take(self, journal: Journal) -> Notice | Refusal | NotSent | Unknown | None:
        """The oldest notice that was not taken yet; None when there is none."""
        answer = self._line.fields(NextNotice(), journal)
        if not isinstance(answer, dict):
            return answer
        if answer.get("success_code") == _QUEUE_EMPTY:
            return None
        try:
            return Notice.model_validate(answer)
        except ValidationError:
            return unreadable("notice")
