"""The bytes of Paygent: form fields in CP932 come in, lines `key=value` in CP932 go out, lists as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import unquote_to_bytes

from gateways.sandbox.messages import Answer

CONTENT_TYPE = "text/plain;charset=Windows-31J"

Fields = list[tuple[str, str]]
Parameters = dict[str, str]


class Refused(Exception):
    """The telegram is answered with this code and detail. What was written before stays written."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code} {detail}".strip())
        self.code = code
        self.detail = detail


def read_form(body: bytes) -> Parameters:
    """Decode a form. Values are percent-encoded CP932; an unreadable byte becomes U+FFFD."""
    parameters: Parameters = {}
    for pair in body.strip(b"\r\n").split(b"&"):
        name, _, value = pair.partition(b"=")
        if name:
            parameters[_decode(name)] = _decode(value)
    return parameters


def _decode(raw: bytes) -> str:
    return unquote_to_bytes(raw.replace(b"+", b" ")).decode("cp932", "replace")


def write_fields(fields: Fields) -> Answer:
    """An empty line first, as recorded, then one line per field; a field `..._html` goes to the end."""
    ordered = sorted(fields, key=lambda field: field[0].endswith("_html"))
    lines = "\r\n".join(["", *(f"{name}={value}" for name, value in ordered)])
    return Answer(lines.encode("cp932", "replace"), content_type=CONTENT_TYPE)


def write_error(code: str, detail: str = "") -> Answer:
    """An error answer; details come in double quotes."""
    return write_fields(
        [("result", "1"), ("response_code", code), ("response_detail", f'"{detail}"' if detail else "")]
    )


def write_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Answer:
    """A list: the result, the names of the columns, the rows, their number."""
    kept = list(rows)
    lines = [["1", "0", "", ""], ["2", *columns], *(["3", *row] for row in kept), ["4", str(len(kept))]]
    text = "".join(",".join(f'"{value}"' for value in line) + "\r\n" for line in lines)
    return Answer(text.encode("cp932", "replace"), content_type=CONTENT_TYPE)
