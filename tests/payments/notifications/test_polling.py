"""Reading Paygent's queue (091): it brings what no push has brought, once, whoever dies in between."""

from __future__ import annotations

from typing import Any

import pytest

from gateways.vocabulary import Action
from gateways.vocabulary import PaymentStatus as S
from payments import accounts
from payments.models import (
    GatewayAccount,
    NoticeCursor,
    Notification,
    Operation,
    Payment,
    PaymentDifference,
)
from payments.notifications import asking, polling, reception
from tests.bulk.shop import in_threads
from tests.dying import dying
from tests.gateway_world import World
from tests.payments.notifications.waiting import make_due, until

Origin = Notification.Origin
State = Notification.State


@pytest.fixture(autouse=True)
def nothing_told_yet(paygent: World) -> None:
    """What earlier tests have left in the sandbox's queue is history, and there is some."""
    paygent.held()
    polling.skip_history(account())


def account(**changes: Any) -> GatewayAccount:
    found = GatewayAccount.objects.get(code="paygent")
    for name, value in changes.items():
        setattr(found, name, value)
    found.save()
    return found


def sell_behind_our_back(paygent: World, payment: Payment) -> None:
    paygent.sandbox.admin(payment.references["trading_id"], provider="paygent", action="SALES")


def fetch() -> int:
    make_due()
    return polling.fetch(GatewayAccount.objects.get(code="paygent"))


def fresh(payment: Payment) -> Payment:
    return Payment.objects.get(pk=payment.pk)


def numbers() -> list[int]:
    return sorted(int(row.number) for row in Notification.objects.all())


def cursor() -> NoticeCursor:
    return NoticeCursor.objects.get(account__code="paygent")


def lose_the_next_notice(paygent: World) -> None:
    """It leaves the queue, and its answer never reaches us."""
    paygent.sandbox.post_fault("lost_answer", call="091", times=1)
    fetch()
    assert cursor().is_taking


def test_a_change_that_no_push_has_told_is_found_and_followed(paygent: World) -> None:
    payment = paygent.held()
    sell_behind_our_back(paygent, payment)
    assert fetch() == 2
    assert fresh(payment).status == S.AUTH
    asking.work()
    assert fresh(payment).status == S.SALES
    rows = Notification.objects.order_by("id")
    assert [(row.status, row.origin, row.state, row.payment_id) for row in rows] == [
        ("AUTH", Origin.FETCHED, State.CONFIRMED, payment.pk),
        ("SALES", Origin.FETCHED, State.CONFIRMED, payment.pk),
    ]
    assert Operation.objects.filter(action=Action.INQUIRE).count() == 1
    assert cursor().emptied_at is not None
    assert fetch() == 0


def test_what_was_pushed_is_not_found_again(paygent: World, paygent_pushed: Any) -> None:
    paygent.held()
    until(lambda: Notification.objects.count() == 1)
    assert fetch() == 0
    row = Notification.objects.get()
    assert (row.origin, row.times) == (Origin.SIGNED, 1)


def test_what_was_found_and_comes_late_is_counted_and_asked_about_once(
    paygent: World, paygent_pushed: Any
) -> None:
    paygent_pushed(paused=True)
    payment = paygent.held()
    sell_behind_our_back(paygent, payment)
    fetch()
    asking.work()
    paygent_pushed(paused=False)
    until(lambda: set(Notification.objects.values_list("times", flat=True)) == {2})
    asking.work()
    assert set(Notification.objects.values_list("origin", flat=True)) == {Origin.FETCHED}
    assert Operation.objects.filter(action=Action.INQUIRE).count() == 1


def test_one_for_an_order_that_is_not_ours_is_a_difference(paygent: World) -> None:
    payment = paygent.held()
    Payment.objects.filter(pk=payment.pk).update(provider_order_id="another-1-1")
    fetch()
    assert Notification.objects.get().state == State.NO_ORDER
    row = PaymentDifference.objects.get()
    assert (row.kind, row.provider_order_id) == ("unknown_trade", payment.references["trading_id"])


