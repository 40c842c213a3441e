"""The product's orders as another project would keep them: a copy of the rows, without the product's indexes."""

from __future__ import annotations

import os

from django.db import models

IS_TUNED = os.environ.get("ADMIN_VARIANT") == "tuned"

STATUSES = (
    (1, "新規受付"),
    (6, "入金済み"),
    (4, "対応中"),
    (3, "注文取消し"),
    (5, "発送済み"),
    (8, "購入処理中"),
    (7, "決済処理中"),
    (9, "返品"),
)


class Order(models.Model):
    """What the changelist shows."""

    number = models.CharField("注文番号", max_length=30)
    status = models.SmallIntegerField("対応状況", choices=STATUSES)
    ordered_at = models.DateTimeField("受注日")
    name = models.CharField("お名前", max_length=120)
    kana = models.CharField("フリガナ", max_length=120)
    email = models.CharField("メールアドレス", max_length=254)
    phone = models.CharField("電話番号", max_length=20)
    payment_method_name = models.CharField("お支払方法", max_length=60)
    payment_total = models.IntegerField("お支払い合計")
    # With choices the filter need not look for the values that occur.
    payment_provider = models.CharField(
        "決済代行会社",
        max_length=20,
        choices=[("gmopg", "GMO-PG"), ("paygent", "ペイジェント"), ("sbps", "SBPS")] if IS_TUNED else None,
    )
    payment_status = models.CharField("決済状況", max_length=16)

    class Meta:
        managed = False
        db_table = "rival_order_tuned" if IS_TUNED else "rival_order_shipped"
        verbose_name = verbose_name_plural = "受注"

    def __str__(self) -> str:
        return self.number
