"""What is sold, to whom, and how it is paid: the parts of the shop that an order refers to."""

from __future__ import annotations

from django.db import models


class Product(models.Model):
    """One sellable variant (規格). Price in yen 税抜; stock is the sum of its ledger, kept beside it."""

    code = models.CharField("商品コード", max_length=60, unique=True)
    name = models.CharField("商品名", max_length=200)
    options = models.CharField("規格", max_length=200, blank=True)
    price = models.IntegerField("販売価格(税抜)")
    tax_rate = models.DecimalField("税率", max_digits=4, decimal_places=1, default=10)
    stock = models.IntegerField("在庫数", default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(stock__gte=0), name="product_stock_not_negative")
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.options}".strip()


class Customer(models.Model):
    """A registered customer (会員). Points are the sum of the ledger, kept beside it."""

    name = models.CharField("お名前", max_length=120)
    kana = models.CharField("お名前(フリガナ)", max_length=120, blank=True)
    email = models.EmailField("メールアドレス", max_length=254)
    points = models.IntegerField("保有ポイント", default=0)
    # The member under which the gateway keeps the customer's cards (CC-7).
    member_id = models.CharField(max_length=60, blank=True)
    # Name, kana and mail address, folded; written by a trigger (migration 0017).
    search_text = models.TextField(db_default="", editable=False)

    def __str__(self) -> str:
        return self.name


class PaymentMethod(models.Model):
    """お支払方法. `account` names the gateway account, empty for methods without one (銀行振込)."""

    name = models.CharField("支払方法", max_length=60)
    kind = models.CharField(max_length=20, blank=True)
    account = models.CharField(max_length=30, blank=True)
    charge = models.IntegerField("手数料(税込)", default=0)
    sort_no = models.IntegerField(default=0)

    class Meta:
        ordering = ["sort_no", "id"]

    def __str__(self) -> str:
        return self.name
