"""Answers byte by byte: what the sandbox would not say, and what must not be believed."""

from __future__ import annotations

import hashlib

import pytest
import responses

from gateways.gmopg.gateway import GmoPgGateway
from gateways.interface import (
    AuthorizeRequest,
    CaptureRequest,
    CardToken,
    ChangeAmountRequest,
    PaymentReference,
)
from gateways.outcomes import Approved, Declined, Found, NotSent, Outcome, ReasonKind, Unknown
from gateways.vocabulary import MethodKind, PaymentStatus
from tests.gateways.conftest import CANNED
from tests.gateways.journal import MemoryJournal
from tests.sandbox_server import SHOP

ACCESS_ID = "a" * 32
ACCESS_PASS = "b" * 32
OPENED = f"AccessID={ACCESS_ID}&AccessPass={ACCESS_PASS}"
ALTERED = (
    f"{OPENED}&Forward=2a99662&Approve=7028689&TranID=2611211808111111111111192831&TranDate=20261121180806"
)
PAYMENT = PaymentReference(
    order_id="A-1", references={"access_id": ACCESS_ID}, secrets={"access_pass": ACCESS_PASS}
)
FOUND = (
    f"OrderID=A-1&Status=AUTH&ProcessDate=20261121180806&JobCd=AUTH&AccessID={ACCESS_ID}"
    f"&AccessPass={ACCESS_PASS}&ItemCode=0000990&Amount=3000&Tax=200&SiteID=&MemberID="
    "&CardNo=************1111&Expire=4912&Method=1&PayTimes=&Forward=2a99662&TranID=1&Approve= 04536"
)


def executed(approve: str = "7012851", **changes: str) -> str:
    """ExecTran's answer with the check string that belongs to it."""
    fields = {
        "OrderID": "A-1",
        "Forward": "2a99662",
        "Method": "1",
        "PayTimes": "",
        "Approve": approve,
        "TranID": "2611211808111111111111192829",
        "TranDate": "20261121180806",
    }
    digest = hashlib.md5(("".join(fields.values()) + SHOP["ShopPass"]).encode()).hexdigest()
    line = {"ACS": "0", **fields, "CheckString": digest, **changes}
    return "&".join(f"{key}={value}" for key, value in line.items())


def say(canned: responses.RequestsMock, call: str, body: str | bytes, status: int = 200) -> None:
    canned.post(f"{CANNED}/payment/{call}.idPass", body=body, status=status)


def authorize(gateway: GmoPgGateway, journal: MemoryJournal | None = None) -> Outcome:
    return gateway.authorize(
        PaymentReference(order_id="A-1"),
        AuthorizeRequest(amount=3200, target=PaymentStatus.AUTH, card=CardToken(token="tok+en==")),
        journal or MemoryJournal(),
    )


def test_an_approval_number_may_begin_with_a_space_which_its_check_string_includes(
    canned: responses.RequestsMock, canned_gateway: GmoPgGateway
) -> None:
    say(canned, "EntryTran", OPENED + "\r\n")
    say(canned, "ExecTran", executed(" 004536"))
    outcome = authorize(canned_gateway)
    assert isinstance(outcome, Approved)
    assert outcome.trade.references["approve"] == "004536"
    assert "Token=tok%2Ben%3D%3D" in str(canned.calls[1].request.body)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (executed(CheckString="0" * 32), "check_string"),
        (executed(Approve="7012852"), "check_string"),
        (executed(OrderID="A-2"), "order_id"),
        (executed(TranDate="20261321180806"), "trandate"),
        (executed(TranDate="2026112118080"), "trandate"),
        (executed(CheckString="f36c"), "checkstring"),
        (executed().replace("ACS=0&", ""), "acs"),
        (executed().partition("&TranDate")[0], "trandate"),
        (executed() + executed(), "a key with two values"),
    ],
)
def test_an_execution_that_does_not_prove_itself_is_unknown(
    canned: responses.RequestsMock, canned_gateway: GmoPgGateway, body: str, code: str
) -> None:
    say(canned, "EntryTran", OPENED)
    say(canned, "ExecTran", body)
    outcome = authorize(canned_gateway)
    assert isinstance(outcome, Unknown)
    assert outcome.reason.kind is ReasonKind.UNREADABLE
    assert outcome.reason.code == code


@pytest.mark.parametrize(
    "body",
    [
        "ACS=2&RedirectUrl=https://tds.example/?transId=1&t=2",
        "ACS=1&ACSUrl=https://acs.example/?a=1&PaReq=eJx&MD=abc",
    ],
)
def test_a_card_that_asks_for_authentication_is_declined_without_a_charge(
    canned: responses.RequestsMock, canned_gateway: GmoPgGateway, body: str
) -> None:
    say(canned, "EntryTran", OPENED)
    say(canned, "ExecTran", body)
    journal = MemoryJournal()
    outcome = authorize(canned_gateway, journal)
    assert isinstance(outcome, Declined)
    assert "example" not in journal.lines[1].response


