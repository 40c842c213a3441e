"""消費税 and totals of an order: one pure function feeds screen, document and CSV.

Amounts are whole yen. The tax of a line comes from its unit price, rounded, times the quantity. The invoice
block (適格請求書) rounds once per rate, from the tax-included total after untaxed discounts were spread over
the rates; its buckets always add up to お支払い合計. Rounding is symmetric: a line and its reversal cancel.
"""

from __future__ import annotations

import decimal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from orders.models import OrderLine

Kind = OrderLine.Kind
TaxType = OrderLine.TaxType
Rounding = OrderLine.Rounding

# Nine digits: every column of the order holds it, and sums of a day's orders still fit elsewhere.
MAX_TOTAL_YEN: Final = 999_999_999

_MODES: Final = {
    Rounding.HALF_UP: decimal.ROUND_HALF_UP,
    Rounding.DOWN: decimal.ROUND_DOWN,
    Rounding.UP: decimal.ROUND_UP,
}
_EARNING: Final = frozenset({Kind.PRODUCT, Kind.DISCOUNT})


class TotalsError(ValueError):
    """The lines make no order; the message is a sentence for the operator."""


@dataclass(frozen=True, kw_only=True)
class LineInput:
    """What the totals need of a 明細. Discounts have a negative unit price, everything else none below 0."""

    kind: OrderLine.Kind
    unit_price: int
    price_includes_tax: bool
    quantity: int
    tax_rate: Decimal
    tax_type: OrderLine.TaxType = TaxType.TAXABLE
    rounding: OrderLine.Rounding = Rounding.HALF_UP

    @classmethod
    def of(cls, line: OrderLine) -> LineInput:
        """From a stored (or not yet stored) line."""
        return cls(
            kind=Kind(line.kind),
            unit_price=line.unit_price,
            price_includes_tax=line.price_includes_tax,
            quantity=line.quantity,
            tax_rate=Decimal(line.tax_rate),
            tax_type=TaxType(line.tax_type),
            rounding=Rounding(line.rounding),
        )

    @property
    def is_taxed(self) -> bool:
        """課税, and neither 不課税 nor 非課税."""
        return self.tax_type == TaxType.TAXABLE

    @property
    def unit_price_with_tax(self) -> int:
        """The unit price 税込 in yen."""
        if self.price_includes_tax or not self.is_taxed:
            return self.unit_price
        return self.unit_price + _rounded(self.unit_price * self.tax_rate / 100, self.rounding)

    @property
    def subtotal(self) -> int:
        """小計 of the line, 税込."""
        return self.unit_price_with_tax * self.quantity


@dataclass(frozen=True)
class TaxBucket:
    """One line of the invoice block: 税率n%対象 (税込) and the tax in it. `rate` None: 不課税・非課税."""

    rate: Decimal | None
    taxable_total: int
    tax: int


@dataclass(frozen=True, kw_only=True)
class Totals:
    """All sums of an order, 税込. 小計 + 送料 + 手数料 - 値引き = 合計; 合計 - used points = お支払い合計.

    `discount` is positive and holds taxed and untaxed discounts alike. Buckets: highest rate first.
    """

    line_subtotals: tuple[int, ...]
    subtotal: int
    delivery_fee: int
    charge: int
    discount: int
    total: int
    payment_total: int
    buckets: tuple[TaxBucket, ...]
    added_points: int


def calculate(lines: Sequence[LineInput], *, used_points: int, point_rate: Decimal | int = 1) -> Totals:
    """The totals of an order with these lines. Points are worth one yen each; `point_rate` is in percent.

    Raises TotalsError for a discount that is not negative or larger than what it is taken from, for points
    above the total, and beyond MAX_TOTAL_YEN.
    """
    for line in lines:
        _check(line)
    if used_points < 0:
        raise TotalsError("利用ポイントは0以上で入力してください。")
    sums = {kind: sum(line.subtotal for line in lines if line.kind == kind) for kind in Kind}
    total = sum(sums.values())
    payment_total = total - used_points
    if max(abs(value) for value in (*sums.values(), total, used_points)) > MAX_TOTAL_YEN:
        raise TotalsError(f"合計が{MAX_TOTAL_YEN:,}円を超えています。金額と数量を確認してください。")
    if payment_total < 0:
        raise TotalsError(
            f"値引きと利用ポイントが大きすぎるため、お支払い合計が{payment_total:,}円になります。"
            "お支払い合計が0円以上になるように、値引きか利用ポイントを減らしてください。"
        )
    return Totals(
        line_subtotals=tuple(line.subtotal for line in lines),
        subtotal=sums[Kind.PRODUCT],
        delivery_fee=sums[Kind.DELIVERY_FEE],
        charge=sums[Kind.CHARGE],
        discount=-sums[Kind.DISCOUNT],
        total=total,
        payment_total=payment_total,
        buckets=_buckets(lines, used_points=used_points),
        added_points=_added_points(lines, used_points=used_points, point_rate=Decimal(point_rate)),
    )


