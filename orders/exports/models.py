"""The work list of exports: what was asked for, how far it is, and which orders it holds."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


class Export(models.Model):
    """A file of many orders, frozen at the click and written by workers (X-3).

    `done` orders of `total` are in the file up to byte `size`; `next_chunk` is where a worker goes on. A stop is
    `stopped_at` until the worker has seen it. `claimed_at` is a lease and runs on the database server's clock;
    it stays when a worker lets go, so that the longest untouched export is next.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "順番待ち"
        RUNNING = "running", "作成中"
        FINISHED = "finished", "完成"
        STOPPED = "stopped", "中止"
        FAILED = "failed", "失敗"
        REMOVED = "removed", "削除済み"

    class Encoding(models.TextChoices):
        CP932 = "cp932", "Shift_JIS"
        UTF8 = "utf-8-sig", "UTF-8（BOM付き）"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField("種類", max_length=40)
    encoding = models.CharField("文字コード", max_length=10, choices=Encoding.choices, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    # The search in words, and the page to go back to.
    condition = models.TextField("条件")
    back = models.CharField(max_length=2000, blank=True)

    total = models.PositiveIntegerField("件数")
    done = models.PositiveIntegerField(default=0)
    next_chunk = models.PositiveIntegerField(default=0)
    size = models.BigIntegerField(default=0)
    # Where each part ends, of files that are fetched in parts.
    ends = ArrayField(models.BigIntegerField(), default=list)
    # What the result's sentence tells: lines, characters that became 〓, orders that were deleted meanwhile, and
    # orders whose sums per tax rate could not be told.
    lines = models.PositiveIntegerField(default=0)
    replaced = models.PositiveIntegerField(default=0)
    missing = models.PositiveIntegerField(default=0)
    unsummed = models.PositiveIntegerField(default=0)

    # How often a worker died over it; part of the file's name, so that two workers never write to one file.
    tries = models.PositiveSmallIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True)
    message = models.CharField(max_length=400, blank=True)

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_by_name = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        permissions = [("export_orders", "Can export orders")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running", "finished", "stopped", "failed", "removed"]),
                name="export_state_known",
            ),
            models.CheckConstraint(condition=Q(done__lte=F("total")), name="export_done_within_total"),
            models.CheckConstraint(
                condition=~Q(state="running") | Q(claimed_at__isnull=False), name="export_claim_has_a_time"
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="export_newest"),
            models.Index(fields=["created_by", "-created_at", "-id"], name="export_of_user"),
            models.Index(
                fields=["claimed_at"], condition=Q(state__in=["waiting", "running"]), name="export_unfinished"
            ),
            models.Index(fields=["expires_at"], condition=Q(state="finished"), name="export_expiry"),
        ]

    def __str__(self) -> str:
        return f"出力 {self.id}"

    @property
    def is_under_way(self) -> bool:
        """Whether a worker still has something to do."""
        return self.state in (self.State.WAITING, self.State.RUNNING)

    @property
    def percent(self) -> int:
        """How far it is, 0 to 100."""
        return self.done * 100 // self.total if self.total else 100


class ExportChunk(models.Model):
    """The ids of some hundred orders of an export, in the order of the list. Gone when the file is there."""

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    order_ids = ArrayField(models.BigIntegerField())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["export", "number"], name="exportchunk_number_once")]

    def __str__(self) -> str:
        return f"{self.export_id} {self.number}"