@pytest.mark.parametrize("body", ["", "AccessID=abc&AccessPass=def", OPENED[:-1], "<html>", "OK"])
def test_a_trade_that_may_have_been_opened_is_unknown_and_not_executed(
    canned: responses.RequestsMock, canned_gateway: GmoPgGateway, body: str
) -> None:
    say(canned, "EntryTran", body)
    assert isinstance(authorize(canned_gateway), Unknown)
    assert len(canned.calls) == 1


def test_a_crowded_provider_started_nothing(
    canned: responses.RequestsMock, canned_gateway: GmoPgGateway
) -> None:
    say(canned, "EntryTran", OPENED)
    say(canned, "ExecTran", "ErrCode=E92&ErrInfo=E92000001")
    outcome = authorize(canned_gateway)
    assert isinstance(outcome, NotSent)
    assert outcome.reason.kind is ReasonKind.BUSY


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (ALTERED.replace(ACCESS_ID, "c" * 32), 200),
        (ALTERED[:-1], 200),
        (ALTERED.partition("&TranID")[0], 200),
        (ALTERED + ALTERED, 200),
        (ALTERED, 500),
        (f"<html>{ALTERED}</html>", 200),
    ],
)
def test_a_change_that_does_not_prove_itself_is_unknown(
    canned: responses.RequestsMock, canned_gateway: GmoPgGateway, body: str, status: int
) -> None:
    say(canned, "AlterTran", body, status)
    say(canned, "ChangeTran", body, status)
    captured = canned_gateway.capture(PAYMENT, CaptureRequest(amount=3200), MemoryJournal())
    changed = canned_gateway.change_amount(
        PAYMENT, ChangeAmountRequest(amount=1, target=PaymentStatus.AUTH), MemoryJournal()
    )
    assert isinstance(captured, Unknown)
    assert isinstance(changed, Unknown)


def test_an_inquiry_adds_the_tax_and_tells_no_secret(
    canned: responses.RequestsMock, canned_gateway: GmoPgGateway
) -> None:
    say(canned, "SearchTrade", FOUND)
    answer = canned_gateway.inquire(PAYMENT, MemoryJournal())
    assert isinstance(answer, Found)
    assert (answer.trade.status, answer.trade.amount) == (PaymentStatus.AUTH, 3200)
    assert answer.trade.references["approve"] == "04536"
    assert answer.trade.secrets == {"access_pass": ACCESS_PASS}
    assert ACCESS_PASS not in repr(answer)
    assert "4912" not in repr(answer)


def test_a_status_that_nobody_knows_needs_a_person(
    canned: responses.RequestsMock, canned_gateway: GmoPgGateway
) -> None:
    say(canned, "SearchTrade", FOUND.replace("Status=AUTH", "Status=CERT_DONE"))
    answer = canned_gateway.inquire(PAYMENT, MemoryJournal())
    assert isinstance(answer, Found)
    assert answer.trade.status is PaymentStatus.EXCEPTION


@pytest.mark.parametrize(
    "body",
    [
        FOUND.replace("OrderID=A-1", "OrderID=A-2"),
        FOUND.partition("&Approve")[0],
        FOUND.replace("Amount=3000", "Amount=-3000"),
        FOUND.replace("Status=AUTH", "Status="),
        "ErrCode=M01|M01|M01&ErrInfo=M01051005|M01051011|M01004002",
        "ErrCode=M01&ErrInfo=M01002001",
        "",
    ],
)
def test_an_inquiry_without_a_clear_answer_is_unknown(
    canned: responses.RequestsMock, canned_gateway: GmoPgGateway, body: str
) -> None:
    say(canned, "SearchTrade", body)
    assert isinstance(canned_gateway.inquire(PAYMENT, MemoryJournal()), Unknown)


@pytest.mark.parametrize(
    ("kind", "pay_type"),
    [(MethodKind.CVS, "3"), (MethodKind.PAYEASY_NET, "4"), (MethodKind.AU, "8"), (MethodKind.RAKUTEN, "18")],
)
def test_other_kinds_are_asked_for_by_their_number(
    canned: responses.RequestsMock, canned_gateway: GmoPgGateway, kind: MethodKind, pay_type: str
) -> None:
    body = FOUND.partition("&")[2].replace("Status=AUTH", "Status=PAYSUCCESS")
    say(canned, "SearchTradeMulti", f"{body}&PayType={pay_type}&CvsCode=00007&CvsConfNo=12345")
    answer = canned_gateway.inquire(PaymentReference(order_id="A-1", kind=kind), MemoryJournal())
    assert isinstance(answer, Found)
    assert answer.trade.status is PaymentStatus.PAYSUCCESS
    assert answer.trade.references["cvs_conf_no"] == "12345"
    assert f"PayType={pay_type}" in str(canned.calls[0].request.body)
