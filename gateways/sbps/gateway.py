"""SBPS as a gateway: which telegrams make up an action, and what their answers mean."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time

from gateways import clock
from gateways.interface import (
    AuthorizeRequest,
    CancelRequest,
    Capabilities,
    CaptureRequest,
    ChangeAmountRequest,
    Journal,
    Lost,
    PaymentReference,
    ReauthorizeRequest,
    Traced,
)
from gateways.outcomes import (
    Approved,
    Found,
    InquiryOutcome,
    NotFound,
    NotSent,
    Outcome,
    Reason,
    ReasonKind,
    Refused,
    Trade,
    Unknown,
)
from gateways.sbps import authorization, errors, states
from gateways.sbps.account import Account
from gateways.sbps.authorization import Authorization, look_up_text
from gateways.sbps.line import Failure, Line, Refusal, unreadable
from gateways.sbps.messages import Done, Payment
from gateways.sbps.telegrams import Telegrams
from gateways.vocabulary import Action, CancelType, MethodKind, PaymentStatus

CAPABILITIES = Capabilities(
    actions=frozenset({Action.AUTHORIZE, Action.CAPTURE, Action.CANCEL, Action.INQUIRE}),
    needs_date=True,
    inquiry_has_amount=False,
    # No inquiry by order number exists, so nothing can say that an authorization never arrived.
    not_found_is_proof=False,
    max_amount=9_999_999,
    # Two authorizations, commit, inquiry, cancel and inquiry: 50 + 50 + 30 + 20 + 50 + 20, each with up to 10 for
    # the connection, and something for name lookups.
    longest_call_seconds=300,
    trace_key="tracking_id",
    trace_pattern=r"[0-9]{14}",
    resumes=frozenset({Action.AUTHORIZE}),
)

_CARDS_ONLY = Refused(
    reason=Reason(
        kind=ReasonKind.OUR_REQUEST,
        text="この支払方法の操作は、この画面では行えません。SBPSの管理画面で行ってください。",
    )
)
_NO_AMOUNT_CHANGE = Refused(
    reason=Reason(
        kind=ReasonKind.OUR_REQUEST,
        text="SBPSの決済は金額を変更できません。詳細はSBPSへお問い合わせください。",
    )
)
_NO_REAUTHORIZATION = Refused(
    reason=Reason(
        kind=ReasonKind.OUR_REQUEST,
        text="SBPSの決済は再オーソリを行えません。再度お客様にご購入頂く必要があります。",
    )
)
_NO_TRACKING_ID = Refused(
    reason=Reason(
        kind=ReasonKind.NOT_FOUND,
        text="SBPSのトラッキングIDが記録されていないため、実行できません。SBPSの管理画面で行ってください。",
    )
)
_NO_SUCH_PAYMENT_TEXT = "SBPSに、このトラッキングIDの取引はありません。"
_NOT_LOOKED_UP_TEXT = (
    "実行前にSBPSで取引を確認できなかったため、何も実行していません。時間をおいて、もう一度実行してください。"
)
_SALE_DAY_TOO_LATE_TEXT = (
    "指定した売上日がオーソリの期限を過ぎているため、売上にできませんでした。"
    "売上・返金日を早い日付にして、もう一度実行してください。"
)
_REFUND_DAY_TOO_LATE_TEXT = (
    "指定した返金日では締日を過ぎるため、返金できませんでした。"
    "売上・返金日を早い日付にして、もう一度実行してください。"
)
_UNCOMMITTED_TEXT = "SBPSでオーソリは取れていますが、確定されていません。まだ請求はされていません。自動確認の結果をお待ちください。"

# What must be there for the cancel that was decided on: the same call voids a hold and refunds a sale.
_CANCELS = {CancelType.VOID: states.HELD, CancelType.RETURN: states.SOLD}
_CANCELLED = (states.VOIDED, states.RETURNED)


class SbpsGateway:
    """One service at SBPS. Stateless but for its connections; safe to share between threads."""

    def __init__(self, account: Account) -> None:
        self.capabilities = CAPABILITIES
        self._line = Line(account)
        self._telegrams = Telegrams(account, encrypts=self._line.encrypts)

    def authorize(self, payment: PaymentReference, request: AuthorizeRequest, journal: Journal) -> Outcome:
        """Hold and commit. Called again with the same journal, it goes on and never authorizes twice.

        That second call may cancel an uncommitted hold, so make it only when the first one's calls have timed out
        and the provider cannot be at work on them any more. The card of the request is then not looked at.
        """
        if payment.kind is not MethodKind.CARD:
            return _CARDS_ONLY
        return Authorization(
            line=self._line, telegrams=self._telegrams, payment=payment, request=request, journal=journal
        ).run()

    def capture(self, payment: PaymentReference, request: CaptureRequest, journal: Journal) -> Outcome:
        """ST02-00201 as of a day, today unless said. Captured already counts when an inquiry agrees."""
        tracking_id = _tracking_id(payment, journal)
        if tracking_id is None or payment.kind is not MethodKind.CARD:
            return _NO_TRACKING_ID if payment.kind is MethodKind.CARD else _CARDS_ONLY
        on = request.on or clock.tokyo().date()
        telegram = self._telegrams.capture(tracking_id, amount=request.amount, on=on)
        answer = self._line.call(telegram, Done, journal)
        if isinstance(answer, Done):
            return _moved(tracking_id, answer)
        if isinstance(answer, Refusal):
            if errors.is_done_already(answer.code):
                return self._confirmed(tracking_id, answer, (states.SOLD,), on, journal)
            return _judged_of_day(answer, on, _SALE_DAY_TOO_LATE_TEXT)
        return answer

    def cancel(self, payment: PaymentReference, request: CancelRequest, journal: Journal) -> Outcome:
        """ST02-00303 as of a day, today unless said, after an inquiry that shows what it will be.

        The call frees a hold and refunds a sale without telling which; the inquiry keeps it to the confirmed one.
        """
        tracking_id = _tracking_id(payment, journal)
        if tracking_id is None or payment.kind is not MethodKind.CARD:
            return _NO_TRACKING_ID if payment.kind is MethodKind.CARD else _CARDS_ONLY
        found = self._line.ask(self._telegrams.inquire(tracking_id), Payment, journal)
        if not isinstance(found, Payment) or not states.is_normal(found):
            return _not_looked_up(found)
        if found.payment_status != _CANCELS.get(request.cancel_type):
            return _other_state(found)
        on = request.on or clock.tokyo().date()
        answer = self._line.call(self._telegrams.cancel(tracking_id, on=on), Done, journal)
        if isinstance(answer, Done):
            return _moved(tracking_id, answer)
        if isinstance(answer, Refusal):
            if errors.is_done_already(answer.code):
                return self._confirmed(tracking_id, answer, _CANCELLED, on, journal)
            return _judged_of_day(answer, on, _REFUND_DAY_TOO_LATE_TEXT)
        return answer

    def change_amount(
        self, payment: PaymentReference, request: ChangeAmountRequest, journal: Journal
    ) -> Outcome:
        """Not offered (SB-1)."""
        return _NO_AMOUNT_CHANGE

    def reauthorize(
        self, payment: PaymentReference, request: ReauthorizeRequest, journal: Journal
    ) -> Outcome:
        """Not offered."""
        return _NO_REAUTHORIZATION

    def inquire(self, payment: PaymentReference, journal: Journal) -> InquiryOutcome:
        """MG01 by the tracking id, ours or the one that a lost authorization left in the journal.

        A hold that was never committed, and that we do not count as a payment, has no answer here: going on with
        its authorization ends it.
        """
        if payment.kind is not MethodKind.CARD:
            return Unknown(reason=_CARDS_ONLY.reason)
        tracking_id = _tracking_id(payment, journal)
        if tracking_id is None:
            text = look_up_text(payment, journal, amount=payment.amount)
            return Unknown(reason=Reason(kind=ReasonKind.NOT_TOLD, text=text))
        answer = self._line.call(self._telegrams.inquire(tracking_id), Payment, journal)
        if isinstance(answer, Refusal):
            return _not_told(answer)
        if not isinstance(answer, Payment):
            return answer if isinstance(answer, NotSent | Unknown) else Unknown(reason=answer.reason)
        if not states.is_normal(answer):
            return unreadable("res_status")
        if states.is_uncommitted_hold(answer) and payment.status is not PaymentStatus.AUTH:
            return Unknown(
                reason=Reason(kind=ReasonKind.WRONG_STATE, code="uncommitted", text=_UNCOMMITTED_TEXT)
            )
        return Found(trade=states.trade_of(answer, tracking_id))

    def known_as(self, payment: PaymentReference, lost: Lost) -> str:
        """購入ID."""
        return payment.order_id

    def trace(
        self, payment: PaymentReference, lost: Lost, trade_id: str, journal: Journal
    ) -> Traced | Refused | NotSent | Unknown:
        """MG01 by the tracking id. SBPS tells neither order number nor amount: these the person has compared."""
        answer = self._line.call(self._telegrams.inquire(trade_id), Payment, journal)
        if isinstance(answer, Refusal):
            told = _not_told(answer)
            if isinstance(told, NotFound):
                return Refused(reason=told.reason)
            assert isinstance(told, NotSent | Unknown)
            return told
        if not isinstance(answer, Payment):
            return answer
        if not states.is_normal(answer):
            return unreadable("res_status")
        return Traced(
            trade=states.trade_of(answer, trade_id),
            progress={"stage": authorization.AUTHORIZED, "tracking_id": trade_id},
        )

    def _confirmed(
        self, tracking_id: str, refusal: Refusal, expected: tuple[str, ...], on: date, journal: Journal
    ) -> Outcome:
        """ "Done already" is a success only where SBPS shows that it is done."""
        found = self._line.ask(self._telegrams.inquire(tracking_id), Payment, journal)
        if not isinstance(found, Payment) or not states.is_normal(found):
            return refusal.judged()
        if found.payment_status not in expected:
            return _other_state(found)
        # When it was done is told nowhere; the day that was asked for is the best there is.
        day = datetime.combine(on, time(), tzinfo=clock.TOKYO)
        trade = Trade(
            status=states.status_of(found), processed_at=day, references={"tracking_id": tracking_id}
        )
        return Approved(trade=trade)


def _tracking_id(payment: PaymentReference, journal: Journal) -> str | None:
    return payment.references.get("tracking_id") or journal.progress.get("tracking_id") or None


def _moved(tracking_id: str, done: Done) -> Approved:
    return Approved(trade=Trade(processed_at=done.process_date, references={"tracking_id": tracking_id}))


def _judged_of_day(refusal: Refusal, on: date, text: str) -> Failure:
    """ "Too late" about a day still to come is about that day, and not yet about the payment."""
    judged = refusal.judged()
    is_about_the_day = isinstance(judged, Refused) and judged.reason.kind is ReasonKind.TOO_LATE
    if is_about_the_day and on > clock.tokyo().date():
        return Refused(reason=replace(judged.reason, text=text))
    return judged


def _other_state(found: Payment) -> Refused:
    text = (
        "SBPSでの取引の状態が、確認した内容と違うため、実行しませんでした。"
        "決済状態確認・反映で、実際の状態を確認してください。"
    )
    code = f"payment_status={found.payment_status}"
    return Refused(reason=Reason(kind=ReasonKind.WRONG_STATE, code=code, text=text))


def _not_looked_up(found: Payment | Failure) -> NotSent | Refused:
    if isinstance(found, Refused):
        return found
    reason = unreadable("res_status").reason if isinstance(found, Payment) else found.reason
    return NotSent(reason=Reason(kind=reason.kind, code=reason.code, text=_NOT_LOOKED_UP_TEXT))


def _not_told(refusal: Refusal) -> InquiryOutcome:
    judged = refusal.judged()
    if errors.says_no_such_payment(refusal.code):
        reason = Reason(kind=ReasonKind.NOT_FOUND, code=refusal.code, text=_NO_SUCH_PAYMENT_TEXT)
        return NotFound(reason=reason)
    # Whatever it says about itself, an inquiry that was not answered tells nothing about the payment.
    return judged if isinstance(judged, NotSent) else Unknown(reason=judged.reason)
