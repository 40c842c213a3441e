"""One telegram to GMO-PG and back: written into the journal, sent once, read."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TypeVar

from pydantic import ValidationError

from gateways import masking
from gateways.gmopg import errors, wire
from gateways.gmopg.account import Account
from gateways.gmopg.messages import Answer, Request
from gateways.interface import Journal
from gateways.outcomes import Declined, NotSent, Reason, ReasonKind, Refused, Unknown
from gateways.transport import MaybeSent, NeverSent, Transport

# How long GMO-PG may take per call. A short patience makes outcomes unknown; a long one holds a worker.
# It opens a trade in its own database only (0 to 1 s were seen).
_OPEN_SECONDS = 30.0
# The card company, the stores' or the carrier's centre is asked, perhaps through CAFIS, which itself waits for
# up to a minute (1 to 4 s were seen).
_EXECUTE_SECONDS = 90.0
# Settled inside GMO-PG; cancels pass a message on (2 to 3 s were seen).
_ALTER_SECONDS = 60.0
# A cancel and a new authorization behind one call.
_CHANGE_SECONDS = 90.0
# Reads only; recovery asks again in a minute, and an operator waits in front of the screen.
_SEARCH_SECONDS = 20.0
# Storing a card asks the card company whether it is valid (3 s were seen).
_STORE_SECONDS = 60.0

_OTHER_KINDS = ("Cvs", "PayEasy", "Au", "Docomo", "Sb", "RakutenId")

READ_SECONDS: dict[str, float] = {
    "EntryTran": _OPEN_SECONDS,
    "ExecTran": _EXECUTE_SECONDS,
    "AlterTran": _ALTER_SECONDS,
    "ChangeTran": _CHANGE_SECONDS,
    "SearchTrade": _SEARCH_SECONDS,
    "SearchTradeMulti": _SEARCH_SECONDS,
    "SaveMember": _SEARCH_SECONDS,
    "SaveCard": _STORE_SECONDS,
    "TradedCard": _STORE_SECONDS,
    "SearchCard": _SEARCH_SECONDS,
    "DeleteCard": _SEARCH_SECONDS,
    **{f"EntryTran{kind}": _OPEN_SECONDS for kind in _OTHER_KINDS},
    **{f"ExecTran{kind}": _EXECUTE_SECONDS for kind in _OTHER_KINDS},
}

_WAIT = "二重に実行せず、自動確認の結果をお待ちください。"
_NOT_SENT_TEXT = (
    "GMO-PGに接続できませんでした。何も送信されていません。時間をおいて、もう一度実行してください。"
)
_NO_ANSWER_TEXT = f"GMO-PGから応答がないため、実行されたかどうか分かりません。{_WAIT}"
_UNREADABLE_TEXT = f"GMO-PGの応答を読み取れないため、実行されたかどうか分かりません。{_WAIT}"

# What a call ends in when it does not end in an answer.
Failure = Declined | Refused | NotSent | Unknown

_A = TypeVar("_A", bound=Answer)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An error answer with its codes, before it is judged."""

    codes: tuple[str, ...]

    def judged(self) -> Failure:
        """The outcome the codes stand for."""
        return errors.judge(self.codes)


def unreadable(code: str) -> Unknown:
    """An answer that is there and cannot be trusted."""
    return Unknown(reason=Reason(kind=ReasonKind.UNREADABLE, code=code, text=_UNREADABLE_TEXT))


class Line:
    """The connection of one account. Safe to share between threads."""

    def __init__(self, account: Account) -> None:
        self._transport = Transport(account.base_url)

    def call(self, request: Request, journal: Journal) -> dict[str, str] | Refusal | NotSent | Unknown:
        """Send one telegram. Its name is the class of the request; keys of the answer are in lower case."""
        name = type(request).__name__
        fields = request.fields()
        body = wire.encode(fields)
        handle = journal.sending(call=name, request=masking.mask_fields(fields))
        started = time.monotonic()
        raw = b""
        failure: NotSent | Unknown | None = None
        try:
            raw = self._transport.post(
                f"/payment/{name}.idPass",
                body,
                content_type=wire.CONTENT_TYPE,
                read_seconds=READ_SECONDS[name],
            )
        except NeverSent as error:
            reason = Reason(kind=ReasonKind.UNREACHABLE, code=error.code, text=_NOT_SENT_TEXT)
            failure = NotSent(reason=reason)
        except MaybeSent as error:
            raw = error.body
            failure = _not_answered(error.code)
        answer = failure or _read(raw)
        journal.answered(
            handle,
            summary=_summary(answer),
            response=masking.mask_text(wire.as_text(raw), masking.secret_values(fields)),
            duration_ms=round((time.monotonic() - started) * 1000),
        )
        return answer

    def ask(self, request: Request, expected: type[_A], journal: Journal) -> _A | Failure:
        """Send one telegram and expect a whole answer of a kind; everything else is judged."""
        answer = self.call(request, journal)
        if isinstance(answer, Refusal):
            return answer.judged()
        return understood(answer, expected) if isinstance(answer, dict) else answer


def understood(fields: dict[str, str], expected: type[_A]) -> _A | Unknown:
    """The typed answer, or Unknown where a field is missing, cut or not what it should be."""
    try:
        return expected.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        return unreadable(str(first["loc"][0]) if first["loc"] else "answer")


def _read(raw: bytes) -> dict[str, str] | Refusal | Unknown:
    try:
        fields = wire.parse(raw)
    except wire.Unreadable as error:
        return unreadable(str(error))
    codes = errors.error_codes(fields)
    return Refusal(codes=codes) if codes else fields


def _not_answered(code: str) -> Unknown:
    if code.startswith("http_") or code == "too_large":
        return unreadable(code)
    return Unknown(reason=Reason(kind=ReasonKind.NO_ANSWER, code=code, text=_NO_ANSWER_TEXT))


def _summary(answer: dict[str, str] | Refusal | NotSent | Unknown) -> str:
    """One line for the log that operators read."""
    if isinstance(answer, Refusal):
        judged = answer.judged()
        return f"エラー {'|'.join(answer.codes)} {judged.reason.text}"
    if isinstance(answer, NotSent):
        return f"未送信 ({answer.reason.code})"
    if isinstance(answer, Unknown):
        return f"結果不明 ({answer.reason.code})"
    status = answer.get("status")
    return f"正常 {status}" if status else "正常"
