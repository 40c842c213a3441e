"""What no inquiry can end, on the screen: who sees it, what it tells to look up, and what its two forms do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from orders.statuses import OrderStatus
from payments.models import Operation
from tests.gateway_world import World
from tests.screens.payment_shop import HTMX

Login = Callable[[str], Client]


@pytest.fixture
def login(sbps: World) -> Login:
    def make(role: str) -> Client:
        user = User.objects.create(username=role, last_name="田中", first_name="花子")
        user.groups.add(Group.objects.get(name=role))
        client = Client()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def lost(sbps: World) -> Operation:
    """An authorization whose hold SBPS has, and whose number never came back."""
    sbps.sandbox.post_fault("lost_answer", call="ST01-00131-101")
    operation = sbps.authorize(sbps.order(status=OrderStatus.PENDING))
    sbps.later(seconds=1200)
    return operation


def text_of(client: Client, path: str) -> str:
    return str(client.get(path).content.decode())


def tracking_id(world: World, operation: Operation) -> str:
    (trade,) = world.sandbox.trades(operation.payment.provider_order_id)
    return str(trade["tracking_id"])


def test_it_is_reached_from_home_list_differences_and_the_order(login: Login, lost: Operation) -> None:
    client, address = login("管理者"), f"/payments/undecided/{lost.pk}/"
    assert 'class="tile is-urgent" href="/payments/attention/"' in text_of(client, "/")
    assert "照会しても結果が分からない決済が1件あります" in text_of(client, "/payments/differences/")
    assert address in text_of(client, "/payments/attention/")
    panel = client.get(f"/payments/orders/{lost.payment.order_id}/panel/", headers=HTMX).content.decode()
    assert address in panel
    assert "要判断" in panel
    assert lost.payment.provider_order_id in panel


def test_whoever_may_not_decide_is_told_whom_to_ask(login: Login, lost: Operation) -> None:
    client = login("決済操作")
    assert "管理者に、調べた結果の登録を依頼してください。" in text_of(client, "/payments/attention/")
    panel = client.get(f"/payments/orders/{lost.payment.order_id}/panel/", headers=HTMX).content.decode()
    assert "管理者に登録を依頼してください" in panel
    assert client.get(f"/payments/undecided/{lost.pk}/").status_code == 403
    posted = client.post(
        f"/payments/undecided/{lost.pk}/", {"outcome": "absent", "looked": "1", "reason": "x"}
    )
    assert posted.status_code == 403
    lost.refresh_from_db()
    assert lost.state == Operation.State.UNCONFIRMED


def test_the_page_says_what_was_asked_and_what_to_look_up(login: Login, lost: Operation) -> None:
    page = text_of(login("管理者"), f"/payments/undecided/{lost.pk}/")
    assert "SBPSの管理画面の取引検索" in page
    assert f'<strong class="number undecided-number">{lost.payment.provider_order_id}</strong>' in page
    assert "3,200円" in page
    assert "ST01-00131-101" in page
    assert "トラッキングID" in page


def test_a_found_number_goes_on_and_the_list_is_empty(login: Login, lost: Operation, sbps: World) -> None:
    client, address = login("管理者"), f"/payments/undecided/{lost.pk}/"
    form = {"outcome": "present", "trade_id": f" {tracking_id(sbps, lost)} "}
    unseen = client.post(address, form)
    assert unseen.status_code == 422
    assert "見比べ、チェックを入れてください" in unseen.content.decode()
    page = client.post(address, form | {"compared": "1"}, follow=True).content.decode()
    assert "取引を確認しました。" in page
    assert "要判断の操作はありません。" in page
    again = client.post(address, form | {"compared": "1"}, follow=True).content.decode()
    assert "すでに終了したか、ほかの人が登録しました" in again
    assert sbps.moved(lost.payment) == [("AUTH", 3200), ("VOID", 3200)]


def test_a_wrong_number_comes_back_with_the_reason(login: Login, lost: Operation) -> None:
    client, address = login("管理者"), f"/payments/undecided/{lost.pk}/"
    form = {"outcome": "present", "trade_id": "99999999999999", "compared": "1"}
    page = client.post(address, form, follow=True).content.decode()
    assert "SBPSに、このトラッキングIDの取引はありません。まだ何も変えていません。" in page
    assert "照会して確かめる" in page
    log = text_of(client, f"/payments/{lost.payment_id}/log/")
    assert "取引ありとして照会：99999999999999" in log
    assert "田中 花子(要判断の決済) 127.0.0.1" in log


def test_no_trade_needs_the_persons_words_and_keeps_them(login: Login, lost: Operation) -> None:
    client, address = login("管理者"), f"/payments/undecided/{lost.pk}/"
    without = client.post(address, {"outcome": "absent", "looked": "1", "reason": " "})
    assert without.status_code == 422
    assert "調べた内容を入力してください" in without.content.decode()
    form = {"outcome": "absent", "looked": "1", "reason": "11/21 購入IDで検索し、0件"}
    page = client.post(address, form, follow=True).content.decode()
    assert "「取引なし」として終了しました" in page
    assert "11/21 購入IDで検索し、0件" in text_of(client, "/audit/?tab=money")


def test_an_operation_that_is_no_persons_case_has_no_page(login: Login, sbps: World) -> None:
    held = sbps.held()
    operation = Operation.objects.get(payment=held)
    client, address = login("管理者"), f"/payments/undecided/{operation.pk}/"
    assert client.get(address)["Location"] == "/payments/attention/"
    assert client.post(address, {"outcome": "absent"})["Location"] == "/payments/attention/"
    assert client.get("/payments/undecided/999999/").status_code == 404
