"""Stock and points as ledgers: lines are added, never changed, and each is booked exactly once.

Row triggers (0003) refuse UPDATE and DELETE. An order that was given up in the checkout is deleted (PG-4); its
lines stay and keep its id, hence no constraint on it. Any other order has a history and cannot be deleted.
"""

from __future__ import annotations

from django.db import models


class StockEntry(models.Model):
    """One movement of stock. `key` is unique per order, version of the order and product."""

    product = models.ForeignKey("orders.Product", on_delete=models.PROTECT, related_name="stock_entries")
    order = models.ForeignKey(
        "orders.Order",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="stock_entries",
    )
    quantity = models.IntegerField("数量(入庫+ 出庫-)")
    reason = models.CharField(max_length=40)
    key = models.CharField(max_length=100, unique=True)
    booked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.reason} {self.quantity:+}"


class PointEntry(models.Model):
    """One movement of a customer's points. `key` is unique per order, version of the order and kind."""

    class Kind(models.TextChoices):
        USED = "used", "利用"
        EARNED = "earned", "加算"
        GRANTED = "granted", "付与"

    customer = models.ForeignKey("orders.Customer", on_delete=models.PROTECT, related_name="point_entries")
    order = models.ForeignKey(
        "orders.Order",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="point_entries",
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    points = models.IntegerField("ポイント(+ -)")
    reason = models.CharField(max_length=40)
    key = models.CharField(max_length=100, unique=True)
    booked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.reason} {self.points:+}"
