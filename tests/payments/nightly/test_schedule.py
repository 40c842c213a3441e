"""The per-minute tick (PG-6): once a day at its hour in Tokyo, a missed hour made up once, off unless switched on."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cagolab import clock
from orders.models import Order
from orders.statuses import OrderStatus
from payments.models import NightlyJob, ShopMail, StaleRun
from payments.nightly import rules, schedule, shop_mails, stale_orders
from payments.nightly.settings_row import nightly_settings
from tests.bulk.shop import in_threads
from tests.gateway_world import World
from tests.payments.nightly.shop import GivenUpShop

TOKYO = ZoneInfo("Asia/Tokyo")
STALE, WATCH = NightlyJob.Kind.STALE_ORDERS, NightlyJob.Kind.DEADLINE_WATCH


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TOKYO)


@pytest.mark.parametrize(
    ("hour", "now", "day"),
    [
        (3, "2026-12-01 02:59:59", date(2026, 11, 30)),
        (3, "2026-12-01 03:00:00", date(2026, 12, 1)),
        (0, "2026-12-01 00:00:00", date(2026, 12, 1)),
        (0, "2026-11-30 23:59:59", date(2026, 11, 30)),
        (23, "2026-12-01 22:59:59", date(2026, 11, 30)),
        (23, "2026-12-31 23:00:00", date(2026, 12, 31)),
    ],
)
def test_the_slot_is_a_day_in_tokyo(hour: int, now: str, day: date) -> None:
    assert rules.slot(hour, at(now)) == day


@given(
    hour=st.integers(0, 23),
    minutes=st.integers(0, 5_000_000),
    last=st.none() | st.dates(date(2019, 1, 1), date(2031, 1, 1)),
)
def test_switching_on_never_makes_up_an_hour(hour: int, minutes: int, last: date | None) -> None:
    here = at("2020-01-01 00:00:00") + timedelta(minutes=minutes)
    day = rules.day_already_run(hour, last, here)
    assert here < rules.next_run(hour, day, here) <= here + timedelta(days=2)


def tick(world: World, text: str) -> list[NightlyJob.Kind]:
    world.at(text)
    # The very second: what the machine's clock makes of it may be a hair before.
    return schedule.tick(at(text))


def test_nothing_runs_before_somebody_switches_it_on(world: World) -> None:
    assert tick(world, "2026-12-01 03:00:00") == []
    assert not StaleRun.objects.exists()


def test_it_runs_once_at_its_hour_every_day(world: World, given_up: GivenUpShop) -> None:
    world.at("2026-11-30 12:00:00")
    schedule.switch(STALE, is_on=True, hour=3, now=clock.now())
    started = [
        text
        for text in (
            "2026-11-30 12:01:00", "2026-11-30 23:59:00", "2026-12-01 02:59:00", "2026-12-01 03:00:00",
            "2026-12-01 03:01:00", "2026-12-01 23:00:00", "2026-12-02 02:59:59", "2026-12-02 03:00:30",
        )
        if tick(world, text)
    ]  # fmt: skip
    assert started == ["2026-12-01 03:00:00", "2026-12-02 03:00:30"]


def test_a_missed_hour_is_made_up_once_however_many_were_missed(world: World, given_up: GivenUpShop) -> None:
    world.at("2026-11-30 12:00:00")
    schedule.switch(STALE, is_on=True, hour=3, now=clock.now())
    assert tick(world, "2026-12-04 01:00:00") == [STALE]
    assert tick(world, "2026-12-04 01:01:00") == []
    assert tick(world, "2026-12-04 03:00:00") == [STALE]


def test_another_hour_gives_no_day_two_runs(world: World, given_up: GivenUpShop) -> None:
    world.at("2026-11-30 12:00:00")
    schedule.switch(STALE, is_on=True, hour=3, now=clock.now())
    assert tick(world, "2026-12-01 03:00:00") == [STALE]
    schedule.switch(STALE, is_on=True, hour=5, now=clock.now())
    assert tick(world, "2026-12-01 05:00:00") == []
    assert tick(world, "2026-12-02 05:00:00") == [STALE]


def test_a_clock_that_was_ahead_is_forgotten_when_the_settings_are_saved(
    world: World, given_up: GivenUpShop
) -> None:
    world.at("2027-06-01 12:00:00")
    schedule.switch(STALE, is_on=True, hour=3, now=clock.now())
    world.at("2026-11-30 12:00:00")
    assert tick(world, "2026-12-01 03:00:00") == []
    schedule.switch(STALE, is_on=True, hour=3, now=clock.now())
    assert tick(world, "2026-12-02 03:00:00") == [STALE]


def test_many_ticks_at_once_start_one_run(world: World, given_up: GivenUpShop) -> None:
    given_up.order()
    world.at("2026-12-01 12:00:00")
    schedule.switch(STALE, is_on=True, hour=3, now=clock.now())
    world.at("2026-12-02 03:00:00")
    in_threads(4, lambda: schedule.tick(clock.now()))
    assert StaleRun.objects.count() == 1
    assert StaleRun.objects.get().is_nightly


def test_behind_a_run_by_button_it_waits_for_the_next_minute(world: World, given_up: GivenUpShop) -> None:
    world.at("2026-11-30 12:00:00")
    given_up.order()
    schedule.switch(STALE, is_on=True, hour=3, now=clock.now())
    world.at("2026-12-01 02:59:50")
    run, _ = stale_orders.start(by=stale_orders.NIGHTLY, until=clock.now(), now=clock.now())
    assert tick(world, "2026-12-01 03:00:00") == []
    stale_orders.work(run.pk)
    assert tick(world, "2026-12-01 03:01:00") == [STALE]


def test_a_job_that_cannot_start_neither_stops_the_others_nor_loses_its_day(
    world: World, given_up: GivenUpShop, monkeypatch: Any
) -> None:
    world.at("2026-11-30 12:00:00")
    for kind in (STALE, WATCH):
        schedule.switch(kind, is_on=True, hour=3, now=clock.now())

    def breaks(**_: Any) -> Any:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(stale_orders, "start", breaks)
        assert tick(world, "2026-12-01 03:00:00") == [WATCH]
    assert tick(world, "2026-12-01 03:01:00") == [STALE]


def test_the_night_cancels_what_was_given_up(world: World, given_up: GivenUpShop, mailoutbox: Any) -> None:
    world.at("2026-11-30 12:00:00")
    order = given_up.order(days=7)
    settings = nightly_settings()
    settings.mail_to = "owner@example.jp"
    settings.save()
    schedule.switch(STALE, is_on=True, hour=3, now=clock.now())
    assert tick(world, "2026-12-01 03:00:00") == [STALE]
    stale_orders.work(StaleRun.objects.get().pk)
    order.refresh_from_db()
    assert order.status == OrderStatus.CANCELLED
    assert order.changes.latest("id").actor_name == "夜間処理"
    shop_mails.send_queued()
    assert [mail.to for mail in mailoutbox] == [["owner@example.jp"]]


def test_the_deadlines_of_held_money_are_mailed_once_a_day(world: World, mailoutbox: Any) -> None:
    world.at("2026-08-01 10:00:00")  # 90 days: until 2026-10-30
    orders = {}
    for days in (0, 1, 3, 7, 14, 15, -1):
        payment = world.held(total=1000 + days)
        Order.objects.filter(pk=payment.order_id).update(
            payment_deadline=date(2026, 10, 30) + timedelta(days=days)
        )
        orders[days] = payment.order.number
    cancelled = world.held()
    Order.objects.filter(pk=cancelled.order_id).update(status=OrderStatus.CANCELLED)
    schedule.switch(WATCH, is_on=True, hour=8, now=clock.now())
    assert tick(world, "2026-10-30 08:00:00") == [WATCH]
    assert tick(world, "2026-10-30 08:01:00") == []
    shop_mails.send_queued()
    [mail] = mailoutbox
    assert mail.subject.endswith("売上期限のお知らせ（5件）")
    assert f"注文番号 {orders[0]}　1,000円　期限 2026/10/30" in mail.body
    assert mail.body.index("あと1日以内（2件）") < mail.body.index("あと3日以内（1件）")
    assert "あと14日以内（1件）" in mail.body
    assert orders[15] not in mail.body
    assert cancelled.order.number not in mail.body
    assert "すでに期限を過ぎた仮売上の受注が1件" in mail.body


def test_no_mail_where_nothing_ends_soon(world: World) -> None:
    world.at("2026-08-01 10:00:00")
    world.held()
    schedule.switch(WATCH, is_on=True, hour=8, now=clock.now())
    assert tick(world, "2026-08-02 08:00:00") == [WATCH]
    assert not ShopMail.objects.exists()


def test_a_mail_that_cannot_be_sent_is_kept_and_not_sent_twice(
    world: World, settings: Any, monkeypatch: Any
) -> None:
    from django.core.mail import EmailMessage

    def refuse(*_: Any, **__: Any) -> int:
        raise ConnectionRefusedError

    monkeypatch.setattr(EmailMessage, "send", refuse)
    for _ in range(2):
        shop_mails.write(key="x", words=shop_mails.Words(subject="件名", body="本文"), now=clock.now())
    assert shop_mails.send_queued() == 1
    assert shop_mails.send_queued() == 0
    assert ShopMail.objects.get().state == ShopMail.State.FAILED
