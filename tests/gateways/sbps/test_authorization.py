"""Hold and commit under every fault, and going on after the process died at any point."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from gateways.interface import CardToken
from gateways.outcomes import Approved, Declined, NotSent, ReasonKind, Refused, Unknown
from gateways.sbps import line
from gateways.sbps.gateway import SbpsGateway
from gateways.sbps.messages import Done
from gateways.vocabulary import PaymentStatus
from tests.gateways.journal import MemoryJournal
from tests.gateways.sbps.conftest import (
    AUTHORIZE,
    CANCEL,
    COMMIT,
    INQUIRE,
    actions,
    new_payment,
    stands,
    wish,
)
from tests.sandbox_server import SandboxHandle

READ_SECONDS = 0.5
SLOW_MS = 1200
TOKEN = CardToken(token="TOKEN:KEY")

# What may happen to an answer: the outcome is not known from it, whether the provider executed the call or not.
LOST: list[tuple[str, dict[str, Any]]] = [
    ("lost_answer", {}),
    ("lost_answer", {"before": True}),
    ("reset_before", {}),
    ("delay_ms", {"ms": SLOW_MS}),
    ("slow_body", {"ms": SLOW_MS}),
    ("http_500", {}),
    ("http_503", {"before": True}),
    ("html", {}),
    ("empty", {}),
    ("half", {}),
    ("wrong_encoding", {}),
    ("error_code", {"code": "85", "before": False}),
    ("error_code", {"code": "90"}),
]


class Killed(BaseException):
    """The process dies here."""


class MortalJournal(MemoryJournal):
    """Dies at its n-th line: before or after a telegram, before or after something was kept."""

    def __init__(self, dies_at: int) -> None:
        super().__init__()
        self._left = dies_at

    def _tick(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise Killed

    def sending(self, *, call: str, request: str) -> int:
        handle = super().sending(call=call, request=request)
        self._tick()
        return handle

    def answered(self, handle: int, *, summary: str, response: str, duration_ms: int) -> None:
        self._tick()
        super().answered(handle, summary=summary, response=response, duration_ms=duration_ms)

    def remember(self, **progress: str) -> None:
        self._tick()
        super().remember(**progress)


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "READ_SECONDS", dict.fromkeys(line.READ_SECONDS, READ_SECONDS))


def after(progress: Mapping[str, str]) -> MemoryJournal:
    """The journal that the next process finds."""
    journal = MemoryJournal()
    journal.remembered = dict(progress)
    return journal


@pytest.mark.parametrize(("fault", "more"), LOST)
def test_a_lost_authorization_is_sent_once_more_and_held_once(
    plain_gateway: SbpsGateway,
    provider: SandboxHandle,
    new_token: Callable[..., CardToken],
    fault: str,
    more: dict[str, Any],
) -> None:
    payment, journal = new_payment(4980), MemoryJournal()
    provider.post_fault(fault, call=AUTHORIZE, **more)
    outcome = plain_gateway.authorize(payment, wish(new_token(), amount=4980), journal)
    assert journal.calls[:2] == [AUTHORIZE, AUTHORIZE]
    assert actions(provider, payment) == ["AUTH"]
    was_held_by_the_first = not (more.get("before") or fault == "reset_before" or more.get("code") == "90")
    if was_held_by_the_first:
        assert isinstance(outcome, Unknown)
        assert outcome.reason.code == "10196999"
        assert payment.order_id in outcome.reason.text
        assert "4,980円" in outcome.reason.text
        assert "管理画面" in outcome.reason.text
        assert len(outcome.reason.text) <= 400
        assert stands(provider, payment) == ("AUTH", False)
    else:
        assert isinstance(outcome, Approved)
        assert stands(provider, payment) == ("AUTH", True)


def test_two_lost_answers_are_for_a_person(plain_gateway: SbpsGateway, provider: SandboxHandle) -> None:
    payment, journal = new_payment(), MemoryJournal()
    provider.post_fault("lost_answer", call=AUTHORIZE, times=2)
    outcome = plain_gateway.authorize(payment, wish(TOKEN), journal)
    assert isinstance(outcome, Unknown)
    assert payment.order_id in outcome.reason.text
    assert journal.calls == [AUTHORIZE, AUTHORIZE]
    assert actions(provider, payment) == ["AUTH"]


def test_a_card_refused_at_the_second_try_held_nothing_at_the_first(
    plain_gateway: SbpsGateway, provider: SandboxHandle, new_token: Callable[..., CardToken]
) -> None:
    payment = new_payment()
    provider.post_fault("lost_answer", call=AUTHORIZE, before=True)
    outcome = plain_gateway.authorize(payment, wish(new_token("4999000000000022")), MemoryJournal())
    assert isinstance(outcome, Declined)
    assert actions(provider, payment) == []


@pytest.mark.parametrize("uses_order_id", [0, 1])
def test_a_lost_refusal_is_never_taken_for_a_hold(
    plain_gateway: SbpsGateway,
    provider: SandboxHandle,
    new_token: Callable[..., CardToken],
    uses_order_id: int,
) -> None:
    provider.settings(sbps_refused_uses_order_id=uses_order_id)
    payment = new_payment()
    provider.post_fault("lost_answer", call=AUTHORIZE)
    outcome = plain_gateway.authorize(payment, wish(new_token("4999000000000022")), MemoryJournal())
    # The used token, or the used order number: neither tells that nothing is held.
    assert isinstance(outcome, Unknown)
    assert payment.order_id in outcome.reason.text
    assert actions(provider, payment) == []


@pytest.mark.parametrize("code", ["77", "96", "K4"])
def test_other_unknown_answers_are_not_repeated(
    plain_gateway: SbpsGateway, provider: SandboxHandle, code: str
) -> None:
    journal = MemoryJournal()
    provider.post_fault("error_code", call=AUTHORIZE, code=code)
    outcome = plain_gateway.authorize(new_payment(), wish(TOKEN), journal)
    assert isinstance(outcome, Unknown)
    assert journal.calls == [AUTHORIZE]


@pytest.mark.parametrize("code", ["92", "10"])
def test_a_crowded_front_started_nothing(
    plain_gateway: SbpsGateway, provider: SandboxHandle, code: str
) -> None:
    payment, journal = new_payment(), MemoryJournal()
    provider.post_fault("error_code", call=AUTHORIZE, code=code)
    assert isinstance(plain_gateway.authorize(payment, wish(TOKEN), journal), NotSent)
    assert actions(provider, payment) == []


@pytest.mark.parametrize(("fault", "more"), LOST)
def test_a_lost_commit_is_settled_by_asking(
    plain_gateway: SbpsGateway, provider: SandboxHandle, fault: str, more: dict[str, Any]
) -> None:
    payment, journal = new_payment(), MemoryJournal()
    provider.post_fault(fault, call=COMMIT, **more)
    outcome = plain_gateway.authorize(payment, wish(TOKEN), journal)
    assert journal.calls == [AUTHORIZE, COMMIT, INQUIRE]
    assert actions(provider, payment) == ["AUTH"]
    status, is_committed = stands(provider, payment)
    assert status == "AUTH"
    if is_committed:
        assert isinstance(outcome, Approved)
        assert outcome.trade.references["tracking_id"] == journal.remembered["tracking_id"]
        return
    # It may still be under way: nothing is cancelled yet, and nothing is called a success.
    assert isinstance(outcome, Unknown)
    assert "確定できたかどうか分かりません" in outcome.reason.text
    answer = plain_gateway.inquire(payment, after(journal.remembered))
    assert isinstance(answer, Unknown)
    resumed = plain_gateway.authorize(payment, wish(CardToken(token="")), after(journal.remembered))
    assert isinstance(resumed, Declined)
    assert actions(provider, payment) == ["AUTH", "VOID"]


@pytest.mark.parametrize("code", ["60", "36", "40", "92"])
def test_a_refused_commit_ends_in_the_cancel_of_the_hold(
    plain_gateway: SbpsGateway, provider: SandboxHandle, code: str
) -> None:
    payment, journal = new_payment(), MemoryJournal()
    provider.post_fault("error_code", call=COMMIT, code=code)
    outcome = plain_gateway.authorize(payment, wish(TOKEN), journal)
    if code == "60":
        # "Already processed", and an inquiry that shows nothing of it: not certain enough to cancel.
        assert isinstance(outcome, Unknown)
        assert actions(provider, payment) == ["AUTH"]
        return
    assert isinstance(outcome, Declined)
    assert "請求はされません" in outcome.reason.text
    assert journal.calls == [AUTHORIZE, COMMIT, INQUIRE, CANCEL]
    assert journal.remembered["stage"] == "voided"
    assert actions(provider, payment) == ["AUTH", "VOID"]


def test_a_commit_that_was_done_already_is_a_success_because_an_inquiry_agrees(
    plain_gateway: SbpsGateway, provider: SandboxHandle
) -> None:
    payment = new_payment()
    provider.post_fault("error_code", call=COMMIT, code="60", before=False)
    assert isinstance(plain_gateway.authorize(payment, wish(TOKEN), MemoryJournal()), Approved)
    assert stands(provider, payment) == ("AUTH", True)


@pytest.mark.parametrize(("fault", "more"), LOST)
def test_a_lost_cancel_of_the_hold_is_settled_by_asking(
    plain_gateway: SbpsGateway, provider: SandboxHandle, fault: str, more: dict[str, Any]
) -> None:
    payment, journal = new_payment(), MemoryJournal()
    provider.post_fault("error_code", call=COMMIT, code="36")
    provider.post_fault(fault, call=CANCEL, **more)
    outcome = plain_gateway.authorize(payment, wish(TOKEN), journal)
    if stands(provider, payment)[0] == "VOID":
        assert isinstance(outcome, Declined)
    else:
        assert isinstance(outcome, Unknown)
        assert journal.remembered["tracking_id"] in outcome.reason.text
        resumed = plain_gateway.authorize(payment, wish(CardToken(token="")), after(journal.remembered))
        assert isinstance(resumed, Declined)
    assert actions(provider, payment) == ["AUTH", "VOID"]


@pytest.mark.parametrize(("fault", "more"), LOST)
def test_an_unanswered_inquiry_decides_nothing(
    plain_gateway: SbpsGateway, provider: SandboxHandle, fault: str, more: dict[str, Any]
) -> None:
    payment, journal = new_payment(), MemoryJournal()
    provider.post_fault("error_code", call=COMMIT, code="36")
    provider.post_fault(fault, call=INQUIRE, **more)
    outcome = plain_gateway.authorize(payment, wish(TOKEN), journal)
    assert isinstance(outcome, Unknown)
    assert journal.calls == [AUTHORIZE, COMMIT, INQUIRE]
    assert actions(provider, payment) == ["AUTH"]


@pytest.mark.parametrize("dies_at", range(1, 10))
def test_a_process_that_died_anywhere_holds_once_and_ends_in_one_truth(
    plain_gateway: SbpsGateway, provider: SandboxHandle, dies_at: int
) -> None:
    payment, journal = new_payment(), MortalJournal(dies_at)
    try:
        first = plain_gateway.authorize(payment, wish(TOKEN), journal)
    except Killed:
        first = None
    next_journal = after(journal.remembered)
    if not journal.calls:
        # Nothing was written down, so nothing was sent: recovery does not come here.
        assert dies_at <= 2
        return
    outcome = plain_gateway.authorize(payment, wish(CardToken(token="")), next_journal)
    assert AUTHORIZE not in next_journal.calls
    held = actions(provider, payment)
    assert held.count("AUTH") <= 1
    if "tracking_id" not in journal.remembered:
        assert isinstance(outcome, Unknown)
        assert payment.order_id in outcome.reason.text
        assert next_journal.calls == []
    elif isinstance(outcome, Approved):
        assert stands(provider, payment) == ("AUTH", True)
        assert first is None or isinstance(first, Approved)
    else:
        assert isinstance(outcome, Declined)
        assert held == ["AUTH", "VOID"]
    again = plain_gateway.authorize(payment, wish(CardToken(token="")), after(next_journal.remembered))
    assert type(again) is type(outcome)
    assert actions(provider, payment) == held


@pytest.mark.parametrize("dies_at", range(1, 10))
def test_a_process_that_died_while_cancelling_the_hold_cancels_it_once(
    plain_gateway: SbpsGateway, provider: SandboxHandle, dies_at: int
) -> None:
    payment, prepared = new_payment(), MemoryJournal()
    provider.post_fault("lost_answer", call=COMMIT, before=True)
    plain_gateway.authorize(payment, wish(TOKEN), prepared)
    dying = MortalJournal(dies_at)
    dying.remembered = dict(prepared.remembered)
    with suppress(Killed):
        plain_gateway.authorize(payment, wish(CardToken(token="")), dying)
    outcome = plain_gateway.authorize(payment, wish(CardToken(token="")), after(dying.remembered))
    assert isinstance(outcome, Declined)
    assert actions(provider, payment) == ["AUTH", "VOID"]


def test_a_sale_is_never_given_back_by_going_on(plain_gateway: SbpsGateway, provider: SandboxHandle) -> None:
    provider.settings(sbps_auto_capture=1)
    payment, journal = new_payment(), MemoryJournal()
    provider.post_fault("lost_answer", call=COMMIT)
    provider.post_fault("html", call=INQUIRE)
    request = wish(TOKEN, target=PaymentStatus.CAPTURE)
    assert isinstance(plain_gateway.authorize(payment, request, journal), Unknown)
    resumed = plain_gateway.authorize(
        payment, replace(request, card=CardToken(token="")), after(journal.remembered)
    )
    assert isinstance(resumed, Approved)
    assert resumed.trade.status is PaymentStatus.SALES
    assert actions(provider, payment) == ["AUTH", "CAPTURE"]


def test_a_hold_that_sbps_will_not_cancel_is_for_a_person(
    plain_gateway: SbpsGateway, provider: SandboxHandle
) -> None:
    provider.settings(sbps_auto_capture=1)
    payment, journal = new_payment(), MemoryJournal()
    provider.post_fault("error_code", call=COMMIT, code="36")
    outcome = plain_gateway.authorize(payment, wish(TOKEN), journal)
    assert isinstance(outcome, Unknown)
    assert outcome.reason.code == "10159999"
    assert journal.remembered["tracking_id"] in outcome.reason.text
    assert stands(provider, payment) == ("AUTH", False)


def test_an_inquiry_uses_the_number_that_a_dead_process_kept(
    plain_gateway: SbpsGateway, provider: SandboxHandle
) -> None:
    payment, journal = new_payment(), MemoryJournal()
    provider.post_fault("lost_answer", call=COMMIT)
    provider.post_fault("html", call=INQUIRE)
    assert isinstance(plain_gateway.authorize(payment, wish(TOKEN), journal), Unknown)
    answer = plain_gateway.inquire(payment, after(journal.remembered))
    assert not isinstance(answer, Unknown)


@pytest.mark.parametrize(
    ("code", "outcome"), [("10122999", Declined), ("10109999", Refused), ("10192999", Refused)]
)
def test_an_end_that_was_kept_is_told_again_without_a_call(
    plain_gateway: SbpsGateway, code: str, outcome: type
) -> None:
    journal = after({"stage": "ended", "code": code})
    again = plain_gateway.authorize(new_payment(), wish(CardToken(token="")), journal)
    assert type(again) is outcome
    assert journal.calls == []


def test_an_end_without_a_connection_says_that_nothing_was_sent(plain_gateway: SbpsGateway) -> None:
    journal = after({"stage": "ended", "code": "refused"})
    again = plain_gateway.authorize(new_payment(), wish(CardToken(token="")), journal)
    assert isinstance(again, Refused)
    assert again.reason.kind is ReasonKind.UNREACHABLE
    assert "何も送信されていません" in again.reason.text


@pytest.mark.parametrize("is_committed", [True, False])
def test_a_lost_hold_goes_on_once_a_person_found_its_number(
    plain_gateway: SbpsGateway, provider: SandboxHandle, is_committed: bool
) -> None:
    payment, journal = new_payment(), MemoryJournal()
    provider.post_fault("lost_answer", call=AUTHORIZE)
    assert isinstance(plain_gateway.authorize(payment, wish(TOKEN), journal), Unknown)
    found = after(journal.remembered)
    found.remember(tracking_id=provider.trades(payment.order_id)[0]["tracking_id"])
    if is_committed:
        plain_gateway._line.call(
            plain_gateway._telegrams.commit(found.remembered["tracking_id"]), Done, MemoryJournal()
        )
    outcome = plain_gateway.authorize(payment, wish(CardToken(token="")), found)
    if is_committed:
        assert isinstance(outcome, Approved)
        assert len(outcome.trade.references["approve"]) == 6
        assert outcome.trade.processed_at is not None
    else:
        assert isinstance(outcome, Declined)
        assert actions(provider, payment) == ["AUTH", "VOID"]
