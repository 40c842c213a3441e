"""What lists need beside the order row: the search text and the counts per status."""

from __future__ import annotations

from django.db import models


class OrderSearch(models.Model):
    """The normalised search text of one order, in a table of its own.

    Status updates of the order never touch these indexes. `ordered_at` repeats the order's, so that hits are
    sorted without a join. The gram indexes are expression indexes (0003, 0019). That by date holds the texts too, so
    that those of the newest orders are read one after another, wherever they lie in the table.
    """

    order = models.OneToOneField(
        "orders.Order", on_delete=models.CASCADE, primary_key=True, related_name="search"
    )
    ordered_at = models.DateTimeField()
    text = models.TextField()

    class Meta:
        indexes = [
            models.Index(fields=["-ordered_at", "-order"], include=["text"], name="ordersearch_texts_by_date")
        ]

    def __str__(self) -> str:
        return self.text


class CountDimension(models.TextChoices):
    """What orders are counted by."""

    STATUS = "status"
    PAYMENT_STATUS = "payment_status"


class CountDelta(models.Model):
    """One statement's change of a count, written by triggers on the order table. Insert-only until folded."""

    dimension = models.CharField(max_length=16, choices=CountDimension.choices)
    value = models.CharField(max_length=16)
    change = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.value} {self.change:+}"


class FoldedCount(models.Model):
    """The deltas folded so far: orders per value of a dimension."""

    dimension = models.CharField(max_length=16, choices=CountDimension.choices)
    value = models.CharField(max_length=16)
    count = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dimension", "value"], name="foldedcount_unique")]

    def __str__(self) -> str:
        return f"{self.value} {self.count}"
