"""The night at Paygent and SBPS: the same rules as at GMO-PG, with what each of them can tell (PG-5, X-5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from cagolab import clock
from gateways import registry
from gateways.vocabulary import Action
from gateways.vocabulary import PaymentStatus as S
from orders import changes
from orders.models import Order
from orders.statuses import OrderStatus
from payments import accounts, inquiry, operations, recovery
from payments.models import NightlyJob, Operation, Payment, ShopMail, StaleCase, StaleRun
from payments.nightly import (
    adoption,
    release,
    schedule,
    shop_mails,
    stale_cases,
    stale_orders,
    stale_worklist,
)
from tests.bulk.shop import in_threads
from tests.dying import dying
from tests.gateway_world import CREDENTIALS, OPERATOR, World
from tests.payments.nightly.shop import POINTS, STOCK, GivenUpShop, make_due, outcome

State = StaleCase.State
# The shops are asked for by name at run time, too late for pytest-django to see that they need a database.
pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Telegrams:
    """What a provider calls the question about a trade and the cancel of a hold."""

    ask: str
    cancel: str


TELEGRAMS = {
    "paygent": Telegrams(ask="094", cancel="021"),
    "sbps": Telegrams(ask="MG01-00101-101", cancel="ST02-00303-101"),
}
# The word of the provider's screen for a hold that was cancelled.
VOIDED = {"paygent": "オーソリ取消済", "sbps": "取消済み"}


@pytest.fixture(params=list(TELEGRAMS))
def left(request: pytest.FixtureRequest) -> GivenUpShop:
    """Orders that were given up at the card page of one of the two."""
    return GivenUpShop(request.getfixturevalue(request.param))


@pytest.fixture
def at_paygent(paygent: World) -> GivenUpShop:
    return GivenUpShop(paygent)


@pytest.fixture
def at_sbps(sbps: World) -> GivenUpShop:
    return GivenUpShop(sbps)


def telegrams(shop: GivenUpShop) -> Telegrams:
    return TELEGRAMS[shop.world.account.provider]


def status(order: Order) -> OrderStatus:
    order.refresh_from_db()
    return OrderStatus(order.status)


def work_all_tries(run: StaleRun, order: Order) -> None:
    """Come back as often as a case is tried."""
    for _ in stale_cases.TRY_AGAIN:
        assert outcome(run, order)[0] == State.WAITING
        make_due(run)
        stale_orders.work(run.pk)


def night(shop: GivenUpShop) -> StaleRun:
    """The nightly run, worked off as far as it is due."""
    run, _ = stale_orders.start(by=stale_orders.NIGHTLY, until=clock.now(), now=clock.now(), is_nightly=True)
    stale_orders.work(run.pk)
    run.refresh_from_db()
    return run


def test_an_authorization_found_is_voided_and_the_order_cancelled(left: GivenUpShop) -> None:
    left.world.at("2026-11-30 10:00:00")
    order = left.order()
    payment = left.lost(order)
    left.world.at("2026-12-01 03:00:00")
    run = left.run()
    assert left.world.moved(payment) == [("AUTH", 1500), ("VOID", 1500)]
    payment.refresh_from_db()
    assert (payment.status, status(order)) == (S.VOID, OrderStatus.CANCELLED)
    assert outcome(run, order)[1].startswith(
        f"決済代行会社に仮売上 1,500円があったため取り消しました({VOIDED[left.world.account.provider]})。"
    )
    assert (left.stock(), left.points(), left.ledgers_agree()) == (STOCK, POINTS, True)


def test_a_sale_found_keeps_the_order_and_goes_to_a_person(left: GivenUpShop) -> None:
    order = left.order()
    payment = left.lost(order, at_provider="SALES")
    run = night(left)
    assert left.world.moved(payment) == [("AUTH", 1500), ("SALES", 1500)]
    state, message = outcome(run, order)
    assert (state, status(order)) == (State.PERSON, OrderStatus.PENDING)
    assert "「受注として採用」か「返金」を選んでください。" in message
    assert left.stock() == STOCK - 1
    assert f"注文番号 {order.number}：{message}" in ShopMail.objects.get().body
    adopted = adoption.adopt(payment_id=payment.pk, by=OPERATOR, now=clock.now())
    assert isinstance(adopted, changes.StatusChanged)
    assert status(order) == OrderStatus.PAID
    assert left.world.moved(payment) == [("AUTH", 1500), ("SALES", 1500)]


def test_a_sale_that_a_person_refunds_is_cancelled_by_the_next_run(left: GivenUpShop) -> None:
    order = left.order()
    payment = left.lost(order, at_provider="SALES")
    left.run()
    payment.refresh_from_db()
    assert left.world.done(payment, Action.CANCEL).state == Operation.State.SUCCEEDED
    run = left.run()
    assert outcome(run, order)[0] == State.CANCELLED
    assert left.world.moved(payment) == [("AUTH", 1500), ("SALES", 1500), ("RETURN", 1500)]
    assert (left.stock(), left.points()) == (STOCK, POINTS)


def test_what_cannot_be_asked_stays_is_reported_and_goes_the_next_night(left: GivenUpShop) -> None:
    order = left.order()
    payment = left.lost(order)
    left.world.sandbox.post_fault("http_500", call=telegrams(left).ask, times=None)
    run = night(left)
    work_all_tries(run, order)
    state, message = outcome(run, order)
    assert state == State.LEFT
    assert message.startswith("決済代行会社に確認できなかったため、注文は取り消していません。")
    assert (status(order), left.world.moved(payment)) == (OrderStatus.PENDING, [("AUTH", 1500)])
    assert f"■ 取り消さなかった注文\n注文番号 {order.number}：{message}" in ShopMail.objects.get().body
    left.world.sandbox.clear_faults()
    assert outcome(night(left), order)[0] == State.CANCELLED
    assert left.world.moved(payment) == [("AUTH", 1500), ("VOID", 1500)]


@pytest.mark.parametrize("fault", ["lost_answer", "half", "reset_before"])
def test_a_void_whose_answer_is_lost_is_settled_by_asking_and_never_sent_twice(
    left: GivenUpShop, fault: str
) -> None:
    order = left.order()
    payment = left.lost(order)
    left.world.sandbox.post_fault(fault, call=telegrams(left).cancel, times=1)
    run = left.run()
    for _ in range(3):
        left.world.later(seconds=400)
        recovery.recover_due(clock.now())
        make_due(run)
        stale_orders.work(run.pk)
    if status(order) == OrderStatus.PENDING:  # it had not arrived: the next night sends it, under its own key
        assert left.world.moved(payment) == [("AUTH", 1500)]
        left.run()
    assert status(order) == OrderStatus.CANCELLED
    assert left.world.moved(payment) == [("AUTH", 1500), ("VOID", 1500)]
    assert (left.stock(), left.points(), left.ledgers_agree()) == (STOCK, POINTS, True)


def test_a_second_run_finds_nothing_to_do(left: GivenUpShop) -> None:
    order = left.order()
    payment = left.lost(order)
    left.run()
    again = left.run()
    assert not StaleCase.objects.filter(run=again).exists()
    assert left.world.moved(payment) == [("AUTH", 1500), ("VOID", 1500)]
    assert (left.stock(), left.points()) == (STOCK, POINTS)


def test_parallel_workers_void_each_authorization_once(left: GivenUpShop) -> None:
    orders = [left.order(used_points=0) for _ in range(5)]
    payments = [left.lost(order) for order in orders[:4]]
    run, _ = stale_orders.start(by=OPERATOR, until=clock.now(), now=clock.now())
    in_threads(4, lambda: stale_orders.work(run.pk))
    run.refresh_from_db()
    assert run.state == StaleRun.State.FINISHED
    assert {status(order) for order in orders} == {OrderStatus.CANCELLED}
    for payment in payments:
        assert left.world.moved(payment) == [("AUTH", payment.amount), ("VOID", payment.amount)]
    assert (left.stock(), left.ledgers_agree()) == (STOCK, True)


@pytest.mark.parametrize(
    ("module", "name", "when"),
    [
        (inquiry, "inquire_now", "after"),
        (operations, "run", "before"),
        (operations, "run", "after"),
        (changes, "change_status", "after"),
        (stale_worklist, "record", "after"),
    ],
)
def test_a_worker_may_die_in_the_middle(left: GivenUpShop, module: Any, name: str, when: str) -> None:
    order = left.order()
    payment = left.lost(order)
    run, _ = stale_orders.start(by=OPERATOR, until=clock.now(), now=clock.now())
    with dying(module, name, when=when):
        stale_orders.work(run.pk)
    for _ in range(3):
        left.world.later(seconds=800)
        recovery.recover_due(clock.now())
        make_due(run)
        stale_orders.work(run.pk)
    run.refresh_from_db()
    assert run.state == StaleRun.State.FINISHED
    if status(order) is OrderStatus.PENDING:  # nothing had left the machine: the next run takes it
        assert left.world.moved(payment) == [("AUTH", 1500)]
        left.run()
    assert status(order) == OrderStatus.CANCELLED
    assert left.world.moved(payment) == [("AUTH", 1500), ("VOID", 1500)]
    assert (left.stock(), left.points(), left.ledgers_agree()) == (STOCK, POINTS, True)


def know_not_found(world: World, settings: Any) -> None:
    """The contract's documents name the code with which Paygent says that there is no such payment."""
    provider, credentials = CREDENTIALS["paygent"]
    values = {"base_url": f"{world.sandbox.url}/{provider}", **credentials, "not_found_codes": "2101"}
    settings.GATEWAY_ACCOUNTS = {
        **settings.GATEWAY_ACCOUNTS,
        "paygent": registry.load_account("paygent", provider, values),
    }
    accounts.gateway.cache_clear()


