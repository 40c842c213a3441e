"""Paygent as a gateway: which telegrams make up an action, and what their answers mean."""

from __future__ import annotations

from dataclasses import replace

from gateways.interface import (
    AuthorizeRequest,
    CancelRequest,
    Capabilities,
    CaptureRequest,
    CardSource,
    CardToken,
    ChangeAmountRequest,
    Journal,
    Lost,
    PaymentReference,
    ReauthorizeRequest,
    StoredCard,
    Traced,
)
from gateways.outcomes import (
    Approved,
    Declined,
    Found,
    InquiryOutcome,
    NotFound,
    NotSent,
    Outcome,
    Reason,
    ReasonKind,
    Refused,
    Unknown,
)
from gateways.paygent import trading_ids
from gateways.paygent.account import Account
from gateways.paygent.amount_change import AmountChange
from gateways.paygent.cards import CardFile, KeptCard, customer_id
from gateways.paygent.messages import Authorize, CancelCapture, Capture, Void, payment_class
from gateways.paygent.telegrams import Seen, Telegrams
from gateways.vocabulary import Action, CancelType, MethodKind, PaymentStatus

CAPABILITIES = Capabilities(
    actions=frozenset(
        {Action.AUTHORIZE, Action.CAPTURE, Action.CANCEL, Action.CHANGE_AMOUNT, Action.INQUIRE}
    ),
    loses_3ds=True,
    reports_expiry=True,
    # "No such payment" is answered only by accounts that have configured the code that says it, and then it is
    # proof; the others answer Unknown.
    not_found_is_proof=True,
    max_amount=9_999_999,
    # A change of amount that meets a late answer or a refusal at every step: 094, 020, 094, 022, 094, 094 twice,
    # 021, 094, 094 twice; each with 10 seconds to connect, and something for name lookups.
    longest_call_seconds=600,
    trace_key="payment_id",
    trace_pattern=r"[0-9]{1,30}",
    resumes=frozenset({Action.CHANGE_AMOUNT}),
)

_CARDS_ONLY = Refused(
    reason=Reason(
        kind=ReasonKind.OUR_REQUEST,
        text="この支払方法の操作は、この画面では行えません。ペイジェントオンラインで行ってください。",
    )
)
_NO_SUCH_CANCEL = Refused(
    reason=Reason(
        kind=ReasonKind.OUR_REQUEST,
        text="ペイジェントに月跨返品はありません。取消または返品を行ってください。",
    )
)
_NO_REAUTHORIZATION = Refused(
    reason=Reason(
        kind=ReasonKind.OUR_REQUEST,
        text="ペイジェントでは再オーソリを行えません。再度お客様にご購入頂く必要があります。",
    )
)
_NOT_LOOKED_UP_TEXT = "実行前にペイジェントで取引を確認できなかったため、何も実行していません。時間をおいて、もう一度実行してください。"


