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
        SUSPICIOUS = "suspicious", "偽造の疑い"
        UNCONFIRMED = "unconfirmed", "確認できず"

    class Origin(models.TextChoices):
        SIGNED = "signed", "署名を確認"
        UNSIGNED = "unsigned", "署名なし"
        DOUBTED = "doubted", "検証できず"
        # Found in the provider's own queue, and by no push.
        FETCHED = "fetched", "差分照会で取得"

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
    # The provider's own number of it, where it has one.
    number = models.CharField("通知ID", max_length=30, blank=True)
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.UNSIGNED)
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
            models.UniqueConstraint(
                fields=["account", "number"], condition=~Q(number=""), name="notification_number_once"
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["waiting", "claimed", "confirmed", "no_order", "suspicious", "unconfirmed"]
                ),
                name="notification_state_known",
            ),
            models.CheckConstraint(
                condition=Q(origin__in=["signed", "unsigned", "doubted", "fetched"]),
                name="notification_origin_known",
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


class NoticeCursor(models.Model):
    """How far the provider's queue of an account's notices has been read; one reader at a time.

    `newest` is the highest number that was fetched; up to `checked` none is missing, as far as numbers can tell.
    `is_taking` is written before a question and cleared with its answer: where it stands afterwards, a notice may
    have left the queue without reaching us. `claimed_at` (a lease) and `next_at` run on the database server's clock.
    """

    account = models.OneToOneField(
        "payments.GatewayAccount", on_delete=models.PROTECT, primary_key=True, related_name="notice_cursor"
    )
    newest = models.DecimalField(max_digits=30, decimal_places=0, null=True)
    checked = models.DecimalField(max_digits=30, decimal_places=0, null=True)
    is_taking = models.BooleanField(default=False)
    claimed_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)
    failures = models.PositiveSmallIntegerField(default=0)
    # When the queue was last found empty, and what was wrong since, for the screen.
    emptied_at = models.DateTimeField(null=True)
    message = models.CharField(max_length=400, blank=True)

    def __str__(self) -> str:
        return f"差分照会 {self.account_id}"