def test_paygent_without_a_not_found_code_cannot_tell_so_a_person_looks(at_paygent: GivenUpShop) -> None:
    order = at_paygent.order()
    at_paygent.never_arrived(order)
    run = night(at_paygent)
    state, message = outcome(run, order)
    assert (state, status(order), run.state) == (State.PERSON, OrderStatus.PENDING, StaleRun.State.FINISHED)
    assert "請求がないことを、決済代行会社の管理画面で確認してください。" in message
    assert f"注文番号 {order.number}：{message}" in ShopMail.objects.get().body


def test_paygent_with_a_not_found_code_proves_that_nothing_was_authorized(
    at_paygent: GivenUpShop, settings: Any
) -> None:
    know_not_found(at_paygent.world, settings)
    order = at_paygent.order()
    payment = at_paygent.never_arrived(order)
    run = at_paygent.run()
    assert outcome(run, order) == (
        State.CANCELLED,
        "請求は残っていません。注文を取り消し、在庫とポイントを元に戻しました。",
    )
    assert at_paygent.world.moved(payment) == []
    assert (at_paygent.stock(), at_paygent.points()) == (STOCK, POINTS)


def test_paygent_that_does_not_know_an_authorization_of_ours_needs_a_person(
    at_paygent: GivenUpShop, settings: Any
) -> None:
    know_not_found(at_paygent.world, settings)
    order = at_paygent.order()
    payment = at_paygent.never_arrived(order)
    Payment.objects.filter(pk=payment.pk).update(status=S.AUTH)
    run = at_paygent.run()
    state, message = outcome(run, order)
    assert (state, status(order)) == (State.PERSON, OrderStatus.PENDING)
    assert message.startswith("記録では「オーソリOK」ですが、決済代行会社にこの取引(")


