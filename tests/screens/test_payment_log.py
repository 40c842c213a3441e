"""決済ログ: everything that was asked of the provider for an order, newest first."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from gateways.vocabulary import Action
from gateways.vocabulary import PaymentStatus as S
from payments.models import Operation
from tests.screens.payment_shop import HTMX, make_account, make_bare_order, make_operation, make_payment

Login = Callable[[str], Client]


@pytest.fixture(autouse=True)
def account(db: None) -> None:
    """One account."""
    make_account()


def read(client: Client, path: str) -> str:
    answer = client.get(path, headers=HTMX)
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_tells_who_what_when_and_what_came_of_it(login: Login) -> None:
    payment = make_payment(S.AUTH)
    make_operation(
        payment,
        Action.CAPTURE,
        Operation.State.DECLINED,
        calls=1,
        words="3,200円の売上を確定します(実売上)。",
        message="承認が得られませんでした。",
        reason_code="42G020000",
        ip_address="192.0.2.7",
    )
    html = read(login("閲覧"), f"/payments/{payment.pk}/log/")
    for expected in (
        "2026/12/01 11:57:00",
        "売上確定(実売上)",
        "承認されませんでした",
        "会計 花子(受注編集) 192.0.2.7",
        "3,200円の売上を確定します",
        "承認が得られませんでした。(エラーコード 42G020000)",
        "AlterTran",
        "120ミリ秒",
        "ShopPass=***",
        "Status=SALES",
        "2026/12/01 12:00:00",
    ):
        assert expected in html


def test_earlier_attempts_of_the_order_are_in_the_same_log(login: Login) -> None:
    order = make_bare_order()
    refused = make_payment(S.PAYFAIL, order=order)
    make_operation(refused, Action.AUTHORIZE, Operation.State.DECLINED)
    payment = make_payment(S.AUTH, order=order)
    make_operation(payment, Action.AUTHORIZE, Operation.State.SUCCEEDED)
    stranger = make_payment(S.AUTH)
    make_operation(stranger, Action.AUTHORIZE, Operation.State.SUCCEEDED)
    html = read(login("閲覧"), f"/payments/{payment.pk}/log/")
    assert html.index(payment.provider_order_id) < html.index(refused.provider_order_id)
    assert stranger.provider_order_id not in html


def test_it_is_paged_by_twenty(login: Login) -> None:
    payment = make_payment(S.AUTH)
    for number in range(45):
        make_operation(payment, Action.INQUIRE, Operation.State.SUCCEEDED, message=f"照会{number:02}")
    client = login("閲覧")
    path, seen = f"/payments/{payment.pk}/log/", []
    for _ in range(3):
        html = read(client, path)
        seen.append(re.findall(r"照会\d\d", html))
        more = re.search(r'hx-get="([^"]*\?before=\d+)"', html)
        path = more[1] if more else ""
    assert [len(part) for part in seen] == [20, 20, 5]
    assert seen[0][0] == "照会44"
    assert path == ""


def test_a_telegram_without_an_answer_says_so(login: Login) -> None:
    payment = make_payment(S.AUTH)
    operation = make_operation(payment, Action.CAPTURE, Operation.State.UNCONFIRMED, calls=1)
    operation.calls.update(response="", duration_ms=None)
    html = read(login("閲覧"), f"/payments/{payment.pk}/log/")
    assert "応答なし" in html
    assert "(応答はありませんでした)" in html


def test_telegrams_are_shown_as_text_only(login: Login) -> None:
    payment = make_payment(S.AUTH)
    operation = make_operation(payment, Action.CAPTURE, Operation.State.SUCCEEDED, calls=1)
    operation.calls.update(response="<script>alert(1)</script>")
    assert "<script>alert" not in read(login("閲覧"), f"/payments/{payment.pk}/log/")


@pytest.mark.parametrize("before", ["x", "-1", "99999999999999999999", "0"])
def test_a_key_that_was_made_up_shows_a_page_and_no_error(login: Login, before: str) -> None:
    payment = make_payment(S.AUTH)
    read(login("閲覧"), f"/payments/{payment.pk}/log/?before={before}")


def test_a_page_costs_few_queries(login: Login, django_assert_max_num_queries: Any) -> None:
    payment = make_payment(S.AUTH)
    for _ in range(20):
        make_operation(payment, Action.INQUIRE, Operation.State.SUCCEEDED, calls=3)
    client = login("閲覧")
    with django_assert_max_num_queries(8):
        read(client, f"/payments/{payment.pk}/log/")


def test_without_htmx_it_is_a_page(login: Login) -> None:
    payment = make_payment(S.AUTH)
    html = login("閲覧").get(f"/payments/{payment.pk}/log/").content.decode()
    assert "<html" in html
    assert "この注文の決済操作はまだありません。" in html
