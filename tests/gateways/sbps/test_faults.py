"""Capture, cancel and inquiry under every fault: what is believed, and what was executed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import responses

from gateways.interface import CancelRequest, CaptureRequest, PaymentReference
from gateways.outcomes import Approved, Found, InquiryOutcome, NotSent, Outcome, ReasonKind, Refused, Unknown
from gateways.sbps import line
from gateways.sbps.gateway import SbpsGateway
from gateways.vocabulary import CancelType, PaymentStatus
from tests.gateways.faults import Fault, on_the_way
from tests.gateways.journal import MemoryJournal
from tests.gateways.sbps.conftest import CANCEL, CANNED, CAPTURE, INQUIRE, actions, pay
from tests.sandbox_server import SandboxHandle

READ_SECONDS = 0.5
SLOW_MS = 1200

FAULTS: list[Fault] = [
    *on_the_way(slow_ms=SLOW_MS),
    ("error_code", {"code": "85", "before": False}, ReasonKind.PROVIDER_TROUBLE),
    ("error_code", {"code": "W3"}, ReasonKind.BUSY),
    ("error_code", {"code": "ZZ"}, ReasonKind.OTHER),
]

Verb = Callable[[SbpsGateway, PaymentReference, MemoryJournal], Outcome | InquiryOutcome]
VERBS: list[tuple[str, Verb]] = [
    (CAPTURE, lambda g, p, j: g.capture(p, CaptureRequest(amount=3200), j)),
    (CANCEL, lambda g, p, j: g.cancel(p, CancelRequest(cancel_type=CancelType.VOID), j)),
    (INQUIRE, lambda g, p, j: g.inquire(p, j)),
]


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "READ_SECONDS", dict.fromkeys(line.READ_SECONDS, READ_SECONDS))


@pytest.mark.parametrize(("fault", "more", "kind"), FAULTS)
@pytest.mark.parametrize(("call", "verb"), VERBS, ids=["capture", "cancel", "inquire"])
def test_a_fault_leaves_the_outcome_unknown_and_asking_tells_it(
    plain_gateway: SbpsGateway,
    provider: SandboxHandle,
    call: str,
    verb: Verb,
    fault: str,
    more: dict[str, Any],
    kind: ReasonKind,
) -> None:
    payment, journal = pay(plain_gateway), MemoryJournal()
    provider.post_fault(fault, call=call, **more)
    outcome = verb(plain_gateway, payment, journal)
    assert isinstance(outcome, Unknown), outcome
    assert outcome.reason.kind is kind
    assert outcome.reason.text.endswith("。")
    assert journal.calls.count(call) == 1
    assert journal.lines[-1].summary
    assert journal.lines[-1].duration_ms >= 0
    answer = plain_gateway.inquire(payment, MemoryJournal())
    assert isinstance(answer, Found)
    executed = actions(provider, payment)[1:]
    assert (executed or ["AUTH"]) == [answer.trade.status]


@pytest.mark.parametrize(("call", "verb"), VERBS, ids=["capture", "cancel", "inquire"])
def test_a_crowded_provider_started_nothing(
    plain_gateway: SbpsGateway, provider: SandboxHandle, call: str, verb: Verb
) -> None:
    payment = pay(plain_gateway)
    provider.post_fault("error_code", call=call, code="92")
    outcome = verb(plain_gateway, payment, MemoryJournal())
    assert isinstance(outcome, NotSent)
    assert outcome.reason.kind is ReasonKind.BUSY
    assert actions(provider, payment) == ["AUTH"]


def test_an_answer_that_comes_twice_does_not_disturb_the_next_call(
    plain_gateway: SbpsGateway, provider: SandboxHandle
) -> None:
    payment = pay(plain_gateway)
    provider.post_fault("duplicate_answer", call=CAPTURE)
    outcome = plain_gateway.capture(payment, CaptureRequest(amount=3200), MemoryJournal())
    assert isinstance(outcome, Approved)
    answer = plain_gateway.inquire(payment, MemoryJournal())
    assert isinstance(answer, Found)
    assert answer.trade.status is PaymentStatus.SALES
    assert actions(provider, payment) == ["AUTH", "SALES"]


def _answer(inside: str, *, call: str | None = CAPTURE) -> bytes:
    named = f' id="{call}"' if call else ""
    text = (
        f"<?xml version='1.0' encoding='Shift_JIS' ?>\n<sps-api-response{named}>{inside}</sps-api-response>"
    )
    return text.encode("cp932")


WHOLE = (
    "<res_result>OK</res_result><res_sps_transaction_id>B99999001ST020020110101003610542</res_sps_transaction_id>"
    "<res_process_date>20261121000000</res_process_date><res_err_code/><res_date>20261121100000</res_date>"
)
KNOWN = PaymentReference(order_id="o", references={"tracking_id": "00000064000001"})


def _captured(body: bytes, gateway: SbpsGateway, canned: responses.RequestsMock) -> Outcome:
    canned.post(f"{CANNED}/api/xmlapi.do", body=body)
    return gateway.capture(KNOWN, CaptureRequest(amount=1), MemoryJournal())


def test_a_whole_answer_is_believed(canned_gateway: SbpsGateway, canned: responses.RequestsMock) -> None:
    assert isinstance(_captured(_answer(WHOLE), canned_gateway, canned), Approved)


@pytest.mark.parametrize(
    "body",
    [
        _answer(WHOLE, call=CANCEL),
        _answer(WHOLE, call=None),
        _answer(WHOLE.replace("OK", "AC")),
        _answer(WHOLE.replace("<res_err_code/>", "<res_err_code>10185999</res_err_code>")),
        _answer(WHOLE.replace("20261121000000", "20261121")),
        _answer(WHOLE.replace("20261121000000", "20261331000000")),
        _answer(WHOLE.replace("B99999001ST0", "")),
        _answer("<res_result>OK</res_result>"),
        _answer("<res_result>NG</res_result><res_err_code/>"),
        _answer("<res_result>NG</res_result><res_err_code>10142999</res_err_code>", call=CANCEL),
        b"<!DOCTYPE x [<!ENTITY e 'OK'>]>" + _answer(WHOLE.replace("OK", "&e;")).split(b"\n", 1)[1],
    ],
)
def test_half_truths_are_not_believed(
    canned_gateway: SbpsGateway, canned: responses.RequestsMock, body: bytes
) -> None:
    outcome = _captured(body, canned_gateway, canned)
    assert isinstance(outcome, Unknown)
    assert outcome.reason.kind is ReasonKind.UNREADABLE


@pytest.mark.parametrize("call", [CAPTURE, None])
def test_a_refusal_comes_with_or_without_the_name_of_the_call(
    canned_gateway: SbpsGateway, canned: responses.RequestsMock, call: str | None
) -> None:
    body = _answer("<res_result>NG</res_result><res_err_code>10142999</res_err_code>", call=call)
    outcome = _captured(body, canned_gateway, canned)
    assert isinstance(outcome, Refused)
    assert outcome.reason.kind is ReasonKind.TOO_LATE


def test_an_inquiry_that_failed_inside_tells_nothing(
    canned_gateway: SbpsGateway, canned: responses.RequestsMock
) -> None:
    inside = (
        WHOLE + "<res_status>1</res_status><res_pay_method_info><commit_status>1</commit_status>"
        "<payment_status>2</payment_status></res_pay_method_info>"
    )
    canned.post(f"{CANNED}/api/xmlapi.do", body=_answer(inside, call=INQUIRE))
    answer = canned_gateway.inquire(KNOWN, MemoryJournal())
    assert isinstance(answer, Unknown)
    assert answer.reason.code == "res_status"
