"""The bytes of Paygent: a form in CP932, answers as lines `key=value`, lists of cards as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from urllib.parse import urlencode

CONTENT_TYPE = "application/x-www-form-urlencoded"

# What a Japanese printer sets for a character it has no type for.
GETA = "〓"
# A key with this ending is the last one; its value is a page and runs to the end of the body.
_PAGE = "_html"
_OK, _HEADER, _COLUMNS, _ROW, _COUNT = "0", "1", "2", "3", "4"


class Unreadable(Exception):
    """The body is not an answer of Paygent, or not a whole one."""


def encode(fields: Mapping[str, str]) -> bytes:
    """A request body: values in CP932 first, then percent-encoded; what CP932 does not have becomes 〓."""
    return urlencode([(key, _to_cp932(value)) for key, value in fields.items()]).encode("ascii")


def _to_cp932(value: str) -> bytes:
    parts = []
    for character in value:
        try:
            parts.append(character.encode("cp932"))
        except UnicodeEncodeError:
            parts.append(GETA.encode("cp932"))
    return b"".join(parts)


def as_text(body: bytes) -> str:
    """A body for the journal, readable whatever it is."""
    return body.decode("cp932", errors="replace")


def parse(body: bytes) -> dict[str, str]:
    """The fields of an answer, in its order. Details of errors come without their double quotes.

    Raises Unreadable for nothing, a page, another encoding, a key twice, and an answer without `result`.
    """
    text = _decoded(body)
    fields: dict[str, str] = {}
    position = 0
    while position < len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        line = text[position:end].rstrip("\r")
        key, separator, value = line.partition("=")
        if line and not separator:
            raise Unreadable("not a line with key and value")
        if key.endswith(_PAGE):
            value = text[position + len(key) + 1 :]
            end = len(text)
        if line and fields.setdefault(key, value) != value:
            raise Unreadable("a key with two values")
        position = end + 1
    if fields.get("result") not in {"0", "1"}:
        raise Unreadable("no result")
    fields["response_detail"] = fields.get("response_detail", "").strip('"')
    return fields


def is_cut_at(body: bytes, key: str) -> bool:
    """Whether the value of this key is what the body ends with, so that the end of it may be missing."""
    last_line = _decoded(body).rpartition("\n")[2]
    return last_line.startswith(f"{key}=")


def parse_table(body: bytes) -> list[dict[str, str]] | dict[str, str]:
    """The rows of a CSV answer, or the fields of an error, whichever form it comes in.

    Raises Unreadable also where the number of rows is not the one that the last line states.
    """
    text = _decoded(body).strip("\r\n")
    if not text.startswith('"'):
        return parse(body)
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    if rows[0][0] != _HEADER or len(rows[0]) < 2:
        raise Unreadable("no result")
    header = [*rows[0], "", ""]
    if header[1] != _OK:
        return {"result": "1", "response_code": header[2], "response_detail": header[3].strip('"')}
    columns = next((row[1:] for row in rows if row[0] == _COLUMNS), [])
    found = [row[1:] for row in rows if row[0] == _ROW]
    if rows[-1] != [_COUNT, str(len(found))] or any(len(row) != len(columns) for row in found):
        raise Unreadable("not the whole list")
    return [dict(zip(columns, row, strict=True)) for row in found]


def _decoded(body: bytes) -> str:
    try:
        text = body.decode("cp932")
    except UnicodeDecodeError as error:
        raise Unreadable("not CP932") from error
    if not text.strip() or text.lstrip().startswith("<"):
        raise Unreadable("not an answer")
    return text
