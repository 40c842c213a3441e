"""The screens of bulk runs: who may do what, and that posting twice is harmless."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from orders.bulk import engine, tasks, worklist
from orders.bulk.models import BulkItem, BulkRun
from orders.bulk.registry import Ending
from orders.models import Order
from orders.statuses import OrderStatus
from tests.bulk.shop import NOW, OutsideKind, make_orders, make_preview, make_user, states

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_bells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_ring", lambda run_id, countdown=0: None)


@pytest.fixture
def operator() -> User:
    return make_user("operator", "決済操作")


@pytest.fixture
def client(operator: User) -> Client:
    return logged_in(operator)


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def post_preview(client: Client, orders: list[Order], **fields: Any) -> HttpResponse:
    data = {
        "kind": "outside",
        "scope": "page",
        "order": [order.pk for order in orders],
        "back": "/orders/?status=1",
        **fields,
    }
    response = client.post(reverse("bulk:preview"), data)
    assert isinstance(response, HttpResponse)
    return response


def url(name: str, run: BulkRun) -> str:
    return reverse(f"bulk:{name}", args=[run.pk])


def test_ticked_rows_lead_to_a_preview_that_has_executed_nothing(
    client: Client, outside: OutsideKind
) -> None:
    orders = [*make_orders(2), *make_orders(1, status=OrderStatus.CANCELLED)]
    response = post_preview(client, orders)
    run = BulkRun.objects.get()
    assert response["Location"] == url("run", run)
    page = client.get(url("run", run)).content.decode()
    for words in (
        "一括処理の確認",
        "2件を実行する",
        "すでに取り消されています。",
        "まだ何も実行していません",
    ):
        assert words in page
    assert 'href="/orders/?status=1"' in page
    assert outside.executions == []


def test_all_that_match_takes_the_lists_query(client: Client, outside: OutsideKind) -> None:
    make_orders(3)
    make_orders(2, status=OrderStatus.PAID)
    post_preview(client, [], scope="all", query="status=6")
    assert BulkRun.objects.get().ticked == 2


def test_a_start_posted_twice_starts_once(client: Client, outside: OutsideKind) -> None:
    post_preview(client, make_orders(2))
    run = BulkRun.objects.get()
    for _ in range(2):
        assert client.post(url("start", run), {"follow": "on"})["Location"] == url("run", run)
    run.refresh_from_db()
    assert (run.state, run.follow) == (BulkRun.State.RUNNING, True)
    engine.work(run.pk, seconds=5)
    client.post(url("start", run))
    engine.work(run.pk, seconds=5)
    assert len(outside.executions) == 2


@pytest.mark.parametrize("role", ["閲覧", "受注編集"])
def test_nobody_without_the_permission_previews_starts_stops_or_retries(
    role: str, operator: User, outside: OutsideKind
) -> None:
    client = logged_in(make_user("somebody", role))
    orders = make_orders(2)
    run = make_preview(outside, orders, operator)
    assert post_preview(client, orders).status_code == 403
    assert BulkRun.objects.count() == 1
    for name in ("choose", "start", "stop", "retry"):
        assert client.post(url(name, run)).status_code == 403
    worklist.start(run, follow=False, now=NOW)
    assert client.post(url("stop", run)).status_code == 403
    run.refresh_from_db()
    assert run.stopped_at is None
    assert states(run) == {"ready": 2}
    for name in ("run", "progress", "result_csv"):
        assert client.get(url(name, run)).status_code == 200, "watching is for everybody"


def test_only_the_author_of_a_preview_starts_it(operator: User, outside: OutsideKind) -> None:
    run = make_preview(outside, make_orders(1), operator)
    colleague = logged_in(make_user("colleague", "決済操作"))
    assert colleague.post(url("start", run)).status_code == 403
    assert "operatorさんだけです" in colleague.get(url("run", run)).content.decode()
    run.refresh_from_db()
    assert run.state == BulkRun.State.PREVIEW


def test_a_colleague_may_stop_a_run(operator: User, outside: OutsideKind) -> None:
    run = make_preview(outside, make_orders(3), operator)
    worklist.start(run, follow=False, now=NOW)
    logged_in(make_user("colleague", "決済操作")).post(url("stop", run))
    assert states(run) == {"stopped": 3}
    run.refresh_from_db()
    assert (run.state, run.stopped_by_name) == (BulkRun.State.FINISHED, "colleague")


def test_an_editor_changes_statuses_but_no_money(outside: OutsideKind) -> None:
    client = logged_in(make_user("editor", "受注編集"))
    orders = make_orders(1)
    assert post_preview(client, orders).status_code == 403
    assert post_preview(client, orders, kind="order_status", to="4").status_code == 302
    run = BulkRun.objects.get()
    assert run.kind == "order_status"
    page = client.get(url("run", run)).content.decode()
    assert "変更されるのは対応状況だけです。決済(売上・取消・返品)は行われません。" in page


@pytest.mark.parametrize("kind", ["capture", "cancel", "reauthorize", "change_amount"])
def test_every_money_kind_takes_the_money_permission(kind: str) -> None:
    editor = logged_in(make_user("editor", "受注編集"))
    assert post_preview(editor, make_orders(1), kind=kind).status_code == 403


def test_a_foreign_or_unknown_run_moves_nothing(client: Client) -> None:
    missing = uuid.uuid4()
    for name in ("choose", "start", "stop", "retry"):
        assert client.post(reverse(f"bulk:{name}", args=[missing])).status_code == 404
    assert client.post(reverse("bulk:preview"), {"kind": "nonsense"}).status_code == 404


def test_moving_takes_a_post_and_a_login(client: Client, operator: User, outside: OutsideKind) -> None:
    run = make_preview(outside, make_orders(1), operator)
    for name in ("choose", "start", "stop", "retry"):
        assert client.get(url(name, run)).status_code == 405
        assert Client().post(url(name, run)).status_code == 302
    run.refresh_from_db()
    assert run.state == BulkRun.State.PREVIEW


def test_a_mistake_leads_back_to_the_list_with_a_sentence(client: Client, outside: OutsideKind) -> None:
    assert post_preview(client, [])["Location"] == "/orders/?status=1"
    assert (
        post_preview(client, make_orders(1), kind="order_status", to="7")["Location"] == "/orders/?status=1"
    )
    assert not BulkRun.objects.exists()


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_the_way_back_stays_on_this_site(address: str, client: Client, outside: OutsideKind) -> None:
    post_preview(client, make_orders(1), back=address)
    assert BulkRun.objects.get().back == reverse("bulk:list")


def test_progress_asks_again_while_the_run_goes_on_and_stops_at_the_end(
    client: Client, operator: User, outside: OutsideKind, django_assert_num_queries: Any
) -> None:
    run = make_preview(outside, make_orders(4), operator)
    worklist.start(run, follow=False, now=NOW)
    client.get(url("progress", run))
    with django_assert_num_queries(5):  # session, user, permissions, run, counts
        part = client.get(url("progress", run)).content.decode()
    assert 'hx-trigger="every 2s"' in part
    assert '<progress class="bulk-progress-bar" max="4" value="0"' in part
    engine.work(run.pk, seconds=5)
    part = client.get(url("progress", run)).content.decode()
    assert 'hx-trigger="every' not in part
    assert "成功4件、失敗0件" in part
    assert "結果をCSVダウンロード" in part


def test_progress_keeps_looking_while_something_is_being_confirmed(
    client: Client, operator: User, outside: OutsideKind
) -> None:
    outside.answer = lambda task: Ending.UNKNOWN
    run = make_preview(outside, make_orders(1), operator)
    worklist.start(run, follow=False, now=NOW)
    engine.work(run.pk, seconds=5)
    part = client.get(url("progress", run)).content.decode()
    assert 'hx-trigger="every 15s"' in part
    assert "もう一度操作しないでください" in part


def test_results_are_filtered_and_paged_by_key(client: Client, operator: User, outside: OutsideKind) -> None:
    outside.answer = lambda task: Ending.FAILED if len(outside.ledger) < 2 else Ending.SUCCEEDED
    run = make_preview(outside, make_orders(70), operator)
    worklist.start(run, follow=False, now=NOW)
    engine.work(run.pk, seconds=20)
    failed = client.get(
        url("run", run), {"show": "failed"}, headers={"HX-Request": "true", "HX-Target": "rows"}
    )
    assert failed.content.decode().count('data-label="注文番号"') == 2
    assert "<html" not in failed.content.decode()
    first = client.get(url("run", run)).content.decode()
    assert first.count('data-label="注文番号"') == 50
    after = BulkItem.objects.filter(run=run).order_by("id")[49].pk
    assert f"after={after}" in first
    second = client.get(url("run", run), {"after": after}).content.decode()
    assert second.count('data-label="注文番号"') == 20


@pytest.mark.parametrize(
    "show", ["group-0", "skip-0", "warning-0", "group-99", "skip-x", "nonsense", "taken"]
)
def test_every_filter_of_the_rows_answers(
    show: str, client: Client, operator: User, outside: OutsideKind
) -> None:
    orders = [
        *make_orders(1, status=OrderStatus.IN_PROGRESS),
        *make_orders(1, status=OrderStatus.CANCELLED),
    ]
    run = make_preview(outside, orders, operator)
    assert client.get(url("run", run), {"show": show, "after": "x"}).status_code == 200


def test_a_retry_is_a_new_preview_of_what_was_not_done(
    client: Client, operator: User, outside: OutsideKind
) -> None:
    outside.answer = lambda task: Ending.FAILED
    run = make_preview(outside, make_orders(2), operator)
    worklist.start(run, follow=False, now=NOW)
    assert client.post(url("retry", run))["Location"] == url("run", run), "not while it runs"
    engine.work(run.pk, seconds=5)
    assert "実行されなかった2件をもう一度確認する" in client.get(url("run", run)).content.decode()
    location = client.post(url("retry", run))["Location"]
    again = BulkRun.objects.exclude(pk=run.pk).get()
    assert location == url("run", again)
    assert (again.taken, again.state, again.back) == (2, BulkRun.State.PREVIEW, "/orders/")


def test_a_retry_with_nothing_to_repeat_says_so(client: Client, operator: User, outside: OutsideKind) -> None:
    run = make_preview(outside, make_orders(1), operator)
    worklist.start(run, follow=False, now=NOW)
    engine.work(run.pk, seconds=5)
    assert client.post(url("retry", run))["Location"] == url("run", run)
    assert BulkRun.objects.count() == 1


def test_the_history_lists_runs_newest_first_by_key(
    client: Client, operator: User, outside: OutsideKind, django_assert_max_num_queries: Any
) -> None:
    orders = make_orders(1)
    for _ in range(35):
        make_preview(outside, orders, operator)
    with django_assert_max_num_queries(7):
        first = client.get(reverse("bulk:list"))
    page = first.content.decode()
    assert page.count('data-label="日時"') == 30
    before = first.context["next_before"]
    assert (
        client.get(reverse("bulk:list"), {"before": before}).content.decode().count('data-label="日時"') == 5
    )
    assert client.get(reverse("bulk:list"), {"before": "nonsense"}).status_code == 200


def test_the_csv_is_streamed_as_a_download(client: Client, operator: User, outside: OutsideKind) -> None:
    run = make_preview(outside, make_orders(2), operator)
    response = client.get(url("result_csv", run), {"encoding": "cp932"})
    assert response.streaming
    assert response["Content-Type"] == "text/csv; charset=Shift_JIS"
    assert response["Content-Disposition"].startswith('attachment; filename="bulk_')
    assert response.getvalue().decode("cp932").count("\r\n") == 3
