"""Reading runs for the screens: counts by state, pages of rows, pages of runs. Pages go by key, not by offset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from orders.bulk.models import BulkItem, BulkRun
from orders.bulk.preview import REPEATABLE

ROWS_PER_PAGE = 50
RUNS_PER_PAGE = 30
# What failed longer ago than this is history; the home page no longer reminds of it.
REMIND_FOR = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How the rows of a run stand; each row of `taken` is in exactly one of these."""

    ready: int = 0
    claimed: int = 0
    succeeded: int = 0
    failed: int = 0
    unknown: int = 0
    recheck: int = 0
    stopped: int = 0

    @property
    def taken(self) -> int:
        """All rows that the preview took."""
        return self.remaining + self.ended

    @property
    def remaining(self) -> int:
        """Rows that wait or are being executed."""
        return self.ready + self.claimed

    @property
    def ended(self) -> int:
        """Rows whose execution is over; those being confirmed included."""
        return self.succeeded + self.failed + self.unknown + self.recheck + self.stopped

    @property
    def percent(self) -> int:
        """How far the run is, 0 to 100."""
        return self.ended * 100 // self.taken if self.taken else 100

    @property
    def repeatable(self) -> int:
        """Rows that a new run may take up again."""
        return self.failed + self.stopped + self.recheck


def counts_of(run_ids: Sequence[UUID]) -> Mapping[UUID, Counts]:
    """The counts of several runs in one query over the (run, state) index."""
    found: dict[UUID, dict[str, int]] = {run_id: {} for run_id in run_ids}
    states = BulkItem.objects.filter(run__in=run_ids).exclude(state=BulkItem.State.SKIPPED)
    for run_id, state, count in states.values_list("run", "state").annotate(Count("id")).order_by():
        found[run_id][state] = count
    return {run_id: Counts(**by_state) for run_id, by_state in found.items()}


@dataclass(frozen=True, kw_only=True)
class RowsPage:
    """One page of a run's rows: what is shown, and where the next page begins."""

    heading: str
    show: str
    rows: Sequence[BulkItem]
    next_after: int | None


def rows_page(run: BulkRun, *, show: str, after: int) -> RowsPage:
    """Rows of a run after the row `after`, filtered by `show`.

    `show` is a row state, `all`, `taken`, or `group-1`, `skip-0`, `warning-2` for an entry of the preview;
    anything else shows all.
    """
    heading, condition, show = _filter(run, show)
    rows = list(
        BulkItem.objects.filter(condition, run=run, pk__gt=after)
        .select_related("order")
        .order_by("pk")[: ROWS_PER_PAGE + 1]
    )
    next_after = rows[ROWS_PER_PAGE - 1].pk if len(rows) > ROWS_PER_PAGE else None
    return RowsPage(heading=heading, show=show, rows=rows[:ROWS_PER_PAGE], next_after=next_after)


def runs_page(*, before: BulkRun | None, to_repeat_since: datetime | None = None) -> QuerySet[BulkRun]:
    """The newest runs, or those older than `before`; one more than a page, to know whether another follows.

    With `to_repeat_since` only those made since then that `rows_to_repeat` has rows of.
    """
    runs = BulkRun.objects.order_by("-created_at", "-id")
    if to_repeat_since is not None:
        runs = runs.filter(pk__in=rows_to_repeat(to_repeat_since).values("run_id"))
    if before is not None:
        runs = runs.filter(
            Q(created_at__lt=before.created_at) | Q(created_at=before.created_at, id__lt=before.id)
        )
    return runs[: RUNS_PER_PAGE + 1]


def rows_to_repeat(since: datetime) -> QuerySet[BulkItem]:
    """Rows that failed in runs made since then, and that nobody has taken up again in a new run."""
    taken_up = BulkRun.objects.filter(retry_of=OuterRef("run_id"), started_at__isnull=False)
    return BulkItem.objects.filter(
        ~Exists(taken_up),
        run__created_at__gte=since,
        state__in=(BulkItem.State.FAILED, BulkItem.State.RECHECK),
    )


def _filter(run: BulkRun, show: str) -> tuple[str, Q, str]:
    if show in BulkItem.State.values:
        return f"{BulkItem.State(show).label}の受注", Q(state=show), show
    if show == "taken":
        return "対象の受注", ~Q(state=BulkItem.State.SKIPPED), show
    if show == "repeatable":
        return "もう一度実行できる受注", Q(state__in=REPEATABLE), show
    name, _, number = show.partition("-")
    entries = {"group": run.groups, "skip": run.skips, "warning": run.warnings}.get(name, [])
    if number.isascii() and number.isdecimal() and int(number) < len(entries):
        entry = entries[int(number)]
        if name == "group":
            return entry["label"], Q(group=entry["label"]) & ~Q(state=BulkItem.State.SKIPPED), show
        if name == "skip":
            return f"対象外: {entry['reason']}", Q(state=BulkItem.State.SKIPPED, reason=entry["reason"]), show
        return f"注意: {entry['text']}", Q(warning__contains=entry["text"]), show
    return "選択した受注", Q(), "all"
