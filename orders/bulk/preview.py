"""The preview of a run: freeze what was selected, judge it set-wise, write down what will happen.

Rows are fetched and written in a fixed number of queries; a verdict is made once per distinct set of facts,
so that ten thousand rows cost as many decisions as there are different cases among them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import QuerySet

from orders.bulk.models import BulkItem, BulkRun
from orders.bulk.registry import BulkKind, Ready, Row, Skip, Verdict
from orders.selection import Selection, SelectionError, rows_of

__all__ = [
    "REPEATABLE",
    "Author",
    "Selection",
    "SelectionError",
    "confirmations",
    "preview",
    "preview_again",
    "preview_with",
]

# What a row may be repeated from: nothing was sent for these, or it is known that nothing happened.
REPEATABLE = (BulkItem.State.FAILED, BulkItem.State.STOPPED, BulkItem.State.RECHECK)

_FREEZE = """
    INSERT INTO orders_bulkitem
        (run_id, order_id, state, "group", words, word, shown, reason, warning, tries, message)
    SELECT %s, chosen.order_id, 'ready', '', '', '', '', '', '', 0, ''
    FROM ({chosen}) AS chosen (order_id)
"""
_WRITE = """
    UPDATE orders_bulkitem AS item
    SET payment_id = judged.payment_id, state = judged.state, amount = judged.amount, "group" = judged.label,
        words = judged.words, word = judged.word, shown = judged.shown, reason = judged.reason, warning = judged.warning
    FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::int[], %s::text[], %s::text[], %s::text[],
                %s::text[], %s::text[], %s::text[])
         AS judged (id, payment_id, state, amount, label, words, word, shown, reason, warning)
    WHERE item.id = judged.id
"""


@dataclass(frozen=True, kw_only=True)
class Author:
    """Who makes the preview, and from where."""

    user: User
    name: str
    ip_address: str | None


def preview(
    *,
    kind: BulkKind,
    selection: Selection,
    parameters: dict[str, Any],
    author: Author,
    back: str,
    now: datetime,
) -> BulkRun:
    """Freeze the selection as a run in PREVIEW and judge every row. Raises SelectionError; then nothing is kept.

    Later changes of the orders do not change which rows are in the run; each is decided again when executed.
    """
    with transaction.atomic():
        run = _new_run(kind, parameters, author, back, now)
        if selection.all_that_match:
            run.query = selection.query
        ticked = _freeze(run, selection)
        return _judged(run, kind, ticked, now)


def preview_again(*, kind: BulkKind, run: BulkRun, author: Author, now: datetime) -> BulkRun:
    """A new preview of the rows of a run that failed, were stopped, or asked for another look (失敗分の再実行)."""
    with transaction.atomic():
        again = _new_run(kind, run.parameters, author, run.back, now)
        again.retry_of = run
        repeatable = BulkItem.objects.filter(run=run, state__in=REPEATABLE)
        ticked = _insert(again, repeatable.order_by("id").values("order_id"))
        return _judged(again, kind, ticked, now)


def preview_with(
    *, kind: BulkKind, run: BulkRun, parameters: dict[str, Any], author: Author, now: datetime
) -> BulkRun:
    """A new preview of the same frozen rows with other parameters.

    A run of its own, so that the page that still shows the old preview can only start what it shows.
    """
    with transaction.atomic():
        other = _new_run(kind, parameters, author, run.back, now)
        other.query = run.query
        other.retry_of_id = run.retry_of_id
        same = BulkItem.objects.filter(run=run).order_by("id").values("order_id")
        return _judged(other, kind, _insert(other, same), now)


def confirmations(run: BulkRun) -> list[str]:
    """The sentences that must be ticked before the run may start, each once."""
    return list(dict.fromkeys(group["confirmation"] for group in run.groups if group["confirmation"]))


def _new_run(kind: BulkKind, parameters: dict[str, Any], author: Author, back: str, now: datetime) -> BulkRun:
    return BulkRun.objects.create(
        kind=kind.code,
        parameters=parameters,
        created_by_id=author.user.pk,
        created_by_name=author.name,
        ip_address=author.ip_address,
        created_at=now,
        back=back,
    )


def _freeze(run: BulkRun, selection: Selection) -> int:
    rows = rows_of(selection).order_by("-ordered_at", "-id").values("pk")
    limit = settings.BULK_MAX_ROWS
    ticked = _insert(run, rows[: limit + 1])
    if ticked > limit:
        raise SelectionError(
            f"検索結果が{limit:,}件を超えています。一度に処理できるのは{limit:,}件までです。"
            "検索条件を絞り込んでから、もう一度実行してください。"
        )
    return ticked


def _insert(run: BulkRun, order_ids: QuerySet[Any, Any]) -> int:
    """INSERT … SELECT of a one-column query; how many rows it froze. The rows keep the query's order."""
    try:
        chosen, params = order_ids.query.sql_with_params()
    except EmptyResultSet:  # Django knows without asking that nothing can match
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_FREEZE.replace("{chosen}", chosen), [run.pk, *params])
        return int(cursor.rowcount)


