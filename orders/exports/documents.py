"""納品書 of many orders as files to print (CC-1): some hundred sheets each, complete without the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string

from orders.exports.registry import Piece
from orders.invoice import sheets_of
from orders.models import Order


@dataclass(frozen=True)
class Documents:
    """Each part is an HTML page with its style inside. A part is as much as a browser prints in one go."""

    code: str = "documents"
    label: str = "納品書"
    unit: str = "枚"
    file_name: str = "nohinsho"
    ending: str = "html"
    content_type: str = "text/html"
    is_csv: bool = False
    is_in_parts: bool = True
    shows_lines: bool = True
    max_orders: int | None = 20_000

    def head(self) -> str:
        """Nothing: every part has its own."""
        return ""

    def piece(self, order_ids: Sequence[int], orders: Mapping[int, Order]) -> Piece:
        """A whole page with the sheets of these orders."""
        found = [orders[pk] for pk in order_ids if pk in orders]
        text = render_to_string("orders/document_file.html", {**sheets_of(found), "style": _style()})
        return Piece(text=text, lines=len(found))


def _style() -> str:
    path = finders.find("css/document.css")
    assert isinstance(path, str)  # it is part of this repository
    return Path(path).read_text()
