"""The result of a run as CSV: one line per order, streamed, safe to open in a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils import timezone

from orders.bulk.models import BulkItem, BulkRun
from orders.exports.csv_text import BYTE_ORDER_MARK, Cell, Encoding, encode, text_of_rows

HEADER = ("注文番号", "結果", "区分", "処理内容", "金額", "メッセージ", "完了日時")


def lines(run: BulkRun, *, encoding: Encoding) -> Iterator[bytes]:
    """The file in pieces. Characters that CP932 lacks become 〓; UTF-8 starts with its mark for Excel."""
    if encoding == "utf-8-sig":
        yield BYTE_ORDER_MARK
    yield encode(text_of_rows([HEADER]), encoding)[0]
    items = (
        BulkItem.objects.filter(run=run)
        .select_related("order")
        .order_by("id")
        .only("state", "group", "words", "reason", "amount", "message", "finished_at", "order__number")
    )
    for item in items.iterator(chunk_size=2000):
        yield encode(text_of_rows([_cells(item)]), encoding)[0]


def _cells(item: BulkItem) -> tuple[Cell, ...]:
    finished = timezone.localtime(item.finished_at).strftime("%Y/%m/%d %H:%M:%S") if item.finished_at else ""
    return (
        item.order.number,
        BulkItem.State(item.state).label,
        item.group,
        item.words or item.reason,
        item.amount,
        item.message,
        finished,
    )
