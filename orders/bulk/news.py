"""How runs ended, in the manual's words: 「1件が成功しました」「受注番号：234 → 売上成功」 (PG-1).

A run's own page shows it always; the list that the run was started from tells the operator who started it,
once. Which runs an operator still waits for is kept in the session: it is theirs alone and ends with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from django.db.models import Count, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest

from orders.bulk.models import BulkItem, BulkRun
from orders.bulk.registry import BulkKind, registry

# Orders per alert that have a line each. Where there are more, a few stand for all: the run's page lists them, and
# its figures must not be pushed off the screen.
MAX_LINES = 20
FEW_LINES = 5
# Runs that a session waits for; the oldest is forgotten first.
MAX_AWAITED = 20

_AWAITED = "bulk_runs_awaited"

# Level of Django's messages, and what the headline says after the number of orders.
_HEADLINES: dict[BulkItem.State, tuple[str, str]] = {
    BulkItem.State.FAILED: ("error", "件が失敗しました"),
    BulkItem.State.UNKNOWN: (
        "warning",
        "件は結果を確認中です。結果が分かるまで、もう一度操作しないでください",
    ),
    BulkItem.State.RECHECK: ("warning", "件は確認後に条件が変わったため、実行していません"),
    BulkItem.State.STOPPED: ("warning", "件は中止したため、実行していません"),
    BulkItem.State.SUCCEEDED: ("success", "件が成功しました"),
}


@dataclass(frozen=True, kw_only=True)
class Bulletin:
    """One alert: the orders of a run that ended in one way. `further` orders have no line."""

    run_id: UUID
    level: str
    headline: str
    lines: tuple[str, ...]
    further: int
    may_repeat: bool


@dataclass(frozen=True, kw_only=True)
class News:
    """What a list has to tell: runs that go on, and how the others ended."""

    running: tuple[str, ...] = ()
    bulletins: tuple[Bulletin, ...] = ()


def of_run(run: BulkRun) -> tuple[Bulletin, ...]:
    """How the rows of a finished run stand, what needs a person first. One query."""
    kind = registry[run.kind]
    items = (
        BulkItem.objects.filter(run=run, state__in=_HEADLINES)
        .annotate(
            place=Window(RowNumber(), partition_by="state", order_by="id"),
            alike=Window(Count("id"), partition_by="state"),
        )
        .filter(place__lte=MAX_LINES)
        .select_related("order")
        .order_by("id")
    )
    found: dict[str, list[BulkItem]] = {}
    for item in items:
        found.setdefault(item.state, []).append(item)
    return tuple(_bulletin(kind, run, state, found[state]) for state in _HEADLINES if state in found)


def expect(request: HttpRequest, run: BulkRun) -> None:
    """Remember that the operator wants to hear of this run on the list it was started from."""
    awaited = [each for each in _awaited(request) if each != str(run.pk)]
    request.session[_AWAITED] = [*awaited, str(run.pk)][-MAX_AWAITED:]


def take(request: HttpRequest, path: str) -> News:
    """The news for the list at this path; what has ended is told by this call, and not again.

    No query while nothing is awaited.
    """
    awaited = _awaited(request)
    if not awaited:
        return News()
    runs = BulkRun.objects.in_bulk([UUID(each) for each in awaited])
    here = [run for run in runs.values() if urlsplit(run.back).path == path]
    ended = [run for run in here if run.state == BulkRun.State.FINISHED]
    told = {str(run.pk) for run in ended}
    kept = [each for each in awaited if each not in told and UUID(each) in runs]
    if kept != awaited:
        request.session[_AWAITED] = kept
    return News(
        running=tuple(
            registry[run.kind].title(run.parameters) for run in here if run.state == BulkRun.State.RUNNING
        ),
        bulletins=tuple(bulletin for run in ended for bulletin in of_run(run)),
    )


def _bulletin(kind: BulkKind, run: BulkRun, state: BulkItem.State, items: list[BulkItem]) -> Bulletin:
    level, ending = _HEADLINES[state]
    alike: int = items[0].alike  # type: ignore[attr-defined]
    lines = items if alike <= MAX_LINES else items[:FEW_LINES]
    return Bulletin(
        run_id=run.pk,
        level=level,
        headline=f"{alike:,}{ending}",
        lines=tuple(_line(kind, item) for item in lines),
        further=alike - len(lines),
        may_repeat=state in (BulkItem.State.FAILED, BulkItem.State.RECHECK),
    )


def _awaited(request: HttpRequest) -> list[str]:
    found: list[str] = request.session.get(_AWAITED, [])
    return found


def _line(kind: BulkKind, item: BulkItem) -> str:
    order = f"受注番号：{item.order.number} → {item.word or kind.word}"
    if item.state == BulkItem.State.SUCCEEDED:
        # The first sentence says what the headline says; a remark after it is news.
        _said, _, remark = item.message.partition("。")
        return f"{order}成功{f'。{remark}' if remark else ''}"
    return f"{order}{_ENDINGS[BulkItem.State(item.state)]}：{item.message}"


_ENDINGS = {
    BulkItem.State.FAILED: "失敗",
    BulkItem.State.UNKNOWN: "の結果を確認中",
    BulkItem.State.RECHECK: "は再確認",
    BulkItem.State.STOPPED: "は中止",
}
