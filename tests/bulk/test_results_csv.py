"""The CSV of a run's results."""

from __future__ import annotations

import csv
import io

import pytest

from orders.bulk import results_csv
from orders.bulk.models import BulkItem, BulkRun
from orders.models import Order
from tests.bulk.shop import NOW, OutsideKind, make_orders, make_preview, make_user


@pytest.fixture
def run(db: None, outside: OutsideKind) -> BulkRun:
    run = make_preview(outside, make_orders(3), make_user("operator", "決済操作"))
    first, second, _ = BulkItem.objects.filter(run=run).order_by("id")
    BulkItem.objects.filter(pk=first.pk).update(state="succeeded", message="売上済み", finished_at=NOW)
    BulkItem.objects.filter(pk=second.pk).update(state="failed", message='=HYPERLINK("http://x")')
    Order.objects.filter(pk=second.order_id).update(number="@SUM(A1)")
    return run


def rows(content: bytes, encoding: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(encoding))))


def test_every_row_is_in_the_file_once_with_its_result(run: BulkRun) -> None:
    content = b"".join(results_csv.lines(run, encoding="utf-8-sig"))
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\xef\xbb\xbf") == 1
    header, *lines = rows(content, "utf-8-sig")
    assert tuple(header) == results_csv.HEADER
    assert [line[1] for line in lines] == ["成功", "失敗", "待機中"]
    assert lines[0][4:] == ["1000", "売上済み", "2026/12/01 12:00:00"]


def test_cells_that_a_spreadsheet_would_run_are_defused(run: BulkRun) -> None:
    lines = rows(b"".join(results_csv.lines(run, encoding="utf-8-sig")), "utf-8-sig")
    assert lines[2][0] == "'@SUM(A1)"
    assert lines[2][5] == '\'=HYPERLINK("http://x")'


def test_the_file_for_old_spreadsheets_is_cp932_and_never_breaks(run: BulkRun) -> None:
    BulkItem.objects.filter(run=run).update(message="髙橋 😀")
    content = b"".join(results_csv.lines(run, encoding="cp932"))
    assert rows(content, "cp932")[1][5] == "髙橋 〓"
