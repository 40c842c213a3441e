"""A change of amount: every telegram may fail, the process may die anywhere, and never are two charges unnoticed."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import pytest

from gateways.interface import ChangeAmountRequest, PaymentReference, Target
from gateways.outcomes import Approved, Declined, NotSent, Outcome, ReasonKind, Refused, Unknown
from gateways.paygent.gateway import PaygentGateway
from gateways.vocabulary import PaymentStatus
from tests.gateways.journal import MemoryJournal
from tests.gateways.paygent.conftest import NO_SUCH_PAYMENT, Merchant, account_at
from tests.sandbox_server import SandboxHandle

AUTH: Target = PaymentStatus.AUTH
CAPTURE: Target = PaymentStatus.CAPTURE


@dataclass(frozen=True)
class Case:
    """From which status to which, with which telegrams, and what is live in the end."""

    before: PaymentStatus
    target: Target
    telegrams: tuple[str, ...]
    lines: tuple[str, ...]
    live: str


CASES = [
    Case(PaymentStatus.AUTH, AUTH, ("020", "021"), ("AUTH 4400", "VOID 3300"), "20"),
    Case(PaymentStatus.AUTH, CAPTURE, ("020", "022", "021"), ("AUTH 4400", "SALES 4400", "VOID 3300"), "40"),
    Case(
        PaymentStatus.SALES, CAPTURE, ("020", "022", "023"), ("AUTH 4400", "SALES 4400", "RETURN 3300"), "40"
    ),
    Case(PaymentStatus.SALES, AUTH, ("020", "023"), ("AUTH 4400", "RETURN 3300"), "20"),
]
cases = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.before}-{case.target}")
STEPS = [(case, telegram) for case in CASES for telegram in case.telegrams]
steps = pytest.mark.parametrize(
    ("case", "telegram"), STEPS, ids=lambda value: value if isinstance(value, str) else value.before
)


def change(
    merchant: Merchant, payment: PaymentReference, case: Case, journal: MemoryJournal, *, amount: int = 4400
) -> Outcome:
    request = ChangeAmountRequest(amount=amount, target=case.target)
    return merchant.gateway.change_amount(payment, request, journal)


def again_until_certain(
    merchant: Merchant, payment: PaymentReference, case: Case, journal: MemoryJournal
) -> Outcome:
    """What recovery does: call again with the notes, a few times."""
    outcome: Outcome = Unknown(reason=None)  # type: ignore[arg-type]
    for _ in range(3):
        outcome = change(merchant, payment, case, journal)
        if not isinstance(outcome, Unknown):
            break
    return outcome


def done_once(merchant: Merchant, payment: PaymentReference, case: Case) -> None:
    """The ledger has each movement of the change once, and one payment is live."""
    assert merchant.live(payment) == [(case.live, 4400)]
    paid = 2 if case.before is PaymentStatus.SALES else 1
    assert tuple(merchant.movements(payment)[paid:]) == case.lines


@cases
def test_the_new_payment_takes_the_place_of_the_old_one(
    merchant: Merchant, case: Case, journal: MemoryJournal
) -> None:
    payment = merchant.pay(status=case.before)
    outcome = change(merchant, payment, case, journal)
    assert isinstance(outcome, Approved)
    assert journal.calls == ["094", *case.telegrams]
    done_once(merchant, payment, case)
    new = merchant.payments(payment)[-1]
    references = outcome.trade.references
    assert references["payment_id"] == new["payment_id"]
    assert references["trading_id"] == new["order_id"] != payment.references["trading_id"]
    assert references["replaced_payment_id"] == payment.references["payment_id"]
    assert outcome.trade.amount == 4400
    assert "3dsecure_ryaku=1" in journal.lines[1].request
    assert f"ref_trading_id={payment.references['trading_id']}" in journal.lines[1].request


def test_a_payment_in_parts_stays_in_parts(merchant: Merchant) -> None:
    payment = replace(merchant.pay(), installments=3)
    assert isinstance(change(merchant, payment, CASES[0], MemoryJournal()), Approved)
    new = merchant.payments(payment)[-1]
    assert (new["payment_class"], new["split_count"]) == ("61", "3")


def test_a_changed_payment_is_changed_and_cancelled_by_its_new_ids(merchant: Merchant) -> None:
    payment = merchant.pay()
    for amount in (4400, 2200):
        outcome = change(merchant, payment, CASES[0], MemoryJournal(), amount=amount)
        assert isinstance(outcome, Approved)
        payment = PaymentReference(
            order_id=payment.order_id,
            status=PaymentStatus.AUTH,
            amount=amount,
            references={**payment.references, **outcome.trade.references},
        )
        assert merchant.live(payment) == [("20", amount)]


@steps
@pytest.mark.parametrize("kind", ["lost_answer", "http_500", "html", "empty", "half"])
def test_an_executed_telegram_without_an_answer_is_asked_for_at_once(
    merchant: Merchant, case: Case, telegram: str, kind: str
) -> None:
    payment = merchant.pay(status=case.before)
    merchant.sandbox.post_fault(kind, call=telegram)
    outcome = change(merchant, payment, case, MemoryJournal())
    assert isinstance(outcome, Approved), outcome
    done_once(merchant, payment, case)


@steps
@pytest.mark.parametrize("kind", ["lost_answer", "html"])
def test_when_the_question_fails_too_the_next_call_goes_on(
    merchant: Merchant, case: Case, telegram: str, kind: str, journal: MemoryJournal
) -> None:
    payment = merchant.pay(status=case.before)
    merchant.sandbox.post_fault(kind, call=telegram)
    first = FaultAfter(merchant, telegram, journal)
    outcome = change(merchant, payment, case, first)
    assert isinstance(outcome, Unknown)
    assert outcome.reason.text
    assert payment.references["payment_id"] in outcome.reason.text
    merchant.sandbox.clear_faults()
    assert isinstance(again_until_certain(merchant, payment, case, journal), Approved)
    done_once(merchant, payment, case)


class FaultAfter(MemoryJournal):
    """Switches the questions off as soon as a telegram is on its way."""

    def __init__(self, merchant: Merchant, telegram: str, notes: MemoryJournal) -> None:
        super().__init__()
        self._merchant, self._telegram, self.remembered = merchant, telegram, notes.remembered

    def sending(self, *, call: str, request: str) -> int:
        if call == self._telegram:
            self._merchant.sandbox.post_fault("html", call="094", times=None)
        return super().sending(call=call, request=request)

    def remember(self, **progress: str) -> None:
        self.remembered.update(progress)


@steps
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "reset_before"},
        {"kind": "lost_answer", "before": True},
        {"kind": "error_code", "code": "E001"},
    ],
)
def test_a_telegram_that_was_not_executed_is_only_repeated_where_it_cannot_charge_twice(
    merchant: Merchant, case: Case, telegram: str, fault: dict[str, object], journal: MemoryJournal
) -> None:
    payment = merchant.pay(status=case.before)
    merchant.sandbox.post_fault(call=telegram, **fault)  # type: ignore[arg-type]
    first = change(merchant, payment, case, journal)
    assert isinstance(first, Unknown)
    final = again_until_certain(merchant, payment, case, journal)
    if telegram == "020":
        assert isinstance(final, Unknown)
        assert final.reason.kind is ReasonKind.NOT_FOUND
        assert journal.remembered["new_trading_id"] in final.reason.text
        assert journal.calls.count("020") == 1
        assert [amount for _, amount in merchant.live(payment)] == [3300]
    else:
        assert isinstance(final, Approved)
        done_once(merchant, payment, case)


def test_without_a_configured_code_a_lost_authorization_is_never_called_absent(merchant: Merchant) -> None:
    payment, journal = merchant.pay(), MemoryJournal()
    plain = PaygentGateway(account_at(f"{merchant.sandbox.url}/paygent"))
    merchant.sandbox.post_fault("reset_before", call="020")
    request = ChangeAmountRequest(amount=4400, target=AUTH)
    for _ in range(2):
        outcome = plain.change_amount(payment, request, journal)
        assert isinstance(outcome, Unknown)
        assert outcome.reason.kind is not ReasonKind.NOT_FOUND


@cases
@pytest.mark.parametrize(("code", "outcome_type"), [("1G12", Declined), ("P010", Refused), ("2201", Refused)])
def test_a_refused_authorization_leaves_the_old_payment_alone(
    merchant: Merchant, case: Case, code: str, outcome_type: type, journal: MemoryJournal
) -> None:
    payment = merchant.pay(status=case.before)
    merchant.sandbox.post_fault("error_code", call="020", code=code)
    outcome = change(merchant, payment, case, journal)
    assert type(outcome) is outcome_type
    assert isinstance(outcome, Declined | Refused)
    assert f"元の決済(決済ID {payment.references['payment_id']})は変更前の金額のまま" in outcome.reason.text
    assert [amount for _, amount in merchant.live(payment)] == [3300]
    assert isinstance(change(merchant, payment, case, journal), Refused)
    assert journal.calls == ["094", "020", "094"]


@cases
@pytest.mark.parametrize("code", ["P010", "2201", "E001", "1G12"])
def test_a_no_behind_which_there_is_an_authorization_all_the_same_goes_on(
    merchant: Merchant, case: Case, code: str, journal: MemoryJournal
) -> None:
    payment = merchant.pay(status=case.before)
    merchant.sandbox.post_fault("error_code", call="020", code=code, before=False)
    assert isinstance(change(merchant, payment, case, journal), Approved)
    done_once(merchant, payment, case)


def test_a_declined_authorization_whose_answer_was_lost_is_declined(merchant: Merchant) -> None:
    payment, journal = merchant.pay(), MemoryJournal()
    merchant.sandbox.post_fault("lost_answer", call="020")
    assert isinstance(change(merchant, payment, CASES[0], FailsNew(merchant, journal)), Declined)
    assert merchant.live(payment) == [("20", 3300)]


class FailsNew(MemoryJournal):
    """The card company says no, and we do not hear it."""

    def __init__(self, merchant: Merchant, notes: MemoryJournal) -> None:
        super().__init__()
        self._merchant, self.remembered = merchant, notes.remembered

    def answered(self, handle: int, *, summary: str, response: str, duration_ms: int) -> None:
        super().answered(handle, summary=summary, response=response, duration_ms=duration_ms)
        if self.lines[handle].call == "020":
            self._merchant.admin(self.remembered["new_trading_id"], status="11")

    def remember(self, **progress: str) -> None:
        self.remembered.update(progress)


@pytest.mark.parametrize("case", CASES[1:3], ids=lambda case: case.before)
@pytest.mark.parametrize("code", ["P010", "2201"])
def test_a_refused_capture_gives_the_new_hold_up_again(
    merchant: Merchant, case: Case, code: str, journal: MemoryJournal
) -> None:
    payment = merchant.pay(status=case.before)
    merchant.sandbox.post_fault("error_code", call="022", code=code)
    outcome = change(merchant, payment, case, journal)
    assert isinstance(outcome, Refused)
    assert journal.remembered["new_payment_id"] in outcome.reason.text
    assert [amount for _, amount in merchant.live(payment)] == [3300]
    assert merchant.movements(payment)[-2:] == ["AUTH 4400", "VOID 4400"]
    assert isinstance(change(merchant, payment, case, journal), Refused)


@pytest.mark.parametrize("case", [CASES[0], CASES[3]], ids=lambda case: case.before)
def test_a_refused_release_gives_a_new_hold_up_again(
    merchant: Merchant, case: Case, journal: MemoryJournal
) -> None:
    payment = merchant.pay(status=case.before)
    merchant.sandbox.post_fault("error_code", call=case.telegrams[-1], code="2201")
    assert isinstance(change(merchant, payment, case, journal), Refused)
    assert [amount for _, amount in merchant.live(payment)] == [3300]


@pytest.mark.parametrize("case", CASES[1:3], ids=lambda case: case.before)
class TestTwoLiveCharges:
    """The new payment is captured and the old one cannot be released."""

    @pytest.fixture
    def stuck(
        self, merchant: Merchant, case: Case, journal: MemoryJournal
    ) -> tuple[PaymentReference, Unknown]:
        payment = merchant.pay(status=case.before)
        merchant.sandbox.post_fault("error_code", call=case.telegrams[-1], code="2201", times=None)
        outcome = change(merchant, payment, case, journal)
        assert isinstance(outcome, Unknown)
        assert len(merchant.live(payment)) == 2
        return payment, outcome

    def test_the_text_names_both_and_says_what_to_do(
        self, case: Case, stuck: tuple[PaymentReference, Unknown], journal: MemoryJournal
    ) -> None:
        payment, outcome = stuck
        assert payment.references["payment_id"] in outcome.reason.text
        assert journal.remembered["new_payment_id"] in outcome.reason.text
        assert "ペイジェントオンライン" in outcome.reason.text
        assert len(outcome.reason.text) <= 400

    def test_it_stays_open_and_gives_nothing_back(
        self, merchant: Merchant, case: Case, stuck: tuple[PaymentReference, Unknown], journal: MemoryJournal
    ) -> None:
        payment, _ = stuck
        assert isinstance(change(merchant, payment, case, journal), Unknown)
        assert len(merchant.live(payment)) == 2

    def test_the_release_succeeds_later(
        self, merchant: Merchant, case: Case, stuck: tuple[PaymentReference, Unknown], journal: MemoryJournal
    ) -> None:
        payment, _ = stuck
        merchant.sandbox.clear_faults()
        assert isinstance(change(merchant, payment, case, journal), Approved)
        done_once(merchant, payment, case)

    def test_a_person_ends_the_old_one(
        self, merchant: Merchant, case: Case, stuck: tuple[PaymentReference, Unknown], journal: MemoryJournal
    ) -> None:
        payment, _ = stuck
        action = "RETURN" if case.before is PaymentStatus.SALES else "VOID"
        merchant.admin(payment.references["payment_id"], action=action)
        outcome = change(merchant, payment, case, journal)
        assert isinstance(outcome, Approved)
        assert outcome.trade.references["payment_id"] == journal.remembered["new_payment_id"]
        assert len(merchant.live(payment)) == 1

    def test_a_person_ends_the_new_one(
        self, merchant: Merchant, case: Case, stuck: tuple[PaymentReference, Unknown], journal: MemoryJournal
    ) -> None:
        payment, _ = stuck
        merchant.admin(journal.remembered["new_payment_id"], action="RETURN")
        assert isinstance(change(merchant, payment, case, journal), Refused)
        assert [amount for _, amount in merchant.live(payment)] == [3300]


def test_two_holds_that_cannot_be_ended_are_named_too(merchant: Merchant, journal: MemoryJournal) -> None:
    payment = merchant.pay()
    merchant.sandbox.post_fault("error_code", call="021", code="2201", times=None)
    outcome = change(merchant, payment, CASES[0], journal)
    assert isinstance(outcome, Unknown)
    assert journal.remembered["new_payment_id"] in outcome.reason.text
    merchant.sandbox.clear_faults()
    assert isinstance(change(merchant, payment, CASES[0], journal), Refused)
    assert merchant.live(payment) == [("20", 3300)]


def test_a_payment_cancelled_behind_our_back_is_not_charged_anew(merchant: Merchant) -> None:
    payment = merchant.pay()
    merchant.admin(payment.order_id, action="VOID")
    outcome = change(merchant, payment, CASES[0], MemoryJournal())
    assert isinstance(outcome, Refused)
    assert outcome.reason.kind is ReasonKind.WRONG_STATE
    assert merchant.movements(payment) == ["AUTH 3300", "VOID 3300"]


def test_an_amount_changed_behind_our_back_stops_the_change(merchant: Merchant) -> None:
    payment = merchant.pay()
    merchant.admin(payment.order_id, amount=5000)
    outcome = change(merchant, payment, CASES[0], MemoryJournal())
    assert isinstance(outcome, Refused)
    assert outcome.reason.kind is ReasonKind.AMOUNT_MISMATCH


def test_sixty_days_after_the_capture_nothing_is_begun(merchant: Merchant) -> None:
    merchant.sandbox.set_clock("2026-01-10T10:00:00+09:00")
    payment = merchant.pay(status=PaymentStatus.SALES)
    merchant.sandbox.set_clock("2026-03-12T10:00:00+09:00")
    journal = MemoryJournal()
    outcome = change(merchant, payment, CASES[2], journal)
    assert isinstance(outcome, Refused)
    assert outcome.reason.kind is ReasonKind.TOO_LATE
    assert journal.calls == ["094"]


def test_when_the_first_question_fails_nothing_is_begun(merchant: Merchant, journal: MemoryJournal) -> None:
    payment = merchant.pay()
    merchant.sandbox.post_fault("html", call="094")
    assert isinstance(change(merchant, payment, CASES[0], journal), NotSent)
    assert journal.calls == ["094"]
    assert journal.remembered == {}


class Killed(Exception):
    """The process is gone."""


class DyingJournal(MemoryJournal):
    """Kills the process at its n-th chance: before or after anything is written down."""

    def __init__(self, dies_at: int) -> None:
        super().__init__()
        self._chances = itertools.count()
        self._dies_at = dies_at

    def _chance(self) -> None:
        if next(self._chances) == self._dies_at:
            raise Killed

    def sending(self, *, call: str, request: str) -> int:
        self._chance()
        handle = super().sending(call=call, request=request)
        self._chance()
        return handle

    def answered(self, handle: int, *, summary: str, response: str, duration_ms: int) -> None:
        self._chance()
        super().answered(handle, summary=summary, response=response, duration_ms=duration_ms)
        self._chance()

    def remember(self, **progress: str) -> None:
        self._chance()
        super().remember(**progress)
        self._chance()


@cases
def test_the_process_may_die_anywhere(merchant: Merchant, case: Case) -> None:
    for dies_at in range(100):
        payment, journal = merchant.pay(status=case.before), DyingJournal(dies_at)
        try:
            outcome = change(merchant, payment, case, journal)
        except Killed:
            pass
        else:
            assert isinstance(outcome, Approved)
            assert dies_at >= 20
            return
        after = MemoryJournal()
        after.remembered = dict(journal.remembered)
        outcome = again_until_certain(merchant, payment, case, after)
        if isinstance(outcome, Approved):
            done_once(merchant, payment, case)
        else:
            # It died between the note and the telegram: the old payment alone stands, and it is said so.
            assert isinstance(outcome, Unknown)
            assert outcome.reason.kind is ReasonKind.NOT_FOUND
            assert [amount for _, amount in merchant.live(payment)] == [3300]
    raise AssertionError("it never ran through")


@pytest.mark.parametrize("case", CASES[1:3], ids=lambda case: case.before)
def test_it_may_die_while_it_gives_the_new_hold_up(merchant: Merchant, case: Case) -> None:
    for dies_at in range(100):
        payment, journal = merchant.pay(status=case.before), DyingJournal(dies_at)
        merchant.sandbox.post_fault("error_code", call="022", code="2201", times=None)
        try:
            outcome = change(merchant, payment, case, journal)
        except Killed:
            after = MemoryJournal()
            after.remembered = dict(journal.remembered)
            outcome = again_until_certain(merchant, payment, case, after)
        else:
            assert isinstance(outcome, Refused)
            return
        merchant.sandbox.clear_faults()
        assert isinstance(outcome, Refused | Unknown)
        assert [amount for _, amount in merchant.live(payment)] == [3300]
    raise AssertionError("it never ran through")


class TestCorrections:
    """Accounts that correct a smaller amount by one telegram (028, 029)."""

    @pytest.fixture
    def merchant(self, provider: SandboxHandle) -> Merchant:
        account = account_at(
            f"{provider.url}/paygent", not_found_codes=NO_SUCH_PAYMENT, corrects_decreases="true"
        )
        return Merchant(provider, PaygentGateway(account))

    @pytest.mark.parametrize(("case", "telegram", "live"), [(CASES[0], "028", "20"), (CASES[2], "029", "40")])
    @pytest.mark.parametrize("kind", ["", "lost_answer", "half"])
    def test_a_decrease_is_one_telegram(
        self, merchant: Merchant, case: Case, telegram: str, live: str, kind: str, journal: MemoryJournal
    ) -> None:
        payment = merchant.pay(status=case.before)
        if kind:
            merchant.sandbox.post_fault(kind, call=telegram)
        outcome = change(merchant, payment, case, journal, amount=1100)
        assert isinstance(outcome, Approved)
        assert journal.calls[:2] == ["094", telegram]
        assert merchant.live(payment) == [(live, 1100)]
        assert outcome.trade.references["payment_id"] == merchant.payments(payment)[-1]["payment_id"]

    def test_an_increase_is_a_new_payment_all_the_same(
        self, merchant: Merchant, journal: MemoryJournal
    ) -> None:
        payment = merchant.pay()
        assert isinstance(change(merchant, payment, CASES[0], journal), Approved)
        assert journal.calls == ["094", "020", "021"]

    def test_a_refused_correction_changes_nothing(self, merchant: Merchant, journal: MemoryJournal) -> None:
        payment = merchant.pay()
        merchant.sandbox.post_fault("error_code", call="028", code="P010")
        assert isinstance(change(merchant, payment, CASES[0], journal, amount=1100), Refused)
        assert merchant.live(payment) == [("20", 3300)]

    def test_a_no_behind_which_it_is_corrected_all_the_same_is_done(
        self, merchant: Merchant, journal: MemoryJournal
    ) -> None:
        payment = merchant.pay()
        merchant.sandbox.post_fault("error_code", call="028", code="2201", before=False)
        assert isinstance(change(merchant, payment, CASES[0], journal, amount=1100), Approved)
        assert merchant.live(payment) == [("20", 1100)]

    def test_it_may_die_anywhere(self, merchant: Merchant) -> None:
        request = ChangeAmountRequest(amount=1100, target=AUTH)
        for dies_at in range(100):
            payment, journal = merchant.pay(), DyingJournal(dies_at)
            try:
                merchant.gateway.change_amount(payment, request, journal)
            except Killed:
                after = MemoryJournal()
                after.remembered = dict(journal.remembered)
                outcome = merchant.gateway.change_amount(payment, request, after)
                assert isinstance(outcome, Approved | Unknown)
                amount = 1100 if isinstance(outcome, Approved) else 3300
                assert merchant.live(payment) == [("20", amount)]
            else:
                return
        raise AssertionError("it never ran through")