def test_an_amount_change_is_told_under_names_that_are_known(paygent: World) -> None:
    payment = paygent.held()
    for total in (3000, 2800):
        type(payment.order).objects.filter(pk=payment.order_id).update(payment_total=total)
        paygent.done(payment, Action.CHANGE_AMOUNT, target=S.AUTH)
    assert fetch() == 5
    assert set(Notification.objects.values_list("payment_id", flat=True)) == {payment.pk}
    asking.work()
    assert set(Notification.objects.values_list("state", flat=True)) == {State.CONFIRMED}
    assert fresh(payment).amount == 2800
    assert not PaymentDifference.objects.exists()


def test_a_notice_lost_on_its_way_is_fetched_again_by_its_number(paygent: World) -> None:
    account(notice_numbers_are_consecutive=True)
    payment = paygent.held()
    lose_the_next_notice(paygent)
    assert numbers() == []
    assert fetch() == 1
    assert Notification.objects.get().payment_id == payment.pk
    assert not cursor().is_taking


def test_a_gap_behind_newer_notices_is_filled(paygent: World) -> None:
    account(notice_numbers_are_consecutive=True)
    lost = paygent.held()
    lose_the_next_notice(paygent)
    NoticeCursor.objects.update(is_taking=False)  # nobody remembers
    paygent.held()
    fetch()
    first, second = numbers()
    assert second == first + 1
    assert Notification.objects.get(number=str(first)).payment_id == lost.pk
    assert cursor().checked == cursor().newest == second


def test_a_gap_that_a_push_fills_costs_no_question(paygent: World, paygent_pushed: Any) -> None:
    account(notice_numbers_are_consecutive=True)
    paygent.held()
    lose_the_next_notice(paygent)
    until(lambda: Notification.objects.count() == 1)
    paygent.sandbox.post_fault("http_503", call="091", times=1)
    fetch()
    assert cursor().newest == numbers()[0]


def test_where_numbers_are_not_consecutive_no_gap_is_looked_for(paygent: World) -> None:
    paygent.held()
    lose_the_next_notice(paygent)
    paygent.held()
    assert fetch() == 1
    assert cursor().checked == cursor().newest == numbers()[0]


def test_a_provider_that_does_not_answer_is_asked_ever_more_rarely(paygent: World) -> None:
    paygent.held()
    paygent.sandbox.post_fault("http_503", call="091", times=None, before=True)
    for failures in (1, 2, 3):
        fetch()
        assert cursor().failures == failures
    assert "自動で繰り返します" in cursor().message
    assert polling.fetch(account()) == 0  # not due yet
    paygent.sandbox.clear_faults()
    assert fetch() == 1
    assert (cursor().failures, cursor().message) == (0, "")


def test_a_round_ends_and_the_next_one_goes_on(paygent: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "ROUND_SIZE", 2)
    for _ in range(3):
        paygent.held()
    assert polling.fetch(account()) == 2
    assert polling.fetch(account()) == 1


def test_many_readers_are_one(paygent: World) -> None:
    payment = paygent.held()
    sell_behind_our_back(paygent, payment)
    in_threads(6, lambda: polling.fetch(GatewayAccount.objects.get(code="paygent")))
    assert len(numbers()) == 2


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_reader_may_die_while_storing(paygent: World, when: str) -> None:
    account(notice_numbers_are_consecutive=True)
    payment = paygent.held()
    with dying(reception, "take_in_fetched", when=when):
        polling.fetch(account())
    assert polling.fetch(account()) == 0  # its lease still runs
    fetch()
    assert [row.payment_id for row in Notification.objects.all()] == [payment.pk]


def test_an_account_may_be_left_alone(paygent: World) -> None:
    account(notice_poll_minutes=0)
    paygent.held()
    polling.work()
    assert not Notification.objects.exists()


def test_a_provider_without_a_queue_is_not_asked(world: World) -> None:
    assert accounts.notice_queue("gmo") is None
    polling.work()
    assert {each.account.code for each in NoticeCursor.objects.all()} == {"paygent"}