def test_paygents_expired_authorization_holds_nothing_any_more(at_paygent: GivenUpShop) -> None:
    at_paygent.world.at("2026-09-01 10:00:00")
    order = at_paygent.order()
    payment = at_paygent.lost(order)
    at_paygent.world.at("2026-11-30 03:00:00")
    run = at_paygent.run()
    payment.refresh_from_db()
    assert (payment.status, outcome(run, order)[0]) == (S.EXPIRED, State.CANCELLED)
    assert at_paygent.world.moved(payment) == [("AUTH", 1500)]


def test_sbps_can_never_say_that_nothing_arrived_so_a_person_looks(at_sbps: GivenUpShop) -> None:
    order = at_sbps.order()
    at_sbps.never_arrived(order)
    run = night(at_sbps)
    state, message = outcome(run, order)
    assert (state, status(order)) == (State.PERSON, OrderStatus.PENDING)
    assert "請求がないことを、決済代行会社の管理画面で確認してください。" in message
    assert at_sbps.stock() == STOCK - 1
    assert (
        f"■ 判断が必要な注文（売上などが見つかりました）\n注文番号 {order.number}："
        in ShopMail.objects.get().body
    )


def released(order: Order) -> changes.StatusChanged | changes.StatusRefused:
    """A person says that there is no charge."""
    case = StaleCase.objects.filter(order=order).latest("id")
    return release.release(case_id=case.pk, by=OPERATOR, now=clock.now())


