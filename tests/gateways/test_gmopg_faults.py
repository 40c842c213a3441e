"""Every verb under every fault that the sandbox can have: what is believed, and what was executed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateways.gmopg import line
from gateways.gmopg.gateway import GmoPgGateway
from gateways.interface import (
    AuthorizeRequest,
    CancelRequest,
    CaptureRequest,
    CardToken,
    ChangeAmountRequest,
    PaymentReference,
    ReauthorizeRequest,
)
from gateways.outcomes import Found, NotSent, ReasonKind, Unknown
from gateways.vocabulary import CancelType, PaymentStatus
from tests.gateways.conftest import pay
from tests.gateways.faults import Fault, on_the_way
from tests.gateways.journal import MemoryJournal
from tests.sandbox_server import SandboxHandle

READ_SECONDS = 0.6
SLOW_MS = 1500

FAULTS: list[Fault] = [
    *on_the_way(slow_ms=SLOW_MS),
    ("error_code", {"code": "E91099999", "before": False}, ReasonKind.PROVIDER_TROUBLE),
    ("error_code", {"code": "E90010001"}, ReasonKind.ALREADY_DONE),
    ("error_code", {"code": "Z99999999"}, ReasonKind.OTHER),
]

Verb = Callable[[GmoPgGateway, PaymentReference, SandboxHandle, MemoryJournal], object]


def _authorize(
    gateway: GmoPgGateway, payment: PaymentReference, provider: SandboxHandle, journal: MemoryJournal
) -> object:
    request = AuthorizeRequest(amount=3200, target=PaymentStatus.AUTH, card=CardToken(token=provider.token()))
    new = PaymentReference(order_id=f"{payment.order_id}-2")
    return gateway.authorize(new, request, journal)


VERBS: list[tuple[str, Verb, bool]] = [
    ("EntryTran", _authorize, False),
    ("ExecTran", _authorize, False),
    ("AlterTran", lambda g, p, _, j: g.capture(p, CaptureRequest(amount=3200), j), False),
    ("AlterTran", lambda g, p, _, j: g.cancel(p, CancelRequest(cancel_type=CancelType.VOID), j), False),
    (
        "AlterTran",
        lambda g, p, _, j: g.reauthorize(p, ReauthorizeRequest(amount=1, target=PaymentStatus.AUTH), j),
        True,
    ),
    (
        "ChangeTran",
        lambda g, p, _, j: g.change_amount(p, ChangeAmountRequest(amount=1, target=PaymentStatus.AUTH), j),
        False,
    ),
    ("SearchTrade", lambda g, p, _, j: g.inquire(p, j), False),
]


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "READ_SECONDS", dict.fromkeys(line.READ_SECONDS, READ_SECONDS))


@pytest.fixture
def payment(gateway: GmoPgGateway, provider: SandboxHandle) -> PaymentReference:
    return pay(gateway, provider)


@pytest.mark.parametrize(("fault", "more", "kind"), FAULTS)
@pytest.mark.parametrize(
    ("call", "verb", "needs_cancel"),
    VERBS,
    ids=["entry", "execute", "capture", "cancel", "reauthorize", "change_amount", "inquire"],
)
def test_a_fault_leaves_the_outcome_unknown_and_is_written_down(
    gateway: GmoPgGateway,
    provider: SandboxHandle,
    payment: PaymentReference,
    call: str,
    verb: Verb,
    needs_cancel: bool,
    fault: str,
    more: dict[str, Any],
    kind: ReasonKind,
) -> None:
    if needs_cancel:
        gateway.cancel(payment, CancelRequest(cancel_type=CancelType.VOID), MemoryJournal())
    provider.post_fault(fault, call=call, **more)
    journal = MemoryJournal()
    outcome = verb(gateway, payment, provider, journal)
    assert isinstance(outcome, Unknown), outcome
    assert outcome.reason.kind is kind
    assert outcome.reason.text.endswith("。")
    assert journal.calls[-1] == call
    assert journal.calls.count(call) == 1
    assert journal.lines[-1].summary
    assert journal.lines[-1].duration_ms >= 0


@pytest.mark.parametrize(("call", "verb", "needs_cancel"), VERBS)
def test_a_crowded_provider_started_nothing(
    gateway: GmoPgGateway,
    provider: SandboxHandle,
    payment: PaymentReference,
    call: str,
    verb: Verb,
    needs_cancel: bool,
) -> None:
    provider.post_fault("error_code", call=call, code="E92000001")
    before = provider.ledger(payment.order_id)
    outcome = verb(gateway, payment, provider, MemoryJournal())
    assert isinstance(outcome, NotSent)
    assert outcome.reason.kind is ReasonKind.BUSY
    assert provider.ledger(payment.order_id) == before


def test_an_answer_that_comes_twice_counts_once_and_does_not_disturb_the_next_call(
    gateway: GmoPgGateway, provider: SandboxHandle, payment: PaymentReference
) -> None:
    provider.post_fault("duplicate_answer", call="AlterTran")
    gateway.capture(payment, CaptureRequest(amount=3200), MemoryJournal())
    answer = gateway.inquire(payment, MemoryJournal())
    assert [movement["action"] for movement in provider.ledger(payment.order_id)] == ["AUTH", "SALES"]
    if isinstance(answer, Unknown):
        answer = gateway.inquire(payment, MemoryJournal())
    assert isinstance(answer, Found)
    assert answer.trade.status is PaymentStatus.SALES


def test_a_lost_capture_is_found_by_asking(
    gateway: GmoPgGateway, provider: SandboxHandle, payment: PaymentReference
) -> None:
    provider.post_fault("lost_answer", call="AlterTran")
    assert isinstance(gateway.capture(payment, CaptureRequest(amount=3200), MemoryJournal()), Unknown)
    answer = gateway.inquire(payment, MemoryJournal())
    assert isinstance(answer, Found)
    assert (answer.trade.status, answer.trade.amount) == (PaymentStatus.SALES, 3200)