class PaygentGateway:
    """One account at Paygent. Stateless but for its connections; safe to share between threads."""

    def __init__(self, account: Account) -> None:
        self.capabilities = replace(CAPABILITIES, not_found_is_proof=bool(account.not_found_codes))
        self._corrects_decreases = account.corrects_decreases
        self._telegrams = Telegrams(account)
        self._cards = CardFile(account)

    def authorize(self, payment: PaymentReference, request: AuthorizeRequest, journal: Journal) -> Outcome:
        """020 under a trading_id made of the order id, so that a lost answer can be asked for."""
        if payment.kind is not MethodKind.CARD:
            return _CARDS_ONLY
        if isinstance(request.card, CardToken) and request.card.keep_for:
            return self._authorize_and_keep(payment, request, request.card, journal)
        return self._authorize(payment, request, request.card, journal)

    def _authorize_and_keep(
        self, payment: PaymentReference, request: AuthorizeRequest, card: CardToken, journal: Journal
    ) -> Outcome:
        """025, then 020 with the kept card, since a token serves once; a card that does not pay is forgotten (026).

        Where it cannot be kept, the token pays: keeping is a convenience.
        """
        kept = self._cards.keep(member_id=card.keep_for, token=card.token, journal=journal)
        if isinstance(kept, Declined):
            return kept
        if not isinstance(kept, KeptCard):
            return self._authorize(payment, request, card, journal)
        stored = StoredCard(member_id=card.keep_for, card_seq=kept.card_seq)
        outcome = self._authorize(payment, request, stored, journal)
        if not isinstance(outcome, Approved | Unknown):
            self._cards.forget(member_id=card.keep_for, card_seq=kept.card_seq, journal=journal)
        return outcome

    def _authorize(
        self, payment: PaymentReference, request: AuthorizeRequest, source: CardSource, journal: Journal
    ) -> Outcome:
        card: dict[str, str]
        if isinstance(source, CardToken):
            card = {"card_token": source.token}
        else:
            card = {
                "stock_card_mode": "1",
                "customer_id": customer_id(source.member_id),
                "customer_card_id": source.card_seq,
            }
        telegram = Authorize(
            trading_id=trading_ids.of_order(payment.order_id),
            payment_amount=request.amount,
            **payment_class(request.installments),
            sales_mode="1" if request.target is PaymentStatus.CAPTURE else None,
            **card,
        )
        return self._telegrams.authorize(telegram, journal)

    def capture(self, payment: PaymentReference, request: CaptureRequest, journal: Journal) -> Outcome:
        """022 of the whole authorized amount."""
        if payment.kind is not MethodKind.CARD:
            return _CARDS_ONLY
        payment_id = self._payment_id(payment, journal)
        if not isinstance(payment_id, str):
            return payment_id
        return self._telegrams.move(Capture(payment_id=payment_id), journal)

    def cancel(self, payment: PaymentReference, request: CancelRequest, journal: Journal) -> Outcome:
        """021 for VOID, 023 for RETURN: Paygent decides by state, not by day."""
        if payment.kind is not MethodKind.CARD:
            return _CARDS_ONLY
        if request.cancel_type is CancelType.RETURNX:
            return _NO_SUCH_CANCEL
        payment_id = self._payment_id(payment, journal)
        if not isinstance(payment_id, str):
            return payment_id
        if request.cancel_type is CancelType.VOID:
            return self._telegrams.move(Void(payment_id=payment_id), journal)
        return self._telegrams.move(CancelCapture(payment_id=payment_id), journal)

    def change_amount(
        self, payment: PaymentReference, request: ChangeAmountRequest, journal: Journal
    ) -> Outcome:
        """A new payment in the old one's place; may be called again with the same journal (see AmountChange)."""
        if payment.kind is not MethodKind.CARD:
            return _CARDS_ONLY
        change = AmountChange(
            self._telegrams, payment, request, journal, corrects_decreases=self._corrects_decreases
        )
        return change.run()

    def reauthorize(
        self, payment: PaymentReference, request: ReauthorizeRequest, journal: Journal
    ) -> Outcome:
        """Not offered."""
        return _NO_REAUTHORIZATION

    def inquire(self, payment: PaymentReference, journal: Journal) -> InquiryOutcome:
        """094 by payment_id; by trading_id where an authorization's answer was lost."""
        seen = self._look(payment, journal)
        return Found(trade=seen.trade) if isinstance(seen, Seen) else seen

    def known_as(self, payment: PaymentReference, lost: Lost) -> str:
        """マーチャント取引ID: of the new payment, where an amount was being changed."""
        return lost.progress.get("new_trading_id") or _trading_id(payment)

    def trace(
        self, payment: PaymentReference, lost: Lost, trade_id: str, journal: Journal
    ) -> Traced | Refused | NotSent | Unknown:
        """094 by payment_id; what it tells of our number and the amount has to be the lost trade's."""
        seen = self._telegrams.look(journal, payment_id=trade_id)
        if isinstance(seen, NotFound):
            return Refused(reason=seen.reason)
        if not isinstance(seen, Seen):
            return seen
        told = seen.trade.references.get("trading_id", "")
        if told not in {"", self.known_as(payment, lost)} or trade_id == lost.progress.get("old_payment_id"):
            return _another_trade(trade_id, told)
        if seen.trade.amount not in {None, lost.amount}:
            return _another_amount(trade_id, seen.trade.amount, lost.amount)
        if lost.action is Action.CHANGE_AMOUNT:
            return Traced(trade=seen.trade, progress={"new_payment_id": trade_id, "stage": "authorized"})
        return Traced(trade=seen.trade, progress={"payment_id": trade_id})

    def _look(self, payment: PaymentReference, journal: Journal) -> Seen | NotFound | NotSent | Unknown:
        return self._telegrams.look(
            journal,
            # A person may have found the number that an authorization's lost answer held.
            payment_id=payment.references.get("payment_id") or journal.progress.get("payment_id", ""),
            trading_id=_trading_id(payment),
        )

    def _payment_id(self, payment: PaymentReference, journal: Journal) -> str | Outcome:
        """Theirs: kept, or asked for where the answer with it was lost."""
        if payment_id := payment.references.get("payment_id"):
            return payment_id
        seen = self._look(payment, journal)
        if isinstance(seen, Seen):
            return seen.trade.references["payment_id"]
        if isinstance(seen, NotFound):
            return Refused(reason=seen.reason)
        return NotSent(reason=Reason(kind=seen.reason.kind, code=seen.reason.code, text=_NOT_LOOKED_UP_TEXT))


def _trading_id(payment: PaymentReference) -> str:
    return payment.references.get("trading_id") or trading_ids.of_order(payment.order_id)


def _another_trade(trade_id: str, trading_id: str) -> Refused:
    whose = f"マーチャント取引ID「{trading_id}」" if trading_id else "別の取引"
    text = f"決済ID {trade_id} は{whose}の決済で、この操作の取引ではありません。"
    return Refused(reason=Reason(kind=ReasonKind.NOT_FOUND, text=text))


def _another_amount(trade_id: str, told: int | None, expected: int) -> Refused:
    text = f"決済ID {trade_id} の金額は{told or 0:,}円で、この操作の金額({expected:,}円)と違います。"
    return Refused(reason=Reason(kind=ReasonKind.AMOUNT_MISMATCH, text=text))
