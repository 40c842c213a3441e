"""The page for people says what the table says."""

from __future__ import annotations

from pathlib import Path

from payments.transition_table import as_markdown

PAGE = Path(__file__).parent.parent.parent / "docs" / "transitions.md"


def test_the_page_is_the_table() -> None:
    assert PAGE.read_text() == as_markdown(), "write it anew: python manage.py transition_table"
