"""One telegram to SBPS and back: written into the journal, sent once, read."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TypeVar

from pydantic import ValidationError

from gateways import clock, masking
from gateways.interface import Journal
from gateways.outcomes import Declined, NotSent, Reason, ReasonKind, Refused, Unknown
from gateways.sbps import errors, wire
from gateways.sbps.account import Account
from gateways.sbps.messages import (
    Answer,
    Authorize,
    CancelOrRefund,
    Capture,
    Commit,
    DeleteCard,
    Inquire,
    ReferCard,
    Request,
)
from gateways.transport import MaybeSent, NeverSent, Transport

# How long SBPS may take per call; clients in use wait from 9 to 60 s. A short patience makes outcomes unknown.
# The card company is asked. A lost one is sent once more while the customer waits, so no longer than this.
_AUTHORIZE_SECONDS = 50.0
# Inside SBPS only.
_COMMIT_SECONDS = 30.0
# Booked at SBPS; passed on to the card company on the day.
_MOVE_SECONDS = 50.0
# Reads only.
_INQUIRE_SECONDS = 20.0
_CARD_FILE_SECONDS = 15.0

READ_SECONDS: dict[str, float] = {
    Authorize.api_id: _AUTHORIZE_SECONDS,
    Commit.api_id: _COMMIT_SECONDS,
    Capture.api_id: _MOVE_SECONDS,
    CancelOrRefund.api_id: _MOVE_SECONDS,
    Inquire.api_id: _INQUIRE_SECONDS,
    # The customer waits for the card page.
    ReferCard.api_id: _CARD_FILE_SECONDS,
    DeleteCard.api_id: _CARD_FILE_SECONDS,
}

# How long a telegram is good for at SBPS: one that is held up on the way must not be executed after recovery has
# asked, which it does two minutes after the call at the earliest. A clock may be slow by as much.
LIMIT_SECONDS = 120

_PATH = "/api/xmlapi.do"
_OK, _NG = "OK", "NG"

_WAIT = "二重に実行せず、自動確認の結果をお待ちください。"
NOT_SENT_TEXT = "SBPSに接続できませんでした。何も送信されていません。時間をおいて、もう一度実行してください。"
_NO_ANSWER_TEXT = f"SBPSから応答がないため、実行されたかどうか分かりません。{_WAIT}"
_UNREADABLE_TEXT = f"SBPSの応答を読み取れないため、実行されたかどうか分かりません。{_WAIT}"
# The front of the provider turned us away with this; nothing behind it saw the telegram.
_NOT_LET_IN = "http_401"

# What a call ends in when it does not end in an answer.
Failure = Declined | Refused | NotSent | Unknown

_A = TypeVar("_A", bound=Answer)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An answer with res_result NG and its code, before it is judged."""

    code: str

    def judged(self) -> Failure:
        """The outcome the code stands for."""
        return errors.judge(self.code)


def unreadable(code: str) -> Unknown:
    """An answer that is there and cannot be trusted."""
    return Unknown(reason=Reason(kind=ReasonKind.UNREADABLE, code=code, text=_UNREADABLE_TEXT))


class Line:
    """The connection of one account. Safe to share between threads."""

    def __init__(self, account: Account) -> None:
        self._transport = Transport(account.base_url)
        self._authorization = account.authorization()
        self._hash_key = account.hash_key.get_secret_value()
        self._cipher: wire.Cipher | None = None
        if account.cipher_key is not None and account.cipher_iv is not None:
            self._cipher = wire.Cipher(
                account.cipher_key.get_secret_value(), account.cipher_iv.get_secret_value()
            )

    @property
    def encrypts(self) -> bool:
        """Whether the way of payment travels in 3DES."""
        return self._cipher is not None

    def call(
        self, request: Request, expected: type[_A], journal: Journal
    ) -> _A | Refusal | Refused | NotSent | Unknown:
        """Send one telegram and read the answer. Refused only where SBPS did not let us in at all."""
        nodes = [
            *request.nodes(),
            wire.Leaf(name="request_date", value=f"{clock.tokyo():%Y%m%d%H%M%S}"),
            wire.Leaf(name="limit_second", value=str(LIMIT_SECONDS)),
        ]
        body = wire.write(request.api_id, nodes, hash_key=self._hash_key, cipher=self._cipher)
        fields = {leaf.name: leaf.value for leaf in wire.leaves(nodes)}
        handle = journal.sending(call=request.api_id, request=masking.mask_fields(fields))
        started = time.monotonic()
        raw = b""
        answer: _A | Refusal | Refused | NotSent | Unknown
        try:
            raw = self._transport.post(
                _PATH,
                body,
                content_type=wire.CONTENT_TYPE,
                read_seconds=READ_SECONDS[request.api_id],
                authorization=self._authorization,
            )
            answer = self._read(raw, request.api_id, expected)
        except NeverSent as error:
            answer = NotSent(reason=Reason(kind=ReasonKind.UNREACHABLE, code=error.code, text=NOT_SENT_TEXT))
        except MaybeSent as error:
            raw = error.body
            answer = _not_answered(error.code)
        journal.answered(
            handle,
            summary=_summary(answer),
            response=masking.mask_text(wire.as_text(raw), masking.secret_values(fields)),
            duration_ms=round((time.monotonic() - started) * 1000),
        )
        return answer

    def ask(self, request: Request, expected: type[_A], journal: Journal) -> _A | Failure:
        """Send one telegram and expect a whole answer; a refusal is judged."""
        answer = self.call(request, expected, journal)
        return answer.judged() if isinstance(answer, Refusal) else answer

    def _read(self, raw: bytes, api_id: str, expected: type[_A]) -> _A | Refusal | Unknown:
        try:
            answer = wire.read(raw, self._cipher)
        except wire.Unreadable as error:
            return unreadable(str(error))
        result, code = answer.values.get("res_result"), answer.values.get("res_err_code", "")
        if result == _NG and code and answer.api_id in (None, api_id):
            return Refusal(code=code)
        if result != _OK or code or answer.api_id != api_id:
            return unreadable("res_result" if answer.api_id == api_id else "id")
        try:
            found: _A = expected.of(answer.values)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            return unreadable(str(first["loc"][0]) if first["loc"] else "answer")
        return found


def _not_answered(code: str) -> Refused | Unknown:
    if code == _NOT_LET_IN:
        text = "SBPSの認証情報が正しくないため、実行されませんでした。設定をご確認ください。"
        return Refused(reason=Reason(kind=ReasonKind.CREDENTIALS, code=code, text=text))
    if code.startswith("http_") or code == "too_large":
        return unreadable(code)
    return Unknown(reason=Reason(kind=ReasonKind.NO_ANSWER, code=code, text=_NO_ANSWER_TEXT))


def _summary(answer: Answer | Refusal | Refused | NotSent | Unknown) -> str:
    """One line for the log that operators read."""
    if isinstance(answer, Refusal):
        return f"エラー {answer.code} {answer.judged().reason.text}"
    if isinstance(answer, NotSent):
        return f"未送信 ({answer.reason.code})"
    if isinstance(answer, Unknown):
        return f"結果不明 ({answer.reason.code})"
    if isinstance(answer, Refused):
        return f"エラー {answer.reason.code} {answer.reason.text}"
    return f"正常 {answer.told()}".rstrip()
