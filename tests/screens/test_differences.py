"""差異一覧: both sides, what to do, and who may do it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cagolab import clock
from gateways.vocabulary import PaymentStatus as S
from orders import search_text
from orders.statuses import OrderStatus
from payments.actors import By
from payments.models import Operation, Payment, PaymentDifference, ReconciliationRun
from payments.reconciliation import listing
from payments.reconciliation import run as runs
from tests.gateway_world import World
from tests.screens.payment_shop import HTMX, NOW, make_payment

Login = Callable[[str], Client]
K = PaymentDifference.Kind
State = PaymentDifference.State
LIST = "/payments/differences/"


def difference(
    payment: Payment | None = None, kind: PaymentDifference.Kind = K.STATUS, **fields: Any
) -> PaymentDifference:
    """A row of the list about a payment that is held here and captured there."""
    payment = payment or make_payment(S.AUTH)
    search_text.refresh(payment.order)
    values: dict[str, Any] = {
        "account": payment.account,
        "payment": payment,
        "order": payment.order,
        "provider_order_id": payment.provider_order_id,
        "kind": kind,
        "our_status": "AUTH",
        "our_amount": 3200,
        "our_date": NOW,
        "their_status": "SALES",
        "their_amount": 3200,
        "their_date": NOW,
        "first_seen_at": NOW,
        "last_seen_at": NOW + timedelta(days=1),
    }
    return PaymentDifference.objects.create(**values | fields)


def shown(client: Client, query: str = "", **more: Any) -> str:
    answer = client.get(LIST + query, **more)
    assert answer.status_code == 200
    page: str = answer.content.decode()
    return page


def test_both_sides_since_when_and_what_to_do_are_shown(login: Login) -> None:
    row = difference()
    assert row.order is not None
    page = shown(login("閲覧"))
    for words in (
        row.order.number,
        "状態相違",
        "仮売上済み",
        "実売上済み",
        "2026/12/01 12:00",
        "12/02 12:00",
        "「反映」してください",
    ):
        assert words in page
    assert f"/payments/differences/{row.pk}/adopt/" not in page, "who may only look gets no buttons"
    assert "今すぐ確認する" not in page


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        (K.AMOUNT, {"their_amount": 2700}, "決済代行会社の金額が正しければ"),
        (K.DATE, {"their_status": "AUTH"}, "再オーソリが行われた可能性"),
        (K.MISSING, {"their_status": "", "their_amount": None, "their_date": None}, "この取引がありません"),
        (K.CANCELLED_CHARGED, {}, "取消(返品)を実行してください"),
        (K.SHIPPED_NOT_CAPTURED, {"their_status": "AUTH"}, "売上確定(実売上)を実行してください"),
        (K.STATUS, {"their_status": "EXCEPTION"}, "管理画面で状態を確かめて"),
    ],
)
def test_each_kind_says_what_to_do(
    login: Login, kind: PaymentDifference.Kind, fields: dict[str, Any], words: str
) -> None:
    row = difference(kind=kind, **fields)
    page = shown(login("決済操作"))
    assert words in page
    assert (f"/payments/differences/{row.pk}/adopt/" in page) == (kind in PaymentDifference.ADOPTABLE)
    assert f"/payments/differences/{row.pk}/handle/" in page


def test_goods_sent_against_an_authorization_that_is_gone_are_said_so(login: Login) -> None:
    payment = make_payment(S.AUTH, order_fields={"status": OrderStatus.SHIPPED})
    difference(payment, their_status="VOID")
    assert "お客様にご連絡し" in shown(login("閲覧"))


def test_a_provider_that_tells_no_amount_is_said_so(login: Login) -> None:
    payment = make_payment(S.AUTH)
    payment.account.provider = "sbps"
    payment.account.save()
    difference(payment, their_amount=None)
    assert "金額は照会できません" in shown(login("閲覧"))


def test_a_trade_without_an_order_can_only_be_dealt_with(login: Login) -> None:
    row = difference(
        kind=K.UNKNOWN_TRADE,
        payment=None,
        order=None,
        provider_order_id="stranger-1",
        our_status="",
        our_amount=None,
        our_date=None,
    )
    PaymentDifference.objects.filter(pk=row.pk).update(payment=None)
    page = shown(login("決済操作"))
    assert "受注なし" in page
    assert f"/payments/differences/{row.pk}/adopt/" not in page


def test_the_address_filters(login: Login) -> None:
    first, second = difference(), difference(kind=K.AMOUNT)
    closed = difference(state=State.HANDLED, reason="電話で確認", closed_at=NOW, closed_by_name="会計 花子")
    client = login("閲覧")

    def numbers(query: str) -> set[str]:
        return set(re.findall(r'<strong class="number">([^<]+)</strong>', shown(client, query)))

    assert first.order is not None
    assert second.order is not None
    assert closed.order is not None
    assert numbers("") == {first.order.number, second.order.number}
    assert numbers("?kind=amount") == {second.order.number}
    assert numbers("?state=handled") == {closed.order.number}
    assert numbers("?state=all&q=テスト会員") == {
        first.order.number,
        second.order.number,
        closed.order.number,
    }
    assert numbers(f"?q={first.provider_order_id}") == {first.order.number}
    assert numbers(f"?q={second.order.number}") == {second.order.number}
    assert numbers("?account=999999") == set()
    assert numbers("?state=nonsense&kind=nonsense&account=x&before=x") == {
        first.order.number,
        second.order.number,
    }
    assert "電話で確認" in shown(client, "?state=handled")


def test_pages_go_by_key(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payments.reconciliation.listing.PAGE_SIZE", 2)
    for _ in range(3):
        difference()
    client = login("閲覧")
    page = shown(client, "?kind=status")
    assert page.count('<tr id="difference-') == 2
    following = re.search(r'href="([^"]+)" rel="next"', page)
    assert following is not None
    assert "kind=status" in following.group(1)
    last = client.get(following.group(1).replace("&amp;", "&")).content.decode()
    assert last.count('<tr id="difference-') == 1
    assert "最初へ" in last


def test_the_list_costs_the_same_however_many_rows(login: Login) -> None:
    client = login("管理者")
    for _ in range(12):
        difference()
    ReconciliationRun.objects.create(
        account=PaymentDifference.objects.all()[0].account,
        started_by_name="夜間処理",
        started_at=NOW,
        next_call_at=NOW,
        give_up_at=NOW,
    )
    with CaptureQueriesContext(connection) as queries:
        shown(client)
    assert len(queries) <= 12


def test_kinds_are_counted_exactly_up_to_the_limit(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payments.reconciliation.listing.TOTAL_LIMIT", 2)
    for _ in range(3):
        difference()
    difference(kind=K.AMOUNT)
    page = shown(login("閲覧"))
    assert '状態相違<span class="check-count">(2以上)</span>' in page
    assert '金額相違<span class="check-count">(1)</span>' in page


def test_a_search_finds_each_way_by_an_index(db: None) -> None:
    """One OR over three tables would read every difference with its order, of a name in a million too."""
    for _ in range(60):
        difference()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE orders_order, orders_ordersearch, payments_paymentdifference")
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = listing.matching(listing.Filters(q="佐藤")).explain()
    for index in ("difference_order_id_prefix", "orders_order_number", "ordersearch_field_grams"):
        assert index in plan
    assert "Seq Scan" not in plan


@pytest.mark.parametrize("role", ["", "閲覧", "受注編集"])
def test_nobody_without_the_money_permission_starts_or_changes_anything(login: Login, role: str) -> None:
    row = difference()
    client = login(role)
    assert client.post(f"{LIST}start/", {"account": "gmo"}).status_code == 403
    for action in ("adopt", "handle"):
        assert client.get(f"{LIST}{row.pk}/{action}/").status_code == 403
        assert client.post(f"{LIST}{row.pk}/{action}/", {"reason": "x"}).status_code == 403
    row.refresh_from_db()
    assert row.state == State.OPEN
    assert not ReconciliationRun.objects.exists()
    assert not Operation.objects.exists()


def test_starting_takes_a_post_and_other_actions_do_not_exist(login: Login) -> None:
    row = difference()
    client = login("決済操作")
    assert client.get(f"{LIST}start/").status_code == 405
    assert client.get(f"{LIST}{row.pk}/delete/").status_code == 404
    assert client.get(f"{LIST}999999/adopt/").status_code == 404


@pytest.mark.parametrize("reason", ["", "   ", "あ" * 201])
def test_without_a_reason_nothing_is_done_and_what_was_typed_stays(login: Login, reason: str) -> None:
    row = difference()
    answer = login("決済操作").post(f"{LIST}{row.pk}/handle/", {"reason": reason}, headers=HTMX)
    assert answer.status_code == 422
    assert "まだ何も変えていません" in answer.content.decode()
    row.refresh_from_db()
    assert row.state == State.OPEN


def test_dealt_with_it_goes_back_to_the_list_as_it_was(login: Login) -> None:
    row = difference()
    client = login("決済操作")
    back = f"{LIST}?kind=status"
    dialog = client.get(f"{LIST}{row.pk}/handle/", {"back": back}, headers=HTMX).content.decode()
    assert f'name="back" value="{back}"' in dialog
    answer = client.post(f"{LIST}{row.pk}/handle/", {"reason": "電話で確認", "back": back}, headers=HTMX)
    assert answer["HX-Redirect"] == back
    assert "対応済みにしました" in client.get(back).content.decode()
    row.refresh_from_db()
    assert (row.state, row.reason, row.closed_by_name) == (State.HANDLED, "電話で確認", "田中 花子")


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/payments/", "javascript:x"]
)
def test_it_never_leads_elsewhere(login: Login, elsewhere: str) -> None:
    row = difference()
    answer = login("決済操作").post(f"{LIST}{row.pk}/handle/", {"reason": "x", "back": elsewhere})
    assert answer["Location"] == LIST


def test_an_account_without_credentials_cannot_be_asked(login: Login, settings: Any) -> None:
    settings.GATEWAY_ACCOUNTS = {}
    difference()
    client = login("決済操作")
    answer = client.post(f"{LIST}start/", {"account": "gmo"}, follow=True)
    assert "接続情報が設定されていないため" in answer.content.decode()
    assert not ReconciliationRun.objects.exists()


def test_found_shown_and_adopted(world: World, login: Login) -> None:
    payment = world.held()
    world.sandbox.admin(order=payment.provider_order_id, action="SALES")
    client = login("決済操作")
    page = client.post(f"{LIST}start/", {"account": "gmo"}, follow=True).content.decode()
    assert "差異確認を開始しました" in page
    assert (
        "二重には開始していません"
        in client.post(f"{LIST}start/", {"account": "gmo"}, follow=True).content.decode()
    )
    run = ReconciliationRun.objects.get()
    assert "hx-trigger" in client.get(f"{LIST}progress/").content.decode()
    runs.work(run.pk, seconds=30)
    progress = client.get(f"{LIST}progress/").content.decode()
    assert "hx-trigger" not in progress
    assert "一覧を読み込み直す" in progress
    row = PaymentDifference.objects.get()
    assert row.seen_by is not None
    assert row.seen_by.actor_name == "田中 花子"
    answer = client.post(f"{LIST}{row.pk}/adopt/", {"reason": "管理画面で売上にした"}, follow=True)
    assert "反映しました(仮売上済み 3,200円" in answer.content.decode()
    payment.refresh_from_db()
    assert payment.status == S.SALES
    log = client.get(f"/payments/{payment.pk}/log/").content.decode()
    assert "差異確認で見つかりました" in log


def test_a_night_without_answers_is_told(world: World, login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "TRY_AGAIN", ())
    world.held()
    world.sandbox.post_fault(call="SearchTrade", kind="http_500", times=1)
    by = By(name="夜間処理", source=Operation.Source.NIGHTLY)
    started = runs.start(account=world.account, by=by, now=clock.now())
    runs.work(started.run.pk, seconds=30)
    assert "確認できなかった決済が" in shown(login("閲覧"))


def test_the_head_of_the_list_says_how_long_a_run_takes_and_what_was_left(login: Login) -> None:
    account, client = make_payment(S.AUTH).account, login("閲覧")
    run = ReconciliationRun.objects.create(
        account=account,
        started_by_name="夜間処理",
        started_at=NOW,
        next_call_at=NOW,
        give_up_at=NOW,
        listed=20_000,
    )
    assert "20,000件</span>を一覧にしました" in shown(client)
    ReconciliationRun.objects.filter(pk=run.pk).update(planned=900_000, equal=36_000)
    page = shown(client)
    assert "36,000 / 900,000件" in page
    assert "約24時間" in page
    assert "今回終わらない分は、次回の最初に確認します" in page
    ReconciliationRun.objects.filter(pk=run.pk).update(
        state="finished", finished_at=NOW, left_over=180_000, equal=720_000
    )
    page = shown(client)
    assert "720,000件</span>を確認し" in page
    assert '時間内に確認できなかった <span class="number">180,000件' in page