def test_what_no_provider_can_tell_is_released_by_a_person_once(left: GivenUpShop) -> None:
    order = left.order()
    left.never_arrived(order)
    run = left.run()
    assert [case.order_id for case in release.waiting(run, limit=9)] == [order.pk]
    assert isinstance(released(order), changes.StatusChanged)
    assert status(order) == OrderStatus.CANCELLED
    assert (left.stock(), left.points(), left.ledgers_agree()) == (STOCK, POINTS, True)
    told = order.changes.get(field="決済代行会社での請求の確認")
    assert (told.actor_name, told.new) == (
        OPERATOR.name,
        "管理画面で、請求がないことを確認しました。",
    )
    assert isinstance(released(order), changes.StatusRefused)
    assert not release.waiting(run, limit=9)
    assert (left.stock(), left.points()) == (STOCK, POINTS)


def test_nobody_releases_an_order_with_money_or_with_an_open_question(left: GivenUpShop) -> None:
    order = left.order()
    payment = left.lost(order, at_provider="SALES")
    run = left.run()
    assert not release.waiting(run, limit=9), "it waits for 受注として採用 or 返金"
    refused = released(order)
    assert isinstance(refused, changes.StatusRefused)
    assert "取り消していません" in refused.reason
    Payment.objects.filter(pk=payment.pk).update(status=S.UNPROCESSED, is_open=True)
    assert not release.waiting(run, limit=9)
    refused = released(order)
    assert isinstance(refused, changes.StatusRefused)
    assert "確認中" in refused.reason
    assert (status(order), left.stock(), run.state) == (OrderStatus.PENDING, STOCK - 1, "finished")


def test_the_daily_mail_names_the_deadlines_at_all_three(
    world: World, paygent: World, sbps: World, mailoutbox: Any
) -> None:
    world.at("2026-09-01 10:00:00")
    days = {"gmo": 90, "paygent": 60, "sbps": 60}
    held = {}
    for each in (world, paygent, sbps):
        payment = each.held(total=1000 + days[each.account.code])
        assert payment.account.capture_days == days[each.account.code]
        held[each.account.code] = payment.order.number
    schedule.switch(NightlyJob.Kind.DEADLINE_WATCH, is_on=True, hour=8, now=clock.now())
    world.at("2026-10-31 08:00:00")
    assert schedule.tick(clock.now()) == [NightlyJob.Kind.DEADLINE_WATCH]
    shop_mails.send_queued()
    [mail] = mailoutbox
    assert mail.subject.endswith("売上期限のお知らせ（2件）")
    for code in ("paygent", "sbps"):
        assert f"注文番号 {held[code]}　1,060円　期限 2026/10/31" in mail.body
    assert held["gmo"] not in mail.body
    world.at("2026-11-30 08:00:00")
    schedule.tick(clock.now())
    shop_mails.send_queued()
    assert mailoutbox[1].subject.endswith("売上期限のお知らせ（1件）")
    assert f"注文番号 {held['gmo']}　1,090円　期限 2026/11/30" in mailoutbox[1].body
    assert "すでに期限を過ぎた仮売上の受注が2件" in mailoutbox[1].body