def _judged(run: BulkRun, kind: BulkKind, ticked: int, now: datetime) -> BulkRun:
    if ticked == 0:
        raise SelectionError("対象の受注がありません。一覧で受注を選択してください。")
    summary = _Summary()
    verdicts: dict[Hashable, Verdict] = {}
    judged: list[tuple[Row, Verdict]] = []
    for row in kind.rows(run):
        verdict = verdicts.get(row.facts)
        if verdict is None:
            verdict = verdicts[row.facts] = kind.judge(row.facts, run.parameters, now)
        judged.append((row, verdict))
        summary.add(row, verdict)
    if len(judged) != ticked:
        raise SelectionError("選択した受注が同時に変更されました。一覧に戻り、もう一度実行してください。")
    _write(judged)
    run.ticked, run.taken, run.skipped = ticked, summary.taken, summary.skipped
    run.groups = list(summary.groups.values())
    run.skips = [{"reason": reason, "count": count} for reason, count in summary.skips.items()]
    run.warnings = [{"text": text, "count": count} for text, count in summary.warnings.items()]
    run.save()
    return run


def _write(judged: Sequence[tuple[Row, Verdict]]) -> None:
    """Write all verdicts in one statement; arrays, because a VALUES list would have a parameter per field."""
    columns: tuple[list[Any], ...] = ([], [], [], [], [], [], [], [], [], [])
    for row, verdict in judged:
        ready = verdict if isinstance(verdict, Ready) else None
        values = (
            row.item_id,
            row.payment_id,
            BulkItem.State.READY.value if ready else BulkItem.State.SKIPPED.value,
            row.amount,
            ready.group if ready else "",
            verdict.words[:300],
            ready.word if ready else "",
            ready.shown if ready else "",
            verdict.reason if isinstance(verdict, Skip) else "",
            "\n".join(ready.warnings)[:400] if ready else "",
        )
        for column, value in zip(columns, values, strict=True):
            column.append(value)
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, columns)


@dataclass
class _Summary:
    """The preview's figures, counted while judging. Groups appear in the order of their first row."""

    taken: int = 0
    skipped: int = 0
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    skips: dict[str, int] = field(default_factory=dict)
    warnings: dict[str, int] = field(default_factory=dict)

    def add(self, row: Row, verdict: Verdict) -> None:
        if isinstance(verdict, Skip):
            self.skipped += 1
            self.skips[verdict.reason] = self.skips.get(verdict.reason, 0) + 1
            return
        self.taken += 1
        group = self.groups.setdefault(
            verdict.group,
            {
                "label": verdict.group,
                "count": 0,
                "amount": 0,
                "customer_sees": verdict.customer_sees,
                "confirmation": verdict.confirmation,
            },
        )
        group["count"] += 1
        group["amount"] += row.amount or 0
        for text in verdict.warnings:
            self.warnings[text] = self.warnings.get(text, 0) + 1
