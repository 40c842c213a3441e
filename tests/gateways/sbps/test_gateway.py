"""Every verb against the sandbox over HTTP, in plain text and in 3DES."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

import pytest
import requests

from gateways.clock import TOKYO
from gateways.interface import (
    AuthorizeRequest,
    CancelRequest,
    CaptureRequest,
    CardToken,
    ChangeAmountRequest,
    PaymentReference,
    ReauthorizeRequest,
    StoredCard,
)
from gateways.outcomes import Approved, Declined, Found, NotFound, NotSent, ReasonKind, Refused, Unknown
from gateways.sbps.gateway import SbpsGateway
from gateways.vocabulary import CancelType, MethodKind, PaymentStatus
from tests.gateways.journal import MemoryJournal
from tests.gateways.sbps.conftest import (
    AUTHORIZE,
    CANCEL,
    CAPTURE,
    COMMIT,
    HASH_KEY,
    INQUIRE,
    account_at,
    actions,
    new_payment,
    pay,
    stands,
    wish,
)
from tests.gateways.test_transport import closed_port
from tests.sandbox_server import SandboxHandle

VOID, RETURN = CancelRequest(cancel_type=CancelType.VOID), CancelRequest(cancel_type=CancelType.RETURN)
NEXT_MONTH = date(2026, 12, 5)


def status(gateway: SbpsGateway, payment: PaymentReference) -> PaymentStatus | None:
    answer = gateway.inquire(payment, MemoryJournal())
    assert isinstance(answer, Found), answer
    assert answer.trade.amount is None
    return answer.trade.status


def test_authorize_holds_and_commits_and_says_when_in_tokyo(
    gateway: SbpsGateway,
    provider: SandboxHandle,
    new_token: Callable[..., CardToken],
    journal: MemoryJournal,
) -> None:
    provider.set_clock("2026-11-30T23:59:58+09:00", freeze=True)
    payment = new_payment()
    outcome = gateway.authorize(payment, wish(new_token()), journal)
    assert isinstance(outcome, Approved)
    assert outcome.trade.processed_at == datetime(2026, 11, 30, 23, 59, 58, tzinfo=TOKYO)
    references = outcome.trade.references
    assert len(references["tracking_id"]) == 14
    assert len(references["tran_id"]) == 32
    assert len(references["approve"]) == 6
    assert references["forward"] == "10035"
    assert references["method"] == "1"
    assert journal.calls == [AUTHORIZE, COMMIT]
    assert journal.remembered["stage"] == "committed"
    assert actions(provider, payment) == ["AUTH"]
    assert stands(provider, payment) == ("AUTH", True)


def test_a_token_and_the_keys_are_never_written_down(
    gateway: SbpsGateway, provider: SandboxHandle, new_token: Callable[..., CardToken], journal: MemoryJournal
) -> None:
    card = new_token()
    provider.post_fault("html", call=AUTHORIZE)
    gateway.authorize(new_payment(), wish(card), journal)
    written = "".join(line.request + line.response + line.summary for line in journal.lines)
    for secret in (*card.token.split(":"), "0123456789abcdef"):
        assert secret not in written


def test_instalments_are_sent_with_their_number(gateway: SbpsGateway, journal: MemoryJournal) -> None:
    outcome = gateway.authorize(new_payment(), wish(CardToken(token="TOKEN:KEY"), installments=12), journal)
    assert isinstance(outcome, Approved)
    assert (outcome.trade.references["method"], outcome.trade.references["pay_times"]) == ("2", "12")
    assert "dealings_type=61&divide_times=012" in journal.lines[0].request


@pytest.mark.parametrize(("number", "kind"), [("22", "card_refused"), ("61", "card_data_wrong")])
def test_a_refused_card_is_declined_and_nothing_is_held(
    gateway: SbpsGateway,
    provider: SandboxHandle,
    new_token: Callable[..., CardToken],
    journal: MemoryJournal,
    number: str,
    kind: str,
) -> None:
    payment = new_payment()
    outcome = gateway.authorize(payment, wish(new_token(f"49990000000000{number}")), journal)
    assert isinstance(outcome, Declined)
    assert outcome.reason.kind == kind
    assert outcome.reason.code == f"101{number}999"
    assert journal.calls == [AUTHORIZE]
    assert actions(provider, payment) == []


def test_an_auto_capture_contract_arrives_sold(gateway: SbpsGateway, provider: SandboxHandle) -> None:
    provider.settings(sbps_auto_capture=1)
    payment, journal = new_payment(), MemoryJournal()
    request = wish(CardToken(token="TOKEN:KEY"), target=PaymentStatus.CAPTURE)
    outcome = gateway.authorize(payment, request, journal)
    assert isinstance(outcome, Approved)
    assert outcome.trade.status is PaymentStatus.SALES
    assert journal.calls == [AUTHORIZE, COMMIT, INQUIRE]
    assert actions(provider, payment) == ["AUTH", "CAPTURE"]


def test_a_sale_at_once_that_the_contract_does_not_have_is_shown_as_the_hold_it_is(
    gateway: SbpsGateway, provider: SandboxHandle
) -> None:
    payment = new_payment()
    request = wish(CardToken(token="TOKEN:KEY"), target=PaymentStatus.CAPTURE)
    outcome = gateway.authorize(payment, request, MemoryJournal())
    assert isinstance(outcome, Approved)
    assert outcome.trade.status is PaymentStatus.AUTH


def test_a_stored_card_pays_without_a_token(plain_gateway: SbpsGateway, provider: SandboxHandle) -> None:
    unknown = AuthorizeRequest(
        amount=500, target=PaymentStatus.AUTH, card=StoredCard(member_id="nobody", card_seq="0")
    )
    outcome = plain_gateway.authorize(new_payment(), unknown, MemoryJournal())
    assert isinstance(outcome, Refused)
    assert outcome.reason.kind is ReasonKind.NOT_FOUND


@pytest.mark.parametrize(
    "card", [CardToken(token=""), CardToken(token=":"), StoredCard(member_id="", card_seq="0")]
)
def test_without_a_card_nothing_is_sent(
    plain_gateway: SbpsGateway, journal: MemoryJournal, card: CardToken | StoredCard
) -> None:
    request = AuthorizeRequest(amount=500, target=PaymentStatus.AUTH, card=card)
    assert isinstance(plain_gateway.authorize(new_payment(), request, journal), Refused)
    assert journal.calls == []


def test_capture_today_is_dated_today(gateway: SbpsGateway, provider: SandboxHandle) -> None:
    provider.set_clock("2026-11-21T23:59:30+09:00", freeze=True)
    payment = pay(gateway)
    outcome = gateway.capture(payment, CaptureRequest(amount=3200), MemoryJournal())
    assert isinstance(outcome, Approved)
    assert outcome.trade.processed_at == datetime(2026, 11, 21, tzinfo=TOKYO)
    assert status(gateway, payment) is PaymentStatus.SALES
    assert actions(provider, payment) == ["AUTH", "SALES"]


def test_capture_on_a_later_day_is_dated_then(gateway: SbpsGateway, provider: SandboxHandle) -> None:
    provider.set_clock("2026-11-21T10:00:00+09:00")
    payment = pay(gateway)
    outcome = gateway.capture(payment, CaptureRequest(amount=3200, on=NEXT_MONTH), MemoryJournal())
    assert isinstance(outcome, Approved)
    assert outcome.trade.processed_at == datetime(2026, 12, 5, tzinfo=TOKYO)
    assert provider.trades(payment.order_id)[0]["sold_on"] == "2026-12-05"


def test_capture_before_the_authorization_is_too_early(gateway: SbpsGateway, provider: SandboxHandle) -> None:
    provider.set_clock("2026-11-21T10:00:00+09:00")
    payment = pay(gateway)
    request = CaptureRequest(amount=3200, on=date(2026, 11, 20))
    outcome = gateway.capture(payment, request, MemoryJournal())
    assert isinstance(outcome, Refused)
    assert outcome.reason.kind is ReasonKind.TOO_EARLY
    assert actions(provider, payment) == ["AUTH"]


@pytest.mark.parametrize(("day", "works"), [("2027-02-28", True), ("2027-03-01", False)])
def test_capture_is_open_until_the_end_of_the_third_month(
    plain_gateway: SbpsGateway, provider: SandboxHandle, day: str, works: bool
) -> None:
    provider.set_clock("2026-11-21T10:00:00+09:00")
    payment = pay(plain_gateway)
    provider.set_clock(f"{day}T23:59:00+09:00")
    outcome = plain_gateway.capture(payment, CaptureRequest(amount=3200), MemoryJournal())
    if works:
        assert isinstance(outcome, Approved)
        return
    assert isinstance(outcome, Refused)
    assert outcome.reason.kind is ReasonKind.TOO_LATE
    assert "再度お客様にご購入頂く必要があります" in outcome.reason.text


def test_capture_of_more_than_is_held_is_refused(gateway: SbpsGateway, provider: SandboxHandle) -> None:
    payment = pay(gateway)
    outcome = gateway.capture(payment, CaptureRequest(amount=3201), MemoryJournal())
    assert isinstance(outcome, Refused)
    assert outcome.reason.kind is ReasonKind.AMOUNT_MISMATCH
    assert actions(provider, payment) == ["AUTH"]


def test_captured_already_is_a_success_because_an_inquiry_agrees(
    gateway: SbpsGateway, provider: SandboxHandle, journal: MemoryJournal
) -> None:
    payment = pay(gateway)
    provider.admin(payment.order_id, provider="sbps", action="SALES")
    outcome = gateway.capture(payment, CaptureRequest(amount=3200), journal)
    assert isinstance(outcome, Approved)
    assert outcome.trade.status is PaymentStatus.SALES
    assert journal.calls == [CAPTURE, INQUIRE]
    assert len(actions(provider, payment)) == 2


@pytest.mark.parametrize("code", ["37", "41"])
def test_captured_already_is_no_success_where_an_inquiry_says_no(
    gateway: SbpsGateway, provider: SandboxHandle, code: str
) -> None:
    payment = pay(gateway)
    provider.post_fault("error_code", call=CAPTURE, code=code)
    outcome = gateway.capture(payment, CaptureRequest(amount=3200), MemoryJournal())
    assert isinstance(outcome, Refused)
    assert outcome.reason.kind is ReasonKind.WRONG_STATE
    assert outcome.reason.code == "payment_status=1"


def test_captured_already_stays_unknown_while_nobody_answers(
    gateway: SbpsGateway, provider: SandboxHandle
) -> None:
    payment = pay(gateway)
    provider.post_fault("error_code", call=CAPTURE, code="41")
    provider.post_fault("html", call=INQUIRE)
    outcome = gateway.capture(payment, CaptureRequest(amount=3200), MemoryJournal())
    assert isinstance(outcome, Unknown)
    assert outcome.reason.kind is ReasonKind.ALREADY_DONE


def test_cancel_of_a_hold_is_a_void(gateway: SbpsGateway, provider: SandboxHandle) -> None:
    payment, journal = pay(gateway), MemoryJournal()
    assert isinstance(gateway.cancel(payment, VOID, journal), Approved)
    assert journal.calls == [INQUIRE, CANCEL]
    assert actions(provider, payment) == ["AUTH", "VOID"]
    assert status(gateway, payment) is PaymentStatus.VOID


def test_cancel_of_a_sale_is_a_refund_with_its_date(gateway: SbpsGateway, provider: SandboxHandle) -> None:
    provider.set_clock("2026-11-21T10:00:00+09:00")
    payment = pay(gateway)
    gateway.capture(payment, CaptureRequest(amount=3200), MemoryJournal())
    outcome = gateway.cancel(payment, replace(RETURN, on=NEXT_MONTH), MemoryJournal())
    assert isinstance(outcome, Approved)
    assert outcome.trade.processed_at == datetime(2026, 12, 5, tzinfo=TOKYO)
    assert actions(provider, payment) == ["AUTH", "SALES", "RETURN"]
    assert status(gateway, payment) is PaymentStatus.RETURN


def test_a_refund_dated_before_the_sale_is_too_early(gateway: SbpsGateway, provider: SandboxHandle) -> None:
    provider.set_clock("2026-11-21T10:00:00+09:00")
    payment = pay(gateway)
    gateway.capture(payment, CaptureRequest(amount=3200, on=NEXT_MONTH), MemoryJournal())
    outcome = gateway.cancel(payment, RETURN, MemoryJournal())
    assert isinstance(outcome, Refused)
    assert outcome.reason.kind is ReasonKind.TOO_EARLY


@pytest.mark.parametrize("is_late", [False, True])
def test_a_refund_after_the_closing_date_is_for_the_shop_to_pay(
    plain_gateway: SbpsGateway, provider: SandboxHandle, is_late: bool
) -> None:
    provider.set_clock("2026-11-21T10:00:00+09:00")
    payment = pay(plain_gateway)
    plain_gateway.capture(payment, CaptureRequest(amount=3200), MemoryJournal())
    if is_late:
        provider.set_clock("2027-03-01T00:00:01+09:00")
    else:
        provider.settings(sbps_refunds_closed=1)
    outcome = plain_gateway.cancel(payment, RETURN, MemoryJournal())
    assert isinstance(outcome, Refused)
    assert outcome.reason.kind is ReasonKind.TOO_LATE
    assert "直接お客様口座にご返金ください" in outcome.reason.text
    assert actions(provider, payment) == ["AUTH", "SALES"]


def test_a_void_that_would_be_a_refund_is_not_sent(gateway: SbpsGateway, provider: SandboxHandle) -> None:
    payment, journal = pay(gateway), MemoryJournal()
    provider.admin(payment.order_id, provider="sbps", action="SALES")
    outcome = gateway.cancel(payment, VOID, journal)
    assert isinstance(outcome, Refused)
    assert outcome.reason.kind is ReasonKind.WRONG_STATE
    assert journal.calls == [INQUIRE]
    assert actions(provider, payment) == ["AUTH", "SALES"]


def test_a_second_cancel_sends_no_second_cancel(gateway: SbpsGateway, provider: SandboxHandle) -> None:
    payment = pay(gateway)
    gateway.cancel(payment, VOID, MemoryJournal())
    assert isinstance(gateway.cancel(payment, VOID, MemoryJournal()), Refused)
    assert actions(provider, payment) == ["AUTH", "VOID"]


def test_cancelled_already_counts_when_an_inquiry_agrees(
    gateway: SbpsGateway, provider: SandboxHandle
) -> None:
    payment, journal = pay(gateway), MemoryJournal()
    # Executed, and answered as if it had been executed before.
    provider.post_fault("error_code", call=CANCEL, code="52", before=False)
    outcome = gateway.cancel(payment, VOID, journal)
    assert isinstance(outcome, Approved)
    assert outcome.trade.status is PaymentStatus.VOID
    assert journal.calls == [INQUIRE, CANCEL, INQUIRE]


def test_a_cancel_that_cannot_look_first_sends_nothing(gateway: SbpsGateway, provider: SandboxHandle) -> None:
    payment, journal = pay(gateway), MemoryJournal()
    provider.post_fault("lost_answer", call=INQUIRE)
    outcome = gateway.cancel(payment, VOID, journal)
    assert isinstance(outcome, NotSent)
    assert journal.calls == [INQUIRE]
    assert stands(provider, payment) == ("AUTH", True)


def test_inquiry_of_a_number_that_sbps_does_not_know(gateway: SbpsGateway, provider: SandboxHandle) -> None:
    payment = replace(new_payment(), references={"tracking_id": "00000000000001"})
    assert isinstance(gateway.inquire(payment, MemoryJournal()), NotFound)


def test_inquiry_without_a_number_tells_a_person_what_to_look_up(
    plain_gateway: SbpsGateway, journal: MemoryJournal
) -> None:
    payment = new_payment(4980)
    answer = plain_gateway.inquire(payment, journal)
    assert isinstance(answer, Unknown)
    assert payment.order_id in answer.reason.text
    assert "4,980円" in answer.reason.text
    assert journal.calls == []


def test_a_status_that_nobody_knows_is_an_exception(gateway: SbpsGateway, provider: SandboxHandle) -> None:
    payment = pay(gateway)
    provider.admin(payment.order_id, provider="sbps", status="7")
    assert status(gateway, payment) is PaymentStatus.EXCEPTION


def test_amounts_are_not_changed_and_nothing_is_authorized_again(plain_gateway: SbpsGateway) -> None:
    payment, journal = new_payment(), MemoryJournal()
    change = plain_gateway.change_amount(
        payment, ChangeAmountRequest(amount=1, target=PaymentStatus.AUTH), journal
    )
    again = plain_gateway.reauthorize(
        payment, ReauthorizeRequest(amount=1, target=PaymentStatus.AUTH), journal
    )
    assert isinstance(change, Refused)
    assert "詳細はSBPSへお問い合わせください" in change.reason.text
    assert isinstance(again, Refused)
    assert journal.calls == []


def test_payments_that_are_no_cards_and_payments_without_a_number_are_refused(
    plain_gateway: SbpsGateway,
) -> None:
    journal = MemoryJournal()
    for payment in (new_payment(), replace(new_payment(), kind=MethodKind.CVS)):
        assert isinstance(plain_gateway.capture(payment, CaptureRequest(amount=1), journal), Refused)
        assert isinstance(plain_gateway.cancel(payment, VOID, journal), Refused)
        assert isinstance(plain_gateway.inquire(payment, journal), Unknown)
    assert journal.calls == []


def test_an_unreachable_provider_was_never_told(journal: MemoryJournal) -> None:
    gateway = SbpsGateway(account_at(f"http://127.0.0.1:{closed_port()}"))
    payment = replace(new_payment(), references={"tracking_id": "00000000000001"})
    assert isinstance(gateway.authorize(payment, wish(CardToken(token="TOKEN")), journal), NotSent)
    assert isinstance(gateway.capture(payment, CaptureRequest(amount=1), journal), NotSent)
    assert isinstance(gateway.cancel(payment, VOID, journal), NotSent)
    assert isinstance(gateway.inquire(payment, journal), NotSent)


@pytest.mark.parametrize(
    "wrong", [{"basic_password": "x"}, {"hash_key": "x" * 40, "basic_password": HASH_KEY}]
)
def test_wrong_credentials_are_a_refusal(provider: SandboxHandle, wrong: dict[str, str]) -> None:
    gateway = SbpsGateway(account_at(f"{provider.url}/sbps", **wrong))
    outcome = gateway.authorize(new_payment(), wish(CardToken(token="TOKEN")), MemoryJournal())
    assert isinstance(outcome, Refused)
    assert outcome.reason.kind is ReasonKind.CREDENTIALS


def test_a_clock_that_is_far_off_is_told_before_anything_happens(
    plain_gateway: SbpsGateway, provider: SandboxHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateways.clock.now", lambda: datetime(2020, 1, 1, tzinfo=TOKYO))
    payment = new_payment()
    outcome = plain_gateway.authorize(payment, wish(CardToken(token="TOKEN")), MemoryJournal())
    assert isinstance(outcome, NotSent)
    assert outcome.reason.code == "10110999"
    assert "時計" in outcome.reason.text
    assert actions(provider, payment) == []


def test_the_token_page_names_the_shop_as_the_account_does(provider: SandboxHandle) -> None:
    shop = account_at("http://a").shop_id
    card = {"cardno": "4111111111111111", "expire": "4912", "securitycode": "123", "shopId": shop}
    answer = requests.post(f"{provider.url}/sbps/token", json=card, timeout=10).json()
    assert answer["resultCode"] == "000"
    assert answer["tokenObject"]["token"].count(":") == 1
