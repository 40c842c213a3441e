"""結果通知 on the screen: what came, whether it can be the provider's, and what asking has shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cagolab import clock
from gateways.vocabulary import PaymentStatus as S
from payments.actors import By
from payments.models import NoticeCursor, Notification, Operation, PaymentDifference
from payments.reconciliation import adopt, findings
from tests.screens.payment_shop import make_payment

Login = Callable[[str], Client]
State = Notification.State
PAGE = "/payments/notifications/"


def told(state: Notification.State, **fields: Any) -> Notification:
    payment = make_payment(S.AUTH)
    values: dict[str, Any] = {
        "account": payment.account,
        "payment": None if state == State.NO_ORDER else payment,
        "digest": f"{Notification.objects.count()}",
        "state": state,
        "provider_order_id": f"told-{Notification.objects.count()}-{state.value}",
        "status": "SALES",
        "amount": 3200,
        "received_at": clock.now(),
    }
    return Notification.objects.create(**values | fields)


def test_each_kind_has_a_part_of_its_own(login: Login) -> None:
    rows = {state: told(state) for state in State}
    told(State.NO_ORDER, handled_at=clock.now(), handled_by_name="田中")
    client = login("閲覧")
    ids = {row.provider_order_id: state for state, row in rows.items()}

    def listed(query: str) -> set[str]:
        page = client.get(PAGE + query).content.decode()
        return {state for provider_order_id, state in ids.items() if provider_order_id in page}

    assert listed("") == {State.NO_ORDER, State.SUSPICIOUS, State.UNCONFIRMED}
    assert listed("?show=no_order") == {State.NO_ORDER}
    assert listed("?show=suspicious") == {State.SUSPICIOUS}
    assert listed("?show=all") == set(State)
    assert listed("?show=nonsense") == listed("")
    page = client.get(PAGE).content.decode()
    assert '対応が必要 <span class="check-count">(3)' in page
    assert '注文なし <span class="check-count">(1)' in page


def test_a_row_says_when_who_which_order_and_what_asking_has_shown(login: Login) -> None:
    row = told(
        State.CONFIRMED,
        number="90001",
        origin=Notification.Origin.SIGNED,
        times=3,
        message="決済代行会社の状態を反映しました。",
    )
    assert row.payment is not None
    page = login("管理者").get(f"{PAGE}?show=all").content.decode()
    for words in (
        "GMO-PG",
        "署名を確認",
        "通知ID 90001",
        "3回受信",
        row.payment.order.number,
        "実売上済み",
        "3,200円",
        "確認済み",
        "決済代行会社の状態を反映しました。",
    ):
        assert words in page, words


def test_a_doubted_one_is_called_a_likely_forgery(login: Login) -> None:
    told(State.SUSPICIOUS, origin=Notification.Origin.DOUBTED, message="署名(hc)が一致しません。")
    page = login("管理者").get(PAGE).content.decode()
    assert page.count('badge-ec-red">偽造の疑い') == 2
    assert "署名(hc)が一致しません。" in page


def test_when_the_queue_was_read_and_what_hindered_it_is_told(login: Login) -> None:
    account = told(State.CONFIRMED).account
    cursor = NoticeCursor.objects.create(account=account, emptied_at=clock.now())
    client = login("管理者")
    assert "差分照会で取得" in client.get(PAGE).content.decode()
    NoticeCursor.objects.filter(pk=cursor.pk).update(message="差分照会を行えませんでした。")
    assert "差分照会を行えませんでした。" in client.get(PAGE).content.decode()


def test_pages_of_fifty(login: Login) -> None:
    payment = make_payment(S.AUTH)
    Notification.objects.bulk_create(
        Notification(
            account=payment.account,
            digest=str(number),
            state=State.NO_ORDER,
            provider_order_id=f"told-{number:03}",
            received_at=clock.now() + timedelta(seconds=number),
        )
        for number in range(51)
    )
    client = login("閲覧")
    with CaptureQueriesContext(connection) as queries:
        first = client.get(PAGE)
    assert len(queries) <= 12
    assert "told-050" in first.content.decode()
    assert "told-000" not in first.content.decode()
    oldest_shown = Notification.objects.get(digest="1").pk
    assert "told-000" in client.get(f"{PAGE}?before={oldest_shown}").content.decode()


@pytest.mark.parametrize("before", ["x", "٣", "9" * 30])
def test_a_key_that_cannot_be_read_is_no_key(login: Login, before: str) -> None:
    row = told(State.NO_ORDER)
    assert row.provider_order_id in login("閲覧").get(PAGE, {"before": before}).content.decode()


def test_dealing_with_the_difference_deals_with_what_told_of_it(login: Login) -> None:
    row = told(State.NO_ORDER)
    difference = findings.record_unknown_trade(
        account=row.account,
        provider_order_id=row.provider_order_id,
        status=S.SALES,
        amount=3200,
        now=clock.now(),
    )
    assert isinstance(difference, PaymentDifference)
    by = By(name="会計 花子", source=Operation.Source.DIFFERENCES)
    adopt.handle(difference_id=difference.pk, reason="他店舗の取引", by=by, now=clock.now())
    row.refresh_from_db()
    assert (row.handled_by_name, row.handled_at is not None) == ("会計 花子", True)
