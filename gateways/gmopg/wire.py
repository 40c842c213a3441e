"""The bytes of GMO-PG: fields in CP932 as a form, answers as one raw line `Key=Value&Key=Value`."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

CONTENT_TYPE = "application/x-www-form-urlencoded"

# What a Japanese printer sets for a character it has no type for.
GETA = "〓"
# Characters that Unicode has twice; CP932 knows the other one.
_TWINS = {
    "\u301c": "～",
    "\u2212": "－",
    "\u2016": "∥",
    "\u2014": "―",
    "\u00a2": "￠",
    "\u00a3": "￡",
    "\u00ac": "￢",
    "\u00a5": "￥",
    "\u00a6": "￤",
}


class Unreadable(Exception):
    """The body is not an answer of GMO-PG, or not a whole one."""


def to_cp932(value: str) -> bytes:
    """Encode for the wire; what CP932 does not have becomes its twin there or 〓, never an error."""
    try:
        return value.encode("cp932")
    except UnicodeEncodeError:
        return b"".join(_one_to_cp932(character) for character in value)


def _one_to_cp932(character: str) -> bytes:
    for candidate in (character, _TWINS.get(character, GETA)):
        try:
            return candidate.encode("cp932")
        except UnicodeEncodeError:
            continue
    raise AssertionError("CP932 has the geta mark")


def encode(fields: Mapping[str, str]) -> bytes:
    """A request body: values in CP932 first, then percent-encoded."""
    return urlencode([(key, to_cp932(value)) for key, value in fields.items()]).encode("ascii")


def as_text(body: bytes) -> str:
    """A body for the journal, readable whatever it is."""
    return body.decode("cp932", errors="replace")


def parse(body: bytes) -> dict[str, str]:
    """The fields of an answer, keys in lower case (GMO-PG's own module ignores their case).

    Values are raw: `+`, `@` and `=` mean themselves. Raises Unreadable for HTML, nothing, another encoding, and
    a line that says one thing twice.
    """
    try:
        text = body.decode("cp932")
    except UnicodeDecodeError as error:
        raise Unreadable("not CP932") from error
    line = text.strip("\r\n")
    if not line or "<" in line or "\n" in line or "\r" in line:
        raise Unreadable("not an answer line")
    if line.startswith("ACS=1&"):
        return _named(line, ("ACS", "ACSUrl", "PaReq", "MD"))
    if line.startswith("ACS=2&"):
        return _named(line, ("ACS", "RedirectUrl"))
    fields: dict[str, str] = {}
    for pair in line.split("&"):
        key, separator, value = pair.partition("=")
        if not separator or not key.isalnum():
            raise Unreadable("not a pair of key and value")
        if fields.setdefault(key.lower(), value) != value:
            raise Unreadable("a key with two values")
    return fields


def _named(line: str, keys: tuple[str, ...]) -> dict[str, str]:
    """Answers that send the customer to 3-D Secure hold bare & and =: cut at the known keys, in their order."""
    starts: list[tuple[str, int, int]] = []
    position = 0
    for key in keys:
        mark = f"&{key}=" if starts else f"{key}="
        found = line.find(mark, position)
        if found < 0:
            raise Unreadable(f"no {key}")
        position = found + len(mark)
        starts.append((key.lower(), found, position))
    ends = [start for _, start, _ in starts[1:]] + [len(line)]
    return {key: line[begin:end] for (key, _, begin), end in zip(starts, ends, strict=True)}


def records(fields: Mapping[str, str], *keys: str) -> list[dict[str, str]]:
    """Several records in one answer: each field holds `a|b|c`, the n-th parts belong together.

    Raises Unreadable when the fields have different numbers of parts.
    """
    columns = [fields.get(key.lower(), "").split("|") for key in keys]
    if len({len(column) for column in columns}) != 1:
        raise Unreadable("lists of different lengths")
    return [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]
