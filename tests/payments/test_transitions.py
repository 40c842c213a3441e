"""The transition table is total, and it says what the manuals say."""

from __future__ import annotations

import itertools

import pytest

from gateways.vocabulary import Action, MethodKind
from gateways.vocabulary import PaymentStatus as S
from payments import transitions

FAMILIES = sorted({family for family, _kind in transitions.TABLE} | {"a provider of tomorrow"})


def test_every_status_and_action_is_either_possible_or_refused_in_words() -> None:
    for family, kind, status, action in itertools.product(FAMILIES, MethodKind, S, Action):
        rule = transitions.rule(family, kind, status, action)
        assert rule.is_possible != bool(rule.refusal), (family, kind, status, action)
        assert rule.is_possible or rule.refusal.endswith("。")


# requirements: what a card payment at GMO-PG allows, aside from asking.
ALLOWED = {
    S.AUTH: {Action.CAPTURE, Action.CANCEL, Action.CHANGE_AMOUNT},
    S.SAUTH: {Action.CANCEL},
    S.CHECK: {Action.CANCEL},
    S.CAPTURE: {Action.CANCEL, Action.CHANGE_AMOUNT, Action.GUIDED_CHANGE},
    S.SALES: {Action.CANCEL, Action.CHANGE_AMOUNT, Action.GUIDED_CHANGE},
    S.VOID: {Action.REAUTHORIZE},
    S.RETURN: {Action.REAUTHORIZE},
    S.RETURNX: {Action.REAUTHORIZE},
    S.UNPROCESSED: {Action.AUTHORIZE},
}


@pytest.mark.parametrize("status", S)
def test_a_card_payment_at_gmo_allows_exactly_this(status: S) -> None:
    possible = {
        action for action in Action if transitions.rule("gmopg", MethodKind.CARD, status, action).is_possible
    }
    assert possible - {Action.INQUIRE} == ALLOWED.get(status, set())
    assert Action.INQUIRE in possible


def test_a_hold_is_never_cancelled_across_months_by_the_table() -> None:
    assert transitions.rule("gmopg", MethodKind.CARD, S.AUTH, Action.CANCEL).results == (S.VOID, S.RETURN)


@pytest.mark.parametrize("kind", [kind for kind in MethodKind if kind is not MethodKind.CARD])
def test_convenience_store_and_pay_easy_amounts_are_not_changed(kind: MethodKind) -> None:
    for status in S:
        assert not transitions.rule("gmopg", kind, status, Action.CHANGE_AMOUNT).is_possible
