"""The screens of exports: who may, what is told, and that every file leaves a line in 操作履歴."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from cagolab.models import AuditEntry
from orders.exports import files, start, tasks
from orders.exports.models import Export
from tests.bulk.shop import make_orders
from tests.exports.office import begin, make_user, write
from tests.orders.shop import NOW
from tests.screens.order_pages import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk() -> User:
    return make_user()


@pytest.fixture
def client(clerk: User) -> Client:
    return client_of(clerk)


@pytest.fixture(autouse=True)
def bells(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No worker is called; the bells are counted."""
    rung: list[str] = []

    def ring() -> bool:
        rung.append("ring")
        return True

    monkeypatch.setattr(tasks, "_ring", ring)
    return rung


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def address(name: str, export: Export) -> str:
    return reverse(f"exports:{name}", args=[export.pk])


def ask(client: Client, **fields: Any) -> Any:
    """Press 出力 as the list's form does."""
    values = {"export": "orders", "encoding": "cp932", "scope": "all", "query": "", "back": "/orders/?q=x"}
    return client.post(reverse("exports:start"), values | fields, follow=True)


def audit() -> list[str]:
    return [f"{entry.target} {entry.detail}" for entry in AuditEntry.objects.filter(kind="export")]


def test_a_click_freezes_the_search_rings_and_shows_the_progress(
    client: Client, bells: list[str], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    orders = make_orders(3)
    with django_capture_on_commit_callbacks(execute=True):
        page = ask(client, query=f"number={orders[0].number}")
    export = Export.objects.get()
    assert (export.total, export.kind, export.encoding, export.back) == (1, "orders", "cp932", "/orders/?q=x")
    assert bells == ["ring"]
    words = text_of(page)
    assert "順番を待っています" in words
    assert f"注文番号「{orders[0].number}」" in words
    assert "この画面を閉じても、作成は続きます。" in words
    assert f"1件、条件: 注文番号「{orders[0].number}」 {export.pk}" in audit()[0]


def test_the_finished_file_is_fetched_whole_and_by_its_name(client: Client, clerk: User) -> None:
    make_orders(3)
    export = write(begin(clerk, encoding="cp932"))
    Export.objects.update(created_at=NOW)
    words = text_of(client.get(address("progress", export)))
    assert "3件を出力しました" in words
    answer = client.get(address("download", export))
    assert answer["Content-Type"] == "text/csv; charset=Shift_JIS"
    assert answer["Content-Disposition"] == 'attachment; filename="orders_20261120_120000.csv"'
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert int(answer["Content-Length"]) == len(content) == export.size
    assert len(list(csv.reader(io.StringIO(content.decode("cp932"), newline="")))) == 4
    assert "受注CSV ファイルをダウンロードしました。3件" in audit()[-1]


def test_a_part_of_the_documents_is_fetched_by_its_number(
    client: Client, clerk: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "CHUNK_ORDERS", 2)
    make_orders(3)
    export = write(begin(clerk, kind="documents"))
    page = text_of(client.get(address("export", export)))
    assert "1〜2件目" in page
    assert "3〜3件目" in page
    answer = client.get(address("download", export), {"part": "2"})
    assert answer["Content-Type"] == "text/html; charset=UTF-8"
    assert answer["Content-Disposition"].endswith('_2.html"')
    content = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert content.startswith("<!doctype html>")
    assert content.count('class="sheet"') == 1
    for wrong in ("0", "3", "x", "-1", "１"):
        answer = client.get(address("download", export), {"part": wrong}, follow=True)
        assert "このファイルはダウンロードできません。" in text_of(answer)


def test_few_ticked_orders_are_printed_at_once_and_many_become_an_export(client: Client) -> None:
    orders = make_orders(101)
    ticked = [str(order.pk) for order in orders]
    page = ask(client, export="documents", scope="ticked", order=ticked[:2])
    assert page.redirect_chain[0][0].startswith("/orders/documents/?order=")
    assert "納品書 2件を表示しました。" in audit()[0]
    ask(client, export="documents", scope="ticked", order=ticked)
    assert Export.objects.get().total == 101


def test_a_file_belongs_to_whoever_made_it_and_to_administrators(client: Client, clerk: User) -> None:
    make_orders(1)
    export = write(begin(clerk))
    other, admin = client_of(make_user("other")), client_of(make_user("boss", "管理者"))
    for name in ("export", "progress", "download"):
        assert other.get(address(name, export)).status_code == 403
    for name in ("stop", "delete"):
        assert other.post(address(name, export)).status_code == 403
    assert "出力したファイルはまだありません" in text_of(other.get(reverse("exports:list")))
    assert "田中 花子" in text_of(admin.get(reverse("exports:list")))
    assert admin.get(address("download", export)).status_code == 200
    admin.post(address("delete", export))
    export.refresh_from_db()
    assert export.state == "removed"


def test_who_may_only_look_exports_nothing() -> None:
    make_orders(1)
    viewer = client_of(make_user("viewer", "閲覧"))
    assert ask(viewer).status_code == 403
    assert "CSVダウンロード" not in text_of(viewer.get(reverse("orders:list")))
    assert "ファイル出力" not in text_of(viewer.get(reverse("orders:list")))
    assert not Export.objects.exists()


def test_the_lists_offer_their_files(client: Client) -> None:
    make_orders(1)
    page = text_of(client.get(reverse("orders:list")))
    assert "検索結果1件すべてを出力" in page
    assert "受注明細CSV" in page
    assert "決済状況CSV" not in page


def test_a_stop_and_a_deletion_are_told_and_recorded(client: Client, clerk: User) -> None:
    make_orders(1)
    stopped, finished = begin(clerk), begin(clerk)
    page = client.post(address("stop", stopped), follow=True)
    assert "出力を中止しました。" in text_of(page)
    write(finished)
    assert finished.state == "finished"
    page = client.post(address("delete", finished), follow=True)
    assert "受注CSV（1件）のファイルを削除しました。" in text_of(page)
    assert not files.is_there(finished)
    assert "このファイルはダウンロードできません。" in text_of(
        client.get(address("download", finished), follow=True)
    )
    assert ["中止" in audit()[0], "削除" in audit()[1]] == [True, True]
    page = client.post(address("delete", finished), follow=True)
    assert "削除するファイルはありません。" in text_of(page)


def test_a_file_that_is_not_there_is_told_and_not_half_sent(client: Client, clerk: User) -> None:
    make_orders(1)
    export = write(begin(clerk))
    files.remove(export)
    assert "ファイルが見つかりません。" in text_of(client.get(address("download", export), follow=True))


def test_what_cannot_be_exported_goes_back_to_the_list_with_a_sentence(client: Client) -> None:
    page = ask(client)
    assert page.redirect_chain[0][0] == "/orders/?q=x"
    assert "出力する受注がありません。" in text_of(page)
    assert "検索条件に誤りがあります。" in text_of(ask(client, query="amount_min=x"))
    assert ask(client, export="nothing").status_code == 404
    assert ask(client, back="https://evil.example/").redirect_chain[0][0] == "/orders/"


def test_the_pages_cost_few_queries(client: Client, clerk: User, django_assert_max_num_queries: Any) -> None:
    make_orders(1)
    for _ in range(3):
        begin(clerk)
    with django_assert_max_num_queries(8):
        client.get(reverse("exports:list"))
    with django_assert_max_num_queries(8):
        client.get(address("progress", Export.objects.all()[0]))
