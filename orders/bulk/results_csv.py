"""The result of a run as CSV: one line per order, streamed, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Literal, Protocol, TypeAlias

from django.utils import timezone

from orders.bulk.models import BulkItem, BulkRun

Encoding: TypeAlias = Literal["utf-8-sig", "cp932"]

HEADER = ("注文番号", "結果", "区分", "処理内容", "金額", "メッセージ", "完了日時")
# A cell that starts like this would be run as a formula by the spreadsheet, full-width forms included.
_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")


class _Writer(Protocol):
    def writerow(self, row: tuple[str | int, ...], /) -> str: ...


class _Echo:
    """A file that hands every line straight back, so that nothing is collected in memory."""

    def write(self, line: str) -> str:
        return line


def safe_cell(text: str) -> str:
    """The text, with a leading apostrophe where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def lines(run: BulkRun, *, encoding: Encoding) -> Iterator[bytes]:
    """The file in pieces. Characters that CP932 lacks become '?'; UTF-8 starts with its mark for Excel."""
    writer: _Writer = csv.writer(_Echo(), lineterminator="\r\n")
    # The mark belongs to the first piece only.
    yield writer.writerow(HEADER).encode(encoding, errors="replace")
    codec = "utf-8" if encoding == "utf-8-sig" else encoding
    items = (
        BulkItem.objects.filter(run=run)
        .select_related("order")
        .order_by("id")
        .only("state", "group", "words", "reason", "amount", "message", "finished_at", "order__number")
    )
    for item in items.iterator(chunk_size=2000):
        yield writer.writerow(_cells(item)).encode(codec, errors="replace")


def _cells(item: BulkItem) -> tuple[str | int, ...]:
    finished = timezone.localtime(item.finished_at).strftime("%Y/%m/%d %H:%M:%S") if item.finished_at else ""
    return (
        safe_cell(item.order.number),
        BulkItem.State(item.state).label,
        safe_cell(item.group),
        safe_cell(item.words or item.reason),
        "" if item.amount is None else item.amount,
        safe_cell(item.message),
        finished,
    )
