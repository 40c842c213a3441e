"""CSV that a spreadsheet opens without running it, and text that Shift_JIS can hold."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.exports.csv_text import encode, safe_cell, text_of_rows


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x"])
def test_every_formula_start_is_defused(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "1000", "山田", "B000001", "a=b"])
def test_plain_cells_stay_as_they_are(text: str) -> None:
    assert safe_cell(text) == text


def test_numbers_below_zero_stay_numbers() -> None:
    assert text_of_rows([("-500円引き", -500, None)]) == "'-500円引き,-500,\r\n"


def test_quotes_commas_and_line_breaks_stay_inside_their_cell() -> None:
    cells = ('彼は"はい"と言った', "1,000円", "一行目\r\n二行目", "三行目\n四行目")
    assert [tuple(row) for row in csv.reader(io.StringIO(text_of_rows([cells]), newline=""))] == [cells]


def test_a_character_that_shift_jis_lacks_is_seen_and_counted() -> None:
    written, replaced = encode("髙橋😀𠮷田\n", "cp932")
    assert written.decode("cp932") == "髙橋〓〓田\n"
    assert replaced == 2


def test_what_looks_the_same_in_shift_jis_is_no_replacement() -> None:
    written, replaced = encode("午前〜午後−1—‖か\u3099葛\U000e0100", "cp932")
    assert written.decode("cp932") == "午前～午後－1―∥が葛"
    assert replaced == 0


def test_utf_8_keeps_everything() -> None:
    assert encode("𠮷😀〜", "utf-8-sig") == ("𠮷😀〜".encode(), 0)


@given(st.text())
def test_no_text_breaks_the_encoding(text: str) -> None:
    for encoding in ("cp932", "utf-8-sig", ""):
        written, replaced = encode(text, encoding)
        assert replaced <= len(text) * 3
        written.decode("cp932" if encoding == "cp932" else "utf-8")
