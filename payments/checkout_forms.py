"""What a customer types in the demo checkout. Card data is not among it: only the token arrives (CC-7)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.validators import RegexValidator

from gateways.vocabulary import PAID_BY_NUMBER
from orders.checkout import Buyer, CartItem
from orders.forms.fields import PREFECTURES, PostalCodeField, line_field, phone_field
from orders.models import Customer, PaymentMethod, Product
from payments import checkout_words

MAX_QUANTITY = 99
KANA = re.compile(r"[ァ-ヶーｦ-ﾟ・ 　]+")
# A subquery: a form refuses every choice from rows that are cut off directly.
_SHOWN_MEMBERS = Customer.objects.order_by("id").values("pk")[:20]


class CartForm(forms.Form):
    """Quantities per product, the orderer, points for members, and the way to pay where there are several."""

    name = line_field(label="お名前", max_length=120)
    kana = line_field(label="お名前(フリガナ)", max_length=120)
    email = forms.EmailField(
        label="メールアドレス",
        max_length=254,
        error_messages={"invalid": "有効なメールアドレスを入力してください。"},
    )
    phone = phone_field(label="電話番号", max_length=20)
    postal_code = PostalCodeField(label="郵便番号")
    prefecture = forms.ChoiceField(
        label="都道府県", choices=[("", "選択してください"), *((name, name) for name in PREFECTURES)]
    )
    address = line_field(label="住所", max_length=300)
    customer = forms.ModelChoiceField(
        label="会員",
        queryset=Customer.objects.filter(pk__in=_SHOWN_MEMBERS).order_by("id"),
        required=False,
        empty_label="会員登録なし",
    )
    used_points = forms.IntegerField(label="利用ポイント", min_value=0, max_value=999_999, required=False)
    message = forms.CharField(label="お問合せ", max_length=2000, required=False, widget=forms.Textarea)

    def __init__(
        self, *args: Any, products: list[Product], methods: list[PaymentMethod], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.products = products
        self.methods = methods
        if len(methods) > 1:
            self.fields["method"] = forms.ChoiceField(
                label="お支払方法",
                choices=[(str(method.pk), _with_charge(method)) for method in methods],
                required=False,
            )
        for product in products:
            self.fields[self.quantity_name(product)] = forms.IntegerField(
                label=str(product), min_value=0, max_value=MAX_QUANTITY, required=False, initial=0
            )
        for field in self.fields.values():
            verb = "選択" if isinstance(field, forms.ChoiceField) else "入力"
            field.error_messages["required"] = f"{field.label}を{verb}してください。"
            field.error_messages["invalid_choice"] = f"{field.label}を一覧から選択してください。"

    @staticmethod
    def quantity_name(product: Product) -> str:
        """The field of a product's quantity."""
        return f"quantity_{product.pk}"

    def quantities(self) -> list[tuple[Product, forms.BoundField]]:
        """The rows of the cart."""
        return [(product, self[self.quantity_name(product)]) for product in self.products]

    def clean(self) -> dict[str, Any]:
        """What is in stock, points that the member has, and something in the cart."""
        cleaned: dict[str, Any] = super().clean() or {}
        for item in self.items():
            if item.quantity > item.product.stock:
                left = f"在庫は残り{item.product.stock}点です。" if item.product.stock else "売り切れです。"
                self.add_error(self.quantity_name(item.product), left)
        points, customer = cleaned.get("used_points") or 0, cleaned.get("customer")
        if points and customer is None and "customer" not in self.errors:
            self.add_error("used_points", "ポイントは会員の方だけがご利用いただけます。")
        elif customer is not None and points > customer.points:
            self.add_error("used_points", f"保有ポイントは{customer.points}ポイントです。")
        method = self.method()
        by_number = method is not None and method.kind in PAID_BY_NUMBER
        if by_number and not KANA.fullmatch(cleaned.get("kana", "")):
            self.add_error("kana", "このお支払方法では、お名前(フリガナ)をカタカナで入力してください。")
        if not self.errors and not self.items():
            raise forms.ValidationError("商品の数量を入力してください。")
        return cleaned

    def items(self) -> list[CartItem]:
        """What was put into the cart."""
        return [
            CartItem(product=product, quantity=quantity)
            for product in self.products
            if (quantity := self.cleaned_data.get(self.quantity_name(product)) or 0) > 0
        ]

    def method(self) -> PaymentMethod | None:
        """The way to pay that was chosen, otherwise the first; None where the shop has none."""
        chosen = self.cleaned_data.get("method")
        return next(
            (method for method in self.methods if str(method.pk) == chosen), next(iter(self.methods), None)
        )

    def buyer(self) -> Buyer:
        """Who orders."""
        fields = ("name", "kana", "email", "phone", "postal_code", "prefecture", "address", "customer")
        return Buyer(**{field: self.cleaned_data[field] for field in fields})


class RequestForm(forms.Form):
    """The order on the page, the form's own key, and at which store the customer pays (コンビニ only)."""

    order = forms.IntegerField(widget=forms.HiddenInput)
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, stores: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if stores:
            self.fields["store"] = forms.ChoiceField(
                label="お支払いになるコンビニ",
                choices=list(stores.items()),
                error_messages=dict.fromkeys(
                    ("required", "invalid_choice"), "お支払いになるコンビニを選択してください。"
                ),
            )


def _with_charge(method: PaymentMethod) -> str:
    return f"{method.name}(手数料 {method.charge:,}円)" if method.charge else method.name


class PayForm(forms.Form):
    """The order on the page, the form's own key, and a one-time token from the provider or a card on file."""

    order = forms.IntegerField(widget=forms.HiddenInput)
    key = forms.UUIDField(widget=forms.HiddenInput)
    token = forms.CharField(max_length=1025, required=False)
    # The number of the card in the member's card file; empty is a new card.
    stored = forms.CharField(max_length=10, required=False, validators=[RegexValidator(r"\A[0-9]+\Z")])
    keep = forms.BooleanField(
        label="このカードを登録する(次回からカード番号の入力が不要になります)", required=False
    )
    installments = forms.TypedChoiceField(
        label="お支払い回数",
        coerce=int,
        choices=[(1, "一括払い"), (3, "3回払い"), (6, "6回払い"), (10, "10回払い"), (12, "12回払い")],
    )

    def clean(self) -> dict[str, Any]:
        """One card, new or on file."""
        cleaned: dict[str, Any] = super().clean() or {}
        if not cleaned.get("token") and not cleaned.get("stored"):
            raise forms.ValidationError(checkout_words.CARD_MISSING)
        return cleaned


class ForgetForm(forms.Form):
    """Which of the member's cards is to be taken off the file."""

    card = forms.CharField(max_length=10, validators=[RegexValidator(r"\A[0-9]+\Z")])
