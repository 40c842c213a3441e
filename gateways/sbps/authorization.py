"""Authorize at SBPS: a hold (ST01-00131), then its commit (ST02-00101), each step kept before and after it.

What is kept as `stage` says how far it came; a second call with the same journal never authorizes again:
1. authorizing: sent, no answer kept. SBPS finds no payment by its order number, so only a person can.
2. authorized, committing: there is a hold. Committed by now: approved. If not, it is cancelled, which frees the
   customer's limit and gives no money back, for none was taken.
3. committed; voiding, voided: as they say. ended: the hold was refused or never sent.
A second call never ends as not sent, which would be said of the whole authorization.
A lost authorization is sent once more with the same order number, in the same call only: SBPS refuses the number
of a hold that it has.
"""

from __future__ import annotations

from datetime import datetime

from gateways import clock
from gateways.interface import AuthorizeRequest, CardToken, Journal, PaymentReference
from gateways.outcomes import (
    Approved,
    Declined,
    NotSent,
    Outcome,
    Reason,
    ReasonKind,
    Refused,
    Trade,
    Unknown,
)
from gateways.sbps import errors, states
from gateways.sbps.line import NOT_SENT_TEXT, Failure, Line, Refusal, unreadable
from gateways.sbps.messages import Authorized, Done, Payment
from gateways.sbps.telegrams import Telegrams
from gateways.vocabulary import PaymentStatus

AUTHORIZING, AUTHORIZED, COMMITTING, COMMITTED = "authorizing", "authorized", "committing", "committed"
VOIDING, VOIDED, ENDED = "voiding", "voided", "ended"

# It may not have arrived. Every other unknown is an answer to a hold that did.
_WORTH_REPEATING = (ReasonKind.NO_ANSWER, ReasonKind.UNREADABLE, ReasonKind.PROVIDER_TROUBLE)

_METHOD_LUMP_SUM, _METHOD_INSTALMENTS = "1", "2"

_NO_CARD = Refused(
    reason=Reason(
        kind=ReasonKind.OUR_REQUEST,
        text="カード情報を受け取っていないため、何も送信していません。お客様に、カード情報を入力し直していただいてください。",
    )
)
_GIVEN_UP_TEXT = (
    "オーソリを確定できなかったため、オーソリを取り消しました。請求はされません。"
    "お客様に、もう一度お支払い手続きをしていただいてください。"
)
_PAID_BACK_TEXT = (
    "SBPSの管理画面で返金済みのため、この注文の決済は終了しました。"
    "お客様に、もう一度お支払い手続きをしていただいてください。"
)
_COMMIT_UNKNOWN_TEXT = (
    "オーソリは取れましたが、確定できたかどうか分かりません。二重に実行せず、自動確認の結果をお待ちください。"
)
_SALE_UNKNOWN_TEXT = (
    "オーソリは確定しましたが、売上になったかどうか分かりません。"
    "二重に実行せず、自動確認の結果をお待ちください。"
)


