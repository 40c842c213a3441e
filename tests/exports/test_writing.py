"""What stands in the files, and that no death of a worker loses or doubles a line."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.exports import endings, files, result_words, start, worklist, writer
from orders.exports.models import Export, ExportChunk
from orders.exports.registry import ExportKind, Piece, registry
from orders.invoice import invoice_of
from orders.models import Order, OrderLine
from orders.selection import SelectionError
from orders.statuses import OrderStatus
from tests.bulk.shop import make_orders
from tests.exports.office import begin, content, let_its_worker_die, make_user, rows, write
from tests.orders.shop import NOW, extra, goods, make_customer, make_order, make_product

pytestmark = pytest.mark.django_db
Kind = OrderLine.Kind


@pytest.fixture
def clerk() -> User:
    return make_user()


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "CHUNK_ORDERS", 2)


def sentences(export: Export) -> str:
    return "".join(result_words.of(export, registry[export.kind]))


def test_an_order_stands_in_the_csv_as_on_its_screen(clerk: User) -> None:
    order = make_order(
        [
            goods(make_product(), quantity=2),
            goods(make_product("tea", price=1000), tax_rate=Decimal(8)),
            extra(Kind.DELIVERY_FEE, 500),
            extra(Kind.DISCOUNT, -300, tax_type=OrderLine.TaxType.NOT_TAXABLE),
        ],
        customer=make_customer(points=1000),
        values={"used_points": 100, "delivery_prefecture": "大阪府", "memo": "=1+1", "company": "山田商店"},
    )
    export = write(begin(clerk))
    (row,) = rows(export)
    assert (row["注文番号"], row["対応状況"], row["受注日"]) == (
        order.number,
        "新規受付",
        "2026/11/20 12:00:00",
    )
    assert (row["お届け先 都道府県"], row["会社名"], row["ショップ用メモ"]) == ("大阪府", "山田商店", "'=1+1")
    assert (row["値引き"], row["利用ポイント"], row["お支払い合計"]) == (
        "-300",
        "100",
        str(order.payment_total),
    )
    totals = invoice_of(order)["totals"]
    ten, eight = totals.buckets
    assert (row["税率10%対象(税込)"], row["税率10%の消費税"]) == (str(ten.taxable_total), str(ten.tax))
    assert (row["税率8%対象(税込)"], row["税率8%の消費税"]) == (str(eight.taxable_total), str(eight.tax))
    parts = ("税率10%対象(税込)", "税率8%対象(税込)", "その他の税率対象(税込)", "非課税・不課税")
    assert sum(int(row[part]) for part in parts) == order.payment_total
    assert sentences(export).startswith("1件を出力しました")


@pytest.mark.parametrize("kind", ["orders", "order_lines", "payments", "documents"])
def test_memory_holds_one_chunk_however_many_orders_there_are(
    clerk: User, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "CHUNK_ORDERS", 50)
    orders = [order.pk for order in make_orders(500)]
    note = worklist.progress

    def note_without_garbage(export: Export) -> bool:
        gc.collect()  # when Python does so by itself is chance
        return note(export)

    monkeypatch.setattr(worklist, "progress", note_without_garbage)

    def most_while_writing(order_ids: list[int]) -> int:
        export = begin(clerk, kind=kind, order_ids=order_ids)
        tracemalloc.start()
        try:
            assert write(export).done == len(order_ids)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    most_while_writing(orders[:50])  # what is loaded once, by whoever comes first
    assert most_while_writing(orders) < 1.5 * most_while_writing(orders[:100])


def test_the_lines_have_a_file_of_their_own(clerk: User) -> None:
    order = make_order([goods(make_product(), quantity=2), extra(Kind.DELIVERY_FEE, 500)])
    export = write(begin(clerk, kind="order_lines"))
    first, second = rows(export)
    assert (first["注文番号"], first["商品名"], first["金額"], first["税込・税抜"]) == (
        order.number,
        "白シャツ",
        "2000",
        "税抜",
    )
    assert (first["数量"], first["税率(%)"], first["小計(税込)"]) == ("2", "10", "4400")
    assert (second["区分"], second["明細番号"], second["小計(税込)"]) == ("送料", "2", "500")
    assert "1件・2行を出力しました" in sentences(export)


def test_sums_that_lines_of_another_system_do_not_make_are_left_empty_and_told(clerk: User) -> None:
    order = make_order([goods(make_product())])
    order.lines.update(unit_price=-1)
    export = write(begin(clerk))
    assert rows(export)[0]["税率10%対象(税込)"] == ""
    assert "1件は明細から税率別の金額を計算できない" in sentences(export)


def test_shift_jis_tells_how_many_characters_it_lacks(clerk: User) -> None:
    make_order([goods(make_product())], values={"name": "𠮷田 太郎"})
    export = write(begin(clerk, encoding="cp932"))
    assert rows(export)[0]["お名前"] == "〓田 太郎"
    assert "Shift_JISにない文字を1文字、「〓」に置き換えました。" in sentences(export)


def test_utf_8_begins_with_its_mark_once(clerk: User, small_chunks: None) -> None:
    make_orders(5)
    export = write(begin(clerk))
    assert content(export).startswith(b"\xef\xbb\xbf")
    assert content(export).count(b"\xef\xbb\xbf") == 1
    assert content(export).count("注文番号".encode()) == 1
    assert export.size == len(content(export))


def test_what_is_in_the_file_was_decided_at_the_click(clerk: User, small_chunks: None) -> None:
    orders = make_orders(5)
    export = begin(clerk, query="status=1")
    Order.objects.filter(pk=orders[0].pk).update(status=OrderStatus.PAID)
    make_orders(1)
    Order.objects.filter(pk=orders[1].pk).delete()
    write(export)
    assert {row["注文番号"] for row in rows(export)} == {orders[place].number for place in (0, 2, 3, 4)}
    assert "4件を出力しました" in sentences(export)
    assert "1件は、出力するまでに削除されたため含まれていません。" in sentences(export)


@pytest.mark.parametrize("sort", ["newest", "oldest"])
def test_the_file_has_the_order_of_the_list(clerk: User, small_chunks: None, sort: str) -> None:
    orders = make_orders(5)
    for place, order in enumerate(orders):
        Order.objects.filter(pk=order.pk).update(ordered_at=NOW - timedelta(days=place))
    export = write(begin(clerk, query=f"sort={sort}"))
    wanted = [order.number for order in orders]
    assert [row["注文番号"] for row in rows(export)] == (wanted if sort == "newest" else wanted[::-1])


def test_the_search_holds_and_hidden_statuses_stay_out(clerk: User) -> None:
    first, second, third = make_orders(3)
    Order.objects.filter(pk=second.pk).update(status=OrderStatus.PENDING)
    assert begin(clerk).total == 2
    assert begin(clerk, query=f"number={third.number}").total == 1
    assert begin(clerk, order_ids=(first.pk, second.pk)).total == 2


def test_nothing_found_and_wrong_conditions_make_no_export(clerk: User) -> None:
    make_orders(1)
    for wrong in ({"query": "amount_min=x"}, {"query": "number=nothing"}, {"order_ids": ()}):
        with pytest.raises(SelectionError):
            begin(clerk, **wrong)
    assert not Export.objects.exists()
    assert not ExportChunk.objects.exists()


def test_one_person_cannot_fill_the_queue(clerk: User) -> None:
    make_orders(1)
    for _ in range(start.MAX_UNDER_WAY):
        begin(clerk)
    with pytest.raises(SelectionError, match="出力中のファイルが3件あります"):
        begin(clerk)
    assert begin(make_user("other")).total == 1


def test_a_bell_works_for_its_time_and_the_next_one_goes_on(clerk: User, small_chunks: None) -> None:
    make_orders(5)
    export = begin(clerk)
    assert writer.work(seconds=0)
    export.refresh_from_db()
    assert (export.state, export.done, export.percent) == ("waiting", 2, 40)
    while export.state != "finished":
        assert writer.work(seconds=0)
        export.refresh_from_db()
    assert len(rows(export)) == 5
    assert not ExportChunk.objects.exists()
    assert not writer.work(seconds=0)


@pytest.mark.parametrize("tail", [b"", b"half a li"])
def test_a_dead_workers_export_is_taken_up_where_it_was_written_down(
    clerk: User, small_chunks: None, tail: bytes
) -> None:
    make_orders(6)
    export = begin(clerk)
    writer.work(seconds=0)
    with files.path_of(export).open("ab") as file:
        file.write(tail)
    let_its_worker_die(export)
    old = files.path_of(export)
    write(export)
    assert export.tries == 1
    assert len({row["注文番号"] for row in rows(export)}) == len(rows(export)) == 6
    assert not old.exists()


def test_a_worker_that_was_given_up_cannot_spoil_the_file(
    clerk: User, small_chunks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_orders(6)
    export = begin(clerk)
    kind = registry["orders"]

    class Slow:
        """While the first worker makes its second piece, its lease runs out and another one writes all."""

        pieces = 0

        def __getattr__(self, name: str) -> object:
            return getattr(kind, name)

        def piece(self, order_ids: Sequence[int], orders: Mapping[int, Order]) -> Piece:
            Slow.pieces += 1
            if Slow.pieces == 2:
                let_its_worker_die(export)
                write(export)
            return kind.piece(order_ids, orders)

    monkeypatch.setitem(registry.kinds, "orders", Slow())
    writer.work(seconds=3600)
    export.refresh_from_db()
    assert (export.state, export.done) == ("finished", 6)
    assert len(rows(export)) == 6


def test_a_file_that_is_gone_is_written_anew(clerk: User, small_chunks: None) -> None:
    make_orders(5)
    export = begin(clerk)
    writer.work(seconds=0)
    files.remove(export)
    write(export)
    assert (len(rows(export)), export.lines, export.done) == (5, 5, 5)


def test_an_export_that_kills_its_workers_is_given_up(clerk: User) -> None:
    make_orders(1)
    export = begin(clerk)
    Export.objects.update(tries=writer.MAX_TRIES - 1)
    let_its_worker_die(export)
    write(export)
    assert export.state == "failed"
    assert "出力を打ち切りました" in sentences(export)


def test_a_stop_is_seen_after_the_chunk_and_leaves_no_file(
    clerk: User, small_chunks: None, export_folder: Path
) -> None:
    make_orders(6)
    waiting, running = begin(clerk), begin(clerk)
    assert endings.stop(waiting, NOW)
    while running.state == "waiting" and not running.done:
        writer.work(seconds=0)
        running.refresh_from_db()
    assert endings.stop(running, NOW)
    assert not endings.stop(running, NOW)
    writer.work(seconds=0)
    for export in (waiting, running):
        export.refresh_from_db()
        assert (export.state, sentences(export)) == ("stopped", "中止したため、ファイルはありません。")
    assert list(export_folder.iterdir()) == []
    assert not ExportChunk.objects.exists()


def test_a_stop_while_a_chunk_is_made_ends_the_export(
    clerk: User, small_chunks: None, monkeypatch: pytest.MonkeyPatch, export_folder: Path
) -> None:
    make_orders(6)
    export = begin(clerk)
    kind: ExportKind = registry["orders"]

    class Stopped:
        def __getattr__(self, name: str) -> object:
            return getattr(kind, name)

        def piece(self, order_ids: Sequence[int], orders: Mapping[int, Order]) -> Piece:
            endings.stop(export, NOW)
            return kind.piece(order_ids, orders)

    monkeypatch.setitem(registry.kinds, "orders", Stopped())
    writer.work(seconds=3600)
    export.refresh_from_db()
    assert export.state == "stopped"
    assert list(export_folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_told(clerk: User, settings: Any, export_folder: Path) -> None:
    make_orders(1)
    export = begin(clerk)
    settings.EXPORT_FOLDER = export_folder / "gone"
    write(export)
    assert export.state == "failed"
    assert "ファイルを書き込めませんでした" in sentences(export)


def test_an_error_of_ours_is_told_and_leaves_no_file(
    clerk: User, monkeypatch: pytest.MonkeyPatch, export_folder: Path
) -> None:
    make_orders(1)
    export = begin(clerk)
    monkeypatch.setattr("orders.exports.order_csv._order_row", lambda order, totals: 1 / 0)
    write(export)
    assert export.state == "failed"
    assert "システムエラー" in sentences(export)
    assert list(export_folder.iterdir()) == []


def test_only_so_many_are_written_at_once_and_the_longest_untouched_is_next(clerk: User) -> None:
    make_orders(1)
    made = [begin(clerk), begin(make_user("b")), begin(make_user("c"))]
    for place, export in enumerate(made):
        Export.objects.filter(pk=export.pk).update(created_at=NOW + timedelta(seconds=place))
    claimed = [worklist.claim(), worklist.claim()]
    assert [export.pk for export in claimed if export] == [made[0].pk, made[1].pk]
    assert worklist.claim() is None
    assert worklist.waiting() == 1
    assert claimed[0] is not None
    worklist.let_go(claimed[0])
    third = worklist.claim()
    assert third is not None
    assert third.pk == made[2].pk


def test_a_file_goes_when_its_time_is_over(clerk: User, export_folder: Path) -> None:
    make_orders(1)
    export = write(begin(clerk))
    assert export.expires_at is not None
    assert endings.remove_expired(export.expires_at - timedelta(seconds=1)) == 0
    assert files.is_there(export)
    assert endings.remove_expired(export.expires_at) == 1
    export.refresh_from_db()
    assert (export.state, list(export_folder.iterdir())) == ("removed", [])
    endings.remove_expired(export.created_at + timedelta(days=91))
    assert not Export.objects.exists()


def test_nobody_else_on_the_machine_may_read_a_file(clerk: User, small_chunks: None) -> None:
    make_orders(3)
    export = begin(clerk)
    writer.work(seconds=0)
    let_its_worker_die(export)
    write(export)
    assert files.path_of(export).stat().st_mode & 0o777 == 0o600


def test_documents_come_in_parts_that_are_whole_pages(clerk: User, small_chunks: None) -> None:
    product = make_product(stock=99)
    orders = [make_order([goods(product)]) for _ in range(3)]
    export = write(begin(clerk, kind="documents"))
    assert len(export.ends) == 2
    whole = content(export)
    first, second = whole[: export.ends[0]].decode(), whole[export.ends[0] : export.ends[1]].decode()
    for page in (first, second):
        assert page.startswith("<!doctype html>")
        assert page.rstrip().endswith("</html>")
        assert ".sheet {" in page
        assert "<script" not in page
    assert [first.count('<article class="sheet">'), second.count('<article class="sheet">')] == [2, 1]
    assert f"<dd>{orders[0].number}</dd>" in whole.decode()


def test_a_file_without_lines_reads_none(clerk: User) -> None:
    make_order([goods(make_product())])
    begin(clerk, kind="payments")
    with CaptureQueriesContext(connection) as captured:
        writer.work(seconds=3600)
    tables = {
        name
        for name in ("orders_order", "orders_orderline")
        for query in captured
        if f'"{name}"' in query["sql"]
    }
    assert tables == {"orders_order"}


def test_a_chunk_costs_a_fixed_number_of_queries(clerk: User, django_assert_num_queries: object) -> None:
    product = make_product(stock=99)
    for _ in range(8):
        make_order([goods(product), extra(Kind.DELIVERY_FEE, 500)])
    begin(clerk)
    with django_assert_num_queries(14):  # type: ignore[operator]
        writer.work(seconds=3600)
