"""Sales per day, so that the home page never counts a million orders."""

from __future__ import annotations

from django.db import models


class SalesDelta(models.Model):
    """One statement's change of a day's sales, written by triggers on the order table. Insert-only until folded."""

    day = models.DateField()
    orders = models.BigIntegerField()
    amount = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.day} {self.amount:+}"


class DailySales(models.Model):
    """The deltas folded so far: orders and yen per day in Tokyo."""

    day = models.DateField(primary_key=True)
    orders = models.BigIntegerField()
    amount = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.day} {self.amount}"
