"""ホーム: the counts and what needs doing today."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cagolab import clock
from cagolab.clock import TOKYO
from gateways.vocabulary import Action, PaymentStatus
from orders.bulk.models import BulkItem, BulkRun
from orders.models import Order
from orders.statuses import OrderStatus
from payments.models import Notification, Operation, PaymentDifference
from tests.screens.payment_shop import make_operation, make_payment

Login = Callable[[str], Client]
MakeOrder = Callable[..., Order]
AUTH = {"payment_provider": "gmopg", "payment_kind": "card", "payment_status": "AUTH", "payment_amount": 2700}


def tiles(page: str) -> dict[str, str]:
    """What each tile of 本日やること says, by its label."""
    return dict(re.findall(r'<span>([^<]+)</span>\s*<span class="tile-number">([^<]+)<', page))


def test_a_quiet_day_says_that_nothing_needs_doing(login: Login, make_order: MakeOrder) -> None:
    make_order()
    page = login("閲覧").get("/").content.decode()
    assert set(tiles(page).values()) == {"0"}
    assert page.count("対応が必要なものはありません。") == 9


def test_each_tile_counts_its_orders_and_leads_to_them(login: Login, make_order: MakeOrder) -> None:
    today = clock.now().astimezone(TOKYO).date()
    far = today + timedelta(days=60)
    make_order(**AUTH, payment_deadline=today + timedelta(days=7))
    make_order(**AUTH, payment_deadline=today + timedelta(days=8))
    make_order(**AUTH | {"payment_amount": 3200}, payment_deadline=far)
    make_order(**AUTH, payment_deadline=far, status=OrderStatus.SHIPPED)
    make_order(**AUTH, payment_deadline=far, status=OrderStatus.CANCELLED)
    make_order(**AUTH | {"payment_status": "UNPROCESSED"}, payment_is_open=True, status=OrderStatus.PENDING)
    client = login("閲覧")
    page = client.get("/").content.decode()
    found = tiles(page)
    others = ("決済代行会社との差異", "一括処理の失敗", "要判断の決済操作", "対応が必要な結果通知")
    assert [found.pop(label) for label in others] == ["0"] * 4
    assert set(found.values()) == {"1"}
    for address in re.findall(r'class="tile [^"]*" href="(/payments/\?[^"]+)"', page):
        assert "検索結果：1件が該当しました" in client.get(address.replace("&amp;", "&")).content.decode(), (
            address
        )


def test_statuses_lead_to_their_lists(login: Login, make_order: MakeOrder) -> None:
    make_order(status=OrderStatus.PAID)
    client = login("閲覧")
    page = client.get("/").content.decode()
    assert re.search(r'href="/orders/\?status=6"><span><span class="badge-ec status-6">入金済み', page)


def test_home_costs_one_query_per_tile(login: Login, make_order: MakeOrder) -> None:
    client = login("管理者")
    with CaptureQueriesContext(connection) as queries:
        client.get("/")
    assert len(queries) <= 18


def failed_run(make_order: MakeOrder, *, days_ago: int = 0, retry_of: BulkRun | None = None) -> BulkRun:
    """A run in which one row failed and one succeeded."""
    at = clock.now() - timedelta(days=days_ago)
    run = BulkRun.objects.create(
        kind="capture",
        state=BulkRun.State.FINISHED,
        ticked=2,
        taken=2,
        created_at=at,
        started_at=at,
        retry_of=retry_of,
        created_by_name="会計 花子",
    )
    for state in (BulkItem.State.FAILED, BulkItem.State.SUCCEEDED):
        BulkItem.objects.create(run=run, order=make_order(), state=state)
    return run


def test_differences_lead_to_their_list(login: Login) -> None:
    payment = make_payment(PaymentStatus.AUTH)
    for state, closed_at in (
        (PaymentDifference.State.OPEN, None),
        (PaymentDifference.State.GONE, clock.now()),
    ):
        PaymentDifference.objects.create(
            account=payment.account,
            payment=payment,
            order=payment.order,
            provider_order_id=payment.provider_order_id,
            kind=PaymentDifference.Kind.STATUS,
            state=state,
            closed_at=closed_at,
            our_status="AUTH",
            our_amount=3200,
            their_status="SALES",
            their_amount=3200,
            first_seen_at=clock.now(),
            last_seen_at=clock.now(),
        )
    client = login("閲覧")
    page = client.get("/").content.decode()
    assert tiles(page)["決済代行会社との差異"] == "1"
    assert 'href="/payments/differences/"' in page
    assert "検索結果：1件が該当しました" in client.get("/payments/differences/").content.decode()


def test_operations_without_a_conclusion_lead_to_their_list(login: Login) -> None:
    operation = make_operation(
        make_payment(PaymentStatus.AUTH), Action.CAPTURE, Operation.State.CONTRADICTED, message="食い違い"
    )
    client = login("閲覧")
    page = client.get("/").content.decode()
    assert tiles(page)["要判断の決済操作"] == "1"
    assert 'href="/payments/attention/"' in page
    assert operation.payment.order.number in client.get("/payments/attention/").content.decode()


def test_notifications_for_a_person_lead_to_their_list(login: Login) -> None:
    payment = make_payment(PaymentStatus.AUTH)
    for digest, state in (("a", Notification.State.NO_ORDER), ("b", Notification.State.CONFIRMED)):
        Notification.objects.create(
            account=payment.account,
            digest=digest,
            state=state,
            provider_order_id=f"told-{digest}",
            received_at=clock.now(),
        )
    client = login("閲覧")
    page = client.get("/").content.decode()
    assert tiles(page)["対応が必要な結果通知"] == "1"
    assert 'href="/payments/notifications/"' in page
    listed = client.get("/payments/notifications/").content.decode()
    assert "told-a" in listed
    assert "told-b" not in listed


def test_failed_bulk_rows_are_counted_until_they_are_taken_up_again_or_old(
    login: Login, make_order: MakeOrder
) -> None:
    failed_run(make_order, days_ago=8)
    run = failed_run(make_order)
    client = login("閲覧")
    assert tiles(client.get("/").content.decode())["一括処理の失敗"] == "1"
    history = client.get("/bulk/?show=to_repeat").content.decode()
    assert "まだ再実行していない受注は 1件です" in history
    assert history.count("/bulk/" + str(run.pk)) == 1
    again = failed_run(make_order, retry_of=run)
    BulkItem.objects.filter(run=again).update(state=BulkItem.State.SUCCEEDED)
    assert tiles(client.get("/").content.decode())["一括処理の失敗"] == "0"
    assert "再実行が必要な一括処理はありません" in client.get("/bulk/?show=to_repeat").content.decode()


def test_sales_of_today_yesterday_and_this_month(
    login: Login, make_order: MakeOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 12, 2, 3, 0, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: now)
    make_order(ordered_at=now)
    make_order(ordered_at=now - timedelta(days=1))
    make_order(ordered_at=now - timedelta(days=2))  # last month
    make_order(ordered_at=now, status=OrderStatus.CANCELLED)
    page = login("閲覧").get("/").content.decode()
    figures = re.findall(
        r"<dt>(\S+)</dt><dd><strong class=\"number\">¥([\d,]+)</strong><span[^>]*>(\d+)件", page
    )
    assert figures == [("今日", "2,700", "1"), ("昨日", "2,700", "1"), ("今月", "5,400", "2")]
    assert page.count('class="sales-bar') == 30
    assert page.count('data-label="受注日"') == 30
    assert "<title>11/30 ¥2,700 1件</title>" in page
