"""The lines of an order, as stored and as wanted: which to write, which to delete, what changed in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cagolab.many_rows import write_columns
from orders.history import FieldChange
from orders.models import Order, OrderLine, Product
from orders.order_data import LineData

_WRITTEN = (
    "position",
    "kind",
    "product_id",
    "name",
    "code",
    "options",
    "unit_price",
    "price_includes_tax",
    "quantity",
    "tax_rate",
    "tax_type",
    "rounding",
)


class LinesError(ValueError):
    """The lines cannot be stored; the message is a sentence for the operator."""


@dataclass(frozen=True, kw_only=True)
class LinePlan:
    """What saving does with the lines: `wanted` in the order of the screen, `removed` deleted.

    `altered` are those of the wanted that are stored already, but differently.
    """

    wanted: tuple[OrderLine, ...]
    altered: tuple[OrderLine, ...]
    removed: tuple[OrderLine, ...]
    changes: tuple[FieldChange, ...]
    is_reordered: bool

    @property
    def has_changes(self) -> bool:
        """Whether saving would write anything."""
        return bool(self.changes) or self.is_reordered


def plan(stored: Sequence[OrderLine], data: Iterable[LineData]) -> LinePlan:
    """Compare. Reads products that lines newly sell; writes nothing. Raises LinesError."""
    by_id = {line.pk: line for line in stored}
    wanted_data = list(data)
    products = _products(by_id, wanted_data)
    wanted: list[OrderLine] = []
    altered: list[OrderLine] = []
    changes: list[FieldChange] = []
    seen: set[int] = set()
    for position, line_data in enumerate(wanted_data):
        before = by_id.get(line_data.line_id) if line_data.line_id is not None else None
        if line_data.line_id is not None and (before is None or before.pk in seen):
            raise LinesError(
                "保存されていない明細が含まれています。画面を開き直してから、もう一度入力してください。"
            )
        line = _line(before, line_data, products, position)
        if before is not None:
            seen.add(before.pk)
            if any(getattr(before, name) != getattr(line, name) for name in _WRITTEN):
                altered.append(line)
        was, is_now = (words(before) if before else ""), words(line)
        if was != is_now:
            changes.append(FieldChange(_name(line), was, is_now))
        wanted.append(line)
    removed = tuple(line for line in stored if line.pk not in seen)
    changes.extend(FieldChange(_name(line), words(line), "") for line in removed)
    order_now = [line.pk for line in wanted if line.pk]
    return LinePlan(
        wanted=tuple(wanted),
        altered=tuple(altered),
        removed=removed,
        changes=tuple(changes),
        is_reordered=order_now != [line.pk for line in stored if line.pk in seen],
    )


def write(plan_: LinePlan, order: Order) -> None:
    """Store the planned lines under the order."""
    if plan_.removed:
        OrderLine.objects.filter(pk__in=[line.pk for line in plan_.removed]).delete()
    write_columns(plan_.altered, _WRITTEN)
    new = [line for line in plan_.wanted if not line.pk]
    for line in new:
        line.order = order
    OrderLine.objects.bulk_create(new)


def words(line: OrderLine | LineData) -> str:
    """A line as 変更履歴 shows it."""
    what = " ".join(part for part in (line.name, line.code, line.options) if part)
    tax = "税込" if line.price_includes_tax else "税抜"
    rate = f"{line.tax_rate.normalize():f}"
    tax_type = OrderLine.TaxType(line.tax_type).label
    return f"{what} {line.unit_price:,}円（{tax}）× {line.quantity}、税率{rate}%、{tax_type}"


def _name(line: OrderLine) -> str:
    return f"明細 {line.name}"[:60]


def _products(stored: dict[int, OrderLine], data: Iterable[LineData]) -> dict[int, Product]:
    new = {
        line.product_id
        for line in data
        if line.product_id is not None and not _sells_the_same(stored.get(line.line_id or 0), line)
    }
    products = Product.objects.in_bulk(new) if new else {}
    if len(products) < len(new):
        raise LinesError("商品が見つかりません。その明細を削除し、商品を追加し直してください。")
    return products


def _sells_the_same(before: OrderLine | None, data: LineData) -> bool:
    return before is not None and before.kind == data.kind and before.product_id == data.product_id


def _line(before: OrderLine | None, data: LineData, products: dict[int, Product], position: int) -> OrderLine:
    same_kind = before is not None and before.kind == data.kind
    line = OrderLine(
        position=position,
        kind=data.kind,
        product_id=data.product_id,
        name=data.name,
        code=data.code,
        options=data.options,
        unit_price=data.unit_price,
        price_includes_tax=data.price_includes_tax,
        quantity=data.quantity,
        tax_rate=data.tax_rate,
        tax_type=data.tax_type,
        rounding=data.rounding,
    )
    if before is not None:
        line.pk, line.order_id = before.pk, before.order_id
    if before is not None and same_kind:
        line.price_includes_tax, line.rounding = before.price_includes_tax, before.rounding
    if data.product_id is None:
        return line
    source = before if before is not None and _sells_the_same(before, data) else products[data.product_id]
    line.name, line.code, line.options = source.name, source.code, source.options
    return line
