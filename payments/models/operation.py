"""Operations and the telegrams under them: what was asked of a provider, by whom, and what came of it."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from gateways.vocabulary import Action
from payments import wording


class Operation(models.Model):
    """One wish to move money (or to ask), written before anything is sent.

    STARTED and UNCONFIRMED are open: no other money operation may start on the payment until they end
    (X-2). UNCONFIRMED ends only by asking the provider, or by a person, never by sending again.
    """

    class State(models.TextChoices):
        STARTED = "started", "実行中"
        UNCONFIRMED = "unconfirmed", "確認中"
        SUCCEEDED = "succeeded", "成功"
        DECLINED = "declined", "承認されませんでした"
        REFUSED = "refused", "受け付けられませんでした"
        NOT_SENT = "not_sent", "未送信"
        NOT_EXECUTED = "not_executed", "実行されていませんでした"
        CONTRADICTED = "contradicted", "要確認"

    class Source(models.TextChoices):
        ORDER_EDIT = "order_edit", "受注編集"
        BULK = "bulk", "一括操作"
        CHECKOUT = "checkout", "購入画面"
        NIGHTLY = "nightly", "夜間処理"
        RECOVERY = "recovery", "自動確認"
        NOTIFICATION = "notification", "結果通知"
        DIFFERENCES = "differences", "差異一覧"
        UNDECIDED = "undecided", "要判断の決済"

    OPEN_STATES = (State.STARTED, State.UNCONFIRMED)

    payment = models.ForeignKey(
        "payments.Payment", on_delete=models.PROTECT, related_name="operations", db_index=False
    )
    action = models.CharField(max_length=20, choices=[(action.value, action.value) for action in Action])
    state = models.CharField(max_length=16, choices=State.choices, default=State.STARTED)
    key = models.UUIDField("冪等キー", unique=True)

    # The steps still to do and done, as decided at the claim: [{action, cancel_type, target, amount}, ...].
    plan = models.JSONField()
    step = models.PositiveSmallIntegerField(default=0)
    # What the adapter needs to go on with a step of several telegrams.
    progress = models.JSONField(default=dict, blank=True)
    # The trade before the current step: inquiry answers are judged against it.
    status_before = models.CharField(max_length=16)
    amount_before = models.IntegerField()

    cancel_type = models.CharField(max_length=8, blank=True)
    amount = models.IntegerField()
    # What the operator was shown and confirmed (the decision's fingerprint and its words).
    shown = models.CharField(max_length=200, blank=True)
    words = models.CharField(max_length=300, blank=True)
    # 対応状況 to set after success; empty leaves it alone.
    follow_status = models.SmallIntegerField(null=True, blank=True)

    source = models.CharField(max_length=12, choices=Source.choices)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    actor_name = models.CharField(max_length=150)
    ip_address = models.GenericIPAddressField(null=True)

    reason_kind = models.CharField(max_length=24, blank=True)
    reason_code = models.CharField(max_length=40, blank=True)
    message = models.CharField(max_length=400, blank=True)

    started_at = models.DateTimeField()
    # Until then the process that started it may still be waiting for the answer.
    timeout_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    # The end that the provider's own "no" suggests; asking once confirms it (G13-4).
    presumed = models.CharField(max_length=16, blank=True)
    # Asking: when next, how often so far, what the last answer was and how often in a row.
    ask_at = models.DateTimeField(null=True)
    asks = models.PositiveIntegerField(default=0)
    last_answer = models.CharField(max_length=120, blank=True)
    equal_answers = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            # Invariant: the database makes the second click impossible, not the code.
            models.UniqueConstraint(
                fields=["payment"],
                condition=Q(state__in=["started", "unconfirmed"]) & ~Q(action="inquire"),
                name="operation_one_open_per_payment",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "started",
                        "unconfirmed",
                        "succeeded",
                        "declined",
                        "refused",
                        "not_sent",
                        "not_executed",
                        "contradicted",
                    ]
                ),
                name="operation_state_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["ask_at"],
                condition=Q(state__in=["started", "unconfirmed"]),
                name="operation_open_ask_at",
            ),
            models.Index(fields=["payment", "-id"], name="operation_of_payment"),
            # Notices about a trade that an action of several telegrams made are found by what it noted.
            GinIndex(
                fields=["progress"],
                opclasses=["jsonb_path_ops"],
                condition=~Q(progress={}),
                name="operation_progress",
            ),
            models.Index(
                fields=["-started_at"], condition=Q(state="contradicted"), name="operation_contradicted"
            ),
            # 操作履歴 is read from these, whichever days of whomever it is narrowed to.
            models.Index(fields=["started_at", "id"], name="operation_newest"),
            models.Index(fields=["actor", "started_at", "id"], name="operation_of_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.state}"

    @property
    def processing_date(self) -> date | None:
        """売上・返金日 of the first step (SB-1); None where the provider takes none."""
        on = self.plan[0].get("on") if self.plan else ""
        return date.fromisoformat(on) if on else None

    @property
    def name(self) -> str:
        """The action as the operator's manual calls it."""
        return wording.action_name(Action(self.action), is_dated=self.processing_date is not None)


class Call(models.Model):
    """One telegram: written before it is sent, completed when the answer is in. Texts are masked."""

    operation = models.ForeignKey(Operation, on_delete=models.PROTECT, related_name="calls")
    step = models.PositiveSmallIntegerField(default=0)
    name = models.CharField(max_length=40)
    request = models.TextField()
    response = models.TextField(blank=True)
    summary = models.CharField(max_length=200, blank=True)
    sent_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField(null=True)

    def __str__(self) -> str:
        return self.name
