"""決済処理中の注文の取消 (PG-5): the provider is asked first, and stock and points go back exactly once."""

from __future__ import annotations

from typing import Any

import pytest

from cagolab import clock
from gateways.vocabulary import Action
from gateways.vocabulary import PaymentStatus as S
from orders import changes
from orders.models import Order
from orders.statuses import OrderStatus
from payments import inquiry, operations, order_copy, recovery
from payments.models import Operation, Payment, ShopMail, StaleCase, StaleRun
from payments.nightly import adoption, rules, shop_mails, stale_cases, stale_orders, stale_worklist
from tests.bulk.shop import in_threads
from tests.dying import dying
from tests.gateway_world import OPERATOR, World
from tests.payments.nightly.shop import POINTS, STOCK, GivenUpShop, make_due, outcome

State = StaleCase.State


def status(order: Order) -> OrderStatus:
    order.refresh_from_db()
    return OrderStatus(order.status)


def test_every_status_says_what_it_means_for_an_order_that_was_given_up() -> None:
    assert set(rules.MONEY) == set(S)


@pytest.mark.parametrize(
    ("days", "at_card_page", "is_taken"),
    [(8, True, True), (6, True, False), (8, False, True), (6, False, False)],
)
def test_only_orders_older_than_the_setting_are_taken(
    given_up: GivenUpShop, days: int, at_card_page: bool, is_taken: bool
) -> None:
    order = given_up.order(days=days, at_card_page=at_card_page)
    given_up.run()
    assert (status(order) == OrderStatus.CANCELLED) is is_taken
    assert given_up.stock() == (STOCK if is_taken else STOCK - 1)


def test_an_order_without_an_attempt_is_cancelled_and_nothing_is_asked(given_up: GivenUpShop) -> None:
    order = given_up.order()
    run = given_up.run()
    assert outcome(run, order) == (
        State.CANCELLED,
        "決済はありません。注文を取り消し、在庫とポイントを元に戻しました。",
    )
    assert (run.state, given_up.stock(), given_up.points()) == (StaleRun.State.FINISHED, STOCK, POINTS)
    assert given_up.ledgers_agree()
    change = order.changes.latest("id")
    assert (change.field, change.old, change.new) == ("対応状況", "決済処理中", "注文取消し")
    assert (change.actor_name, change.source) == (OPERATOR.name, "決済処理中の注文の取消")
    assert not Operation.objects.exists()


def test_an_authorization_found_at_the_provider_is_cancelled_by_the_rule_first(
    world: World, given_up: GivenUpShop
) -> None:
    world.at("2026-11-30 10:00:00")
    order = given_up.order()
    payment = given_up.lost(order)
    world.at("2026-12-01 03:00:00")
    run = given_up.run()
    assert world.moved(payment) == [("AUTH", 1500), ("RETURN", 1500)]
    payment.refresh_from_db()
    assert (payment.status, status(order)) == (S.RETURN, OrderStatus.CANCELLED)
    operation = Operation.objects.get(action=Action.CANCEL)
    assert (operation.source, operation.state) == ("nightly", "succeeded")
    assert outcome(run, order)[1].startswith(
        "決済代行会社に仮売上 1,500円があったため取り消しました(返品済み)。"
    )
    assert (given_up.stock(), given_up.points()) == (STOCK, POINTS)


@pytest.mark.parametrize("job", ["SALES", "CAPTURE"])
def test_a_sale_found_is_not_touched_and_waits_for_a_person(
    world: World, given_up: GivenUpShop, job: str
) -> None:
    order = given_up.order()
    if job == "CAPTURE":
        world.account.checkout_target = "CAPTURE"
        world.account.save()
    payment = given_up.lost(order, at_provider=job)
    before = world.moved(payment)
    run = given_up.run()
    assert world.moved(payment) == before
    state, message = outcome(run, order)
    assert (state, status(order)) == (State.PERSON, OrderStatus.PENDING)
    assert "「受注として採用」か「返金」を選んでください。" in message
    assert [waiting.pk for waiting in adoption.waiting()] == [payment.pk]
    assert given_up.stock() == STOCK - 1


