"""The bytes of GMO-PG: form fields in CP932 come in, one line of raw `Key=Value` pairs in CP932 goes out."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from gateways.sandbox.messages import Answer

CONTENT_TYPE = "text/plain;charset=Windows-31J"

Fields = list[tuple[str, str]]
Parameters = dict[str, str]


class Refused(Exception):
    """The call is answered with these ErrInfo codes. What was written before stays written."""

    def __init__(self, *codes: str) -> None:
        super().__init__("|".join(codes))
        self.codes = codes


def read_form(body: bytes) -> Parameters:
    """Decode a form. Values are percent-encoded CP932; an unreadable byte becomes U+FFFD."""
    parameters: Parameters = {}
    for pair in body.strip(b"\r\n").split(b"&"):
        name, _, value = pair.partition(b"=")
        if name:
            parameters[_decode(name)] = _decode(value)
    return parameters


def _decode(raw: bytes) -> str:
    if b"+" in raw:
        raw = raw.replace(b"+", b" ")
    if b"%" in raw:
        raw = unquote_to_bytes(raw)
    return raw.decode("cp932", "replace")


def write_fields(fields: Fields) -> Answer:
    """One line, values as they are: `@`, `+`, spaces and kana are not escaped."""
    line = "&".join(f"{name}={value}" for name, value in fields)
    return Answer(line.encode("cp932", "replace"), content_type=CONTENT_TYPE)


def write_errors(codes: Iterable[str], *, status: int = 200) -> Answer:
    """ErrCode is the class of each ErrInfo; both are matched by position."""
    infos = list(codes)
    classes = "|".join(error_class(info) for info in infos)
    line = f"ErrCode={classes}&ErrInfo={'|'.join(infos)}"
    return Answer(line.encode("ascii", "replace"), status=status, content_type=CONTENT_TYPE)


def error_class(info: str) -> str:
    """`42G020000` belongs to `G02`, everything else to its first three characters."""
    return info[2:5] if info.startswith("42") else info[:3]
