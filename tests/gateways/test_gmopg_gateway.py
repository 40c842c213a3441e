"""Every verb against the sandbox over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gateways.gmopg.gateway import GmoPgGateway
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
from gateways.vocabulary import CancelType, MethodKind, PaymentStatus
from tests.gateways.conftest import account_at, pay
from tests.gateways.journal import MemoryJournal
from tests.gateways.test_transport import closed_port
from tests.sandbox_server import GOOD_CARD, SandboxHandle

TOKYO = ZoneInfo("Asia/Tokyo")


def authorization(provider: SandboxHandle, card: str = GOOD_CARD) -> AuthorizeRequest:
    return AuthorizeRequest(
        amount=3200, target=PaymentStatus.AUTH, card=CardToken(token=provider.token(card))
    )


def found(gateway: GmoPgGateway, payment: PaymentReference) -> tuple[PaymentStatus | None, int | None]:
    answer = gateway.inquire(payment, MemoryJournal())
    assert isinstance(answer, Found), answer
    return answer.trade.status, answer.trade.amount


def test_authorize_holds_the_amount_and_says_when_in_tokyo(
    gateway: GmoPgGateway, provider: SandboxHandle, order_id: str, journal: MemoryJournal
) -> None:
    provider.set_clock("2026-11-30T23:59:58+09:00", freeze=True)
    outcome = gateway.authorize(PaymentReference(order_id=order_id), authorization(provider), journal)
    assert isinstance(outcome, Approved)
    assert outcome.trade.processed_at == datetime(2026, 11, 30, 23, 59, 58, tzinfo=TOKYO)
    assert outcome.trade.references["method"] == "1"
    assert len(outcome.trade.references["tran_id"]) == 28
    assert len(outcome.trade.secrets["access_pass"]) == 32
    assert journal.calls == ["EntryTran", "ExecTran"]
    assert journal.remembered == {"access_id": outcome.trade.references["access_id"]}
    assert [line["action"] for line in provider.ledger(order_id)] == ["AUTH"]
    assert found(gateway, PaymentReference(order_id=order_id)) == (PaymentStatus.AUTH, 3200)


def test_authorize_in_instalments_and_at_once(gateway: GmoPgGateway, provider: SandboxHandle) -> None:
    payment = pay(gateway, provider, target=PaymentStatus.CAPTURE, installments=3)
    assert (payment.references["method"], payment.references["pay_times"]) == ("2", "3")
    assert found(gateway, payment) == (PaymentStatus.CAPTURE, 3200)


@pytest.mark.parametrize(
    ("card", "code"), [("4999000000000002", "42G020000"), ("4999000000000012", "42G120000")]
)
def test_a_declined_card_is_declined_and_nothing_is_held(
    gateway: GmoPgGateway,
    provider: SandboxHandle,
    order_id: str,
    journal: MemoryJournal,
    card: str,
    code: str,
) -> None:
    outcome = gateway.authorize(PaymentReference(order_id=order_id), authorization(provider, card), journal)
    assert isinstance(outcome, Declined)
    assert outcome.reason.code == code
    assert provider.ledger(order_id) == []
    assert found(gateway, PaymentReference(order_id=order_id))[0] is PaymentStatus.UNPROCESSED


def test_an_order_id_is_used_once(gateway: GmoPgGateway, provider: SandboxHandle) -> None:
    payment = pay(gateway, provider)
    outcome = gateway.authorize(payment, authorization(provider), MemoryJournal())
    assert isinstance(outcome, Unknown)
    assert outcome.reason.kind is ReasonKind.ALREADY_DONE
    assert len(provider.ledger(payment.order_id)) == 1


def test_capture_keeps_the_transaction_id(gateway: GmoPgGateway, provider: SandboxHandle) -> None:
    payment = pay(gateway, provider)
    outcome = gateway.capture(payment, CaptureRequest(amount=3200), MemoryJournal())
    assert isinstance(outcome, Approved)
    assert outcome.trade.status is None
    assert outcome.trade.references["tran_id"] == payment.references["tran_id"]
    assert found(gateway, payment) == (PaymentStatus.SALES, 3200)


def test_capture_of_another_amount_is_refused(gateway: GmoPgGateway, provider: SandboxHandle) -> None:
    payment = pay(gateway, provider)
    outcome = gateway.capture(payment, CaptureRequest(amount=3000), MemoryJournal())
    assert isinstance(outcome, Refused)
    assert outcome.reason.kind is ReasonKind.AMOUNT_MISMATCH
    assert found(gateway, payment) == (PaymentStatus.AUTH, 3200)


def test_capture_after_the_deadline_is_too_late(gateway: GmoPgGateway, provider: SandboxHandle) -> None:
    provider.set_clock("2026-01-10T10:00:00+09:00")
    payment = pay(gateway, provider)
    provider.set_clock("2026-05-01T10:00:00+09:00")
    outcome = gateway.capture(payment, CaptureRequest(amount=3200), MemoryJournal())
    assert isinstance(outcome, Refused)
    assert outcome.reason.kind is ReasonKind.TOO_LATE


@pytest.mark.parametrize(
    ("paid", "cancelled", "target", "cancel_type"),
    [
        ("2026-11-30T10:00:00+09:00", "2026-11-30T23:59:00+09:00", PaymentStatus.AUTH, CancelType.VOID),
        ("2026-11-10T10:00:00+09:00", "2026-11-11T00:00:01+09:00", PaymentStatus.AUTH, CancelType.RETURN),
        ("2026-11-30T10:00:00+09:00", "2026-12-01T10:00:00+09:00", PaymentStatus.CAPTURE, CancelType.RETURNX),
    ],
)
def test_cancel_sends_the_type_that_was_decided(
    gateway: GmoPgGateway,
    provider: SandboxHandle,
    paid: str,
    cancelled: str,
    target: PaymentStatus,
    cancel_type: CancelType,
) -> None:
    provider.set_clock(paid)
    payment = pay(gateway, provider, target=target)
    provider.set_clock(cancelled)
    journal = MemoryJournal()
    outcome = gateway.cancel(payment, CancelRequest(cancel_type=cancel_type), journal)
    assert isinstance(outcome, Approved)
    assert "Amount" not in journal.lines[0].request
    assert found(gateway, payment)[0] == PaymentStatus(cancel_type.value)


def test_a_cancel_of_the_wrong_type_is_refused(gateway: GmoPgGateway, provider: SandboxHandle) -> None:
    payment = pay(gateway, provider)
    outcome = gateway.cancel(payment, CancelRequest(cancel_type=CancelType.RETURNX), MemoryJournal())
    assert isinstance(outcome, Refused)
    assert outcome.reason.kind is ReasonKind.WRONG_STATE


def test_change_amount_sends_the_new_total(gateway: GmoPgGateway, provider: SandboxHandle) -> None:
    payment = pay(gateway, provider)
    request = ChangeAmountRequest(amount=1000, target=PaymentStatus.AUTH)
    outcome = gateway.change_amount(payment, request, MemoryJournal())
    assert isinstance(outcome, Approved)
    assert outcome.trade.references["tran_id"] != payment.references["tran_id"]
    assert found(gateway, payment) == (PaymentStatus.AUTH, 1000)


def test_reauthorize_pays_as_before(gateway: GmoPgGateway, provider: SandboxHandle) -> None:
    payment = pay(gateway, provider, installments=3)
    assert isinstance(
        gateway.cancel(payment, CancelRequest(cancel_type=CancelType.VOID), MemoryJournal()), Approved
    )
    journal = MemoryJournal()
    request = ReauthorizeRequest(amount=2700, target=PaymentStatus.CAPTURE)
    assert isinstance(gateway.reauthorize(payment, request, journal), Approved)
    assert journal.lines[0].request.endswith("JobCd=CAPTURE&Amount=2700&Method=2&PayTimes=3")
    assert found(gateway, payment) == (PaymentStatus.CAPTURE, 2700)


def test_an_unknown_order_is_not_found(gateway: GmoPgGateway, order_id: str, journal: MemoryJournal) -> None:
    assert isinstance(gateway.inquire(PaymentReference(order_id=order_id), journal), NotFound)
    cvs = PaymentReference(order_id=order_id, kind=MethodKind.CVS)
    assert isinstance(gateway.inquire(cvs, journal), NotFound)
    assert journal.calls == ["SearchTrade", "SearchTradeMulti"]


def test_a_lost_access_pass_is_asked_for_before_the_money_call(
    gateway: GmoPgGateway, provider: SandboxHandle, journal: MemoryJournal
) -> None:
    payment = replace(pay(gateway, provider), secrets={})
    outcome = gateway.capture(payment, CaptureRequest(amount=3200), journal)
    assert isinstance(outcome, Approved)
    assert len(outcome.trade.secrets["access_pass"]) == 32
    assert journal.calls == ["SearchTrade", "AlterTran"]


def test_when_the_access_pass_cannot_be_learnt_nothing_is_sent(
    gateway: GmoPgGateway, provider: SandboxHandle, journal: MemoryJournal
) -> None:
    payment = replace(pay(gateway, provider), secrets={})
    provider.post_fault("lost_answer", call="SearchTrade")
    assert isinstance(gateway.capture(payment, CaptureRequest(amount=3200), journal), NotSent)
    unknown = PaymentReference(order_id="nobody-knows-it")
    refused = gateway.capture(unknown, CaptureRequest(amount=3200), journal)
    assert isinstance(refused, Refused)
    assert refused.reason.kind is ReasonKind.NOT_FOUND
    assert journal.calls == ["SearchTrade", "SearchTrade"]
    assert [line["action"] for line in provider.ledger(payment.order_id)] == ["AUTH"]


def test_wrong_credentials_are_refused_and_say_so(
    provider: SandboxHandle, order_id: str, journal: MemoryJournal
) -> None:
    account = account_at(f"{provider.url}/gmopg").model_copy(update={"shop_id": "tshop99999999"})
    outcome = GmoPgGateway(account).authorize(
        PaymentReference(order_id=order_id), authorization(provider), journal
    )
    assert isinstance(outcome, Refused)
    assert outcome.reason.kind is ReasonKind.CREDENTIALS


@pytest.mark.parametrize(
    ("order_id", "amount"), [("A-0", 0), ("A-1", 10_000_000), ("A" * 28, 1), ("注文1", 1), ("A\r\nB", 1)]
)
def test_values_that_gmopg_does_not_take_are_refused_not_raised(
    gateway: GmoPgGateway, provider: SandboxHandle, journal: MemoryJournal, order_id: str, amount: int
) -> None:
    request = AuthorizeRequest(amount=amount, target=PaymentStatus.AUTH, card=CardToken(token="t"))
    outcome = gateway.authorize(PaymentReference(order_id=order_id), request, journal)
    assert isinstance(outcome, Refused)
    assert outcome.reason.kind is ReasonKind.OUR_REQUEST
    assert journal.calls == ["EntryTran"]
    assert provider.ledger(order_id) == []


def test_other_kinds_than_cards_are_only_asked_about(gateway: GmoPgGateway, journal: MemoryJournal) -> None:
    cvs = PaymentReference(order_id="A-1", kind=MethodKind.CVS)
    assert isinstance(gateway.capture(cvs, CaptureRequest(amount=1), journal), Refused)
    assert isinstance(gateway.cancel(cvs, CancelRequest(cancel_type=CancelType.VOID), journal), Refused)
    assert journal.lines == []


def test_a_stored_card_needs_a_site(provider: SandboxHandle, order_id: str, journal: MemoryJournal) -> None:
    account = account_at(provider.url).model_copy(update={"site_id": None, "site_pass": None})
    request = AuthorizeRequest(
        amount=1, target=PaymentStatus.AUTH, card=StoredCard(member_id="m", card_seq="0")
    )
    outcome = GmoPgGateway(account).authorize(PaymentReference(order_id=order_id), request, journal)
    assert isinstance(outcome, Refused)
    assert journal.lines == []


def test_an_unreachable_provider_was_never_asked(journal: MemoryJournal) -> None:
    gateway = GmoPgGateway(account_at(f"http://127.0.0.1:{closed_port()}"))
    outcome = gateway.inquire(PaymentReference(order_id="A-1"), journal)
    assert isinstance(outcome, NotSent)
    assert outcome.reason.kind is ReasonKind.UNREACHABLE
    assert journal.lines[0].summary == "未送信 (refused)"


def test_nothing_secret_is_written_down(
    gateway: GmoPgGateway, provider: SandboxHandle, order_id: str, journal: MemoryJournal
) -> None:
    request = authorization(provider)
    assert isinstance(request.card, CardToken)
    outcome = gateway.authorize(PaymentReference(order_id=order_id), request, journal)
    assert isinstance(outcome, Approved)
    payment = PaymentReference(
        order_id=order_id, references=outcome.trade.references, secrets=outcome.trade.secrets
    )
    gateway.capture(payment, CaptureRequest(amount=3200), journal)
    gateway.inquire(payment, journal)
    written = repr(journal.lines) + repr(journal.remembered) + repr(outcome) + repr(payment) + repr(request)
    for secret in ("shoppass01", "sitepass01", request.card.token, outcome.trade.secrets["access_pass"]):
        assert secret not in written
