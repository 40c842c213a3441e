"""明細 of an order as forms: one small form per line, tied together by the `line` inputs that name the rows.

A row's key is the id of the stored line, or n and some hex digits for a line that is not stored yet. Rows
come and go by posting the whole form to 計算: the server answers with the rows as they then are.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict

from orders.forms.fields import BoundField, QuantityField, RateField, YenField, line_field
from orders.models import OrderLine, Product
from orders.order_data import LineData
from orders.totals import LineInput

MAX_LINES = 200
STANDARD_RATE = Decimal(10)

_KEY = re.compile(r"\A([0-9]{1,18}|n[0-9a-f]{1,16})\Z")


@dataclass(frozen=True)
class ExtraLine:
    """An entry of その他の明細を追加."""

    code: str
    label: str
    kind: OrderLine.Kind
    tax_type: OrderLine.TaxType
    only_once: bool


EXTRA_LINES = (
    ExtraLine("discount", "値引き（課税）", OrderLine.Kind.DISCOUNT, OrderLine.TaxType.TAXABLE, False),
    ExtraLine(
        "discount_untaxed", "値引き（不課税）", OrderLine.Kind.DISCOUNT, OrderLine.TaxType.NOT_TAXABLE, False
    ),
    ExtraLine("charge", "手数料", OrderLine.Kind.CHARGE, OrderLine.TaxType.TAXABLE, True),
    ExtraLine("delivery_fee", "送料", OrderLine.Kind.DELIVERY_FEE, OrderLine.TaxType.TAXABLE, True),
)
_TYPED_KINDS = (
    OrderLine.Kind.PRODUCT,
    OrderLine.Kind.DELIVERY_FEE,
    OrderLine.Kind.CHARGE,
    OrderLine.Kind.DISCOUNT,
)


def price_includes_tax(kind: OrderLine.Kind) -> bool:
    """Whether a new line of this kind is priced 税込: delivery fee and charge are, goods and discounts not."""
    return kind in (OrderLine.Kind.DELIVERY_FEE, OrderLine.Kind.CHARGE)


class LineForm(forms.Form):
    """One line. What belongs to the product (name, code, options) is never read from the request."""

    bound_field_class = BoundField

    kind = forms.TypedChoiceField(
        choices=[(kind.value, kind.label) for kind in _TYPED_KINDS],
        coerce=lambda value: OrderLine.Kind(int(value)),
        widget=forms.HiddenInput,
    )
    product = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)
    name = line_field(label="明細名", max_length=200, required=False)
    unit_price = YenField(label="金額")
    quantity = QuantityField(label="数量")
    tax_rate = RateField(label="税率(%)")
    tax_type = forms.TypedChoiceField(
        label="課税区分",
        choices=OrderLine.TaxType.choices,
        coerce=lambda value: OrderLine.TaxType(int(value)),
        error_messages={"invalid_choice": "課税区分を一覧から選択してください。"},
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        key: str,
        stored: OrderLine | None,
        products: Mapping[int, Product],
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, prefix=f"line-{key}", initial=initial)
        self.key = key
        self.stored = stored
        self.chosen = products.get(self._product_id() or 0)
        self.line_kind = self._kind()
        # Yen 税込; the screen fills it in after a calculation.
        self.subtotal: int | None = None
        if self.is_product:
            self.fields["name"].disabled = True

    @property
    def is_product(self) -> bool:
        """Whether the line is goods, whose name comes from the product."""
        return self.line_kind == OrderLine.Kind.PRODUCT

    @property
    def keeps_stored_words(self) -> bool:
        """Whether the line still sells what it sold when it was stored, so that its frozen words stay."""
        return self.stored is not None and self.stored.product_id == self._product_id()

    @property
    def words(self) -> tuple[str, str, str]:
        """Name, code and options as the line shows them."""
        if not self.is_product:
            return str(self["name"].value() or ""), "", ""
        if self.keeps_stored_words and self.stored is not None:
            return self.stored.name, self.stored.code, self.stored.options
        if self.chosen is not None:
            return self.chosen.name, self.chosen.code, self.chosen.options
        return "", "", ""

    @property
    def includes_tax(self) -> bool:
        """Whether the unit price is 税込; frozen on the line when it was made."""
        if self.stored is not None and self.stored.kind == self.line_kind:
            return self.stored.price_includes_tax
        return price_includes_tax(self.line_kind)

    @property
    def is_taxed(self) -> bool:
        """Whether the unit price needs the word 税込 or 税抜 behind it."""
        return str(self["tax_type"].value()) == str(OrderLine.TaxType.TAXABLE.value)

    @property
    def rounding(self) -> OrderLine.Rounding:
        """How the line rounds its tax; frozen on the line when it was made."""
        return OrderLine.Rounding(self.stored.rounding) if self.stored else OrderLine.Rounding.HALF_UP

    def clean(self) -> dict[str, Any]:
        """Ask for the name of a line that has no product to take it from."""
        cleaned = super().clean() or self.cleaned_data
        if not self.is_product and not self.has_error("name") and not cleaned.get("name"):
            self.add_error("name", "明細名を入力してください。")
        if self.is_product and not any(self.words):
            self.add_error(None, "商品が見つかりません。この明細を削除し、商品を追加し直してください。")
        price = cleaned.get("unit_price") or 0
        if self.line_kind == OrderLine.Kind.DISCOUNT and price > 0:
            self.add_error("unit_price", "値引きの金額は「-500」のように0円以下で入力してください。")
        if self.line_kind != OrderLine.Kind.DISCOUNT and price < 0:
            self.add_error(
                "unit_price", "金額は0円以上で入力してください。値引きは「値引き」の明細で入力してください。"
            )
        return cleaned

    def as_input(self) -> LineInput:
        """What the totals need; of a bound form only after it was found valid."""
        value = self.cleaned_data.__getitem__ if self.is_bound else self.initial.__getitem__
        return LineInput(
            kind=self.line_kind,
            unit_price=int(value("unit_price")),
            price_includes_tax=self.includes_tax,
            quantity=int(value("quantity")),
            tax_rate=Decimal(value("tax_rate")),
            tax_type=OrderLine.TaxType(int(value("tax_type"))),
            rounding=self.rounding,
        )

    def as_data(self) -> LineData:
        """What saving needs; only after the form was found valid."""
        name, code, options = self.words
        cleaned = self.cleaned_data
        return LineData(
            kind=cleaned["kind"],
            unit_price=cleaned["unit_price"],
            quantity=cleaned["quantity"],
            tax_rate=cleaned["tax_rate"],
            tax_type=cleaned["tax_type"],
            price_includes_tax=self.includes_tax,
            rounding=self.rounding,
            name=name,
            code=code,
            options=options,
            product_id=cleaned["product"],
            line_id=self.stored.pk if self.stored else None,
        )

    def _product_id(self) -> int | None:
        text = str(self["product"].value() or "")
        return int(text) if text.isdecimal() and len(text) < 19 else None

    def _kind(self) -> OrderLine.Kind:
        try:
            return OrderLine.Kind(int(self["kind"].value()))
        except (TypeError, ValueError):
            return OrderLine.Kind.PRODUCT


@dataclass
class LineForms:
    """All lines of one form, in the order of the screen."""

    forms: list[LineForm]
    errors: list[str]

    def is_valid(self) -> bool:
        """Check every line (not only the first wrong one) and what concerns them together."""
        valid = [form.is_valid() for form in self.forms]
        return all(valid) and not self.errors

    def has_kind(self, kind: OrderLine.Kind) -> bool:
        """Whether a line of this kind is there already."""
        return any(form.line_kind == kind for form in self.forms)

    @property
    def extra_lines(self) -> list[tuple[ExtraLine, bool]]:
        """The menu その他の明細を追加, each with whether it can be added now."""
        return [(extra, not (extra.only_once and self.has_kind(extra.kind))) for extra in EXTRA_LINES]


def forms_of(lines: Sequence[OrderLine]) -> LineForms:
    """The forms of an order's stored lines (used points are a field of the order, not a row)."""
    shown = [line for line in lines if line.kind != OrderLine.Kind.POINTS]
    return LineForms(
        forms=[
            LineForm(key=str(line.pk), stored=line, products={}, initial=_initial(line)) for line in shown
        ],
        errors=[],
    )


