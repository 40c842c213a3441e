"""差異確認: runs that compare our record with the provider's, their work list, and the differences found (X-4)."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class ReconciliationRun(models.Model):
    """One comparison of an account's payments with the provider. Its list of cases is made when it starts.

    `next_call_at` and `give_up_at` run on the database server's clock: the one is the turn of the next
    inquiry, above all workers, the other ends a run that a silent provider would keep alive for ever.
    """

    class State(models.TextChoices):
        RUNNING = "running", "確認中"
        FINISHED = "finished", "終了"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(
        "payments.GatewayAccount", on_delete=models.PROTECT, related_name="reconciliations"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    is_nightly = models.BooleanField(default=False)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    started_by_name = models.CharField(max_length=150)
    ip_address = models.GenericIPAddressField(null=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    # How many payments; empty until the whole list is made. Meanwhile: how many are listed, and up to which payment
    # it is still to be made (empty before the beginning).
    planned = models.PositiveIntegerField("対象", null=True)
    listed = models.PositiveIntegerField(default=0)
    plan_from = models.BigIntegerField(null=True)
    # How its cases ended, each counted as it goes.
    equal = models.PositiveIntegerField("一致", default=0)
    different = models.PositiveIntegerField("差異", default=0)
    unanswered = models.PositiveIntegerField("確認できず", default=0)
    passed_over = models.PositiveIntegerField("対象外", default=0)
    # What was not reached in time: these cases stay until the account's next run takes them over.
    left_over = models.PositiveIntegerField("次回へ持ち越し", default=0)

    next_call_at = models.DateTimeField()
    give_up_at = models.DateTimeField()
    failures_in_a_row = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["running", "finished"]), name="reconciliationrun_state_known"
            ),
            # Started twice is started once: the database says so, not the code.
            models.UniqueConstraint(
                fields=["account"], condition=Q(state="running"), name="reconciliationrun_one_per_account"
            ),
        ]
        indexes = [models.Index(fields=["account", "-started_at"], name="reconciliationrun_newest")]

    def __str__(self) -> str:
        return f"差異確認 {self.id}"

    @property
    def done(self) -> int:
        """How many cases have ended."""
        return self.compared + self.unanswered + self.passed_over

    @property
    def compared(self) -> int:
        """How many payments were compared with an answer of the provider."""
        return self.equal + self.different


class ReconciliationCase(models.Model):
    """One payment that a run still has to ask about, or got no answer about. The row is written before the provider is
    asked.

    `rank` is its turn, the lowest first (reconciliation.planning). `claimed_at` and `not_before` are leases on the
    database server's clock; `claimed_at` is the claim's token.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "待機中"
        CLAIMED = "claimed", "照会中"
        UNANSWERED = "unanswered", "確認できず"

    OPEN_STATES = (State.WAITING, State.CLAIMED)

    # The indexes below begin with it.
    run = models.ForeignKey(ReconciliationRun, on_delete=models.CASCADE, related_name="cases", db_index=False)
    payment = models.ForeignKey(
        "payments.Payment", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    rank = models.PositiveSmallIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "claimed", "unanswered"]),
                name="reconciliationcase_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="claimed") | Q(claimed_at__isnull=False),
                name="reconciliationcase_claim_has_a_time",
            ),
            # The payment first: the search for a run's next case must have no other index to fall for.
            models.UniqueConstraint(fields=["payment", "run"], name="reconciliationcase_once_per_run"),
        ]
        indexes = [
            models.Index(
                fields=["run", "id"], condition=Q(state="claimed"), name="reconciliationcase_claimed"
            ),
            # The next one is found at once among a million, also while the planner knows nothing yet of rows that
            # were written a moment ago.
            models.Index(
                fields=["run", "rank", "id"], condition=Q(state="waiting"), name="reconciliationcase_next"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payment_id} {self.state}"


class PaymentDifference(models.Model):
    """差異: what the provider shows and what we have, from when it was first seen until it is gone.

    Amounts in yen. A side's column is empty where that side has nothing to say (金額は照会できません). A row
    without a payment is a trade that the provider told of and no order of ours has.
    """

    class Kind(models.TextChoices):
        STATUS = "status", "状態相違"
        AMOUNT = "amount", "金額相違"
        DATE = "date", "日付相違"
        MISSING = "missing", "取引なし"
        UNKNOWN_TRADE = "unknown_trade", "注文なし"
        CANCELLED_CHARGED = "cancelled_charged", "注文取消しなのに請求あり"
        SHIPPED_NOT_CAPTURED = "shipped_not_captured", "発送済みなのに未売上"

    # What taking over the provider's state puts right.
    ADOPTABLE = (Kind.STATUS, Kind.AMOUNT, Kind.DATE)

    class State(models.TextChoices):
        OPEN = "open", "未対応"
        ADOPTED = "adopted", "反映済み"
        HANDLED = "handled", "対応済み"
        GONE = "gone", "解消"

    account = models.ForeignKey("payments.GatewayAccount", on_delete=models.PROTECT, related_name="+")
    payment = models.ForeignKey(
        "payments.Payment", on_delete=models.PROTECT, null=True, related_name="differences"
    )
    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, null=True, related_name="+")
    provider_order_id = models.CharField("決済オーダーID", max_length=60)
    kind = models.CharField("種類", max_length=20, choices=Kind.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)

    our_status = models.CharField(max_length=16, blank=True)
    our_amount = models.IntegerField(null=True)
    our_date = models.DateTimeField(null=True)
    their_status = models.CharField(max_length=16, blank=True)
    their_amount = models.BigIntegerField(null=True)
    their_date = models.DateTimeField(null=True)

    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    # The inquiry that saw it, with its telegrams.
    seen_by = models.ForeignKey("payments.Operation", on_delete=models.PROTECT, null=True, related_name="+")

    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    closed_by_name = models.CharField(max_length=150, blank=True)
    reason = models.CharField("理由", max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        "status",
                        "amount",
                        "date",
                        "missing",
                        "unknown_trade",
                        "cancelled_charged",
                        "shipped_not_captured",
                    ]
                ),
                name="difference_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "adopted", "handled", "gone"]), name="difference_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True)
                | (~Q(state="open") & Q(closed_at__isnull=False)),
                name="difference_closed_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["adopted", "handled"]) | ~Q(reason=""),
                name="difference_closed_by_a_person_has_a_reason",
            ),
            models.UniqueConstraint(
                fields=["account", "provider_order_id", "kind"],
                condition=Q(state="open"),
                name="difference_open_once_per_kind",
            ),
        ]
        indexes = [
            # 差異一覧 is paged and counted from these without reading rows.
            models.Index(fields=["state", "-id"], include=["kind", "account"], name="difference_listed"),
            models.Index(
                fields=["kind", "state", "-id"], include=["account"], name="difference_of_kind_listed"
            ),
            models.Index(fields=["payment", "kind", "-id"], name="difference_of_payment"),
            # The beginning of a 決済オーダーID is searched for too, in whatever locale.
            models.Index(
                fields=["provider_order_id"],
                opclasses=["text_pattern_ops"],
                name="difference_order_id_prefix",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.provider_order_id}"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something."""
        return self.state == self.State.OPEN

    @property
    def is_adoptable(self) -> bool:
        """Whether 反映 is the right thing to do."""
        return self.is_open and self.payment_id is not None and self.kind in self.ADOPTABLE
