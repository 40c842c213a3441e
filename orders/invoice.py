"""The invoice block (適格請求書) of a stored order, as 納品書 and mails print it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings

from cagolab import clock
from cagolab.shop import shop_name
from orders.models import Order, OrderLine
from orders.totals import calculate, inputs_of

# The rate that food and newspapers have; lines at it carry ※ (軽減税率).
REDUCED_RATE = Decimal(8)


@dataclass(frozen=True)
class InvoiceRow:
    """One line with its 税込 subtotal in yen."""

    line: OrderLine
    subtotal: int
    is_reduced: bool


def invoice_of(order: Order) -> dict[str, Any]:
    """Rows, totals and marks of one order, for templates; lines come from the order's `lines`."""
    # Filtered here and not in the query, so that many orders prefetch their lines at once.
    lines = [line for line in order.lines.all() if line.kind != OrderLine.Kind.POINTS]
    totals = calculate(inputs_of(lines), used_points=order.used_points)
    rows = [
        InvoiceRow(line, subtotal, _is_reduced(line))
        for line, subtotal in zip(lines, totals.line_subtotals, strict=True)
    ]
    return {
        "rows": rows,
        "totals": totals,
        "discount_yen": abs(totals.discount),
        "has_reduced": any(row.is_reduced for row in rows),
    }


def sheets_of(orders: Sequence[Order]) -> dict[str, Any]:
    """What the page of 納品書 prints: a sheet per order, the day, and the shop."""
    return {
        "sheets": [{"order": order, **invoice_of(order)} for order in orders],
        "issued_on": clock.now().astimezone(clock.TOKYO).date(),
        "shop": {
            "name": shop_name(),
            # Shops that are no 適格請求書発行事業者 have no number; the line is left out then.
            "registration_number": settings.SHOP_REGISTRATION_NUMBER,
            "address": settings.SHOP_ADDRESS,
            "phone": settings.SHOP_PHONE,
        },
    }


def _is_reduced(line: OrderLine) -> bool:
    return line.tax_type == OrderLine.TaxType.TAXABLE and line.tax_rate == REDUCED_RATE
