"""CSV that spreadsheets open as it is meant: safe cells, and text that survives Shift_JIS."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Final, Literal, TypeAlias

Encoding: TypeAlias = Literal["utf-8-sig", "cp932"]
Cell: TypeAlias = str | int | None

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
# What stands for a character that CP932 lacks: the printers' 下駄, so that the gap is seen.
GETA: Final = "〓"

# A cell that starts like this would be run as a formula by the spreadsheet, full-width forms included.
_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
# Characters that Unicode has twice: what Macs and telephones type, and what CP932 holds. They look the same.
_SAME_TO_THE_EYE = str.maketrans("〜−—‖¢£¬–", "～－―∥￠￡￢－")


def safe_cell(text: str) -> str:
    """The text, with a leading apostrophe where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def text_of_rows(rows: Iterable[Sequence[Cell]]) -> str:
    """The rows as CSV text. Numbers stay numbers, below zero too; text is made safe; None is an empty cell."""
    buffer = StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows(
        [safe_cell(cell) if isinstance(cell, str) else cell for cell in row] for row in rows
    )
    return buffer.getvalue()


def encode(text: str, encoding: str) -> tuple[bytes, int]:
    """The bytes (without a mark), and how many characters the encoding lacked and GETA stands for."""
    if encoding != "cp932":
        return text.encode("utf-8", errors="replace"), 0
    try:
        return text.encode("cp932"), 0
    except UnicodeEncodeError:
        return _encode_what_can_be(text)


def _encode_what_can_be(text: str) -> tuple[bytes, int]:
    # Combining kana marks (a Mac's file names) become one character, as CP932 has them.
    text = unicodedata.normalize("NFC", text).translate(_SAME_TO_THE_EYE)
    replaced = 0
    pieces: list[bytes] = []
    for line in text.splitlines(keepends=True):
        try:
            pieces.append(line.encode("cp932"))
        except UnicodeEncodeError:
            for character in line:
                if _chooses_a_shape_only(character):
                    continue
                try:
                    pieces.append(character.encode("cp932"))
                except UnicodeEncodeError:
                    replaced += 1
                    pieces.append(GETA.encode("cp932"))
    return b"".join(pieces), replaced


def _chooses_a_shape_only(character: str) -> bool:
    """Variation selectors choose among shapes of the character before them, which stays."""
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
