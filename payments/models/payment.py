"""決済: one attempt of a customer to pay an order through a provider."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from gateways.vocabulary import MethodKind, PaymentStatus

# Statuses in which the provider holds or has taken the customer's money, or may still take it.
LIVE_STATUSES = frozenset(
    {
        PaymentStatus.AUTH,
        PaymentStatus.SAUTH,
        PaymentStatus.CAPTURE,
        PaymentStatus.SALES,
        PaymentStatus.REQSUCCESS,
        PaymentStatus.PAYSTART,
        PaymentStatus.PAYSUCCESS,
        PaymentStatus.REQSALES,
        PaymentStatus.REQCANCEL,
        PaymentStatus.REQCHANGE,
    }
)


class Payment(models.Model):
    """One payment at one provider. Amount in yen; times in UTC, judged in Tokyo.

    Every try of a customer is a row of its own (PG-4). `is_open` says that an operation is under way whose
    outcome is not known yet (確認中); it is written in the transaction that opens or closes the operation.
    """

    # Both are found by the unique constraints below that begin with them.
    order = models.ForeignKey(
        "orders.Order", on_delete=models.PROTECT, related_name="payments", db_index=False
    )
    account = models.ForeignKey(
        "payments.GatewayAccount", on_delete=models.PROTECT, related_name="payments", db_index=False
    )
    kind = models.CharField(max_length=20, choices=[(kind.value, kind.value) for kind in MethodKind])
    status = models.CharField(
        max_length=16,
        choices=[(status.value, status.value) for status in PaymentStatus],
        default=PaymentStatus.UNPROCESSED.value,
    )
    amount = models.IntegerField("決済金額")
    # Ours at the provider (決済オーダーID), unique for ever.
    provider_order_id = models.CharField("決済オーダーID", max_length=40)
    attempt = models.PositiveSmallIntegerField(default=1)
    is_open = models.BooleanField(default=False)
    uses_3ds = models.BooleanField(default=False)
    installments = models.PositiveSmallIntegerField("支払い回数", default=1)

    authorized_at = models.DateTimeField("与信日時", null=True, blank=True)
    captured_at = models.DateTimeField("売上日時", null=True, blank=True)
    # Adopted from an answer that knew only one date: the screen says 推定.
    dates_estimated = models.BooleanField(default=False)

    # What the provider gave us and may be shown: approval number, transaction id, masked card ...
    references = models.JSONField(default=dict, blank=True)
    # Access passes and the like, encrypted (payments.credentials); never in clear.
    sealed_secrets = models.TextField(blank=True)
    decline_code = models.CharField(max_length=30, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        permissions = [("move_money", "Can move money")]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "provider_order_id"], name="payment_provider_order_id_unique"
            ),
            models.UniqueConstraint(fields=["order", "attempt"], name="payment_attempt_unique"),
            # Invariant: at most one live or open payment per order.
            models.UniqueConstraint(
                fields=["order"],
                condition=Q(status__in=sorted(LIVE_STATUSES)) | Q(is_open=True),
                name="payment_one_live_or_open_per_order",
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="payment_amount_not_negative"),
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in PaymentStatus]),
                name="payment_status_known",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "authorized_at"], name="payment_status_authorized"),
            # Few: of orders that were not paid at the first attempt.
            models.Index(fields=["order"], condition=Q(attempt__gt=1), name="payment_of_further_attempt"),
        ]

    def __str__(self) -> str:
        return f"決済 {self.provider_order_id}"
