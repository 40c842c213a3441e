"""配送番号CSV登録 (G13-2): tracking numbers of many orders from one file of the carrier's software.

Columns: 注文番号, お問い合わせ番号. A first line without any digit is a heading. A wrong line is reported by its
number and nothing of it is applied; the others are.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from orders import editing
from orders.history import Author
from orders.models import Order

MAX_BYTES = 1024 * 1024
MAX_LINES = 5_000
MAX_CHARACTERS_PER_CELL = 200


class FileError(ValueError):
    """The file as a whole cannot be read; the message is a sentence for the operator."""


@dataclass(frozen=True)
class BadLine:
    """A line of which nothing was applied, by its number in the file."""

    number: int
    reason: str


@dataclass
class Result:
    """What became of a file: every line is in exactly one of the three."""

    saved: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    bad: list[BadLine] = field(default_factory=list)


@dataclass(frozen=True)
class _Line:
    number: int
    order_number: str
    tracking_number: str


def apply(content: bytes, *, author: Author, now: datetime) -> Result:
    """Read the file and give each order its number, one transaction per line. Raises FileError."""
    result = Result()
    lines: list[_Line] = []
    for number, cells in _rows(_decoded(content)):
        line = _line(number, cells)
        if isinstance(line, BadLine):
            result.bad.append(line)
        else:
            lines.append(line)
    ids = dict(
        Order.objects.filter(number__in={line.order_number for line in lines}).values_list("number", "pk")
    )
    seen: dict[str, int] = {}
    for line in lines:
        if line.order_number in seen:
            reason = f"注文番号 {line.order_number} は{seen[line.order_number]}行目にもあります。"
            result.bad.append(BadLine(line.number, reason))
        elif line.order_number not in ids:
            result.bad.append(BadLine(line.number, f"注文番号 {line.order_number} の受注が見つかりません。"))
        else:
            seen[line.order_number] = line.number
            _apply_line(line, ids[line.order_number], result, author=author, now=now)
    result.bad.sort(key=lambda bad: bad.number)
    return result


def _apply_line(line: _Line, order_id: int, result: Result, *, author: Author, now: datetime) -> None:
    outcome = editing.set_tracking_number(
        order_id=order_id, tracking_number=line.tracking_number, author=author, now=now
    )
    if isinstance(outcome, editing.Invalid):
        result.bad.append(BadLine(line.number, " ".join(outcome.errors.values())))
    elif outcome.changed:
        result.saved.append(line.order_number)
    else:
        result.unchanged.append(line.order_number)


def _decoded(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise FileError("ファイルが大きすぎます。1MBまでのCSVファイルに分けてください。")
    if b"\0" in content:
        raise FileError(
            "CSVファイルではありません。文字コードがUTF-8かShift_JISのCSVファイルを選択してください。"
        )
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileError("文字コードを読み取れません。UTF-8かShift_JISで保存したCSVファイルを選択してください。")


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The lines that hold anything, by the number of the line where each one ends; without the heading."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    found = 0
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            is_heading = found == 0 and not any(character.isdigit() for character in "".join(cells))
            found += 1
            if found > MAX_LINES + 1:
                raise FileError(f"行が多すぎます。{MAX_LINES:,}行までのファイルに分けてください。")
            if not is_heading:
                yield reader.line_num, cells
    except csv.Error as problem:
        raise FileError(
            f'{reader.line_num}行目を読み取れません。引用符（"）が閉じているか確認してください。何も登録していません。'
        ) from problem
    if not found:
        raise FileError("ファイルに行がありません。")


def _line(number: int, cells: list[str]) -> _Line | BadLine:
    if len(cells) != 2:
        return BadLine(
            number, f"列が{len(cells)}個あります。「注文番号,お問い合わせ番号」の2列にしてください。"
        )
    order_number, tracking_number = (cell.strip() for cell in cells)
    if max(len(order_number), len(tracking_number)) > MAX_CHARACTERS_PER_CELL:
        return BadLine(number, "値が長すぎます。")
    if not order_number:
        return BadLine(number, "注文番号が空です。")
    if not tracking_number:
        return BadLine(number, f"注文番号 {order_number} のお問い合わせ番号が空です。")
    return _Line(number, order_number, tracking_number)
