"""結果通知: what providers have told us by themselves. It is a hint to ask, never a fact (invariant 14)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Notification(models.Model):
    """One notification, stored before anything is done about it. `fields` are masked.

    The same content again only counts up. WAITING and CLAIMED belong to the worker, which asks the provider;
    the other states are ends. `claimed_at` and `not_before` are leases on the database server's clock.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "確認待ち"
        CLAIMED = "claimed", "確認中"
        CONFIRMED = "confirmed", "確認済み"
        NO_ORDER = "no_order", "注文なし"
        SUSPICIOUS = "suspicious", "不審な通知"
        UNCONFIRMED = "unconfirmed", "確認できず"

    # These wait for a person, until somebody has marked them.
    FOR_A_PERSON = (State.NO_ORDER, State.SUSPICIOUS, State.UNCONFIRMED)

    account = models.ForeignKey(
        "payments.GatewayAccount", on_delete=models.PROTECT, related_name="notifications"
    )
    payment = models.ForeignKey(
        "payments.Payment", on_delete=models.PROTECT, null=True, related_name="notifications"
    )
    # Of the content, so that a repetition is the same row.
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=12, choices=State.choices)
    provider_order_id = models.CharField("決済オーダーID", max_length=60, blank=True)
    status = models.CharField("通知された状態", max_length=20, blank=True)
    amount = models.BigIntegerField("通知された金額", null=True)
    fields = models.JSONField(default=dict)
    received_at = models.DateTimeField()
    times = models.PositiveIntegerField("受信回数", default=1)
    tries = models.PositiveSmallIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    message = models.CharField(max_length=400, blank=True)
    finished_at = models.DateTimeField(null=True)
    handled_at = models.DateTimeField(null=True)
    handled_by_name = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "digest"], name="notification_content_once"),
            models.CheckConstraint(
                condition=Q(
                    state__in=["waiting", "claimed", "confirmed", "no_order", "suspicious", "unconfirmed"]
                ),
                name="notification_state_known",
            ),
        ]
        indexes = [
            models.Index(fields=["-received_at", "-id"], name="notification_newest"),
            models.Index(
                fields=["id"], condition=Q(state__in=["waiting", "claimed"]), name="notification_to_ask"
            ),
            models.Index(
                fields=["-received_at", "-id"],
                condition=Q(state__in=["no_order", "suspicious", "unconfirmed"], handled_at__isnull=True),
                name="notification_for_a_person",
            ),
        ]

    def __str__(self) -> str:
        return f"結果通知 {self.provider_order_id} {self.status}"
