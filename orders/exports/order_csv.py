"""受注CSV and 受注明細CSV, with the columns that operators of EC-CUBE expect.

Sums per tax rate come from the one function that screen and document use.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from cagolab.clock import TOKYO
from orders.exports.csv_kind import CsvKind, Rows
from orders.exports.csv_text import Cell
from orders.models import Order, OrderLine
from orders.statuses import OrderStatus
from orders.totals import Totals, TotalsError, calculate, inputs_of

_ORDER_COLUMNS = (
    "注文番号",
    "会員ID",
    "受注日",
    "対応状況ID",
    "対応状況",
    "お名前",
    "お名前(フリガナ)",
    "会社名",
    "メールアドレス",
    "電話番号",
    "郵便番号",
    "都道府県",
    "住所",
    "お届け先 お名前",
    "お届け先 フリガナ",
    "お届け先 会社名",
    "お届け先 電話番号",
    "お届け先 郵便番号",
    "お届け先 都道府県",
    "お届け先 住所",
    "お届け日",
    "お届け時間",
    "お問い合わせ番号",
    "追跡URL",
    "発送日",
    "支払方法",
    "入金日",
    "小計",
    "送料",
    "手数料",
    "値引き",
    "合計",
    "利用ポイント",
    "お支払い合計",
    "加算ポイント",
    "税率10%対象(税込)",
    "税率10%の消費税",
    "税率8%対象(税込)",
    "税率8%の消費税",
    "その他の税率対象(税込)",
    "その他の税率の消費税",
    "非課税・不課税",
    "定期購入",
    "お問合せ",
    "ショップ用メモ",
    "更新日",
)
_LINE_COLUMNS = (
    "注文番号",
    "受注日",
    "対応状況",
    "お名前",
    "明細番号",
    "区分",
    "商品コード",
    "商品名",
    "規格",
    "金額",
    "税込・税抜",
    "数量",
    "税率(%)",
    "課税区分",
    "小計(税込)",
)
_STANDARD, _REDUCED = Decimal(10), Decimal(8)
_NO_SUMS = (None,) * 7


def moment(at: datetime | None) -> str:
    """A time in Tokyo as spreadsheets read it; empty for none."""
    return f"{at.astimezone(TOKYO):%Y/%m/%d %H:%M:%S}" if at else ""


def day(on: date | None) -> str:
    """A day as spreadsheets read it; empty for none."""
    return f"{on:%Y/%m/%d}" if on else ""


def order_rows(orders: Sequence[Order]) -> Rows:
    """受注CSV: a row per order."""
    totals = [_totals_of(order) for order in orders]
    cells = [_order_row(order, sums) for order, sums in zip(orders, totals, strict=True)]
    return Rows(cells, unsummed=totals.count(None))


def line_rows(orders: Sequence[Order]) -> Rows:
    """受注明細CSV: a row per 明細, in the order of each order's screen."""
    totals = [_totals_of(order) for order in orders]
    cells = [row for order, sums in zip(orders, totals, strict=True) for row in _line_rows(order, sums)]
    return Rows(cells, unsummed=totals.count(None))


def _totals_of(order: Order) -> Totals | None:
    """None for lines that make no order by today's rules (taken over from another system)."""
    try:
        return calculate(inputs_of(_lines_of(order)), used_points=order.used_points)
    except TotalsError:
        return None


def _lines_of(order: Order) -> list[OrderLine]:
    return [line for line in order.lines.all() if line.kind != OrderLine.Kind.POINTS]


def _order_row(order: Order, totals: Totals | None) -> tuple[Cell, ...]:
    return (
        order.number,
        order.customer_id,
        moment(order.ordered_at),
        order.status,
        OrderStatus(order.status).label,
        order.name,
        order.kana,
        order.company,
        order.email,
        order.phone,
        order.postal_code,
        order.prefecture,
        order.address,
        order.delivery_name,
        order.delivery_kana,
        order.delivery_company,
        order.delivery_phone,
        order.delivery_postal_code,
        order.delivery_prefecture,
        order.delivery_address,
        day(order.delivery_date),
        order.delivery_time,
        order.tracking_number,
        order.tracking_url,
        moment(order.shipped_at),
        order.payment_method_name,
        moment(order.paid_at),
        order.subtotal,
        order.delivery_fee,
        order.charge,
        -abs(order.discount),
        order.total,
        order.used_points,
        order.payment_total,
        order.added_points,
        *(_NO_SUMS if totals is None else _sums(totals)),
        "定期購入" if order.is_subscription else "",
        order.message,
        order.memo,
        moment(order.updated_at),
    )


def _sums(totals: Totals) -> tuple[int, ...]:
    """対象 and 消費税 of 10 %, of 8 % and of any other rate, and what bears no tax; adds up to お支払い合計."""
    standard = reduced = other = (0, 0)
    untaxed = 0
    for bucket in totals.buckets:
        if bucket.rate is None:
            untaxed += bucket.taxable_total
        elif bucket.rate == _STANDARD:
            standard = (bucket.taxable_total, bucket.tax)
        elif bucket.rate == _REDUCED:
            reduced = (bucket.taxable_total, bucket.tax)
        else:
            other = (other[0] + bucket.taxable_total, other[1] + bucket.tax)
    return (*standard, *reduced, *other, untaxed)


def _line_rows(order: Order, totals: Totals | None) -> list[Sequence[Cell]]:
    lines = _lines_of(order)
    subtotals: Sequence[int | None] = totals.line_subtotals if totals else [None] * len(lines)
    head = (order.number, moment(order.ordered_at), OrderStatus(order.status).label, order.name)
    return [
        (
            *head,
            number,
            OrderLine.Kind(line.kind).label,
            line.code,
            line.name,
            line.options,
            line.unit_price,
            ("税込" if line.price_includes_tax else "税抜")
            if line.tax_type == OrderLine.TaxType.TAXABLE
            else "",
            line.quantity,
            f"{line.tax_rate.normalize():f}",
            OrderLine.TaxType(line.tax_type).label,
            subtotal,
        )
        for number, (line, subtotal) in enumerate(zip(lines, subtotals, strict=True), 1)
    ]


ORDERS = CsvKind(
    code="orders", label="受注CSV", file_name="orders", columns=_ORDER_COLUMNS, rows_of=order_rows
)
ORDER_LINES = CsvKind(
    code="order_lines",
    label="受注明細CSV",
    file_name="order_lines",
    columns=_LINE_COLUMNS,
    rows_of=line_rows,
)