def forms_from(data: QueryDict, stored: Iterable[OrderLine]) -> LineForms:
    """The forms that a request has filled in; rows whose key makes no sense are left out."""
    keys = list(dict.fromkeys(key for key in data.getlist("line") if _KEY.match(key)))
    by_id = {str(line.pk): line for line in stored}
    products = _products(data, keys[:MAX_LINES])
    forms_ = [LineForm(data, key=key, stored=by_id.get(key), products=products) for key in keys[:MAX_LINES]]
    found = LineForms(forms=forms_, errors=[])
    if len(keys) > MAX_LINES:
        found.errors.append(f"明細は{MAX_LINES}行までです。")
    if not found.has_kind(OrderLine.Kind.PRODUCT):
        found.errors.append("商品を1つ以上追加してください。")
    for extra in EXTRA_LINES:
        if extra.only_once and sum(form.line_kind == extra.kind for form in forms_) > 1:
            found.errors.append(f"{extra.kind.label}の明細は1行だけにしてください。")
    return found


def with_product(data: QueryDict, product: Product, *, key: str = "") -> QueryDict:
    """The request with one more line for the product, or with the line `key` selling it instead."""
    changed = data.copy()
    quantity = changed.get(f"line-{key}-quantity") or "1"
    if not _KEY.match(key) or key not in changed.getlist("line"):
        key = _new_key()
        changed.setlist("line", _with_goods(changed, key))
        quantity = "1"
    _fill(
        changed,
        key,
        kind=OrderLine.Kind.PRODUCT,
        product=product.pk,
        name="",
        unit_price=product.price,
        quantity=quantity,
        tax_rate=_plain(product.tax_rate),
        tax_type=OrderLine.TaxType.TAXABLE,
    )
    return changed


