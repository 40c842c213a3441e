"""One telegram to Paygent and back: written into the journal, sent once, read."""

from __future__ import annotations

import time
from typing import TypeVar

from pydantic import ValidationError

from gateways import masking
from gateways.interface import Journal
from gateways.outcomes import NotSent, Reason, ReasonKind, Unknown
from gateways.paygent import wire
from gateways.paygent.account import Account
from gateways.paygent.errors import Refusal
from gateways.paygent.messages import VERSION, Answer, Request
from gateways.transport import MaybeSent, NeverSent, Transport

# Paygent asks for at least 35 seconds of patience. A shorter one makes outcomes unknown; a longer one holds a
# worker, and a change of amount is several telegrams in a row.
_AUTHORIZE_SECONDS = 60.0
_CHANGE_SECONDS = 45.0
# Reads and the store of cards; recovery asks again in a minute.
_READ_SECONDS = 35.0

READ_SECONDS: dict[str, float] = {
    "020": _AUTHORIZE_SECONDS,
    "021": _CHANGE_SECONDS,
    "022": _CHANGE_SECONDS,
    "023": _CHANGE_SECONDS,
    "028": _AUTHORIZE_SECONDS,
    "029": _AUTHORIZE_SECONDS,
    "025": _CHANGE_SECONDS,
    "026": _READ_SECONDS,
    "027": _READ_SECONDS,
    "091": _READ_SECONDS,
    "094": _READ_SECONDS,
}

_WAIT = "二重に実行せず、自動確認の結果をお待ちください。"
_NOT_SENT_TEXT = (
    "ペイジェントに接続できませんでした。何も送信されていません。時間をおいて、もう一度実行してください。"
)
_NO_ANSWER_TEXT = f"ペイジェントから応答がないため、実行されたかどうか分かりません。{_WAIT}"
_UNREADABLE_TEXT = f"ペイジェントの応答を読み取れないため、実行されたかどうか分かりません。{_WAIT}"

# What a telegram ends in when there is no answer to read.
Unanswered = NotSent | Unknown
Rows = list[dict[str, str]]

_A = TypeVar("_A", bound=Answer)


def unreadable(code: str) -> Unknown:
    """An answer that is there and cannot be trusted."""
    return Unknown(reason=Reason(kind=ReasonKind.UNREADABLE, code=code, text=_UNREADABLE_TEXT))


class Line:
    """The connection of one account. Safe to share between threads."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._transport = Transport(account.base_url, tls=account.tls_context)

    def ask(
        self, request: Request, expected: type[_A], journal: Journal, *, must_be_whole: str = ""
    ) -> _A | Refusal | Unanswered:
        """Send one telegram and expect an answer of a kind.

        `must_be_whole` names a field whose value must not be what the body ends with: a payment_id that lost
        its last digits would be another customer's payment.
        """
        answer, raw = self._call(request, journal)
        if isinstance(answer, list):
            return unreadable("list")
        if not isinstance(answer, dict):
            return answer
        if must_be_whole and wire.is_cut_at(raw, must_be_whole):
            return unreadable(must_be_whole)
        try:
            return expected.model_validate(answer)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            return unreadable(str(first["loc"][0]) if first["loc"] else "answer")

    def fields(self, request: Request, journal: Journal) -> dict[str, str] | Refusal | Unanswered:
        """Send one telegram and give the fields of its answer as they came."""
        answer, _ = self._call(request, journal)
        return unreadable("list") if isinstance(answer, list) else answer

    def rows(self, request: Request, journal: Journal) -> Rows | Refusal | Unanswered:
        """Send one telegram that is answered with a list."""
        answer, _ = self._call(request, journal)
        return unreadable("no list") if isinstance(answer, dict) else answer

    def _call(
        self, request: Request, journal: Journal
    ) -> tuple[dict[str, str] | Rows | Refusal | Unanswered, bytes]:
        fields = self._header(request) | request.fields()
        handle = journal.sending(call=request.kind, request=masking.mask_fields(fields))
        started = time.monotonic()
        raw = b""
        failure: Unanswered | None = None
        try:
            raw = self._transport.post(
                request.path,
                wire.encode(fields),
                content_type=wire.CONTENT_TYPE,
                read_seconds=READ_SECONDS[request.kind],
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
            response=_written(answer, raw, masking.secret_values(fields)),
            duration_ms=round((time.monotonic() - started) * 1000),
        )
        return answer, raw

    def _header(self, request: Request) -> dict[str, str]:
        account = self._account
        return {
            "merchant_id": account.merchant_id,
            "connect_id": account.connect_id,
            "connect_password": account.connect_password.get_secret_value(),
            "telegram_kind": request.kind,
            "telegram_version": VERSION,
        }


def _read(raw: bytes) -> dict[str, str] | Rows | Refusal | Unknown:
    try:
        answer = wire.parse_table(raw)
    except wire.Unreadable as error:
        return unreadable(str(error))
    if isinstance(answer, dict) and answer["result"] == "1":
        return Refusal(code=answer.get("response_code", ""), detail=answer.get("response_detail", ""))
    return answer


def _written(answer: object, raw: bytes, echoes: tuple[str, ...]) -> str:
    """An answer for the journal. A list of cards names no fields to mask: only its length is kept."""
    if isinstance(answer, list):
        return f"カード {len(answer)} 件"
    return masking.mask_text(wire.as_text(raw), echoes)


def _not_answered(code: str) -> Unknown:
    if code.startswith("http_") or code == "too_large":
        return unreadable(code)
    return Unknown(reason=Reason(kind=ReasonKind.NO_ANSWER, code=code, text=_NO_ANSWER_TEXT))


def _summary(answer: dict[str, str] | Rows | Refusal | Unanswered) -> str:
    """One line for the log that operators read."""
    if isinstance(answer, Refusal):
        return f"エラー {answer.shown_code} {answer.judged().reason.text}"
    if isinstance(answer, NotSent):
        return f"未送信 ({answer.reason.code})"
    if isinstance(answer, Unknown):
        return f"結果不明 ({answer.reason.code})"
    status = "" if isinstance(answer, list) else answer.get("payment_status", "")
    return f"正常 {status}".rstrip()
