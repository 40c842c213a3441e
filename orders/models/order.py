"""The order and its lines."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.db import models
from django.db.models.lookups import GreaterThan, LessThan
from django.utils import timezone

from orders.payment_copy import AUTHORIZED, LIVE
from orders.statuses import OrderStatus

# The list's sort key: newest first, the id breaking ties, so that pages can go on by key.
NEWEST_FIRST = ("-ordered_at", "-id")
# Lists choose and count rows by these columns. They lie in the indexes too, so that a row is read only when it
# stands on the page: ten thousand rows are counted in some milliseconds.
_LISTED = (
    "status",
    "payment_provider",
    "payment_kind",
    "payment_status",
    "payment_total",
    "payment_method",
    "paid_at",
    "updated_at",
    "delivery_date",
)
# Nearly every order is paid, delivered and last changed between these days, counted from 受注日: lists of such days look
# among the orders made around them, and for the others into an index of their own.
DAYS: Final = {"paid": "paid_at", "updated": "updated_at", "delivery": "delivery_date"}
EARLIEST: Final = timedelta(days=-1)
LATEST: Final = timedelta(days=60)
_ORDERED_ON: Final = models.Func(
    models.F("ordered_at"),
    template="(%(expressions)s AT TIME ZONE 'Asia/Tokyo')::date",
    output_field=models.DateField(),
)

# What needs doing today: each has a partial index, and lists filter by the very same condition.
PAYMENT_OPEN = models.Q(payment_is_open=True)
AMOUNT_DIFFERS = models.Q(payment_status__in=LIVE) & ~models.Q(payment_amount=models.F("payment_total"))
HAS_DEADLINE = models.Q(payment_status__in=AUTHORIZED)
CANCELLED_WITH_LIVE_MONEY = models.Q(
    payment_status__in=LIVE, status__in=[OrderStatus.CANCELLED, OrderStatus.RETURNED]
)
SHIPPED_NOT_CAPTURED = models.Q(payment_status__in=AUTHORIZED, status=OrderStatus.SHIPPED)


def is_far_from_ordered(column: str) -> models.Q:
    """Before EARLIEST or after LATEST: the days of 入金日, 更新日 or お届け日 from 受注日 on."""
    since = models.F(column) - (_ORDERED_ON if column == "delivery_date" else models.F("ordered_at"))
    return models.Q(LessThan(since, models.Value(EARLIEST))) | models.Q(
        GreaterThan(since, models.Value(LATEST))
    )


def _listed(fields: tuple[str, ...], *, name: str) -> models.Index:
    """An index that answers which rows stand on a page of a list without reading other rows."""
    keys = {each.removeprefix("-") for each in fields}
    return models.Index(fields=fields, include=[each for each in _LISTED if each not in keys], name=name)


def _by(field: str, *, further: tuple[str, ...] = (), **how: Any) -> models.Index:
    """An index of a column of which lists ask for a range: what they sort by and leave out lies in it too."""
    others = [each for each in _LISTED if each != field]
    return models.Index(fields=[field], include=["ordered_at", "id", *others, *further], **how)


def _rare(condition: models.Q, *, name: str) -> models.Index:
    """An index of the few orders for which something needs doing, with all that lists ask for."""
    return models.Index(fields=NEWEST_FIRST, include=_LISTED, condition=condition, name=name)


class Order(models.Model):
    """受注. Amounts in yen; `version` counts saves, so that two editors cannot overwrite each other.

    The `payment_*` columns are a copy of the order's current payment, written by the payments app in the
    same transaction as the payment itself, so that lists need no join. Nothing here decides on them.
    """

    # EC-CUBE's order number is the id as text; kept apart so that imported shops keep theirs.
    number = models.CharField("注文番号", max_length=30, unique=True)
    status = models.SmallIntegerField("対応状況", choices=OrderStatus.choices, default=OrderStatus.NEW)
    version = models.PositiveIntegerField(default=1)
    customer = models.ForeignKey(
        "orders.Customer", on_delete=models.PROTECT, null=True, blank=True, related_name="orders"
    )

    ordered_at = models.DateTimeField("受注日")
    paid_at = models.DateTimeField("入金日", null=True, blank=True)
    shipped_at = models.DateTimeField("発送日", null=True, blank=True)
    # Set by the services: auto_now would take the machine's time instead of the product's.
    updated_at = models.DateTimeField("更新日", default=timezone.now)

    name = models.CharField("お名前", max_length=120)
    kana = models.CharField("お名前(フリガナ)", max_length=120, blank=True)
    company = models.CharField("会社名", max_length=120, blank=True)
    email = models.EmailField("メールアドレス", max_length=254, blank=True)
    phone = models.CharField("電話番号", max_length=20, blank=True)
    postal_code = models.CharField("郵便番号", max_length=8, blank=True)
    prefecture = models.CharField("都道府県", max_length=4, blank=True)
    address = models.CharField("住所", max_length=300, blank=True)

    delivery_name = models.CharField("お届け先 お名前", max_length=120, blank=True)
    delivery_kana = models.CharField("お届け先 フリガナ", max_length=120, blank=True)
    delivery_company = models.CharField("お届け先 会社名", max_length=120, blank=True)
    delivery_phone = models.CharField("お届け先 電話番号", max_length=20, blank=True)
    delivery_postal_code = models.CharField("お届け先 郵便番号", max_length=8, blank=True)
    delivery_prefecture = models.CharField("お届け先 都道府県", max_length=4, blank=True)
    delivery_address = models.CharField("お届け先 住所", max_length=300, blank=True)
    delivery_date = models.DateField("お届け日", null=True, blank=True)
    delivery_time = models.CharField("お届け時間", max_length=30, blank=True)
    tracking_number = models.CharField("お問い合わせ番号", max_length=60, blank=True)
    tracking_url = models.URLField("追跡URL", max_length=300, blank=True)

    payment_method = models.ForeignKey(
        "orders.PaymentMethod",
        on_delete=models.PROTECT,
        related_name="orders",
        verbose_name="お支払方法",
        db_index=False,  # one below begins with it
    )
    payment_method_name = models.CharField(max_length=60)

    subtotal = models.IntegerField("小計", default=0)
    delivery_fee = models.IntegerField("送料", default=0)
    charge = models.IntegerField("手数料", default=0)
    discount = models.IntegerField("値引き", default=0)
    used_points = models.IntegerField("利用ポイント", default=0)
    added_points = models.IntegerField("加算ポイント", default=0)
    total = models.IntegerField("合計", default=0)
    payment_total = models.IntegerField("お支払い合計", default=0)

    message = models.TextField("お問合せ", max_length=4000, blank=True)
    memo = models.TextField("ショップ用メモ", max_length=4000, blank=True)
    is_subscription = models.BooleanField("定期購入", default=False)

    payment_id = models.BigIntegerField(null=True, editable=False)
    payment_provider = models.CharField(max_length=20, blank=True, editable=False)
    payment_kind = models.CharField(max_length=20, blank=True, editable=False)
    payment_status = models.CharField(max_length=16, blank=True, editable=False)
    payment_amount = models.IntegerField(null=True, editable=False)
    payment_deadline = models.DateField(null=True, editable=False)
    # From when it counts as sold; a later day than today where the provider takes one.
    payment_sale_on = models.DateField(null=True, editable=False)
    payment_is_open = models.BooleanField(default=False, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=OrderStatus.values), name="order_status_known"
            ),
            models.CheckConstraint(
                condition=models.Q(payment_total__gte=0), name="order_payment_total_not_negative"
            ),
        ]
        indexes = [
            _listed(NEWEST_FIRST, name="order_days_listed"),
            # Totals of searches read the status of thousands of orders from here, without touching their rows.
            models.Index(
                fields=["id"],
                include=["status", "payment_provider", "payment_method"],
                name="order_id_listed",
            ),
            _listed(("status", *NEWEST_FIRST), name="order_of_status"),
            _listed(("payment_method", *NEWEST_FIRST), name="order_of_method"),
            _listed(("payment_status", *NEWEST_FIRST), name="order_of_payment_status"),
            _listed(("payment_kind", *NEWEST_FIRST), name="order_of_payment_kind"),
            # Descending: a provider's own list begins with its payments, not with all orders that have none.
            _listed(("-payment_provider", *NEWEST_FIRST), name="order_of_provider"),
            _rare(PAYMENT_OPEN, name="order_open_listed"),
            _rare(AMOUNT_DIFFERS, name="order_differing_listed"),
            _rare(CANCELLED_WITH_LIVE_MONEY, name="order_live_listed"),
            _rare(SHIPPED_NOT_CAPTURED, name="order_uncaptured_listed"),
            # Few: with all that lists may ask of them besides.
            _by(
                "payment_deadline",
                further=("payment_amount", "payment_is_open", "tracking_number"),
                condition=HAS_DEADLINE,
                name="order_held_by_deadline",
            ),
            _by("paid_at", condition=models.Q(paid_at__isnull=False), name="order_by_paid"),
            _by("delivery_date", condition=models.Q(delivery_date__isnull=False), name="order_by_delivery"),
            _by("updated_at", name="order_by_updated"),
            *(
                _by(column, condition=is_far_from_ordered(column), name=f"order_far_{name}")
                for name, column in DAYS.items()
            ),
            _by("payment_total", name="order_by_payment_total"),
            _by(
                "tracking_number",
                condition=~models.Q(tracking_number=""),
                opclasses=["text_pattern_ops"],
                name="order_by_tracking",
            ),
        ]

    def __str__(self) -> str:
        return f"注文番号 {self.number}"


class OrderLine(models.Model):
    """One 明細: goods, or any other charge or discount. Rate and rounding are frozen when it is made."""

    class Kind(models.IntegerChoices):
        PRODUCT = 1, "商品"
        DELIVERY_FEE = 2, "送料"
        CHARGE = 3, "手数料"
        DISCOUNT = 4, "値引き"
        POINTS = 6, "ポイント"

    class TaxType(models.IntegerChoices):
        TAXABLE = 1, "課税"
        NOT_TAXABLE = 2, "不課税"
        TAX_EXEMPT = 3, "非課税"

    class Rounding(models.IntegerChoices):
        HALF_UP = 1, "四捨五入"
        DOWN = 2, "切り捨て"
        UP = 3, "切り上げ"

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField(default=0)
    kind = models.SmallIntegerField(choices=Kind.choices, default=Kind.PRODUCT)
    product = models.ForeignKey(
        "orders.Product", on_delete=models.PROTECT, null=True, blank=True, related_name="lines"
    )
    name = models.CharField("商品名", max_length=200)
    code = models.CharField("商品コード", max_length=60, blank=True)
    options = models.CharField("規格", max_length=200, blank=True)
    unit_price = models.IntegerField("金額")
    # Goods and discounts are priced 税抜, delivery fee, charge and points 税込.
    price_includes_tax = models.BooleanField(default=False)
    quantity = models.IntegerField("数量", default=1)
    tax_rate = models.DecimalField("税率", max_digits=4, decimal_places=1, default=10)
    tax_type = models.SmallIntegerField("課税区分", choices=TaxType.choices, default=TaxType.TAXABLE)
    rounding = models.SmallIntegerField(choices=Rounding.choices, default=Rounding.HALF_UP)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(quantity__gte=1), name="line_quantity_positive"),
            models.CheckConstraint(
                condition=models.Q(tax_rate__gte=0) & models.Q(tax_rate__lte=100),
                name="line_tax_rate_0_to_100",
            ),
        ]

    def __str__(self) -> str:
        return self.name
