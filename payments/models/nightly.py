"""The nightly jobs: their settings, the work list of 決済処理中の注文の取消, and mails to the shop."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from cagolab.mail_queue import QueuedMail


class NightlyJob(models.Model):
    """When a job runs by itself (PG-6): off or at one hour in Tokyo. `last_run_on` is the day it last ran for."""

    class Kind(models.TextChoices):
        STALE_ORDERS = "stale_orders", "決済処理中の注文の取消"
        DEADLINE_WATCH = "deadline_watch", "売上期限のお知らせ"
        RECONCILIATION = "reconciliation", "決済代行会社との差異確認"

    kind = models.CharField(primary_key=True, max_length=30, choices=Kind.choices)
    is_on = models.BooleanField("毎日自動で実行する", default=False)
    hour = models.PositiveSmallIntegerField("実行する時刻", default=3)
    last_run_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(hour__range=(0, 23)), name="nightlyjob_hour_0_to_23")
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class NightlySettings(models.Model):
    """What the jobs need to know; one row. Days count from 受注日, in full days of 24 hours."""

    pending_days = models.PositiveSmallIntegerField("決済処理中の日数", default=7)
    cart_days = models.PositiveSmallIntegerField("購入処理中の日数", default=7)
    # Empty: the address that the shop's mails are sent from.
    mail_to = models.EmailField("お知らせメールの宛先", max_length=254, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="nightlysettings_one_row"),
            models.CheckConstraint(
                condition=Q(pending_days__gte=1) & Q(cart_days__gte=1), name="nightlysettings_days_positive"
            ),
        ]

    def __str__(self) -> str:
        return "夜間処理の設定"


class StaleRun(models.Model):
    """One execution of 決済処理中の注文の取消 (PG-5). Its cases are frozen when it starts.

    `ended`: how many cases ended in which state, kept when it is finished; None before, and in runs of a version that
    did not keep it.
    """

    class State(models.TextChoices):
        RUNNING = "running", "実行中"
        FINISHED = "finished", "終了"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    is_nightly = models.BooleanField(default=False)
    pending_days = models.PositiveSmallIntegerField()
    cart_days = models.PositiveSmallIntegerField()
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    started_by_name = models.CharField(max_length=150)
    ip_address = models.GenericIPAddressField(null=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    ended = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["running", "finished"]), name="stalerun_state_known"
            ),
            # Two at a time would ask the same providers about the same orders.
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="running"), name="stalerun_one_running"
            ),
        ]
        indexes = [models.Index(fields=["-started_at", "-id"], name="stalerun_newest")]

    def __str__(self) -> str:
        return f"決済処理中の注文の取消 {self.id}"


class StaleCase(models.Model):
    """One order of a run. WAITING and CLAIMED are open; `claimed_at` and `not_before` are leases on the database
    server's clock. CANCELLED is the only end that changed the order."""

    class State(models.TextChoices):
        WAITING = "waiting", "待機中"
        CLAIMED = "claimed", "処理中"
        CANCELLED = "cancelled", "注文取消し"
        PERSON = "person", "要判断"
        LEFT = "left", "取り消さず"

    run = models.ForeignKey(StaleRun, on_delete=models.CASCADE, related_name="cases")
    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="stale_cases")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    # How often it was put back; part of the idempotency key of a cancel.
    tries = models.PositiveSmallIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    message = models.CharField(max_length=400, blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "order"], name="stalecase_order_once_per_run"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "claimed", "cancelled", "person", "left"]),
                name="stalecase_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="claimed") | Q(claimed_at__isnull=False), name="stalecase_claim_has_a_time"
            ),
        ]
        indexes = [models.Index(fields=["run", "state", "id"], name="stalecase_by_state")]

    def __str__(self) -> str:
        return f"{self.order_id} {self.state}"

    def key(self, payment_id: int) -> uuid.UUID:
        """The idempotency key for cancelling one payment in the present try."""
        return uuid.uuid5(self.run_id, f"{self.pk}:{payment_id}:{self.tries}")


class ShopMail(QueuedMail):
    """A mail to the shop itself, written in the transaction that it reports.

    `key` names what it is about, so that the same report is written once.
    """

    key = models.CharField(max_length=80, unique=True)
    written_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["id"], condition=Q(state="queued"), name="shopmail_queued")]
