"""Every verb but the change of amount, against the sandbox over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import responses

from gateways.interface import (
    AuthorizeRequest,
    CancelRequest,
    CaptureRequest,
    CardToken,
    PaymentReference,
    ReauthorizeRequest,
    StoredCard,
)
from gateways.outcomes import (
    Approved,
    Declined,
    Found,
    NotFound,
    NotSent,
    Outcome,
    ReasonKind,
    Refused,
    Unknown,
)
from gateways.paygent.cards import CardFile, KeptCard
from gateways.paygent.gateway import PaygentGateway
from gateways.vocabulary import CancelType, MethodKind, PaymentStatus
from tests.gateways.journal import MemoryJournal
from tests.gateways.paygent.conftest import CANNED, CREDENTIALS, Merchant, account_at
from tests.gateways.test_transport import closed_port
from tests.sandbox_server import GOOD_CARD, SandboxHandle

TOKYO = ZoneInfo("Asia/Tokyo")
VOID = CancelRequest(cancel_type=CancelType.VOID)
RETURN = CancelRequest(cancel_type=CancelType.RETURN)
CAPTURE = CaptureRequest(amount=3300)


def authorization(merchant: Merchant, card: str = GOOD_CARD) -> AuthorizeRequest:
    return AuthorizeRequest(
        amount=3300, target=PaymentStatus.AUTH, card=CardToken(token=merchant.token(card))
    )


def found(merchant: Merchant, payment: PaymentReference) -> tuple[PaymentStatus | None, int | None]:
    answer = merchant.gateway.inquire(payment, MemoryJournal())
    assert isinstance(answer, Found), answer
    return answer.trade.status, answer.trade.amount


def test_authorize_holds_the_amount_under_a_trading_id_of_its_own(
    merchant: Merchant, journal: MemoryJournal
) -> None:
    payment = PaymentReference(order_id="345-1-67abcdef")
    outcome = merchant.gateway.authorize(payment, authorization(merchant), journal)
    assert isinstance(outcome, Approved)
    assert outcome.trade.references["trading_id"] == "345_1_67abcdef"
    assert outcome.trade.references["payment_id"].isdigit()
    assert outcome.trade.references["card_no"] == "************1111"
    assert journal.calls == ["020"]
    assert "sandboxpass" not in journal.lines[0].request
    assert "card_token=***" in journal.lines[0].request


def test_authorize_in_instalments_and_at_once(merchant: Merchant) -> None:
    payment = merchant.pay(status=PaymentStatus.CAPTURE)
    assert merchant.movements(payment) == ["AUTH 3300", "SALES 3300"]
    assert found(merchant, payment) == (PaymentStatus.SALES, 3300)
    request = replace(authorization(merchant), installments=3)
    in_parts = PaymentReference(order_id=f"{payment.order_id}x")
    assert isinstance(merchant.gateway.authorize(in_parts, request, MemoryJournal()), Approved)
    shown = merchant.payments(in_parts)[0]
    assert (shown["payment_class"], shown["split_count"]) == ("61", "3")


@pytest.mark.parametrize("detail", ["1G12", "1G30", "1G44", "1G54"])
def test_a_declined_card_is_declined_and_kept_as_a_failed_payment(
    merchant: Merchant, order_id: str, detail: str
) -> None:
    payment = PaymentReference(order_id=order_id)
    request = authorization(merchant, f"49990000000000{detail[2:]}")
    outcome = merchant.gateway.authorize(payment, request, MemoryJournal())
    assert isinstance(outcome, Declined)
    assert outcome.reason.code == f"2003/{detail}"
    assert merchant.movements(payment) == []
    assert found(merchant, payment)[0] is PaymentStatus.PAYFAIL


def test_a_stored_card_pays(merchant: Merchant, order_id: str) -> None:
    cards = CardFile(account_at(f"{merchant.sandbox.url}/paygent"))
    kept = cards.keep(member_id=order_id, token=merchant.token(), journal=MemoryJournal())
    assert isinstance(kept, KeptCard)
    card = StoredCard(member_id=order_id, card_seq=kept.card_seq)
    request = AuthorizeRequest(amount=3300, target=PaymentStatus.AUTH, card=card)
    payment = PaymentReference(order_id=order_id)
    assert isinstance(merchant.gateway.authorize(payment, request, MemoryJournal()), Approved)


@pytest.mark.parametrize("kind", ["lost_answer", "http_500", "html", "empty", "half", "wrong_encoding"])
def test_an_authorization_without_an_answer_is_unknown_and_found_by_its_trading_id(
    merchant: Merchant, order_id: str, kind: str
) -> None:
    payment = PaymentReference(order_id=order_id)
    merchant.sandbox.post_fault(kind, call="paygent.020")
    outcome = merchant.gateway.authorize(payment, authorization(merchant), MemoryJournal())
    assert isinstance(outcome, Unknown)
    assert merchant.movements(payment) == ["AUTH 3300"]
    answer = merchant.gateway.inquire(payment, MemoryJournal())
    assert isinstance(answer, Found)
    assert answer.trade.status is PaymentStatus.AUTH
    adopted = replace(payment, references=answer.trade.references)
    assert isinstance(merchant.gateway.cancel(adopted, VOID, MemoryJournal()), Approved)


def test_a_trouble_code_on_an_authorization_is_unknown_although_it_may_be_done(
    merchant: Merchant, order_id: str
) -> None:
    payment = PaymentReference(order_id=order_id)
    merchant.sandbox.post_fault("error_code", call="020", code="E001", before=False)
    outcome = merchant.gateway.authorize(payment, authorization(merchant), MemoryJournal())
    assert isinstance(outcome, Unknown)
    assert found(merchant, payment) == (PaymentStatus.AUTH, 3300)


def test_a_payment_that_never_arrived_is_not_found_only_by_the_configured_code(
    merchant: Merchant, order_id: str
) -> None:
    payment = PaymentReference(order_id=order_id)
    assert isinstance(merchant.gateway.inquire(payment, MemoryJournal()), NotFound)
    plain = PaygentGateway(account_at(f"{merchant.sandbox.url}/paygent"))
    answer = plain.inquire(payment, MemoryJournal())
    assert isinstance(answer, Unknown)
    assert answer.reason.code == "2101"
    assert not plain.capabilities.not_found_is_proof
    assert merchant.gateway.capabilities.not_found_is_proof


def test_a_trading_id_that_several_payments_have_tells_nothing(merchant: Merchant) -> None:
    payment = merchant.pay()
    merchant.pay(order_id=payment.order_id)
    answer = merchant.gateway.inquire(replace(payment, references={}), MemoryJournal())
    assert isinstance(answer, Unknown)
    assert found(merchant, payment) == (PaymentStatus.AUTH, 3300)


def test_an_inquiry_tells_dates_in_tokyo(merchant: Merchant) -> None:
    merchant.sandbox.set_clock("2026-11-30T23:59:58+09:00", freeze=True)
    payment = merchant.pay()
    merchant.sandbox.set_clock("2026-12-02T09:00:00+09:00", freeze=True)
    merchant.gateway.capture(payment, CAPTURE, MemoryJournal())
    answer = merchant.gateway.inquire(payment, MemoryJournal())
    assert isinstance(answer, Found)
    assert answer.trade.authorized_at == datetime(2026, 11, 30, 23, 59, 58, tzinfo=TOKYO)
    assert answer.trade.captured_at == datetime(2026, 12, 2, 9, 0, tzinfo=TOKYO)
    assert answer.trade.processed_at == answer.trade.captured_at


@pytest.mark.parametrize("code", ["30", "31", "42"])
def test_a_passing_state_is_asked_again(merchant: Merchant, code: str) -> None:
    payment = merchant.pay()
    merchant.admin(payment.order_id, status=code)
    answer = merchant.gateway.inquire(payment, MemoryJournal())
    assert isinstance(answer, Unknown)
    assert answer.reason.code == code


def test_a_state_nobody_has_told_us_about_needs_a_person(merchant: Merchant) -> None:
    payment = merchant.pay()
    merchant.admin(payment.order_id, status="77")
    assert found(merchant, payment)[0] is PaymentStatus.EXCEPTION


def run(merchant: Merchant, payment: PaymentReference, verb: str, journal: MemoryJournal) -> Outcome:
    if verb == "022":
        return merchant.gateway.capture(payment, CAPTURE, journal)
    return merchant.gateway.cancel(payment, VOID if verb == "021" else RETURN, journal)


VERBS = [
    ("022", PaymentStatus.AUTH, PaymentStatus.SALES, "SALES 3300"),
    ("021", PaymentStatus.AUTH, PaymentStatus.VOID, "VOID 3300"),
    ("023", PaymentStatus.SALES, PaymentStatus.RETURN, "RETURN 3300"),
]
verbs = pytest.mark.parametrize(("verb", "before", "after", "line"), VERBS)


@verbs
def test_one_telegram_does_it(
    merchant: Merchant, verb: str, before: PaymentStatus, after: PaymentStatus, line: str
) -> None:
    payment, journal = merchant.pay(status=before), MemoryJournal()
    assert isinstance(run(merchant, payment, verb, journal), Approved)
    assert journal.calls == [verb]
    assert merchant.movements(payment)[-1] == line
    assert found(merchant, payment) == (after, 3300)


@verbs
@pytest.mark.parametrize("kind", ["lost_answer", "http_500", "http_503", "html", "empty", "half"])
def test_an_answer_that_is_no_answer_is_followed_by_a_question_that_finds_it_done(
    merchant: Merchant, verb: str, before: PaymentStatus, after: PaymentStatus, line: str, kind: str
) -> None:
    payment, journal = merchant.pay(status=before), MemoryJournal()
    merchant.sandbox.post_fault(kind, call=verb)
    outcome = run(merchant, payment, verb, journal)
    assert isinstance(outcome, Approved)
    assert outcome.trade.status is after
    assert journal.calls == [verb, "094"]
    assert merchant.movements(payment).count(line) == 1


@verbs
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "reset_before"},
        {"kind": "lost_answer", "before": True},
        {"kind": "html", "before": True},
        {"kind": "error_code", "code": "E001"},
    ],
)
def test_no_clear_answer_and_the_state_of_before_is_unknown(
    merchant: Merchant,
    verb: str,
    before: PaymentStatus,
    after: PaymentStatus,
    line: str,
    fault: dict[str, object],
) -> None:
    payment = merchant.pay(status=before)
    merchant.sandbox.post_fault(call=verb, **fault)  # type: ignore[arg-type]
    outcome = run(merchant, payment, verb, MemoryJournal())
    assert isinstance(outcome, Unknown)
    assert line not in merchant.movements(payment)


@verbs
@pytest.mark.parametrize("code", ["P010", "2201"])
def test_a_no_and_the_state_of_before_is_refused(
    merchant: Merchant, verb: str, before: PaymentStatus, after: PaymentStatus, line: str, code: str
) -> None:
    payment, journal = merchant.pay(status=before), MemoryJournal()
    merchant.sandbox.post_fault("error_code", call=verb, code=code)
    outcome = run(merchant, payment, verb, journal)
    assert isinstance(outcome, Refused)
    assert outcome.reason.code == code
    assert journal.calls == [verb, "094"]


@verbs
def test_a_no_although_it_is_done_is_done(
    merchant: Merchant, verb: str, before: PaymentStatus, after: PaymentStatus, line: str
) -> None:
    payment = merchant.pay(status=before)
    merchant.sandbox.post_fault("error_code", call=verb, code="2201", before=False)
    outcome = run(merchant, payment, verb, MemoryJournal())
    assert isinstance(outcome, Approved)
    assert outcome.trade.status is after


@verbs
def test_when_the_question_fails_too_it_is_unknown_unless_it_was_not_accepted(
    merchant: Merchant, verb: str, before: PaymentStatus, after: PaymentStatus, line: str
) -> None:
    payment = merchant.pay(status=before)
    merchant.sandbox.post_fault("html", call="094", times=None)
    merchant.sandbox.post_fault("error_code", call=verb, code="2201")
    assert isinstance(run(merchant, payment, verb, MemoryJournal()), Unknown)
    merchant.sandbox.post_fault("error_code", call=verb, code="P010")
    assert isinstance(run(merchant, payment, verb, MemoryJournal()), Refused)


def test_an_answer_about_another_payment_is_not_believed(merchant: Merchant, gateway: PaygentGateway) -> None:
    with responses.RequestsMock() as mock:
        mock.add(responses.POST, f"{CANNED}/n/card/request", body=b"\r\nresult=0\r\npayment_id=999")
        mock.add(responses.POST, f"{CANNED}/n/ref/paymentref", body=b"\r\nresult=0\r\npayment_id=999")
        outcome = PaygentGateway(account_at(CANNED)).capture(
            PaymentReference(order_id="a", references={"payment_id": "998"}), CAPTURE, MemoryJournal()
        )
    assert isinstance(outcome, Unknown)


def test_an_expired_authorization_is_reported_and_too_late_to_capture(merchant: Merchant) -> None:
    merchant.sandbox.set_clock("2026-01-10T10:00:00+09:00")
    payment = merchant.pay()
    merchant.sandbox.set_clock("2026-03-11T10:00:00+09:00")
    assert found(merchant, payment)[0] is PaymentStatus.AUTH
    merchant.sandbox.set_clock("2026-03-12T10:00:00+09:00")
    assert found(merchant, payment)[0] is PaymentStatus.EXPIRED
    outcome = merchant.gateway.capture(payment, CAPTURE, MemoryJournal())
    assert isinstance(outcome, Refused)
    assert outcome.reason.kind is ReasonKind.TOO_LATE


def test_a_capture_is_cancelled_for_sixty_days(merchant: Merchant) -> None:
    merchant.sandbox.set_clock("2026-01-10T10:00:00+09:00")
    payment = merchant.pay(status=PaymentStatus.SALES)
    merchant.sandbox.set_clock("2026-03-12T10:00:00+09:00")
    assert found(merchant, payment)[0] is PaymentStatus.SALES
    outcome = merchant.gateway.cancel(payment, RETURN, MemoryJournal())
    assert isinstance(outcome, Refused)
    assert outcome.reason.kind is ReasonKind.TOO_LATE
    assert "お客様口座" in outcome.reason.text


def test_a_payment_without_its_id_is_looked_up_first(merchant: Merchant, journal: MemoryJournal) -> None:
    payment = replace(merchant.pay(), references={})
    assert isinstance(merchant.gateway.capture(payment, CAPTURE, journal), Approved)
    assert journal.calls == ["094", "022"]
    unknown = PaymentReference(order_id="nothing-there")
    assert isinstance(merchant.gateway.capture(unknown, CAPTURE, MemoryJournal()), Refused)
    merchant.sandbox.post_fault("html", call="094")
    assert isinstance(merchant.gateway.capture(payment, CAPTURE, MemoryJournal()), NotSent)


def test_what_paygent_does_not_have_is_refused_without_a_telegram(
    merchant: Merchant, journal: MemoryJournal
) -> None:
    payment = PaymentReference(order_id="a", references={"payment_id": "1"})
    later_month = CancelRequest(cancel_type=CancelType.RETURNX)
    again = ReauthorizeRequest(amount=1, target=PaymentStatus.AUTH)
    at_the_shop = replace(payment, kind=MethodKind.CVS)
    outcomes = [
        merchant.gateway.cancel(payment, later_month, journal),
        merchant.gateway.reauthorize(payment, again, journal),
        merchant.gateway.authorize(at_the_shop, authorization(merchant), journal),
        merchant.gateway.capture(at_the_shop, CAPTURE, journal),
        merchant.gateway.cancel(at_the_shop, VOID, journal),
    ]
    assert all(isinstance(outcome, Refused) for outcome in outcomes)
    assert journal.calls == []


def test_where_nobody_answers_nothing_was_sent() -> None:
    gateway = PaygentGateway(account_at(f"http://127.0.0.1:{closed_port()}"))
    payment, journal = PaymentReference(order_id="a", references={"payment_id": "1"}), MemoryJournal()
    assert isinstance(gateway.capture(payment, CAPTURE, journal), NotSent)
    assert journal.calls == ["022"]
    assert isinstance(gateway.inquire(payment, journal), NotSent)


def test_wrong_credentials_are_refused(provider: SandboxHandle) -> None:
    values = {"base_url": f"{provider.url}/paygent", **CREDENTIALS, "connect_password": "wrong"}
    gateway = PaygentGateway(account_at(values.pop("base_url"), **values))
    payment = PaymentReference(order_id="a", references={"payment_id": "1"})
    outcome = gateway.capture(payment, CAPTURE, MemoryJournal())
    assert isinstance(outcome, Refused)
    assert outcome.reason.code == "P001"
    assert isinstance(gateway.inquire(payment, MemoryJournal()), Unknown)


def test_the_same_payment_in_two_runs_is_captured_once(merchant: Merchant) -> None:
    payment = merchant.pay()
    for _ in range(2):
        assert isinstance(merchant.gateway.capture(payment, CAPTURE, MemoryJournal()), Approved)
    assert merchant.movements(payment) == ["AUTH 3300", "SALES 3300"]
