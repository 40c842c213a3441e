"""The rules of a contract with a provider. Credentials are not here: they come from the environment."""

from __future__ import annotations

from django.db import models

from gateways.vocabulary import PaymentStatus
from orders.statuses import OrderStatus


class GatewayAccount(models.Model):
    """One contract. `code` names the credentials in the environment (GATEWAY_<CODE>_...).

    Days are calendar days in Tokyo, the last one included (requirements, Deadlines).
    """

    class Target(models.TextChoices):
        AUTH = PaymentStatus.AUTH.value, "仮売上"
        CAPTURE = PaymentStatus.CAPTURE.value, "即時売上"

    code = models.SlugField(max_length=30, unique=True)
    provider = models.CharField(max_length=20)
    name = models.CharField("名称", max_length=60)
    checkout_target = models.CharField(
        "購入時の処理", max_length=10, choices=Target.choices, default=Target.AUTH
    )
    capture_days = models.PositiveSmallIntegerField("実売上の期限(日)", default=90)
    change_days = models.PositiveSmallIntegerField("取消・金額変更の期限(日)", default=180)
    # CC-5: contracts that do not change a captured amount directly are guided through four steps.
    changes_captured_amount = models.BooleanField("実売上後の金額変更を直接行う", default=True)
    closing_day = models.PositiveSmallIntegerField("締め日", null=True, blank=True)
    # The account's throttle, above all workers.
    max_concurrent_calls = models.PositiveSmallIntegerField("同時通信数の上限", default=16)
    max_calls_per_second = models.PositiveSmallIntegerField("1秒あたりの通信数の上限", default=50)
    # Where the provider keeps what it has told until it is fetched: how often it is fetched (minutes; 0 = never), and
    # whether the numbers have no gaps of their own, so that a gap is a notice that was lost.
    notice_poll_minutes = models.PositiveSmallIntegerField("差分照会の間隔(分)", default=10)
    notice_numbers_are_consecutive = models.BooleanField("通知IDは連番", default=False)
    # What the check box 対応状況を…にする offers after a capture and after a cancel; empty offers it unticked.
    follow_capture = models.BooleanField("売上後に入金済みにする", default=False)
    follow_cancel = models.BooleanField("取消後に注文取消しにする", default=False)

    class Meta:
        permissions = [("administer", "Can administer the back office")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(closing_day__isnull=True) | models.Q(closing_day__range=(1, 31)),
                name="account_closing_day_1_to_31",
            ),
            models.CheckConstraint(
                condition=models.Q(capture_days__gte=1) & models.Q(change_days__gte=1),
                name="account_days_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(max_concurrent_calls__gte=1) & models.Q(max_calls_per_second__gte=1),
                name="account_limits_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def follow_status(self, *, cancels: bool) -> OrderStatus:
        """The order status that the check box offers after a capture or a cancel."""
        return OrderStatus.CANCELLED if cancels else OrderStatus.PAID
