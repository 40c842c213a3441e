"""What was done to an order: field changes and mails. Changes are append-only by trigger (0003)."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from cagolab.mail_queue import QueuedMail


class OrderChange(models.Model):
    """操作履歴: one field of one order, old and new, who, when, from where.

    Rows can be neither changed nor deleted, so an operator who has left is deactivated, not deleted.
    """

    order = models.ForeignKey(
        "orders.Order", on_delete=models.PROTECT, related_name="changes", db_index=False
    )
    changed_at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    actor_name = models.CharField(max_length=150)
    # Where it came from: 受注編集, 一括操作, 決済, 購入画面, 夜間処理 ...
    source = models.CharField(max_length=40)
    ip_address = models.GenericIPAddressField(null=True)
    field = models.CharField(max_length=60)
    old = models.TextField(blank=True)
    new = models.TextField(blank=True)
    # The order's version that this change made; 0 for what is recorded beside a save (mails, payments).
    version = models.PositiveIntegerField(default=0)

    class Meta:
        # 操作履歴 is read from these, whichever days of whomever it is narrowed to.
        indexes = [
            models.Index(fields=["order", "-id"], name="change_of_order"),
            models.Index(fields=["changed_at", "id"], name="change_newest"),
            models.Index(fields=["actor", "changed_at", "id"], name="change_of_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.field}: {self.old} → {self.new}"


class SentMail(QueuedMail):
    """One mail about an order.

    `sent_at` is when the operator sent it. `key` comes with the form, so that one form sends one mail.
    """

    key = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    order = models.ForeignKey("orders.Order", on_delete=models.CASCADE, related_name="mails")
    sent_at = models.DateTimeField()
    actor_name = models.CharField(max_length=150)

    class Meta:
        indexes = [
            models.Index(
                fields=["id"], condition=models.Q(state=QueuedMail.State.QUEUED), name="sentmail_queued"
            )
        ]
