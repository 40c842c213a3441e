"""Starting an export: the rows are frozen in the transaction that makes it, so that later changes move none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib.auth.models import User
from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Sum
from django.db.models.functions import Coalesce

from orders.exports import condition_words
from orders.exports.models import Export
from orders.exports.registry import ExportKind
from orders.selection import Selection, SelectionError, rows_of

# Orders per chunk: what a worker holds in memory, and what a dead worker's successor writes again at most.
CHUNK_ORDERS: Final = 500
# Exports of one person that may be under way; more of them only wait for each other.
MAX_UNDER_WAY: Final = 3

_FREEZE = """
    INSERT INTO orders_exportchunk (export_id, number, order_ids)
    SELECT %s, (place - 1) / {chunk}, array_agg(id ORDER BY place)
    FROM (
        SELECT id, row_number() OVER (ORDER BY ordered_at {direction}, id {direction}) AS place
        FROM ({chosen}) AS chosen (id, ordered_at)
    ) AS placed
    GROUP BY 2
"""


@dataclass(frozen=True, kw_only=True)
class Author:
    """Who asks for the file."""

    user: User
    name: str


def start(
    *, kind: ExportKind, encoding: str, selection: Selection, author: Author, back: str, now: datetime
) -> Export:
    """Freeze the selection as an export that waits for a worker. Raises SelectionError; then nothing is kept."""
    if (
        Export.objects.filter(created_by=author.user, state__in=("waiting", "running")).count()
        >= MAX_UNDER_WAY
    ):
        raise SelectionError(
            f"出力中のファイルが{MAX_UNDER_WAY}件あります。「ファイル出力」で終わるのを待つか、中止してから、"
            "もう一度出力してください。"
        )
    with transaction.atomic():
        export = Export.objects.create(
            kind=kind.code,
            encoding=encoding if kind.is_csv else "",
            condition=condition_words.of(selection),
            back=back,
            total=0,
            created_by=author.user,
            created_by_name=author.name,
            created_at=now,
        )
        _freeze(export, selection)
        export.total = export.chunks.aggregate(count=Coalesce(Sum("order_ids__len"), 0))["count"]
        if export.total == 0:
            raise SelectionError("出力する受注がありません。一覧で条件を確認するか、受注を選択してください。")
        if kind.max_orders is not None and export.total > kind.max_orders:
            raise SelectionError(
                f"{kind.label}を一度に出力できるのは{kind.max_orders:,}件までです"
                f"（検索結果 {export.total:,}件）。検索条件を絞り込んでから、もう一度出力してください。"
            )
        export.save(update_fields=["total"])
    return export


def _freeze(export: Export, selection: Selection) -> None:
    rows = rows_of(selection)
    direction = "ASC" if selection.oldest_first else "DESC"
    try:
        chosen, parameters = rows.order_by().values("pk", "ordered_at").query.sql_with_params()
    except EmptyResultSet:  # Django knows without asking that nothing can match
        return
    sql = _FREEZE.replace("{chunk}", str(CHUNK_ORDERS)).replace("{direction}", direction)
    with connection.cursor() as cursor:
        cursor.execute(sql.replace("{chosen}", chosen), [export.pk, *parameters])
