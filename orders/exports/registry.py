"""What a kind of file gives to the exports, and the list of kinds that exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from orders.models import Order


@dataclass(frozen=True, kw_only=True)
class Piece:
    """The text of some orders: `lines` of them, and orders whose sums could not be told."""

    text: str
    lines: int
    unsummed: int = 0


class ExportKind(Protocol):
    """One kind of file. Text comes in pieces of some hundred orders; nothing is remembered between them."""

    @property
    def code(self) -> str: ...

    @property
    def label(self) -> str:
        """What the file is called on screens, such as 受注CSV."""
        ...

    @property
    def unit(self) -> str:
        """What `Piece.lines` counts: 行 or 枚."""
        ...

    @property
    def file_name(self) -> str:
        """How a file of this kind is called, without day and ending."""
        ...

    @property
    def ending(self) -> str: ...

    @property
    def content_type(self) -> str: ...

    @property
    def is_csv(self) -> bool:
        """Whether an encoding is to be chosen; everything else is UTF-8."""
        ...

    @property
    def is_in_parts(self) -> bool:
        """Whether each piece is a file of its own, fetched one by one."""
        ...

    @property
    def shows_lines(self) -> bool:
        """Whether the text tells of 明細, which are read for such kinds only."""
        ...

    @property
    def max_orders(self) -> int | None:
        """The most orders that make sense; None is no limit."""
        ...

    def head(self) -> str:
        """What the file begins with."""
        ...

    def piece(self, order_ids: Sequence[int], orders: Mapping[int, Order]) -> Piece:
        """The text of these orders in this order; one that is missing from `orders` was deleted."""
        ...


@dataclass
class Registry:
    """The kinds by code. Filled by the apps when they are ready."""

    kinds: dict[str, ExportKind] = field(default_factory=dict)

    def register(self, kind: ExportKind) -> None:
        """Add a kind; the same code twice is a programming error."""
        if kind.code in self.kinds:
            raise ValueError(f"export kind {kind.code} is registered twice")
        self.kinds[kind.code] = kind

    def get(self, code: str) -> ExportKind | None:
        """The kind, or None for a code that nobody registered."""
        return self.kinds.get(code)

    def __getitem__(self, code: str) -> ExportKind:
        return self.kinds[code]


registry = Registry()
