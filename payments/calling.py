"""Call: turn the operation's current step into the adapter's verb. No transaction is open here."""

from __future__ import annotations

from gateways.interface import (
    AuthorizeRequest,
    CancelRequest,
    CaptureRequest,
    CardSource,
    CardToken,
    ChangeAmountRequest,
    Gateway,
    Journal,
    Payer,
    PaymentReference,
    PaymentRequest,
    ReauthorizeRequest,
    TakesRequests,
    Target,
)
from gateways.outcomes import InquiryOutcome, NotSent, Outcome, Reason, ReasonKind
from gateways.vocabulary import Action, MethodKind, PaymentStatus
from payments import accounts, credentials, throttle
from payments.journal import OperationClosed, OperationJournal, StepJournal
from payments.models import Operation, Payment
from payments.settlement import current_step
from payments.steps import Step

# An authorization that goes on from what it remembered does not look at the card any more.
_SPENT_TOKEN = CardToken(token="")
_CLOSED = NotSent(
    reason=Reason(
        kind=ReasonKind.BUSY,
        text="送信する前に時間切れとなったため、送信していません。もう一度実行してください。",
    )
)


def call_step(
    payment: Payment, operation: Operation, *, card: CardSource | None = None, payer: Payer | None = None
) -> Outcome:
    """Send the current step to the provider, write its telegrams down and return what came of it.

    `card` is for AUTHORIZE only: a token lives in the request that brought it and is stored nowhere. `payer` is for
    REQUEST only.
    """
    return send_step(payment, operation, StepJournal(operation), card=card, payer=payer)


def send_step(
    payment: Payment,
    operation: Operation,
    journal: StepJournal,
    *,
    card: CardSource | None = None,
    payer: Payer | None = None,
) -> Outcome:
    """As `call_step`, with a journal of the caller's choice."""
    account = payment.account
    try:
        gateway = accounts.gateway(account.code)
    except accounts.AccountNotConfigured:
        return _not_configured(account.code)
    by_hand = operation.source != Operation.Source.BULK
    with throttle.slot(account, leaves=0 if by_hand else throttle.CALLS_KEPT_FOR_CLICKS) as admitted:
        if not admitted:
            return NotSent(
                reason=Reason(
                    kind=ReasonKind.BUSY,
                    text="決済代行会社への通信が混み合っているため、送信していません。しばらくしてからもう一度実行してください。",
                )
            )
        step = current_step(operation)
        try:
            if step.action is Action.REQUEST:
                return _request(gateway, payment, step, journal, payer)
            return _send(gateway, payment, step, journal, card)
        except OperationClosed:
            return _CLOSED


def ask(payment: Payment, operation: Operation) -> InquiryOutcome:
    """Ask the provider how the payment stands; the telegram is journalled under the operation."""
    return ask_noting(payment, OperationJournal(operation))


def ask_noting(payment: Payment, journal: Journal) -> InquiryOutcome:
    """Ask the provider how the payment stands; the telegram goes to a journal of the caller's choice."""
    account = payment.account
    try:
        gateway = accounts.gateway(account.code)
    except accounts.AccountNotConfigured:
        return _not_configured(account.code)
    with throttle.slot(account) as admitted:
        if not admitted:
            return NotSent(reason=Reason(kind=ReasonKind.BUSY, text="通信が混み合っています。"))
        return gateway.inquire(reference(payment), journal)


def reference(payment: Payment) -> PaymentReference:
    """The payment as an adapter addresses it."""
    return PaymentReference(
        order_id=payment.provider_order_id,
        kind=MethodKind(payment.kind),
        status=PaymentStatus(payment.status),
        amount=payment.amount,
        installments=payment.installments,
        references=payment.references,
        secrets=credentials.unseal(payment.sealed_secrets),
    )


def _send(
    gateway: Gateway, payment: Payment, step: Step, journal: StepJournal, card: CardSource | None
) -> Outcome:
    where = reference(payment)
    # A change that keeps a captured payment captured (Paygent: SALES) is a charge too.
    sold = step.result in (PaymentStatus.CAPTURE, PaymentStatus.SALES)
    target: Target = PaymentStatus.CAPTURE if sold else PaymentStatus.AUTH
    match step.action:
        case Action.AUTHORIZE:
            if card is None and not journal.progress:
                raise ValueError("an authorization needs the customer's card token or stored card")
            request = AuthorizeRequest(
                amount=step.amount,
                target=target,
                card=card or _SPENT_TOKEN,
                installments=payment.installments,
            )
            return gateway.authorize(where, request, journal)
        case Action.CAPTURE:
            return gateway.capture(where, CaptureRequest(amount=step.amount, on=step.on), journal)
        case Action.CANCEL:
            assert step.cancel_type is not None
            return gateway.cancel(where, CancelRequest(cancel_type=step.cancel_type, on=step.on), journal)
        case Action.CHANGE_AMOUNT:
            return gateway.change_amount(
                where, ChangeAmountRequest(amount=step.amount, target=target), journal
            )
        case Action.REAUTHORIZE:
            return gateway.reauthorize(where, ReauthorizeRequest(amount=step.amount, target=target), journal)
    raise ValueError(f"no telegram belongs to {step.action}")


def _request(
    gateway: Gateway, payment: Payment, step: Step, journal: StepJournal, payer: Payer | None
) -> Outcome:
    if payer is None or not isinstance(gateway, TakesRequests):
        raise ValueError("a request needs the payer, and a provider with other kinds of payment than cards")
    target: Target = (
        PaymentStatus.CAPTURE
        if payment.account.checkout_target == PaymentStatus.CAPTURE
        else PaymentStatus.AUTH
    )
    request = PaymentRequest(amount=step.amount, target=target, payer=payer)
    return gateway.request_payment(reference(payment), request, journal)


def _not_configured(code: str) -> NotSent:
    return NotSent(
        reason=Reason(
            kind=ReasonKind.CREDENTIALS,
            text=f"決済アカウント「{code}」の接続情報が設定されていません。管理者に連絡してください。",
        )
    )