def test_a_sale_found_waits_for_a_person_though_a_newer_attempt_failed(
    world: World, given_up: GivenUpShop
) -> None:
    order = given_up.order()
    taken = given_up.lost(order, at_provider="SALES")
    given_up.run()
    failed = Payment.objects.create(
        order=order,
        account=world.account,
        kind=taken.kind,
        status=S.PAYFAIL,
        amount=taken.amount,
        provider_order_id=f"{taken.provider_order_id}x",
        attempt=taken.attempt + 1,
        created_at=clock.now(),
    )
    order_copy.write(failed)
    order.refresh_from_db()
    assert order.payment_status == S.PAYFAIL
    assert [waiting.pk for waiting in adoption.waiting()] == [taken.pk]


def test_adopting_makes_it_a_paid_order_once(world: World, given_up: GivenUpShop) -> None:
    order = given_up.order()
    payment = given_up.lost(order, at_provider="SALES")
    given_up.run()
    results = [adoption.adopt(payment_id=payment.pk, by=OPERATOR, now=clock.now()) for _ in range(2)]
    assert isinstance(results[0], changes.StatusChanged)
    assert isinstance(results[1], changes.StatusRefused)
    assert status(order) == OrderStatus.PAID
    payment.refresh_from_db()
    assert order.paid_at == payment.captured_at
    assert not adoption.waiting().exists()
    assert given_up.stock() == STOCK - 1


def test_after_a_refund_by_the_ordinary_dialog_the_next_run_cancels_the_order(
    world: World, given_up: GivenUpShop
) -> None:
    order = given_up.order()
    payment = given_up.lost(order, at_provider="SALES")
    given_up.run()
    payment.refresh_from_db()
    world.done(payment, Action.CANCEL)
    refused = adoption.adopt(payment_id=payment.pk, by=OPERATOR, now=clock.now())
    assert isinstance(refused, changes.StatusRefused)
    run = given_up.run()
    assert outcome(run, order)[0] == State.CANCELLED
    assert world.moved(payment) == [("AUTH", 1500), ("SALES", 1500), ("VOID", 1500)]


def test_a_trade_that_never_arrived_needs_no_money_call(world: World, given_up: GivenUpShop) -> None:
    order = given_up.order()
    payment = given_up.never_arrived(order)
    run = given_up.run()
    assert outcome(run, order) == (
        State.CANCELLED,
        "請求は残っていません。注文を取り消し、在庫とポイントを元に戻しました。",
    )
    assert world.moved(payment) == []
    assert [each.action for each in Operation.objects.all()] == ["inquire"]


def test_every_attempt_is_asked_about_and_refused_cards_are_not(world: World, given_up: GivenUpShop) -> None:
    order = given_up.order()
    world.authorize(order, card="4999000000000002")
    lost = [given_up.lost(order), given_up.lost(order)]
    run = given_up.run()
    assert outcome(run, order)[0] == State.CANCELLED
    for payment in lost:
        assert world.moved(payment) == [("AUTH", 1500), ("VOID", 1500)]
    asked = Operation.objects.filter(action=Action.INQUIRE).values_list("payment_id", flat=True)
    assert sorted(asked) == sorted(payment.pk for payment in lost)


def test_a_sale_in_one_attempt_keeps_the_order_whatever_the_others_say(
    world: World, given_up: GivenUpShop
) -> None:
    order = given_up.order()
    held, sold = given_up.lost(order), given_up.lost(order, at_provider="SALES")
    run = given_up.run()
    assert outcome(run, order)[0] == State.PERSON
    assert world.moved(held) == [("AUTH", 1500), ("VOID", 1500)]
    assert world.moved(sold) == [("AUTH", 1500), ("SALES", 1500)]
    assert status(order) == OrderStatus.PENDING


def test_what_cannot_be_asked_stays_and_is_reported(world: World, given_up: GivenUpShop) -> None:
    order = given_up.order()
    payment = given_up.lost(order)
    world.sandbox.post_fault(call="SearchTrade", kind="http_500", times=None)
    run = given_up.run()
    for _ in stale_cases.TRY_AGAIN:
        assert outcome(run, order)[0] == State.WAITING
        make_due(run)
        stale_orders.work(run.pk)
    run.refresh_from_db()
    state, message = outcome(run, order)
    assert (state, run.state) == (State.LEFT, StaleRun.State.FINISHED)
    assert message.startswith("決済代行会社に確認できなかったため、注文は取り消していません。")
    assert (status(order), world.moved(payment)) == (OrderStatus.PENDING, [("AUTH", 1500)])
    world.sandbox.clear_faults()
    assert outcome(given_up.run(), order)[0] == State.CANCELLED


