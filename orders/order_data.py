"""What an operator (or the checkout) wants an order to be: fields and lines, checked for shape already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from orders.models import OrderLine
from orders.statuses import OrderStatus

# Columns of Order that may be edited, under their own names. `payment_method` holds the method's id.
EDITABLE_FIELDS: Final = (
    "payment_method",
    "name",
    "kana",
    "company",
    "email",
    "phone",
    "postal_code",
    "prefecture",
    "address",
    "delivery_name",
    "delivery_kana",
    "delivery_company",
    "delivery_phone",
    "delivery_postal_code",
    "delivery_prefecture",
    "delivery_address",
    "delivery_date",
    "delivery_time",
    "tracking_number",
    "tracking_url",
    "used_points",
    "message",
    "memo",
)
# The search text is made of these and of the order number, which never changes.
SEARCHED_FIELDS: Final = frozenset({"name", "kana", "company", "email", "phone"})


@dataclass(frozen=True, kw_only=True)
class LineData:
    """One 明細. `line_id` says which stored line it is; None is a new one.

    Name, code and options of goods come from the product when the line is new or sells another product than
    before; otherwise the stored words stay. Rounding and 税込/税抜 are frozen on a stored line.
    """

    kind: OrderLine.Kind
    unit_price: int
    quantity: int
    tax_rate: Decimal
    tax_type: OrderLine.TaxType = OrderLine.TaxType.TAXABLE
    price_includes_tax: bool = False
    rounding: OrderLine.Rounding = OrderLine.Rounding.HALF_UP
    name: str = ""
    code: str = ""
    options: str = ""
    product_id: int | None = None
    line_id: int | None = None

    @classmethod
    def of(cls, line: OrderLine) -> LineData:
        """A stored line as it is."""
        return cls(
            kind=OrderLine.Kind(line.kind),
            unit_price=line.unit_price,
            quantity=line.quantity,
            tax_rate=line.tax_rate,
            tax_type=OrderLine.TaxType(line.tax_type),
            price_includes_tax=line.price_includes_tax,
            rounding=OrderLine.Rounding(line.rounding),
            name=line.name,
            code=line.code,
            options=line.options,
            product_id=line.product_id,
            line_id=line.pk,
        )


@dataclass(frozen=True, kw_only=True)
class OrderData:
    """Fields of EDITABLE_FIELDS (one that is missing stays as it is), all lines, and 対応状況 to change to."""

    values: Mapping[str, Any]
    lines: tuple[LineData, ...]
    status: OrderStatus | None = None

    def __post_init__(self) -> None:
        if unknown := set(self.values) - set(EDITABLE_FIELDS):
            raise ValueError(f"not editable: {', '.join(sorted(unknown))}")
