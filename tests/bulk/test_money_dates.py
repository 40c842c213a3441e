"""売上・返金日 of a bulk run (SB-1): one date for all, today by default, frozen, and each row decided with it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from cagolab import clock
from gateways.vocabulary import PaymentStatus as S
from orders.bulk import engine, worklist
from orders.bulk.models import BulkItem, BulkRun
from payments.models import Payment
from tests.bulk.shop import make_user, states
from tests.gateway_world import World


@pytest.fixture
def operator(transactional_db: None) -> User:
    return make_user("operator", "決済操作")


@pytest.fixture
def client(operator: User) -> Client:
    client = Client()
    client.force_login(operator)
    return client


def previewed(client: Client, kind: str, *payments: Payment, **fields: str) -> BulkRun:
    """Post the list's form, as the button does."""
    orders = [str(payment.order_id) for payment in payments]
    answer = client.post(
        reverse("bulk:preview"), {"kind": kind, "order": orders, "back": "/payments/"} | fields
    )
    return run_behind(answer)


def chosen(client: Client, run: BulkRun, on: str) -> BulkRun:
    return run_behind(client.post(reverse("bulk:choose", args=[run.pk]), {"on": on}))


def run_behind(answer: Any) -> BulkRun:
    return BulkRun.objects.get(pk=answer["Location"].rstrip("/").split("/")[-1])


def page_of(client: Client, run: BulkRun) -> str:
    return str(client.get(reverse("bulk:run", args=[run.pk])).content.decode())


def run_off(run: BulkRun) -> None:
    worklist.start(run, follow=False, now=clock.now())
    engine.work(run.pk, seconds=30)


def sale_day(payment: Payment) -> date | None:
    captured_at = Payment.objects.get(pk=payment.pk).captured_at
    return captured_at and captured_at.astimezone(clock.TOKYO).date()


def test_the_field_shows_today_only_where_a_payment_needs_a_date(
    client: Client, world: World, sbps: World
) -> None:
    world.at("2026-11-21 10:00:00")
    dated, plain = sbps.held(), world.held()
    both = page_of(client, previewed(client, "capture", dated, plain))
    assert 'name="on" class="form-control" required value="2026-11-21"' in both
    assert "の決済1件に使う日付です。" in both
    assert 'name="on"' not in page_of(client, previewed(client, "capture", plain))


def test_another_date_is_a_new_preview_and_holds_for_every_row(
    client: Client, world: World, sbps: World
) -> None:
    world.at("2026-11-21 10:00:00")
    payments, plain = [sbps.held(), sbps.held()], world.held()
    run = chosen(client, previewed(client, "capture", *payments, plain), "2026-12-10")
    labels = {group["label"] for group in run.groups}
    assert labels == {"売上日指定要求(売上・返金日 2026/12/10、仮売上済みから)", "仮売上済み → 実売上済み"}
    assert "本日より後の日付です" in page_of(client, run)
    world.at("2026-11-22 10:00:00")  # the date was frozen with the run, not with its start
    run_off(run)
    assert states(run) == {"succeeded": 3}
    assert {sale_day(payment) for payment in payments} == {date(2026, 12, 10)}
    assert sale_day(plain) == date(2026, 11, 22)
    message = BulkItem.objects.get(run=run, order=payments[0].order_id).message
    assert message == "売上日指定要求済み(12/10)になりました。"


def test_a_row_for_which_the_date_is_not_allowed_is_skipped_with_the_reason(
    client: Client, sbps: World
) -> None:
    sbps.at("2026-11-10 10:00:00")
    old = sbps.held()
    sbps.at("2026-11-21 10:00:00")
    new = sbps.held()
    run = chosen(client, previewed(client, "capture", old, new), "2026-11-15")
    assert (run.taken, run.skipped) == (1, 1)
    assert run.skips == [{"reason": "売上・返金日は、与信日以降の日付を指定してください。", "count": 1}]
    assert "与信日(2026/11/21)" in BulkItem.objects.get(run=run, order=new.order_id).words
    run_off(run)
    assert Payment.objects.get(pk=old.pk).status == S.SALES
    assert Payment.objects.get(pk=new.pk).status == S.AUTH


def test_a_bulk_refund_leaves_out_sales_that_are_still_to_come(client: Client, sbps: World) -> None:
    sbps.at("2026-11-21 10:00:00")
    later, sold = sbps.held(), sbps.held()
    run_off(chosen(client, previewed(client, "capture", later), "2026-12-10"))
    run_off(previewed(client, "capture", sold))
    run = previewed(client, "cancel", later, sold)
    assert run.skips == [{"reason": "売上・返金日は、売上日以降の日付を指定してください。", "count": 1}]
    run_off(run)
    assert sbps.moved(sold) == [("AUTH", 3200), ("SALES", 3200), ("RETURN", 3200)]
    assert sbps.moved(later) == [("AUTH", 3200), ("SALES", 3200)]


@pytest.mark.parametrize("text", ["2026-02-30", "tomorrow", "0000-00-00"])
def test_a_date_that_does_not_exist_is_refused(client: Client, sbps: World, text: str) -> None:
    run = previewed(client, "capture", sbps.held())
    answer = client.post(reverse("bulk:choose", args=[run.pk]), {"on": text}, follow=True)
    assert "実在する日付で入力してください" in answer.content.decode()
    assert BulkRun.objects.count() == 1
