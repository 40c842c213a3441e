"""Money through the screen, against the sandbox: one click is one charge, whatever the browser does."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.contrib.auth.models import Group, User
from django.db import connections
from django.http import HttpResponse
from django.test import Client

from gateways.vocabulary import Action, PaymentStatus
from orders.models import Order
from orders.statuses import OrderStatus
from payments.models import Operation, Payment
from tests.gateway_world import World
from tests.screens.payment_shop import HTMX

Open = Callable[[], Client]


@pytest.fixture
def operator(world: World) -> Open:
    """Makes browsers of one operator who may move money."""
    user = User.objects.create(username="keiri", last_name="経理", first_name="花子")
    user.groups.add(Group.objects.get(name="決済操作"))

    def make() -> Client:
        client = Client()
        client.force_login(user)
        return client

    return make


def form_of(client: Client, payment: Payment, action: str, query: str = "") -> dict[str, str]:
    """What the dialog's form would post, without boxes ticked."""
    html = client.get(f"/payments/{payment.pk}/{action}/{query}", headers=HTMX).content.decode()
    found = dict(re.findall(r'<input type="hidden" name="(key|shown|asked)" value="([^"]*)"', html))
    assert "key" in found, html
    return found


def post(client: Client, payment: Payment, action: str, form: dict[str, str]) -> HttpResponse:
    answer = client.post(f"/payments/{payment.pk}/{action}/", form, headers=HTMX)
    assert isinstance(answer, HttpResponse)
    return answer


def status_of(payment: Payment) -> str:
    return Payment.objects.values_list("status", flat=True).get(pk=payment.pk)


