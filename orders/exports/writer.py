"""Writing an export: claim it, append chunk by chunk, write down how far it is.

Memory holds one chunk, however many orders there are. A process may die between any two statements: the file may
then be longer than what was written down, and whoever goes on cuts it there.
"""

from __future__ import annotations

import logging
import time
from typing import BinaryIO

from django.db import Error as DatabaseError
from django.db.models import Prefetch

from cagolab import clock
from orders.exports import csv_text, files, worklist
from orders.exports.models import Export, ExportChunk
from orders.exports.registry import ExportKind, registry
from orders.models import Order, OrderLine

logger = logging.getLogger(__name__)

# After so many dead workers the export itself is what kills them.
MAX_TRIES = 5

_NO_SPACE = "ファイルを書き込めませんでした。サーバーの空き容量と出力用フォルダーを管理者が確認してから、もう一度出力してください。"
_TROUBLE = (
    "システムエラーのため出力できませんでした。もう一度出力しても同じときは、管理者に連絡してください。"
)
_TOO_OFTEN = f"サーバーの停止が{MAX_TRIES}回続いたため、出力を打ち切りました。条件を絞り込んで、もう一度出力してください。"


def work(*, seconds: float) -> bool:
    """Write on the export that is next, for so long at the most. False when there was none to write on."""
    export = worklist.claim()
    if export is None:
        return False
    try:
        if export.stopped_at is not None:
            _stop(export)
        elif export.tries >= MAX_TRIES:
            worklist.fail(export, _TOO_OFTEN, clock.now())
            _remove(export)
        else:
            _write(export, registry[export.kind], until=time.monotonic() + seconds)
    except DatabaseError:
        raise  # nothing can be written down now; the lease brings the export back
    except OSError:
        logger.exception("export %s cannot be written to its file", export.pk)
        worklist.fail(export, _NO_SPACE, clock.now())
        _remove(export)
    except Exception:
        logger.exception("export %s broke", export.pk)
        worklist.fail(export, _TROUBLE, clock.now())
        _remove(export)
    return True


def _write(export: Export, kind: ExportKind, *, until: float) -> None:
    file = files.open_to_go_on(export)
    if file is None:  # another machine's file, or one that was deleted
        _begin_again(export)
        file = files.open_to_go_on(export)
        assert file is not None
    with file:
        while True:
            chunk = ExportChunk.objects.filter(export=export, number=export.next_chunk).first()
            if chunk is None:
                break
            _append(export, kind, chunk.order_ids, file)
            if not worklist.progress(export):
                logger.warning("export %s was given to another worker", export.pk)
                return
            if export.stopped_at is not None:
                _stop(export)
                return
            if time.monotonic() >= until and export.done < export.total:
                worklist.let_go(export)
                return
        files.make_durable(file)
    worklist.finish(export, clock.now())


def _append(export: Export, kind: ExportKind, order_ids: list[int], file: BinaryIO) -> None:
    rows = Order.objects.all()
    if kind.shows_lines:
        rows = rows.prefetch_related(Prefetch("lines", OrderLine.objects.order_by("position", "id")))
    orders = rows.in_bulk(order_ids)
    piece = kind.piece(order_ids, orders)
    is_first = export.size == 0
    written, replaced = csv_text.encode(
        f"{kind.head()}{piece.text}" if is_first else piece.text, export.encoding
    )
    if is_first and export.encoding == Export.Encoding.UTF8:
        written = csv_text.BYTE_ORDER_MARK + written
    file.write(written)
    file.flush()
    export.size += len(written)
    if kind.is_in_parts:
        export.ends.append(export.size)
    export.done += len(order_ids)
    export.next_chunk += 1
    export.lines += piece.lines
    export.replaced += replaced
    export.missing += len(order_ids) - len(orders)
    export.unsummed += piece.unsummed


def _stop(export: Export) -> None:
    _remove(export)
    worklist.end_stopped(export, clock.now())


def _remove(export: Export) -> None:
    try:
        files.remove(export)
    except OSError:
        logger.exception("the file of export %s cannot be deleted", export.pk)


def _begin_again(export: Export) -> None:
    export.size = export.done = export.next_chunk = 0
    export.lines = export.replaced = export.missing = export.unsummed = 0
    export.ends = []
