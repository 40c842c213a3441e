"""What may be done now, and what exactly will happen: the words that the operator confirms."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.interface import Capabilities
from gateways.vocabulary import Action, CancelType, MethodKind
from gateways.vocabulary import PaymentStatus as S
from orders.statuses import OrderStatus
from payments.decisions import decide
from payments.facts import OpenOperation
from payments.permits import CaptureMode, Permit, Refusal
from tests.payments.facts import ALL_ACTIONS, card, tokyo

NOON = tokyo("2026-11-30 12:00:00")
NEXT_DAY = tokyo("2026-12-01 09:00:00")
SOLD = {"status": S.SALES, "captured_at": tokyo("2026-11-30 11:00:00")}


def permit(decision: object) -> Permit:
    assert isinstance(decision, Permit), decision
    return decision


def refusal(decision: object) -> Refusal:
    assert isinstance(decision, Refusal), decision
    return decision


def test_capture_of_a_matching_amount_is_one_step() -> None:
    decision = permit(decide(Action.CAPTURE, card(), NOON))
    assert decision.fingerprint == "capture::SALES:3200"
    assert decision.warnings == ()
    assert "請求" in decision.customer_sees


@pytest.mark.parametrize(("day", "possible"), [("2027-02-28 23:59:59", True), ("2027-03-01 00:00:00", False)])
def test_a_hold_can_be_captured_through_the_ninetieth_day(day: str, possible: bool) -> None:
    decision = decide(Action.CAPTURE, card(), tokyo(day))
    assert isinstance(decision, Permit) is possible
    if not possible:
        assert "再度お客様にご購入頂く必要があります" in refusal(decision).reason


@pytest.mark.parametrize(("day", "possible"), [("2027-05-29 23:59:59", True), ("2027-05-30 00:00:00", False)])
def test_a_hold_can_be_cancelled_through_the_180th_day_but_not_changed_after_the_ninetieth(
    day: str, possible: bool
) -> None:
    assert isinstance(decide(Action.CANCEL, card(), tokyo(day)), Permit) is possible
    change = decide(Action.CHANGE_AMOUNT, card(payable=3000), tokyo(day))
    assert refusal(change).code == "too_late"


def test_the_contract_with_sixty_days_counts_sixty() -> None:
    sixty = card(capture_days=60)
    assert isinstance(decide(Action.CAPTURE, sixty, tokyo("2027-01-29 23:59:59")), Permit)
    assert isinstance(decide(Action.CAPTURE, sixty, tokyo("2027-01-30 00:00:00")), Refusal)


def test_a_differing_amount_is_never_captured_silently() -> None:
    differing = card(payable=2700)
    decision = refusal(decide(Action.CAPTURE, differing, NOON))
    assert decision.code == "amount_differs"
    assert "3,200円" in decision.reason
    assert "2,700円" in decision.reason


def test_change_first_then_capture_is_two_steps_of_one_operation() -> None:
    decision = permit(decide(Action.CAPTURE, card(payable=2700), NOON, mode="change_first"))
    assert decision.fingerprint == "change_amount::AUTH:2700|capture::SALES:2700"


def test_the_old_amount_is_captured_when_the_operator_says_so_and_told_what_is_charged() -> None:
    decision = permit(decide(Action.CAPTURE, card(payable=2700), NOON, mode="as_is"))
    assert decision.fingerprint == "capture::SALES:3200"
    assert "3,200円 が請求されます" in decision.customer_sees
    assert decision.bulk_skip


def test_a_cancelled_order_is_not_captured_in_bulk() -> None:
    decision = permit(decide(Action.CAPTURE, card(order_status=OrderStatus.CANCELLED), NOON))
    assert "注文取消し" in decision.bulk_skip
    assert decision.warnings


def test_cancel_says_its_type_and_reason_and_what_the_customer_sees() -> None:
    decision = permit(decide(Action.CANCEL, card(), NEXT_DAY))
    assert decision.cancel_type is CancelType.RETURN
    assert decision.words == "仮売上 11/30、本日 12/1 → 返品"
    assert "請求はされません" in decision.customer_sees
    sold = permit(decide(Action.CANCEL, card(**SOLD), NEXT_DAY))
    assert sold.cancel_type is CancelType.RETURNX
    assert "履歴が残ります" in sold.customer_sees


def test_midnight_changes_the_fingerprint_of_a_cancel() -> None:
    before = permit(decide(Action.CANCEL, card(), tokyo("2026-11-30 23:59:59")))
    after = permit(decide(Action.CANCEL, card(), tokyo("2026-12-01 00:00:00")))
    assert before.fingerprint != after.fingerprint


def test_the_new_amount_is_always_the_saved_total() -> None:
    decision = permit(decide(Action.CHANGE_AMOUNT, card(payable=2700), NOON))
    assert decision.fingerprint == "change_amount::AUTH:2700"
    charged = permit(decide(Action.CHANGE_AMOUNT, card(payable=2700), NOON, target=S.CAPTURE))
    assert charged.result is S.CAPTURE
    assert "お客様に請求されます" in charged.customer_sees


def test_a_captured_amount_stays_captured_unless_withdrawn_with_a_second_confirmation() -> None:
    facts = card(payable=2700, **SOLD)
    assert permit(decide(Action.CHANGE_AMOUNT, facts, NOON)).result is S.CAPTURE
    withdrawn = permit(decide(Action.CHANGE_AMOUNT, facts, NOON, target=S.AUTH))
    assert withdrawn.second_confirmation
    assert "取り下げ" in withdrawn.customer_sees


@pytest.mark.parametrize(
    ("closing_day", "now", "warned"),
    [
        (None, "2026-11-30 23:00:00", False),
        (None, "2026-12-01 00:00:00", True),
        (31, "2026-11-30 23:00:00", False),
        (31, "2026-12-01 00:00:00", True),
        (15, "2026-12-15 23:59:59", False),
        (15, "2026-12-16 00:00:00", True),
    ],
)
def test_changing_after_the_closing_date_warns(closing_day: int | None, now: str, warned: bool) -> None:
    facts = card(payable=2700, closing_day=closing_day, **SOLD)
    assert bool(permit(decide(Action.CHANGE_AMOUNT, facts, tokyo(now))).warnings) is warned


def test_zero_yen_is_refused_and_points_to_the_cancel() -> None:
    decision = refusal(decide(Action.CHANGE_AMOUNT, card(payable=0), NOON))
    assert decision.code == "zero"
    assert "取消" in decision.reason


def test_more_than_the_provider_takes_is_refused() -> None:
    assert refusal(decide(Action.CHANGE_AMOUNT, card(payable=10_000_000), NOON)).code == "too_much"


def test_accounts_that_do_not_change_a_sale_are_guided_through_four_steps() -> None:
    facts = card(payable=2700, changes_captured_amount=False, **SOLD)
    assert refusal(decide(Action.CHANGE_AMOUNT, facts, NOON)).code == "guided"
    decision = permit(decide(Action.GUIDED_CHANGE, facts, NEXT_DAY))
    assert decision.fingerprint == (
        "cancel:RETURNX:RETURNX:3200|reauthorize::AUTH:3200|change_amount::AUTH:2700|capture::SALES:2700"
    )
    assert any("有効な決済のない状態" in warning for warning in decision.warnings)
    assert refusal(decide(Action.GUIDED_CHANGE, card(payable=2700, **SOLD), NOON)).code == "direct"


@pytest.mark.parametrize("status", [OrderStatus.CANCELLED, OrderStatus.RETURNED])
def test_reauthorization_is_refused_while_the_order_is_cancelled(status: OrderStatus) -> None:
    decision = refusal(decide(Action.REAUTHORIZE, card(status=S.VOID, order_status=status), NOON))
    assert status.label in decision.reason


def test_reauthorization_takes_the_saved_total_and_the_accounts_target() -> None:
    decision = permit(decide(Action.REAUTHORIZE, card(status=S.RETURN, payable=2700), NOON))
    assert decision.fingerprint == "reauthorize::AUTH:2700"
    at_once = card(status=S.RETURN, payable=2700, checkout_target=S.CAPTURE)
    assert permit(decide(Action.REAUTHORIZE, at_once, NOON)).result is S.CAPTURE
    assert permit(decide(Action.REAUTHORIZE, at_once, NOON, target=S.AUTH)).result is S.AUTH


def test_a_second_live_payment_of_the_order_is_not_made() -> None:
    facts = card(status=S.VOID, other_payment_is_live=True)
    assert refusal(decide(Action.REAUTHORIZE, facts, NOON)).code == "other_live"


def test_a_target_that_the_table_does_not_know_is_refused() -> None:
    assert refusal(decide(Action.CHANGE_AMOUNT, card(payable=1), NOON, target=S.VOID)).code == "target"


def test_paygent_and_sbps_cancel_by_state_not_by_day() -> None:
    for family in ("paygent", "sbps"):
        held = card(family=family)
        assert permit(decide(Action.CANCEL, held, NEXT_DAY)).cancel_type is CancelType.VOID
        sold = card(family=family, **SOLD)
        assert permit(decide(Action.CANCEL, sold, NOON)).cancel_type is CancelType.RETURN


def test_a_change_at_paygent_stays_what_it_was_and_sbps_changes_nothing() -> None:
    assert permit(decide(Action.CHANGE_AMOUNT, card(family="paygent", payable=2700), NOON)).result is S.AUTH
    sold = card(family="paygent", payable=2700, **SOLD)
    assert permit(decide(Action.CHANGE_AMOUNT, sold, NOON)).result is S.SALES
    assert (
        "SBPSへお問い合わせください"
        in refusal(decide(Action.CHANGE_AMOUNT, card(family="sbps"), NOON)).reason
    )


def test_while_an_outcome_is_unknown_only_asking_is_possible() -> None:
    under_way = OpenOperation(actor_name="会計", started_at=tokyo("2026-11-30 10:32:00"), action="capture")
    facts = card(open_operation=under_way)
    for action in set(Action) - {Action.INQUIRE}:
        decision = refusal(decide(action, facts, NOON))
        assert decision.code == "open"
        assert "会計さん 10:32 開始" in decision.reason
    permit(decide(Action.INQUIRE, facts, NOON))


def test_a_provider_that_cannot_reauthorize_says_so() -> None:
    able = Capabilities(actions=ALL_ACTIONS - {Action.REAUTHORIZE})
    assert (
        refusal(decide(Action.REAUTHORIZE, card(status=S.VOID, capabilities=able), NOON)).code == "provider"
    )


def test_changing_a_3d_secure_payment_warns_where_the_provider_loses_it() -> None:
    able = Capabilities(actions=ALL_ACTIONS, loses_3ds=True)
    facts = card(payable=2700, uses_3ds=True, capabilities=able)
    assert any(
        "3Dセキュア" in warning for warning in permit(decide(Action.CHANGE_AMOUNT, facts, NOON)).warnings
    )


@given(
    family=st.sampled_from(["gmopg", "paygent", "sbps"]),
    status=st.sampled_from(S),
    action=st.sampled_from(Action),
    kind=st.sampled_from(MethodKind),
    payable=st.integers(0, 12_000_000),
    order_status=st.sampled_from(OrderStatus),
    days=st.integers(0, 400),
    target=st.sampled_from([None, S.AUTH, S.CAPTURE, S.VOID]),
    mode=st.sampled_from([None, "as_is", "change_first"]),
)
def test_every_decision_is_a_permit_with_steps_or_a_refusal_in_words(
    family: str,
    status: S,
    action: Action,
    kind: MethodKind,
    payable: int,
    order_status: OrderStatus,
    days: int,
    target: S,
    mode: CaptureMode,
) -> None:
    sold = status in (S.SALES, S.CAPTURE)
    facts = card(
        family=family,
        status=status,
        kind=kind,
        payable=payable,
        order_status=order_status,
        captured_at=tokyo("2026-11-30 11:00:00") if sold else None,
    )
    now = tokyo("2026-11-30 12:00:00") + timedelta(days=days)
    decision = decide(action, facts, now, target=target, mode=mode)
    if isinstance(decision, Permit):
        assert decision.steps
        assert decision.words
        assert action is Action.INQUIRE or decision.amount > 0
        assert len(decision.fingerprint) <= 200
    else:
        assert decision.reason.endswith("。")