def inputs_of(lines: Iterable[OrderLine]) -> list[LineInput]:
    """The lines of an order as `calculate` takes them."""
    return [LineInput.of(line) for line in lines]


def _check(line: LineInput) -> None:
    if line.kind == Kind.POINTS:
        raise TotalsError("利用ポイントは明細ではなく、利用ポイントの欄に入力してください。")
    if line.kind == Kind.DISCOUNT and line.unit_price > 0:
        raise TotalsError("値引きの金額は「-500」のように0円以下で入力してください。")
    if line.kind != Kind.DISCOUNT and line.unit_price < 0:
        raise TotalsError(
            f"{line.kind.label}の金額は0円以上で入力してください。値引きは「値引き」の明細で入力してください。"
        )
    if line.quantity < 1:
        raise TotalsError("数量は1以上で入力してください。")
    if not 0 <= line.tax_rate <= 100:
        raise TotalsError("税率は0から100までの数字で入力してください。")


def _buckets(lines: Sequence[LineInput], *, used_points: int) -> tuple[TaxBucket, ...]:
    by_rate: dict[Decimal, int] = {}
    rounding_of: dict[Decimal, Rounding] = {}
    for line in lines:
        if line.is_taxed:
            by_rate[line.tax_rate] = by_rate.get(line.tax_rate, 0) + line.subtotal
            rounding_of.setdefault(line.tax_rate, line.rounding)
    for rate, taxed in by_rate.items():
        if taxed < 0:
            raise TotalsError(
                f"税率{rate.normalize():f}%の値引きが、税率{rate.normalize():f}%の商品などの合計を超えています。"
                "値引きの金額か税率を確認してください。"
            )
    untaxed = [line for line in lines if not line.is_taxed]
    goods = sum(line.subtotal for line in untaxed if line.kind != Kind.DISCOUNT)
    to_spread = used_points - sum(line.subtotal for line in untaxed if line.kind == Kind.DISCOUNT)

    buckets = []
    discount_left = spread = min(to_spread, sum(by_rate.values()))
    taxed_left = sum(by_rate.values())
    # From the lowest rate up, each its share of what is left: the residue ends at the highest, none below 0.
    for rate in sorted(by_rate):
        taxed = by_rate[rate]
        after = Decimal(taxed) - (Decimal(discount_left * taxed) / taxed_left if taxed_left else 0)
        payable = _rounded(after, rounding_of[rate])
        discount_left -= taxed - payable
        taxed_left -= taxed
        tax = _rounded(payable * rate / (100 + rate), rounding_of[rate])
        buckets.append(TaxBucket(rate=rate, taxable_total=payable, tax=tax))
    buckets.reverse()
    if untaxed and (goods or to_spread > spread):
        buckets.append(TaxBucket(rate=None, taxable_total=goods - (to_spread - spread), tax=0))
    return tuple(buckets)


def _added_points(lines: Iterable[LineInput], *, used_points: int, point_rate: Decimal) -> int:
    """加算ポイント: of goods and discounts by their stored unit price, less those of the points used."""
    earned = sum(
        _rounded(line.unit_price * point_rate / 100, Rounding.HALF_UP) * line.quantity
        for line in lines
        if line.kind in _EARNING
    )
    return max(0, earned - _rounded(used_points * point_rate / 100, Rounding.HALF_UP))


def _rounded(value: Decimal, rounding: Rounding) -> int:
    return int(value.quantize(Decimal(1), rounding=_MODES[rounding]))