def with_extra_line(data: QueryDict, code: str) -> QueryDict:
    """The request with one more line that is no goods; an unknown code changes nothing."""
    changed = data.copy()
    for extra in EXTRA_LINES:
        if extra.code == code:
            key = _new_key()
            changed.appendlist("line", key)
            untaxed = extra.tax_type != OrderLine.TaxType.TAXABLE
            _fill(
                changed,
                key,
                kind=extra.kind,
                product="",
                name=extra.kind.label,
                unit_price=0,
                quantity=1,
                tax_rate=0 if untaxed else STANDARD_RATE,
                tax_type=extra.tax_type,
            )
    return changed


def without_line(data: QueryDict, key: str) -> QueryDict:
    """The request without the line `key`."""
    changed = data.copy()
    changed.setlist("line", [other for other in changed.getlist("line") if other != key])
    return changed


def _with_goods(data: QueryDict, key: str) -> list[str]:
    """The rows with a new one behind the last goods: delivery fee and charge stay below."""
    keys = data.getlist("line")
    goods = [place for place, row in enumerate(keys, 1) if data.get(f"line-{row}-kind") == "1"]
    place = goods[-1] if goods else 0
    return [*keys[:place], key, *keys[place:]]


def _fill(data: QueryDict, key: str, **values: object) -> None:
    for name, value in values.items():
        data[f"line-{key}-{name}"] = str(int(value) if isinstance(value, int) else value)


def _new_key() -> str:
    return f"n{secrets.token_hex(6)}"


def _plain(rate: Decimal) -> str:
    return f"{rate.normalize():f}"


def _initial(line: OrderLine) -> dict[str, Any]:
    return {
        "kind": line.kind,
        "product": line.product_id or "",
        "name": line.name,
        "unit_price": line.unit_price,
        "quantity": line.quantity,
        "tax_rate": _plain(line.tax_rate),
        "tax_type": line.tax_type,
    }


def _products(data: QueryDict, keys: Sequence[str]) -> dict[int, Product]:
    texts = {data.get(f"line-{key}-product", "") for key in keys}
    wanted = {int(text) for text in texts if text.isdecimal() and len(text) < 19}
    return Product.objects.in_bulk(wanted) if wanted else {}