class Authorization:
    """One authorization of one payment."""

    def __init__(
        self,
        *,
        line: Line,
        telegrams: Telegrams,
        payment: PaymentReference,
        request: AuthorizeRequest,
        journal: Journal,
    ) -> None:
        self._line = line
        self._telegrams = telegrams
        self._payment = payment
        self._request = request
        self._journal = journal

    def run(self) -> Outcome:
        """Begin, or go on from where the journal says an earlier call came to."""
        stage = self._journal.progress.get("stage")
        return self._begin() if stage is None else self._go_on(stage)

    def _begin(self) -> Outcome:
        card = self._request.card
        # Without a token SBPS would take the customer's stored card.
        if (isinstance(card, CardToken) and not card.token.strip(":")) or (
            not isinstance(card, CardToken) and not card.member_id
        ):
            return _NO_CARD
        self._journal.remember(stage=AUTHORIZING, asked_at=clock.tokyo().isoformat(timespec="seconds"))
        answer = self._hold()
        if not isinstance(answer, Authorized):
            if not isinstance(answer, Unknown):
                self._journal.remember(stage=ENDED, code=answer.reason.code)
            return answer
        self._journal.remember(
            stage=AUTHORIZED,
            tracking_id=answer.tracking_id,
            tran_id=answer.sps_transaction_id,
            approve=answer.recognized_no.strip(),
            forward=answer.cc_company_code,
            authorized_at=answer.process_date.isoformat(),
        )
        return self._commit()

    def _hold(self) -> Authorized | Failure:
        telegram = self._telegrams.authorize(self._payment, self._request)
        answer = self._line.ask(telegram, Authorized, self._journal)
        if not isinstance(answer, Unknown):
            return answer
        if answer.reason.kind not in _WORTH_REPEATING:
            return self._look_up(answer)
        again = self._line.ask(telegram, Authorized, self._journal)
        # The card company's own no to the second one means that the first had held nothing. Every other no may
        # have been said before SBPS looked for the order number.
        if isinstance(again, Authorized) or (
            isinstance(again, Declined) and again.reason.kind is ReasonKind.CARD_REFUSED
        ):
            return again
        return self._look_up(again)

    def _commit(self) -> Outcome:
        self._journal.remember(stage=COMMITTING)
        answer = self._line.call(self._telegrams.commit(self._tracking_id), Done, self._journal)
        if isinstance(answer, Done):
            self._journal.remember(stage=COMMITTED)
            if self._request.target is PaymentStatus.CAPTURE:
                # The contract sells at the commit, or it does not: only asking tells.
                return self._by_asking(may_void=False, unknown=_SALE_UNKNOWN_TEXT)
            return self._approved(None)
        judged = answer.judged() if isinstance(answer, Refusal) else answer
        return self._by_asking(may_void=not isinstance(judged, Unknown), unknown=_COMMIT_UNKNOWN_TEXT)

    def _go_on(self, stage: str) -> Outcome:
        if stage == ENDED:
            if self._journal.progress.get("code") == states.RETURNED:
                return _paid_back()
            code = self._journal.progress.get("code", "")
            judged = errors.judge(code)
            if errors.type_of(code) and not isinstance(judged, NotSent):
                return judged
            return Refused(reason=Reason(kind=ReasonKind.UNREACHABLE, code=code, text=NOT_SENT_TEXT))
        if stage == VOIDED:
            return _given_up()
        if not self._journal.progress.get("tracking_id"):
            return self._look_up(None)
        return self._by_asking(may_void=stage != COMMITTED, unknown=_COMMIT_UNKNOWN_TEXT)

    def _by_asking(self, *, may_void: bool, unknown: str) -> Outcome:
        """Decide by what SBPS shows. `may_void`: it is certain that no commit is still under way."""
        found = self._line.ask(self._telegrams.inquire(self._tracking_id), Payment, self._journal)
        if not isinstance(found, Payment):
            return Unknown(reason=Reason(kind=found.reason.kind, code=found.reason.code, text=unknown))
        if not states.is_normal(found):
            return unreadable("res_status")
        if states.is_uncommitted_hold(found):
            if may_void:
                return self._void()
            return Unknown(reason=Reason(kind=ReasonKind.NO_ANSWER, code="uncommitted", text=unknown))
        if found.payment_status in (states.HELD, states.SOLD):
            self._journal.remember(stage=COMMITTED)
            return self._approved(found)
        if found.payment_status == states.VOIDED:
            self._journal.remember(stage=VOIDED)
            return _given_up()
        if found.payment_status == states.RETURNED:
            self._journal.remember(stage=ENDED, code=states.RETURNED)
            return _paid_back()
        return self._hold_is_left(found.payment_status)

    def _void(self) -> Outcome:
        self._journal.remember(stage=VOIDING)
        answer = self._line.call(self._telegrams.cancel(self._tracking_id, on=None), Done, self._journal)
        if not isinstance(answer, Done):
            found = self._line.ask(self._telegrams.inquire(self._tracking_id), Payment, self._journal)
            if not isinstance(found, Payment) or found.payment_status != states.VOIDED:
                code = answer.code if isinstance(answer, Refusal) else answer.reason.code
                return self._hold_is_left(code)
        self._journal.remember(stage=VOIDED)
        return _given_up()

    @property
    def _tracking_id(self) -> str:
        return self._journal.progress["tracking_id"]

    def _approved(self, found: Payment | None) -> Approved:
        progress = self._journal.progress
        in_parts = self._request.installments > 1
        references = {
            "tracking_id": progress["tracking_id"],
            # Kept with the hold; where a person found a lost one, SBPS's inquiry is all there is.
            "tran_id": progress.get("tran_id", ""),
            "approve": progress.get("approve") or (found.recognized_no.strip() if found else ""),
            "forward": progress.get("forward") or (found.cc_company_code if found else ""),
            "method": _METHOD_INSTALMENTS if in_parts else _METHOD_LUMP_SUM,
            "pay_times": str(self._request.installments) if in_parts else "",
        }
        held_at = datetime.fromisoformat(progress.get("authorized_at") or progress["asked_at"])
        status = states.status_of(found) if found else None
        return Approved(trade=Trade(status=status, processed_at=held_at, references=references))

    def _look_up(self, answer: Failure | None) -> Unknown:
        code = answer.reason.code if answer is not None else ""
        text = look_up_text(self._payment, self._journal, amount=self._request.amount)
        return Unknown(reason=Reason(kind=ReasonKind.NOT_TOLD, code=code, text=text))

    def _hold_is_left(self, code: str) -> Unknown:
        text = (
            "オーソリを確定も取消もできませんでした。SBPSの管理画面で、トラッキングID"
            f"「{self._tracking_id}」(購入ID {self._payment.order_id}、{self._request.amount:,}円)の状態を確認し、"
            "与信が残っていれば取り消してください。取り消した後に、決済状態確認・反映を行ってください。"
        )
        return Unknown(reason=Reason(kind=ReasonKind.PROVIDER_TROUBLE, code=code, text=text))


def _given_up() -> Declined:
    return Declined(reason=Reason(kind=ReasonKind.PROVIDER_TROUBLE, code=VOIDED, text=_GIVEN_UP_TEXT))


def _paid_back() -> Declined:
    return Declined(
        reason=Reason(kind=ReasonKind.PROVIDER_TROUBLE, code=states.RETURNED, text=_PAID_BACK_TEXT)
    )


def look_up_text(payment: PaymentReference, journal: Journal, *, amount: int) -> str:
    """What a person looks up at SBPS when an authorization was lost, and what then."""
    asked_at = journal.progress.get("asked_at")
    when = f"{datetime.fromisoformat(asked_at):%Y/%m/%d %H:%M}頃、" if asked_at else ""
    return (
        "SBPSでオーソリが取れたかどうか分かりません。SBPSの管理画面の取引検索で、購入ID"
        f"「{payment.order_id}」({when}{amount:,}円)を調べてください。"
        "調べた結果は、「要判断の決済操作」の画面で管理者が登録します。取引がなければ、請求はされていません。"
        "登録するまで、この注文の決済をやり直さないでください。"
    )