def at_once(calls: list[Callable[[], HttpResponse]]) -> list[HttpResponse]:
    """Run all at the same moment, each with database connections of its own."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], HttpResponse]) -> HttpResponse:
        try:
            barrier.wait(timeout=10)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_a_capture_charges_once_and_says_so(world: World, operator: Open) -> None:
    payment = world.held()
    client = operator()
    answer = post(client, payment, "capture", form_of(client, payment, "capture"))
    html = answer.content.decode()
    assert f"注文番号 {payment.order.number} の売上を確定しました(3,200円)。" in html
    assert 'id="payment-panel"' in html
    assert 'id="flash"' in html
    assert "payment-changed" in answer.headers["HX-Trigger"]
    assert status_of(payment) == PaymentStatus.SALES
    assert world.moved(payment) == [("AUTH", 3200), ("SALES", 3200)]
    operation = Operation.objects.get(payment=payment, action="capture")
    assert (operation.actor_name, operation.source) == ("経理 花子", "order_edit")
    assert operation.ip_address == "127.0.0.1"


def test_the_order_follows_only_when_the_box_was_ticked(world: World, operator: Open) -> None:
    client = operator()
    left, followed = world.held(), world.held()
    post(client, left, "capture", form_of(client, left, "capture"))
    answer = post(client, followed, "capture", form_of(client, followed, "capture") | {"follow": "1"})
    assert Order.objects.get(pk=left.order_id).status == OrderStatus.NEW
    assert Order.objects.get(pk=left.order_id).paid_at is not None
    assert Order.objects.get(pk=followed.order_id).status == OrderStatus.PAID
    assert "対応状況が「入金済み」に変わりました。" in answer.content.decode()


@pytest.mark.parametrize("same_key", [True, False])
def test_five_posts_at_once_charge_once(world: World, operator: Open, same_key: bool) -> None:
    payment = world.held()
    browsers = [operator() for _ in range(5)]
    first = form_of(browsers[0], payment, "capture")
    forms = [first if same_key else form_of(browser, payment, "capture") for browser in browsers]
    world.sandbox.settings(latency_ms=300)
    try:
        answers = at_once(
            [
                partial(post, browser, payment, "capture", form)
                for browser, form in zip(browsers, forms, strict=True)
            ]
        )
    finally:
        world.sandbox.settings(latency_ms=0)
    assert world.moved(payment) == [("AUTH", 3200), ("SALES", 3200)]
    assert Operation.objects.filter(payment=payment, action="capture").count() == 1
    assert all(answer.status_code in (200, 409) for answer in answers)
    told = sum("売上を確定しました" in answer.content.decode() for answer in answers)
    assert told >= 1
    assert status_of(payment) == PaymentStatus.SALES


def test_the_same_form_again_after_the_back_button_changes_nothing(world: World, operator: Open) -> None:
    payment = world.held()
    client = operator()
    form = form_of(client, payment, "capture")
    post(client, payment, "capture", form)
    again = post(client, payment, "capture", form).content.decode()
    assert "二重には実行していません" in again
    assert world.moved(payment) == [("AUTH", 3200), ("SALES", 3200)]


def test_a_dialog_left_open_over_midnight_comes_back_with_the_new_cancel_type(
    world: World, operator: Open
) -> None:
    world.at("2026-11-30 23:59:00")
    payment = world.held()
    client = operator()
    form = form_of(client, payment, "cancel")
    assert "VOID" in form["shown"]
    world.at("2026-12-01 00:00:30")
    answer = post(client, payment, "cancel", form)
    html = answer.content.decode()
    assert answer.status_code == 409
    assert "確認いただいた内容から変わったため、まだ何も実行していません。" in html
    assert "仮売上 11/30、本日 12/1 → 返品" in html
    assert world.moved(payment) == [("AUTH", 3200)]
    again = form_of(client, payment, "cancel")
    assert "を取り消しました(返品、3,200円)" in post(client, payment, "cancel", again).content.decode()
    assert world.moved(payment) == [("AUTH", 3200), ("RETURN", 3200)]


def test_an_order_saved_meanwhile_brings_the_dialog_back(world: World, operator: Open) -> None:
    payment = world.held()
    client = operator()
    form = form_of(client, payment, "capture")
    Order.objects.filter(pk=payment.order_id).update(payment_total=2700)
    answer = post(client, payment, "capture", form)
    assert answer.status_code == 409
    assert "どちらの金額で売上を確定しますか" in answer.content.decode()
    assert world.moved(payment) == [("AUTH", 3200)]


def test_changing_first_and_capturing_is_one_confirmation(world: World, operator: Open) -> None:
    payment = world.held()
    Order.objects.filter(pk=payment.order_id).update(payment_total=2700)
    client = operator()
    form = form_of(client, payment, "capture", "?mode=change_first&asked=1") | {"mode": "change_first"}
    html = post(client, payment, "capture", form).content.decode()
    assert "の決済金額を 2,700円 に変更し、売上を確定しました。" in html
    assert Payment.objects.get(pk=payment.pk).amount == 2700
    assert status_of(payment) == PaymentStatus.SALES


def test_a_lost_answer_is_shown_as_being_confirmed_and_blocks_the_next_click(
    world: World, operator: Open
) -> None:
    payment = world.held()
    client = operator()
    form = form_of(client, payment, "capture")
    world.sandbox.post_fault("lost_answer", call="*", times=None)
    html = post(client, payment, "capture", form).content.decode()
    world.sandbox.clear_faults()
    assert "結果を確認中です。再度操作する必要はありません。" in html
    assert 'hx-trigger="every 3s"' in html
    second = {"key": str(uuid.uuid4()), "shown": form["shown"]}
    assert "今回の操作は実行していません" in post(client, payment, "capture", second).content.decode()
    settled = post(client, payment, "inquire", {}).content.decode()
    assert "の売上を確定しました" in settled
    assert "every 3s" not in settled
    assert world.moved(payment) == [("AUTH", 3200), ("SALES", 3200)]


def test_asking_adopts_what_was_done_at_the_providers_own_screen(world: World, operator: Open) -> None:
    payment = world.held()
    world.sandbox.admin(payment.provider_order_id, action="VOID")
    html = post(operator(), payment, "inquire", {}).content.decode()
    assert "決済代行会社の状態を反映しました" in html
    assert "取消済み" in html
    assert status_of(payment) == PaymentStatus.VOID


def test_withdrawing_a_charge_needs_the_second_confirmation(world: World, operator: Open) -> None:
    payment = world.held()
    world.done(payment, Action.CAPTURE)
    Order.objects.filter(pk=payment.order_id).update(payment_total=2700)
    client = operator()
    form = form_of(client, payment, "change_amount", "?target=AUTH&asked=1") | {"target": "AUTH"}
    before = world.moved(payment)
    assert post(client, payment, "change_amount", form).status_code == 422
    assert world.moved(payment) == before
    html = post(client, payment, "change_amount", form | {"second": "1"}).content.decode()
    assert "の決済金額を 2,700円 に変更しました(仮売上)。" in html
    assert status_of(payment) == PaymentStatus.AUTH


def test_the_guided_change_takes_four_steps_after_one_confirmation(world: World, operator: Open) -> None:
    payment = world.held()
    world.done(payment, Action.CAPTURE)
    world.account.changes_captured_amount = False
    world.account.save()
    Order.objects.filter(pk=payment.order_id).update(payment_total=2700)
    client = operator()
    form = form_of(client, payment, "guided_change")
    html = post(client, payment, "guided_change", form).content.decode()
    assert "の決済金額を 2,700円 に変更し、売上を確定しました(4段階すべて完了)。" in html
    assert Payment.objects.get(pk=payment.pk).amount == 2700
    assert len(world.moved(payment)) == 6


def test_without_htmx_the_result_stands_on_the_orders_page(world: World, operator: Open) -> None:
    payment = world.held()
    client = operator()
    form = form_of(client, payment, "cancel")
    answer = client.post(f"/payments/{payment.pk}/cancel/", form)
    assert answer.status_code == 302
    page = client.get(answer["Location"]).content.decode()
    assert f"注文番号 {payment.order.number} の決済を取り消しました(取消、3,200円)。" in page
