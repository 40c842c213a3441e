"""The kinds of file that are CSV: column names, and how orders become rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from orders.exports.csv_text import Cell, text_of_rows
from orders.exports.registry import Piece
from orders.models import Order


@dataclass(frozen=True)
class Rows:
    """Rows of some orders, and how many of the orders' sums could not be told."""

    cells: Sequence[Sequence[Cell]]
    unsummed: int = 0


@dataclass(frozen=True, kw_only=True)
class CsvKind:
    """A CSV of orders. `rows_of` gets some hundred orders, with their lines if shown, in the order of the list."""

    code: str
    label: str
    file_name: str
    columns: tuple[str, ...]
    rows_of: Callable[[Sequence[Order]], Rows]
    unit: str = "行"
    ending: str = "csv"
    content_type: str = "text/csv"
    is_csv: bool = True
    is_in_parts: bool = False
    shows_lines: bool = True
    max_orders: int | None = None

    def head(self) -> str:
        """The names of the columns."""
        return text_of_rows([self.columns])

    def piece(self, order_ids: Sequence[int], orders: Mapping[int, Order]) -> Piece:
        """The rows of the orders that are still there."""
        rows = self.rows_of([orders[pk] for pk in order_ids if pk in orders])
        return Piece(text=text_of_rows(rows.cells), lines=len(rows.cells), unsummed=rows.unsummed)