def test_an_operation_under_way_keeps_the_order(world: World, given_up: GivenUpShop) -> None:
    order = given_up.order()
    world.sandbox.post_fault(call="ExecTran", kind="lost_answer", times=1)
    operation = world.authorize(order)
    assert operation.state == Operation.State.UNCONFIRMED
    run = given_up.run()
    assert outcome(run, order) == (
        State.LEFT,
        "別の操作の結果を確認中です。確認が終わるまで、注文は取り消しません。",
    )
    assert status(order) == OrderStatus.PENDING


@pytest.mark.parametrize("fault", ["lost_answer", "reset_before", "http_500"])
def test_a_cancel_whose_answer_is_lost_is_settled_by_asking_and_never_sent_twice(
    world: World, given_up: GivenUpShop, fault: str
) -> None:
    order = given_up.order()
    payment = given_up.lost(order)
    world.sandbox.post_fault(call="AlterTran", kind=fault, times=1)
    run = given_up.run()
    assert outcome(run, order)[0] == State.WAITING
    assert status(order) == OrderStatus.PENDING
    for _ in range(2):
        world.later(seconds=200)
        make_due(run)
        stale_orders.work(run.pk)
    assert outcome(run, order)[0] == State.CANCELLED
    assert world.moved(payment) == [("AUTH", 1500), ("VOID", 1500)]
    assert (given_up.stock(), given_up.points()) == (STOCK, POINTS)


def test_recovery_may_settle_the_cancel_meanwhile(world: World, given_up: GivenUpShop) -> None:
    order = given_up.order()
    payment = given_up.lost(order)
    world.sandbox.post_fault(call="AlterTran", kind="lost_answer", times=1)
    run = given_up.run()
    world.later(seconds=60)
    recovery.recover_due(clock.now())
    make_due(run)
    stale_orders.work(run.pk)
    assert outcome(run, order)[0] == State.CANCELLED
    assert world.moved(payment) == [("AUTH", 1500), ("VOID", 1500)]


def test_a_cancel_that_is_refused_leaves_the_order_and_says_why(world: World, given_up: GivenUpShop) -> None:
    order = given_up.order()
    payment = given_up.lost(order)
    world.sandbox.post_fault(call="AlterTran", kind="error_code", code="E01410010", times=1)
    run = given_up.run()
    state, message = outcome(run, order)
    assert (state, status(order)) == (State.LEFT, OrderStatus.PENDING)
    assert message.startswith("取消(返品)を行えませんでした。")
    assert world.moved(payment) == [("AUTH", 1500)]


def test_an_authorization_that_is_too_old_to_cancel_stays(world: World, given_up: GivenUpShop) -> None:
    world.at("2026-03-01 10:00:00")
    order = given_up.order()
    payment = given_up.lost(order)
    world.at("2026-11-01 03:00:00")
    run = given_up.run()
    assert outcome(run, order)[0] == State.LEFT
    assert "取り消せません" in outcome(run, order)[1]
    assert world.moved(payment) == [("AUTH", 1500)]


def test_an_order_that_was_paid_meanwhile_is_left_alone(world: World, given_up: GivenUpShop) -> None:
    order = given_up.order()
    run, _ = stale_orders.start(by=OPERATOR, until=clock.now(), now=clock.now())
    world.authorize(order)
    assert status(order) == OrderStatus.NEW
    stale_orders.work(run.pk)
    assert outcome(run, order) == (
        State.LEFT,
        "対応状況が「新規受付」になっていたため、何もしていません。",
    )
    assert status(order) == OrderStatus.NEW


def test_a_payment_made_while_the_provider_is_asked_keeps_the_order(
    world: World, given_up: GivenUpShop, monkeypatch: Any
) -> None:
    order = given_up.order()
    given_up.never_arrived(order)
    ask = inquiry.inquire_now

    def ask_and_be_paid(**arguments: Any) -> Operation:
        operation = ask(**arguments)
        world.authorize(order)
        return operation

    monkeypatch.setattr(inquiry, "inquire_now", ask_and_be_paid)
    run = given_up.run()
    monkeypatch.undo()
    make_due(run)
    stale_orders.work(run.pk)
    assert status(order) == OrderStatus.NEW
    assert outcome(run, order)[0] == State.LEFT


