"""A change of amount under any sequence of faults, with a process that may die: what is said is what is so."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateways.interface import ChangeAmountRequest
from gateways.outcomes import Approved, Declined, NotSent, Outcome, Refused, Unknown
from tests.gateways.journal import MemoryJournal
from tests.gateways.paygent.conftest import Merchant
from tests.gateways.paygent.test_amount_change import CASES, Case, DyingJournal, Killed

TELEGRAMS = ("020", "021", "022", "023", "094")
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "lost_answer"},
    {"kind": "lost_answer", "before": True},
    {"kind": "reset_before"},
    {"kind": "http_500"},
    {"kind": "html"},
    {"kind": "half"},
    {"kind": "wrong_encoding"},
    {"kind": "error_code", "code": "E001"},
    {"kind": "error_code", "code": "E001", "before": False},
    {"kind": "error_code", "code": "2201"},
    {"kind": "error_code", "code": "2201", "before": False},
    {"kind": "error_code", "code": "P010"},
)
faults = st.lists(
    st.tuples(st.sampled_from(TELEGRAMS), st.sampled_from(FAULTS), st.integers(1, 2)), max_size=4
)
NEVER = 10_000


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(case=st.sampled_from(CASES), planned=faults, deaths=st.lists(st.integers(0, 25), max_size=2))
def test_what_is_said_is_what_is_so(
    merchant: Merchant, case: Case, planned: list[tuple[str, dict[str, Any], int]], deaths: list[int]
) -> None:
    merchant.sandbox.clear_faults()
    payment = merchant.pay(status=case.before)
    request = ChangeAmountRequest(amount=4400, target=case.target)
    for telegram, fault, times in planned:
        merchant.sandbox.post_fault(call=telegram, times=times, **fault)
    notes: dict[str, str] = {}
    outcome: Outcome | None = None
    authorizations = 0
    for dies_at in [*deaths, NEVER, NEVER, NEVER]:
        journal = DyingJournal(dies_at)
        journal.remembered = notes
        try:
            outcome = merchant.gateway.change_amount(payment, request, journal)
        except Killed:
            outcome = None
        notes = journal.remembered
        authorizations += journal.calls.count("020")
        live = merchant.live(payment)
        new_id = notes.get("new_payment_id", "")
        match outcome:
            case Approved():
                assert live == [(case.live, 4400)]
                assert outcome.trade.references["payment_id"] == new_id
            case Declined() | Refused() | NotSent():
                assert [amount for _, amount in live] == [3300]
            case Unknown():
                assert payment.references["payment_id"] in outcome.reason.text
                assert (new_id or notes["new_trading_id"]) in outcome.reason.text
        if outcome is not None and not isinstance(outcome, Unknown):
            break
    assert authorizations <= 1
    merchant.sandbox.clear_faults()
    # Nothing is in the way any more: one more call says how it ended, unless the authorization never arrived.
    final = merchant.gateway.change_amount(payment, request, _journal(notes))
    if isinstance(outcome, Unknown):
        assert not isinstance(final, Unknown) or final.reason.kind == "not_found"
    assert len(merchant.live(payment)) == 1


def _journal(notes: dict[str, str]) -> MemoryJournal:
    journal = MemoryJournal()
    journal.remembered = notes
    return journal
