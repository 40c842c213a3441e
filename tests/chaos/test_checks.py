"""Every check of the chaos suite can fail: a whole world passes, and each broken one is told."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from django.contrib.auth.models import User
from django.db import connection, transaction

from cagolab import clock
from gateways.vocabulary import Action
from orders.bulk.models import BulkItem, BulkRun
from orders.models import Customer, Order, OrderChange, PaymentMethod, Product
from orders.statuses import OrderStatus
from payments.models import GatewayAccount, Notification, Operation, Payment, ReconciliationRun
from tests.chaos import checks, shop
from tests.chaos.browser import Browser
from tests.chaos.checks.secrets import tracebacks
from tests.chaos.diary import Diary
from tests.chaos.evidence import Evidence, secret_in
from tests.chaos.intruders import Intruder
from tests.gateway_world import World

Breaker = Callable[[Evidence], Any]
BREAKERS: list[tuple[int, str, Breaker]] = []


def breaks(number: int) -> Callable[[Breaker], Breaker]:
    """What stands below breaks this invariant."""

    def note(breaker: Breaker) -> Breaker:
        BREAKERS.append((number, breaker.__name__, breaker))
        return breaker

    return note


def one(provider: str = "gmopg") -> Payment:
    """A captured payment of a provider."""
    return Payment.objects.filter(account__provider=provider, status="SALES").latest("pk")


def a_cancel() -> Operation:
    return Operation.objects.filter(action="cancel").latest("pk")


def run_sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def a_bulk_run(kind: str, *, ticked: int, by: str = "operator1", **item: Any) -> BulkItem:
    """A finished run with one row and its counts as they are given."""
    run = BulkRun.objects.create(
        kind=kind,
        state="finished",
        ticked=ticked,
        taken=ticked,
        created_by=User.objects.get(username=by),
        created_by_name=by,
        created_at=clock.now(),
    )
    return BulkItem.objects.create(run=run, order=one().order, payment_id=one().pk, **item)


@breaks(1)
def two_live_payments_of_one_order(_: Evidence) -> None:
    run_sql("DROP INDEX payment_one_live_or_open_per_order")
    payment = one()
    payment.pk, payment.attempt, payment.provider_order_id = None, 9, "second"
    payment.save()


@breaks(1)
def two_open_operations_of_one_payment(_: Evidence) -> None:
    run_sql("DROP INDEX operation_one_open_per_payment")
    operation = a_cancel()
    for _number in range(2):
        operation.pk, operation.key, operation.state = None, uuid.uuid4(), "started"
        operation.save()


@breaks(1)
def the_database_allows_a_second_one(_: Evidence) -> None:
    run_sql("DROP INDEX operation_one_open_per_payment")


@breaks(2)
def executed_twice(evidence: Evidence) -> None:
    evidence.books.executed[one().provider_order_id][("SALES", one().amount)] += 1


@breaks(2)
def executed_twice_at_paygent(evidence: Evidence) -> None:
    evidence.books.executed[one("paygent").provider_order_id][("AUTH", one("paygent").amount)] += 1


@breaks(2)
def never_executed_at_sbps(evidence: Evidence) -> None:
    del evidence.books.executed[one("sbps").provider_order_id][("SALES", one("sbps").amount)]


@breaks(2)
def executed_though_it_ended_as_refused(_: Evidence) -> None:
    Operation.objects.filter(payment=one(), action="capture").update(state="refused")


@breaks(2)
def nobody_confirmed_it(evidence: Evidence) -> None:
    evidence.diary.confirmed.discard(str(a_cancel().key))


@breaks(3)
def executed_for_nobody(evidence: Evidence) -> None:
    evidence.books.strangers.add("777-1-x")


@breaks(3)
def executed_without_a_telegram_written_down(evidence: Evidence) -> None:
    evidence.books.calls[one().provider_order_id]["AlterTran"] += 1


@breaks(4)
def another_amount_than_the_providers(_: Evidence) -> None:
    Payment.objects.filter(pk=one("paygent").pk).update(amount=1)


@breaks(4)
def another_status_than_the_providers(_: Evidence) -> None:
    Payment.objects.filter(pk=one("sbps").pk).update(status="AUTH")


@breaks(4)
def money_held_that_we_do_not_know_of(_: Evidence) -> None:
    Payment.objects.filter(pk=one().pk).update(status="PAYFAIL")


@breaks(4)
def two_payments_live_at_paygent(evidence: Evidence) -> None:
    trade = {"status": "AUTH", "amount": 1, "payment_id": "1"}
    evidence.books.trades[one("paygent").provider_order_id].append(trade)


@breaks(4)
def a_payment_that_the_provider_does_not_have(evidence: Evidence) -> None:
    evidence.books.trades[one("sbps").provider_order_id].clear()


@breaks(5)
def not_executed_concluded_too_early(_: Evidence) -> None:
    now = clock.now()
    Operation.objects.filter(pk=a_cancel().pk).update(
        state="not_executed", equal_answers=2, timeout_at=now, settled_at=now + timedelta(seconds=119)
    )


@breaks(5)
def not_executed_concluded_from_one_answer(_: Evidence) -> None:
    now = clock.now()
    Operation.objects.filter(pk=a_cancel().pk).update(
        state="not_executed", equal_answers=1, timeout_at=now, settled_at=now + timedelta(hours=1)
    )


@breaks(5)
def not_executed_though_nobody_has_looked(_: Evidence) -> None:
    Operation.objects.filter(pk=a_cancel().pk).update(
        state="not_executed", reason_kind="not_told", settled_at=clock.now() + timedelta(hours=1)
    )


@breaks(5)
def unknown_and_yet_free_for_the_next(_: Evidence) -> None:
    Operation.objects.filter(pk=a_cancel().pk).update(state="unconfirmed")


@breaks(6)
def a_status_that_moved_by_itself(_: Evidence) -> None:
    order = next(order for order in Order.objects.exclude(status__in=[7, 8]) if order.pk % 2 == 0)
    OrderChange.objects.create(
        order=order, field="対応状況", old="新規受付", new="発送済み", actor_name="x", changed_at=clock.now()
    )


@breaks(7)
def stock_that_no_ledger_knows(_: Evidence) -> None:
    product = Product.objects.earliest("pk")
    Product.objects.filter(pk=product.pk).update(stock=product.stock + 1)


@breaks(7)
def points_that_no_ledger_knows(_: Evidence) -> None:
    customer = Customer.objects.earliest("pk")
    Customer.objects.filter(pk=customer.pk).update(points=customer.points + 1)


@breaks(7)
def a_cancelled_order_that_still_holds_its_stock(_: Evidence) -> None:
    Order.objects.filter(pk=one().order_id).update(status=OrderStatus.CANCELLED)


@breaks(8)
def a_row_that_got_lost(_: Evidence) -> None:
    a_bulk_run("order_status", ticked=2, state="succeeded")


@breaks(8)
def a_finished_run_with_a_waiting_row(_: Evidence) -> None:
    a_bulk_run("order_status", ticked=1, state="ready")


@breaks(8)
def a_row_that_succeeded_without_an_operation(_: Evidence) -> None:
    a_bulk_run("capture", ticked=1, state="succeeded")


@breaks(8)
def a_comparison_that_lost_a_case(_: Evidence) -> None:
    now = clock.now()
    ReconciliationRun.objects.create(
        account=GatewayAccount.objects.get(code="gmo"),
        state="finished",
        started_by_name="x",
        started_at=now,
        next_call_at=now,
        give_up_at=now,
        planned=2,
        equal=1,
    )


@breaks(9)
def another_cancel_than_the_dialog_said(evidence: Evidence) -> None:
    evidence.diary.cancels_shown[str(a_cancel().key)] = "月跨返品"


@breaks(9)
def another_cancel_than_the_preview_said(_: Evidence) -> None:
    item = a_bulk_run("cancel", ticked=1, state="failed", shown="cancel:RETURNX:RETURNX:3200")
    Operation.objects.filter(pk=a_cancel().pk).update(key=item.key())


@breaks(9)
def another_cancel_than_was_confirmed(_: Evidence) -> None:
    Operation.objects.filter(pk=a_cancel().pk).update(shown="cancel:RETURNX:RETURNX:3200")


@breaks(10)
def a_total_that_is_not_the_sum_of_its_rates(_: Evidence) -> None:
    order = one().order
    Order.objects.filter(pk=order.pk).update(payment_total=order.payment_total + 1)


@breaks(11)
def a_card_number_in_the_database(evidence: Evidence) -> None:
    Order.objects.filter(pk=one().order_id).update(memo=f"card {evidence.secrets[0]}")


@breaks(11)
def a_pass_in_a_log(evidence: Evidence) -> None:
    evidence.logs[0].write_text(f"ShopPass={evidence.secrets[2]}\n")


@breaks(11)
def a_pass_in_the_broker(evidence: Evidence) -> None:
    evidence.broker = lambda: iter([("broker key x", str(evidence.secrets[3]))])


@breaks(12)
def money_moved_by_somebody_who_may_not(_: Evidence) -> None:
    Operation.objects.filter(pk=a_cancel().pk).update(actor=User.objects.get(username="viewer"))


@breaks(12)
def an_intruders_key_was_executed(evidence: Evidence) -> None:
    evidence.diary.stolen.add(str(a_cancel().key))


@breaks(12)
def a_run_over_money_by_somebody_who_may_not(_: Evidence) -> None:
    a_bulk_run("capture", ticked=1, by="editor", state="failed")


@breaks(13)
def a_provider_was_called_inside_a_transaction(evidence: Evidence) -> None:
    evidence.logs[0].write_text("payments.no_transaction.TransactionOpenError: a provider call\n")


@breaks(13)
def a_traceback_in_a_log(evidence: Evidence) -> None:
    evidence.logs[0].write_text("Traceback (most recent call last):\n  File x\nKeyError: 'status'\n")


@breaks(14)
def a_notification_that_moved_money(_: Evidence) -> None:
    Operation.objects.filter(pk=a_cancel().pk).update(source="notification")


@breaks(14)
def a_forged_notification_that_was_believed(evidence: Evidence) -> None:
    evidence.diary.forged["F000001"] = "suspicious"
    Notification.objects.create(
        account=GatewayAccount.objects.get(code="gmo"),
        digest="0" * 64,
        state="confirmed",
        fields={"TranID": "F000001"},
        received_at=clock.now(),
    )


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture
def gather(world: World, paygent: World, sbps: World, diary: Diary, tmp_path: Path) -> Callable[[], Evidence]:
    """A small world: a captured payment at each provider, and a cancelled one."""
    world.sandbox.control(
        "POST", "/_reset"
    )  # what earlier tests have bought belongs to no payment of this shop
    dice = random.Random(1)
    shop.open_shop(world.sandbox, dice, diary, orders=0, operators=1)
    for place, action in ((world, Action.CANCEL), *((w, Action.CAPTURE) for w in (world, paygent, sbps))):
        method = PaymentMethod.objects.get(account=place.account.code)
        order = shop.order_paid_for(world.sandbox, dice, diary, method)
        operation = place.done(Payment.objects.get(order=order), action)
        diary.confirmed.add(str(operation.key))
    log = tmp_path / "web.log"
    log.write_text("Traceback (most recent call last):\n  File x\npsycopg.OperationalError: gone\n")

    def gathered() -> Evidence:
        return Evidence(
            sandbox=world.sandbox,
            diary=Diary(confirmed=set(diary.confirmed)),
            logs=[log],
        )

    return gathered


class _Undone(Exception):
    """Takes back what a breaker did to the database."""


def test_a_whole_world_passes_and_every_check_can_fail(
    gather: Callable[[], Evidence], subtests: pytest.Subtests
) -> None:
    assert list(checks.check(gather())) == []
    assert {number for number, _name, _breaker in BREAKERS} == set(checks.CHECKS)
    log = gather().logs[0]
    calm_log = log.read_text()
    for number, name, breaker in BREAKERS:
        with subtests.test(f"{number}: {name}"):
            evidence = gather()
            try:
                with transaction.atomic():
                    breaker(evidence)
                    told = list(checks.check(evidence))
                    raise _Undone
            except _Undone:
                log.write_text(calm_log)
            assert any(sentence.startswith(f"{number}: ") for sentence in told), told


def test_what_was_seen_during_the_storm_is_told(gather: Callable[[], Evidence]) -> None:
    evidence = gather()
    evidence.diary.trouble(5, "could be confirmed while unknown")
    assert list(checks.check(evidence)) == ["5: could be confirmed while unknown"]


def answer(status: int, text: str) -> requests.Response:
    made = requests.Response()
    made.status_code, made._content, made.encoding = status, text.encode(), "utf-8"
    return made


def test_a_secret_on_a_page_and_a_request_that_was_not_refused_are_told(
    world: World, diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    diary.secrets = ("4111111111111111",)
    monkeypatch.setattr(requests.Session, "get", lambda *_, **__: answer(200, "card 4111111111111111"))
    monkeypatch.setattr(requests.Session, "post", lambda *_, **__: answer(200, "done"))
    Browser("x", web_url="", sandbox=world.sandbox, seed="1", diary=diary).get("/")
    assert [number for number, _ in diary.troubles] == [11]
    Intruder("viewer", web_url="", sandbox=world.sandbox, seed="1", diary=diary).act([1])
    assert [number for number, _ in diary.troubles] == [11, 12]


def test_a_card_number_is_found_and_a_longer_number_is_none() -> None:
    assert secret_in(["4111111111111111"], "card=4111111111111111&") == "4111111111111111"
    assert secret_in(["4111111111111111"], "TranID=2611220411111111111111192829") is None
    assert secret_in(["pass(01"], "password: pass(01") == "pass(01"
    assert secret_in([], "anything") is None


def test_what_came_of_a_lost_connection_belongs_to_it_and_nothing_else_does() -> None:
    fault = "Traceback (most recent call last):\n  File a\nValueError: x\n"
    lost = "Traceback (most recent call last):\n  File b\npsycopg.OperationalError: gone\n\tmore of it\n"
    handling = "\nDuring handling of the above exception, another exception occurred:\n\n"
    assert list(tracebacks(lost + handling + fault)) == [["psycopg.OperationalError: gone", "ValueError: x"]]
    assert list(tracebacks(lost + fault)) == [["psycopg.OperationalError: gone"], ["ValueError: x"]]
