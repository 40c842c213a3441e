"""消費税 and totals: the manual's vector, the invoice block, and what holds for any lines."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.models import OrderLine
from orders.totals import MAX_TOTAL_YEN, LineInput, TaxBucket, TotalsError, calculate

Kind = OrderLine.Kind
TaxType = OrderLine.TaxType
Rounding = OrderLine.Rounding


def line(
    unit_price: int, *, kind: Kind = Kind.PRODUCT, rate: int = 10, quantity: int = 1, **more: Any
) -> LineInput:
    more = {"price_includes_tax": kind in (Kind.DELIVERY_FEE, Kind.CHARGE)} | more
    return LineInput(kind=kind, unit_price=unit_price, quantity=quantity, tax_rate=Decimal(rate), **more)


def bucket(rate: int | None, total: int, tax: int) -> TaxBucket:
    return TaxBucket(rate=None if rate is None else Decimal(rate), taxable_total=total, tax=tax)


def test_the_manuals_shirt_with_shipping() -> None:
    totals = calculate([line(2000), line(500, kind=Kind.DELIVERY_FEE)], used_points=0)

    assert (totals.subtotal, totals.delivery_fee, totals.charge, totals.discount) == (2200, 500, 0, 0)
    assert (totals.total, totals.payment_total) == (2700, 2700)
    assert totals.buckets == (bucket(10, 2700, 245),)
    assert totals.added_points == 20


def test_the_invoice_rounds_once_per_rate_and_not_per_line() -> None:
    totals = calculate([line(105), line(107)], used_points=0)

    assert totals.line_subtotals == (116, 118)
    assert totals.payment_total == 234
    assert totals.buckets == (bucket(10, 234, 21),)


def test_the_tax_of_a_line_is_that_of_its_unit_price_times_the_quantity() -> None:
    # 105 yen at 10 % is 10.5 yen of tax: 11 each, and not 32 for three.
    assert calculate([line(105, quantity=3)], used_points=0).payment_total == 348


@pytest.mark.parametrize(
    ("rounding", "unit_price", "with_tax"),
    [
        (Rounding.HALF_UP, 105, 116),
        (Rounding.HALF_UP, 104, 114),
        (Rounding.DOWN, 109, 119),
        (Rounding.UP, 101, 112),
        (Rounding.HALF_UP, -105, -116),
        (Rounding.DOWN, -109, -119),
        (Rounding.UP, -101, -112),
    ],
)
def test_rounding_is_the_same_for_a_line_and_its_reversal(
    rounding: Rounding, unit_price: int, with_tax: int
) -> None:
    kind = Kind.DISCOUNT if unit_price < 0 else Kind.PRODUCT
    assert line(unit_price, kind=kind, rounding=rounding).unit_price_with_tax == with_tax


def test_points_are_spread_over_the_rates_and_the_residue_goes_to_the_highest() -> None:
    lines = [line(1000, rate=10), line(1000, rate=8)]  # 1,100 and 1,080
    totals = calculate(lines, used_points=101)

    # 101 x 1080 / 2180 = 50.04: 1,030 stays at 8 %, and 10 % takes the rest.
    assert totals.buckets == (bucket(10, 1049, 95), bucket(8, 1030, 76))
    assert totals.payment_total == 2079


def test_untaxed_goods_stand_in_a_bucket_of_their_own() -> None:
    lines = [line(1000), line(300, tax_type=TaxType.TAX_EXEMPT), line(200, tax_type=TaxType.NOT_TAXABLE)]
    totals = calculate(lines, used_points=100)

    assert totals.buckets == (bucket(10, 1000, 91), bucket(None, 500, 0))
    assert totals.payment_total == 1500


def test_points_beyond_the_taxed_goods_are_taken_from_the_untaxed() -> None:
    lines = [line(100), line(500, tax_type=TaxType.TAX_EXEMPT)]
    totals = calculate(lines, used_points=210)

    assert totals.buckets == (bucket(10, 0, 0), bucket(None, 400, 0))


def test_an_untaxed_discount_counts_as_discount_and_is_spread() -> None:
    lines = [line(1000), line(-100, kind=Kind.DISCOUNT, tax_type=TaxType.NOT_TAXABLE)]
    totals = calculate(lines, used_points=0)

    assert (totals.discount, totals.total, totals.payment_total) == (100, 1000, 1000)
    assert totals.buckets == (bucket(10, 1000, 91),)


def test_a_taxed_discount_carries_its_tax() -> None:
    totals = calculate([line(2000), line(-500, kind=Kind.DISCOUNT)], used_points=0)

    assert (totals.subtotal, totals.discount, totals.total) == (2200, 550, 1650)
    assert totals.added_points == 15


def test_delivery_and_charge_earn_no_points_and_used_points_take_some_away() -> None:
    lines = [line(2000), line(500, kind=Kind.DELIVERY_FEE), line(300, kind=Kind.CHARGE)]
    assert calculate(lines, used_points=500).added_points == 15
    assert calculate([line(100)], used_points=110).added_points == 0


def test_points_are_rounded_per_unit_price() -> None:
    assert calculate([line(150, quantity=3)], used_points=0).added_points == 6
    assert calculate([line(1000)], used_points=0, point_rate=Decimal("2.5")).added_points == 25


def test_an_order_without_lines_is_worth_nothing() -> None:
    totals = calculate([], used_points=0)
    assert (totals.payment_total, totals.buckets) == (0, ())


@pytest.mark.parametrize(
    ("lines", "used_points", "words"),
    [
        ([line(500, kind=Kind.DISCOUNT)], 0, "値引きの金額は「-500」のように"),
        ([line(-1)], 0, "商品の金額は0円以上"),
        ([line(-1, kind=Kind.DELIVERY_FEE)], 0, "送料の金額は0円以上"),
        ([line(1000), line(-2000, kind=Kind.DISCOUNT)], 0, "お支払い合計が-1,100円になります"),
        ([line(1000)], 1101, "お支払い合計が-1円になります"),
        ([line(1000, rate=8), line(-100, kind=Kind.DISCOUNT)], 0, "税率10%の値引きが"),
        ([line(1000)], -1, "利用ポイントは0以上"),
        ([line(99_999_999, quantity=11)], 0, f"合計が{MAX_TOTAL_YEN:,}円を超えています"),
        ([line(1, quantity=0)], 0, "数量は1以上"),
        ([line(1, rate=101)], 0, "税率は0から100"),
        ([line(-1, kind=Kind.POINTS)], 0, "利用ポイントは明細ではなく"),
    ],
)
def test_what_makes_no_order_is_refused_in_a_sentence(
    lines: list[LineInput], used_points: int, words: str
) -> None:
    with pytest.raises(TotalsError, match=words):
        calculate(lines, used_points=used_points)


@st.composite
def any_line(draw: st.DrawFn) -> LineInput:
    kind = draw(st.sampled_from([Kind.PRODUCT, Kind.DELIVERY_FEE, Kind.CHARGE, Kind.DISCOUNT]))
    yen = draw(st.integers(0, 50_000))
    return LineInput(
        kind=kind,
        unit_price=-yen // 20 if kind == Kind.DISCOUNT else yen,
        price_includes_tax=draw(st.booleans()),
        quantity=draw(st.integers(1, 20)),
        tax_rate=draw(st.sampled_from([Decimal(rate) for rate in ("0", "3", "5", "8", "8.5", "10", "99.9")])),
        tax_type=draw(st.sampled_from([TaxType.TAXABLE, TaxType.TAXABLE, TaxType.TAXABLE, *TaxType])),
        rounding=draw(st.sampled_from(list(Rounding))),
    )


@given(lines=st.lists(any_line(), max_size=12), points=st.integers(0, 30_000))
def test_the_buckets_always_add_up_to_what_is_paid(lines: list[LineInput], points: int) -> None:
    try:
        totals = calculate(lines, used_points=points)
    except TotalsError:
        return

    assert sum(bucket.taxable_total for bucket in totals.buckets) == totals.payment_total
    assert all(bucket.taxable_total >= 0 and bucket.tax >= 0 for bucket in totals.buckets)
    assert totals.subtotal + totals.delivery_fee + totals.charge - totals.discount == totals.total
    assert totals.total - points == totals.payment_total
    assert sum(totals.line_subtotals) == totals.total
    assert totals.added_points >= 0


@given(lines=st.lists(any_line(), min_size=1, max_size=8), part=st.integers(0, 100))
def test_any_points_up_to_the_total_can_be_used(lines: list[LineInput], part: int) -> None:
    goods = [line for line in lines if line.kind != Kind.DISCOUNT]
    total = calculate(goods, used_points=0).total
    points = total * part // 100

    totals = calculate(goods, used_points=points)

    assert sum(bucket.taxable_total for bucket in totals.buckets) == totals.payment_total == total - points
