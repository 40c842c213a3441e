"""The work list of bulk runs (X-3): what was ticked, what the preview said, and how each row ended."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class BulkRun(models.Model):
    """一括処理: one act over many orders, frozen at its preview.

    `ticked`, `taken` and `skipped` are written with the preview and never change; the database holds that
    they add up. A stop is `stopped_at`, not a state: rows that were being executed still end.
    """

    class State(models.TextChoices):
        PREVIEW = "preview", "実行前の確認"
        RUNNING = "running", "実行中"
        FINISHED = "finished", "終了"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField("処理", max_length=40)
    parameters = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PREVIEW)
    # 対応状況 follows each success (the check box of the preview page).
    follow = models.BooleanField(default=False)

    ticked = models.PositiveIntegerField("選択", default=0)
    taken = models.PositiveIntegerField("対象", default=0)
    skipped = models.PositiveIntegerField("対象外", default=0)
    # What the preview showed, per group: [{label, count, amount, customer_sees,
    # confirmation}], [{reason, count}], [{text, count}].
    groups = models.JSONField(default=list)
    skips = models.JSONField(default=list)
    warnings = models.JSONField(default=list)

    # The search that was frozen, empty for ticked rows; and the page to go back to.
    query = models.TextField(blank=True)
    back = models.CharField(max_length=2000, blank=True)
    retry_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="retries")

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_by_name = models.CharField(max_length=150)
    ip_address = models.GenericIPAddressField(null=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)
    stopped_by_name = models.CharField(max_length=150, blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["preview", "running", "finished"]), name="bulkrun_state_known"
            ),
            models.CheckConstraint(
                condition=Q(ticked=F("taken") + F("skipped")), name="bulkrun_taken_and_skipped_are_ticked"
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="bulkrun_newest"),
            models.Index(fields=["id"], condition=Q(state="running"), name="bulkrun_running"),
        ]

    def __str__(self) -> str:
        return f"一括処理 {self.id}"


class BulkItem(models.Model):
    """One order of a run. SKIPPED was decided at the preview; every other state is part of `taken`.

    READY waits, CLAIMED is being executed, UNKNOWN was sent and is being confirmed, RECHECK was not sent
    because the decision no longer is the one that was shown. `claimed_at` and `not_before` are leases and
    run on the database server's clock; `finished_at` is the product's.
    """

    class State(models.TextChoices):
        SKIPPED = "skipped", "対象外"
        READY = "ready", "待機中"
        CLAIMED = "claimed", "実行中"
        SUCCEEDED = "succeeded", "成功"
        FAILED = "failed", "失敗"
        UNKNOWN = "unknown", "確認中"
        RECHECK = "recheck", "再確認"
        STOPPED = "stopped", "中止"

    run = models.ForeignKey(BulkRun, on_delete=models.CASCADE, related_name="items")
    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="bulk_items")
    # The order's payment at the preview: money is moved on this one or not at all.
    payment_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.READY)

    # What the preview showed. `shown` is the decision's fingerprint, compared when the row is executed.
    group = models.CharField(max_length=120, blank=True)
    amount = models.IntegerField(null=True)
    words = models.CharField(max_length=300, blank=True)
    # What the act on this order is called in its result; empty: as its kind is.
    word = models.CharField(max_length=30, blank=True)
    shown = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=400, blank=True)
    warning = models.CharField(max_length=400, blank=True)

    # How often it was tried; part of the idempotency key, so that one try can never be executed twice.
    tries = models.PositiveSmallIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    message = models.CharField(max_length=400, blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "order"], name="bulkitem_order_once_per_run"),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "skipped",
                        "ready",
                        "claimed",
                        "succeeded",
                        "failed",
                        "unknown",
                        "recheck",
                        "stopped",
                    ]
                ),
                name="bulkitem_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="claimed") | Q(claimed_at__isnull=False), name="bulkitem_claim_has_a_time"
            ),
        ]
        indexes = [
            models.Index(fields=["run", "state", "id"], name="bulkitem_by_state"),
            models.Index(fields=["id"], condition=Q(state="unknown"), name="bulkitem_unconfirmed"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.order_id} {self.state}"

    def key(self) -> uuid.UUID:
        """The idempotency key of the current try: the same try always asks with the same key."""
        return uuid.uuid5(self.run_id, f"{self.pk}:{self.tries}")
