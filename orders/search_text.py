"""What is searched: one normalised text per order, and what was typed, folded alike.

Width, case, kana, spaces and hyphens do not matter.
"""

from __future__ import annotations

import unicodedata
from enum import IntEnum
from typing import Final

from orders.models import Order, OrderSearch

SEPARATOR: Final = "\x1f"
MAX_TERM_CHARACTERS: Final = 200
MAX_PARTS: Final = 10
# Bytes of one field in the text, which an index holds whole: no row of it may have more than 2,704. The longest name
# has 360; only characters that folding spells out, such as ㍿, make one longer, whose end is not found then.
MAX_FIELD_BYTES: Final = 420

# ー (the long vowel mark) is a letter and stays.
_HYPHENS = frozenset("-‐‑‒–—―−﹘﹣－⁃⸺⸻˗")
_DROPPED_CATEGORIES = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Cs"})
_KATAKANA = {code: code + 0x60 for code in (*range(0x3041, 0x3097), 0x309D, 0x309E)}


class SearchField(IntEnum):
    """Where a field stands in the search text, as split_part counts."""

    NUMBER = 1
    NAME = 2
    KANA = 3
    COMPANY = 4
    EMAIL = 5
    PHONE = 6


def normalise(text: str) -> str:
    """Fold width, case and kana, and take out spaces, hyphens and control characters. Idempotent."""
    folded = _fold(text)
    while folded != text:
        text, folded = folded, _fold(folded)
    return folded


def _fold(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).casefold().translate(_KATAKANA)
    return "".join(
        character
        for character in text
        if character not in _HYPHENS and unicodedata.category(character) not in _DROPPED_CATEGORIES
    )


def text_of(*, number: str, name: str, kana: str, company: str, email: str, phone: str) -> str:
    """The search text of an order, in the order of SearchField."""
    return SEPARATOR.join(_cut(normalise(part)) for part in (number, name, kana, company, email, phone))


def _cut(field: str) -> str:
    return field.encode()[:MAX_FIELD_BYTES].decode(errors="ignore")


def refresh(order: Order) -> None:
    """Write the search text of an order that was saved; one statement."""
    OrderSearch.objects.bulk_create(
        [OrderSearch(order_id=order.pk, ordered_at=order.ordered_at, text=text_of_order(order))],
        update_conflicts=True,
        unique_fields=["order_id"],
        update_fields=["ordered_at", "text"],
    )


def text_of_order(order: Order) -> str:
    """The search text of an order row."""
    return text_of(
        number=order.number,
        name=order.name,
        kana=order.kana,
        company=order.company,
        email=order.email,
        phone=order.phone,
    )


def parse(typed: str) -> tuple[tuple[str, ...], str]:
    """The parts of what was typed, and a sentence when something of it was left out (else empty)."""
    message = ""
    if len(typed) > MAX_TERM_CHARACTERS:
        typed = typed[:MAX_TERM_CHARACTERS]
        message = f"検索語が長いため、最初の{MAX_TERM_CHARACTERS}文字で検索しました。"
    words = unicodedata.normalize("NFKC", typed).split()
    parts = tuple(dict.fromkeys(part for word in words if (part := normalise(word))))
    if len(parts) > MAX_PARTS:
        parts = parts[:MAX_PARTS]
        message = f"検索語が多いため、最初の{MAX_PARTS}語で検索しました。"
    return parts, message


def plain_code(typed: str) -> str:
    """An order or tracking number as typed, made half-width, without spaces."""
    return "".join(unicodedata.normalize("NFKC", typed).split())
