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
    """Every column of the table, as the product's own model has them: Django reads whole rows."""

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
    # Not on the list.
    version = models.PositiveIntegerField()
    paid_at = models.DateTimeField(null=True)
    shipped_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()
    company = models.CharField(max_length=120)
    postal_code = models.CharField(max_length=8)
    prefecture = models.CharField(max_length=4)
    address = models.CharField(max_length=300)
    delivery_name = models.CharField(max_length=120)
    delivery_kana = models.CharField(max_length=120)
    delivery_company = models.CharField(max_length=120)
    delivery_phone = models.CharField(max_length=20)
    delivery_postal_code = models.CharField(max_length=8)
    delivery_prefecture = models.CharField(max_length=4)
    delivery_address = models.CharField(max_length=300)
    delivery_date = models.DateField(null=True)
    delivery_time = models.CharField(max_length=30)
    tracking_number = models.CharField(max_length=60)
    tracking_url = models.URLField(max_length=300)
    subtotal = models.IntegerField()
    delivery_fee = models.IntegerField()
    charge = models.IntegerField()
    discount = models.IntegerField()
    used_points = models.IntegerField()
    added_points = models.IntegerField()
    total = models.IntegerField()
    message = models.TextField(max_length=4000)
    memo = models.TextField(max_length=4000)
    is_subscription = models.BooleanField()
    payment_id = models.BigIntegerField(null=True)
    payment_kind = models.CharField(max_length=20)
    payment_amount = models.IntegerField(null=True)
    payment_deadline = models.DateField(null=True)
    payment_sale_on = models.DateField(null=True)
    payment_is_open = models.BooleanField()

    class Meta:
        managed = False
        db_table = "rival_order_tuned" if IS_TUNED else "rival_order_shipped"
        verbose_name = verbose_name_plural = "受注"

    def __str__(self) -> str:
        return self.number
