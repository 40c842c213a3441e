"""The screens of 決済処理中の注文の取消 with more orders than a page holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cagolab import clock
from gateways.vocabulary import PaymentStatus
from orders import listing
from orders.models import Order, PaymentMethod
from orders.statuses import OrderStatus
from payments.models import StaleCase, StaleRun
from payments.nightly import stale_listing, stale_orders, stale_worklist
from tests.gateway_world import OPERATOR
from tests.screens.payment_shop import make_account, make_bare_order, make_payment

PAGE = "/payments/stale-orders/"
State = StaleCase.State

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> Client:
    user = User.objects.create_user("hanako", last_name="田中", first_name="花子")
    user.groups.add(Group.objects.get(name="決済操作"))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def three_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stale_listing, "PAGE_SIZE", 3)


def given_up_orders(*days: int) -> list[Order]:
    """Orders so many days and an hour old, 決済処理中 and 購入処理中 in turn; those of one day at one moment."""
    now = clock.now()
    return [
        make_bare_order(
            status=(OrderStatus.PENDING, OrderStatus.PROCESSING)[place % 2],
            ordered_at=now - timedelta(days=age, hours=1),
        )
        for place, age in enumerate(days)
    ]


def run_of(orders: Sequence[Order], *, state: State, **fields: Any) -> StaleRun:
    run = StaleRun.objects.create(pending_days=7, cart_days=7, started_at=clock.now(), **fields)
    StaleCase.objects.bulk_create(StaleCase(run=run, order=order, state=state) for order in orders)
    return run


def pages(client: Client, address: str) -> Iterator[Any]:
    """The contexts of all pages from the first one on."""
    while address:
        answer = client.get(address)
        assert answer.status_code == 200
        yield answer.context
        address = answer.context["next_page"]


def listed(client: Client) -> list[list[int]]:
    return [[row.cells.order.pk for row in context["candidates"]] for context in pages(client, PAGE)]


@pytest.mark.usefixtures("three_a_page")
def test_each_order_stands_on_one_page_the_oldest_first(operator: Client) -> None:
    made = given_up_orders(9, 8, 8, 8, 8, 20, 10, 6)
    waiting = sorted(made[:-1], key=lambda order: (order.ordered_at, order.pk))
    pks = [order.pk for order in waiting]
    assert listed(operator) == [pks[:3], pks[3:6], pks[6:]]
    second = operator.get(f"{PAGE}?after={pks[2]}")
    assert "最初へ" in second.content.decode()
    assert "7件を確認して取り消す" in second.content.decode()


def test_each_status_has_days_of_its_own() -> None:
    pending, cart = given_up_orders(8, 8)
    now = clock.now()
    assert list(stale_listing.orders(pending_days=7, cart_days=9, after=None, now=now).orders) == [pending]
    assert list(stale_listing.orders(pending_days=9, cart_days=7, after=None, now=now).orders) == [cart]


@pytest.mark.usefixtures("three_a_page")
@pytest.mark.parametrize("after", ["last", "999999", "-1", "x", "9" * 30])
def test_beyond_the_end_and_with_a_made_up_key_stands_the_first_page(operator: Client, after: str) -> None:
    first, last = given_up_orders(9, 8)
    key = last.pk if after == "last" else after
    page = operator.get(f"{PAGE}?after={key}")
    assert [row.cells.order for row in page.context["candidates"]] == [first, last]


@pytest.mark.usefixtures("three_a_page")
def test_pages_go_on_when_the_order_they_go_on_from_was_cancelled_meanwhile(operator: Client) -> None:
    orders = given_up_orders(12, 11, 10, 9)
    Order.objects.filter(pk=orders[2].pk).update(status=OrderStatus.CANCELLED)
    page = operator.get(f"{PAGE}?after={orders[2].pk}")
    assert [row.cells.order for row in page.context["candidates"]] == [orders[3]]


def test_beyond_the_limit_the_total_says_so_and_all_are_taken(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "TOTAL_LIMIT", 2)
    given_up_orders(8, 8)
    assert "2件を確認して取り消す" in operator.get(PAGE).content.decode()
    given_up_orders(8, 8)
    page = operator.get(PAGE).content.decode()
    assert "2件以上" in page
    assert "対象の注文すべてを確認して取り消す" in page
    run, _ = stale_orders.start(by=OPERATOR, until=clock.now(), now=clock.now())
    assert run.cases.count() == 4


def test_the_orders_are_frozen_oldest_first() -> None:
    orders = given_up_orders(8, 12, 10, 9, 12, 3)
    run = StaleRun.objects.create(pending_days=7, cart_days=7, started_at=clock.now())
    assert stale_worklist.freeze(run, clock.now()) == 5
    by_age = sorted(orders[:-1], key=lambda order: (order.ordered_at, order.pk))
    cases = list(run.cases.order_by("pk"))
    assert [case.order_id for case in cases] == [order.pk for order in by_age]
    assert {(case.state, case.tries, case.message) for case in cases} == {("waiting", 0, "")}


def test_the_queries_do_not_grow_with_orders_and_runs(operator: Client) -> None:
    make_account()
    operator.get(PAGE)  # makes the rows of settings

    def queries() -> int:
        for order in given_up_orders(*range(8, 14)):
            make_payment(PaymentStatus.UNPROCESSED, order=order)
            sold = make_bare_order(status=OrderStatus.PENDING, ordered_at=clock.now() - timedelta(days=9))
            make_payment(PaymentStatus.SALES, order=sold)
            run = run_of([order], state=State.PERSON)
            stale_orders.finish(run.pk, clock.now())
        with CaptureQueriesContext(connection) as asked:
            page = operator.get(PAGE)
        assert page.context["untold"]
        assert page.context["waiting"]
        return len(asked)

    first = queries()
    assert queries() == first
    assert first <= 14


def test_how_the_cases_of_a_run_ended_is_kept_with_it() -> None:
    method = PaymentMethod.objects.create(name="銀行振込")
    orders = [make_bare_order(payment_method=method) for _ in range(3)]
    run = run_of(orders, state=State.LEFT)
    assert stale_orders.finish(run.pk, clock.now())
    run.refresh_from_db()
    assert run.ended == {"left": 3}
    StaleCase.objects.filter(run=run).delete()
    assert stale_orders.counts(run)["left"] == 3
    of_a_former_version = run_of(orders[:2], state=State.CANCELLED)
    StaleRun.objects.filter(pk=of_a_former_version.pk).update(state=StaleRun.State.FINISHED)
    of_a_former_version.refresh_from_db()
    assert stale_orders.counts(of_a_former_version)["cancelled"] == 2


@pytest.mark.usefixtures("three_a_page")
def test_the_results_of_a_run_stand_on_pages_what_needs_a_person_first(operator: Client) -> None:
    orders = given_up_orders(*range(8, 18))
    run = run_of(orders, state=State.CANCELLED)
    cases = list(run.cases.order_by("pk"))
    for place, state in ((0, State.LEFT), (4, State.PERSON), (5, State.LEFT), (9, State.PERSON)):
        StaleCase.objects.filter(pk=cases[place].pk).update(state=state)
    StaleCase.objects.filter(pk=cases[7].pk).update(state=State.WAITING, tries=1)
    StaleCase.objects.filter(pk=cases[8].pk).update(state=State.WAITING)  # not its turn yet
    shown = [
        [cases.index(case) for case in context["cases"]] for context in pages(operator, f"{PAGE}{run.pk}/")
    ]
    assert shown == [[7, 4, 9], [0, 5, 1], [2, 3, 6]]
    second = operator.get(f"{PAGE}{run.pk}/?after={cases[9].pk}").content.decode()
    assert f'hx-get="{PAGE}{run.pk}/?after={cases[9].pk}"' in second
