"""The form of 受注編集 and 新規受注入力 without its lines."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import URLValidator

from orders.forms.fields import (
    DELIVERY_TIMES,
    PREFECTURES,
    BoundField,
    PlainTextField,
    PostalCodeField,
    YenField,
    line_field,
    phone_field,
)
from orders.models import Order, PaymentMethod
from orders.order_data import EDITABLE_FIELDS
from orders.statuses import OPERATOR_MOVES, OrderStatus

ORDERER_FIELDS = ("name", "kana", "company", "email", "phone", "postal_code", "prefecture", "address")
# 注文者情報をコピー copies each of these to delivery_…; an address of a person's mail is no part of a parcel.
COPIED_TO_DELIVERY = ("name", "kana", "company", "phone", "postal_code", "prefecture", "address")
DELIVERY_FIELDS = (
    *(f"delivery_{field}" for field in COPIED_TO_DELIVERY),
    "delivery_date",
    "delivery_time",
    "tracking_number",
    "tracking_url",
)
_PREFECTURE_CHOICES = [("", "都道府県を選択"), *((name, name) for name in PREFECTURES)]
_MEMO_ROWS = {"rows": 4}


def _prefecture_field(label: str) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        choices=_PREFECTURE_CHOICES,
        required=False,
        error_messages={"invalid_choice": "都道府県を一覧から選択してください。"},
    )


def order_statuses(current: OrderStatus) -> list[tuple[int, str]]:
    """対応状況 as choices: the current one and those that may follow it."""
    return [(status.value, status.label) for status in (current, *OPERATOR_MOVES[current])]


class OrderForm(forms.Form):
    """Every field of an order that an operator may type. Wrong input is told at the field it was typed in."""

    bound_field_class = BoundField

    status = forms.TypedChoiceField(
        label="対応状況",
        coerce=lambda value: OrderStatus(int(value)),
        error_messages={
            "invalid_choice": "現在の対応状況からは変更できない対応状況です。一覧から選び直してください。"
        },
    )
    payment_method = forms.TypedChoiceField(
        label="お支払方法",
        coerce=int,
        error_messages={"invalid_choice": "お支払方法を一覧から選択してください。"},
    )
    message = forms.CharField(
        label="お問合せ", max_length=4000, required=False, widget=forms.Textarea(attrs=_MEMO_ROWS)
    )

    name = line_field(
        label="お名前", max_length=120, error_messages={"required": "お名前を入力してください。"}
    )
    kana = line_field(label="お名前(フリガナ)", max_length=120, required=False)
    company = line_field(label="会社名", max_length=120, required=False)
    email = forms.EmailField(label="メールアドレス", max_length=254, required=False)
    phone = phone_field(label="電話番号", max_length=20, required=False)
    postal_code = PostalCodeField(label="郵便番号", required=False)
    prefecture = _prefecture_field("都道府県")
    address = line_field(label="住所", max_length=300, required=False)

    delivery_name = line_field(label="お名前", max_length=120, required=False)
    delivery_kana = line_field(label="お名前(フリガナ)", max_length=120, required=False)
    delivery_company = line_field(label="会社名", max_length=120, required=False)
    delivery_phone = phone_field(label="電話番号", max_length=20, required=False)
    delivery_postal_code = PostalCodeField(label="郵便番号", required=False)
    delivery_prefecture = _prefecture_field("都道府県")
    delivery_address = line_field(label="住所", max_length=300, required=False)
    delivery_date = forms.DateField(
        label="お届け日",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "お届け日は「2026-12-31」のように実在する日付で入力してください。"},
    )
    delivery_time = line_field(
        label="お届け時間",
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"list": "delivery-times", "autocomplete": "off"}),
    )
    tracking_number = PlainTextField(
        label="お問い合わせ番号",
        max_length=60,
        required=False,
        pattern=r"\A[0-9A-Za-z-]*\Z",
        message="お問い合わせ番号は英数字とハイフンで入力してください。",
    )
    tracking_url = forms.URLField(
        label="追跡URL",
        max_length=300,
        required=False,
        assume_scheme="https",
        validators=[URLValidator(schemes=["http", "https"])],
        error_messages={"invalid": "追跡URLは「https://」から始まるURLで入力してください。"},
    )

    used_points = YenField(label="利用ポイント", min_value=0, required=False)
    memo = forms.CharField(
        label="ショップ用メモ", max_length=4000, required=False, widget=forms.Textarea(attrs=_MEMO_ROWS)
    )

    delivery_times = DELIVERY_TIMES

    def __init__(
        self,
        *args: Any,
        current_status: OrderStatus,
        has_member: bool,
        payment_method_locked: str = "",
        is_new: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        statuses = order_statuses(current_status)
        self._choices("status", statuses[:1] if is_new else statuses)
        self._choices("payment_method", [(method.pk, method.name) for method in PaymentMethod.objects.all()])
        if not has_member:
            self.fields["used_points"].disabled = True
        self.payment_method_locked = payment_method_locked
        if payment_method_locked:
            self.fields["payment_method"].disabled = True

    def _choices(self, name: str, choices: list[tuple[int, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  (tells mypy; both are declared above)
        field.choices = choices

    def clean_used_points(self) -> int:
        """An empty box means no points."""
        return self.cleaned_data.get("used_points") or 0

    def order_values(self) -> dict[str, Any]:
        """The cleaned values of the order's own columns."""
        return {field: self.cleaned_data[field] for field in EDITABLE_FIELDS}


def initial_of(order: Order) -> dict[str, Any]:
    """What the form shows for a stored order."""
    values = {field: getattr(order, field) for field in EDITABLE_FIELDS if field != "payment_method"}
    return {**values, "payment_method": order.payment_method_id, "status": order.status}