POINTS_OF_DEATH = (
    (inquiry, "inquire_now", "before"),
    (inquiry, "inquire_now", "after"),
    (operations, "execute", "before"),
    (operations, "execute", "after"),
    (operations, "run", "before"),
    (operations, "run", "after"),
    (changes, "change_status", "before"),
    (changes, "change_status", "after"),
    (stale_worklist, "record", "before"),
    (stale_worklist, "record", "after"),
    (stale_orders, "finish", "before"),
)


@pytest.mark.parametrize(("module", "name", "when"), POINTS_OF_DEATH)
def test_a_worker_may_die_at_any_point(
    world: World, given_up: GivenUpShop, module: Any, name: str, when: str
) -> None:
    order = given_up.order()
    payment = given_up.lost(order)
    run, _ = stale_orders.start(by=OPERATOR, until=clock.now(), now=clock.now())
    with dying(module, name, when=when):
        stale_orders.work(run.pk)
    for _ in range(3):
        world.later(seconds=400)
        recovery.recover_due(clock.now())
        make_due(run)
        stale_orders.work(run.pk)
    run.refresh_from_db()
    assert run.state == StaleRun.State.FINISHED
    if status(order) is OrderStatus.PENDING:  # nothing had left the machine: the next run takes it
        assert world.moved(payment) == [("AUTH", 1500)]
        given_up.run()
    assert status(order) == OrderStatus.CANCELLED
    assert world.moved(payment) == [("AUTH", 1500), ("VOID", 1500)]
    assert (given_up.stock(), given_up.points(), given_up.ledgers_agree()) == (STOCK, POINTS, True)


def test_parallel_workers_take_each_order_once(world: World, given_up: GivenUpShop) -> None:
    orders = [given_up.order(used_points=0) for _ in range(6)]
    payments = [given_up.lost(order) for order in orders[:4]]
    run, _ = stale_orders.start(by=OPERATOR, until=clock.now(), now=clock.now())
    in_threads(4, lambda: stale_orders.work(run.pk))
    run.refresh_from_db()
    assert run.state == StaleRun.State.FINISHED
    assert {status(order) for order in orders} == {OrderStatus.CANCELLED}
    for payment in payments:
        assert world.moved(payment) == [("AUTH", payment.amount), ("VOID", payment.amount)]
    assert (given_up.stock(), given_up.ledgers_agree()) == (STOCK, True)


def test_two_buttons_at_once_start_one_run(given_up: GivenUpShop) -> None:
    given_up.order()
    in_threads(4, lambda: stale_orders.start(by=OPERATOR, until=clock.now(), now=clock.now()))
    assert StaleRun.objects.count() == 1


def test_two_workers_that_hold_the_same_case_cancel_the_order_once(given_up: GivenUpShop) -> None:
    order = given_up.order()
    run, _ = stale_orders.start(by=OPERATOR, until=clock.now(), now=clock.now())
    first = stale_worklist.claim(run.pk)
    assert first is not None
    make_due(run)
    second = stale_worklist.claim(run.pk)
    assert second is not None
    stale_cases.handle(first, OPERATOR)
    assert status(order) == OrderStatus.PENDING
    stale_cases.handle(second, OPERATOR)
    assert status(order) == OrderStatus.CANCELLED
    assert (given_up.stock(), given_up.points()) == (STOCK, POINTS)


def test_the_night_reports_counts_and_numbers_once(
    world: World, given_up: GivenUpShop, mailoutbox: Any
) -> None:
    gone, sold = given_up.order(), given_up.order()
    given_up.lost(sold, at_provider="SALES")
    run, _ = stale_orders.start(by=stale_orders.NIGHTLY, until=clock.now(), now=clock.now(), is_nightly=True)
    stale_orders.work(run.pk)
    assert stale_orders.finish(run.pk, clock.now()) is False
    in_threads(3, shop_mails.send_queued)
    assert [mail.subject.endswith("（取消1件・要判断1件）") for mail in mailoutbox] == [True]
    body = mailoutbox[0].body
    assert f"注文番号 {gone.number}：" in body
    assert f"注文番号 {sold.number}：決済代行会社で「実売上済み」1,500円が見つかりました。" in body
    assert ShopMail.objects.get().state == ShopMail.State.SENT
    assert Payment.objects.filter(order=sold).count() == 1
