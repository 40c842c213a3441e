"""The bytes of SBPS: XML in Shift_JIS both ways, a hash over the plain values, some values in 3DES."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from xml.parsers import expat
from xml.sax.saxutils import escape

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from gateways.sandbox.messages import Answer
from gateways.sandbox.sbps.desk import CIPHER_IV, CIPHER_KEY, HASH_KEY

CODEC = "cp932"
CONTENT_TYPE = "text/xml;charset=Shift_JIS"
HEADERS = (
    ("Content-Language", "ja"),
    ("Pragma", "No-cache"),
    ("Cache-Control", "no-cache,no-store,max-age=0"),
    ("Expires", "Thu, 01 Jan 1970 00:00:00 GMT"),
    ("Connection", "close"),
)
BLOCK = 8
BLANKS = " \t\r\n"

# A name with its text or with its children, in the order in which they are written.
Tree: TypeAlias = "Sequence[tuple[str, str | Tree]]"


class Malformed(ValueError):
    """Not one XML document with a request in it."""


class BadValue(ValueError):
    """A value is not the Base64 or 3DES that it has to be."""


class Refused(Exception):
    """The call is refused; `by_front` refusals answer without the name of the call."""

    def __init__(self, code: str, *, by_front: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.by_front = by_front


@dataclass(slots=True)
class Telegram:
    """A request: its id, and every leaf as (path, text) in the order of the document."""

    api_id: str = ""
    leaves: list[tuple[str, str]] = field(default_factory=list)


def read(body: bytes) -> Telegram:
    """Raises Malformed. Declarations of documents and entities are refused: the provider has none."""
    telegram = Telegram()
    names: list[str] = []
    texts: list[str] = []
    parents: set[str] = set()
    parser = expat.ParserCreate()

    def start(name: str, attributes: dict[str, str]) -> None:
        if not names:
            if name != "sps-api-request":
                raise Malformed
            telegram.api_id = attributes.get("id", "")
        names.append(name)
        texts.append("")
        parents.add("/".join(names[1:-1]))

    def end(name: str) -> None:
        path, text = "/".join(names[1:]), texts.pop()
        names.pop()
        if path and path not in parents:
            telegram.leaves.append((path, text.strip(BLANKS)))

    def characters(text: str) -> None:
        texts[-1] += text

    def declared(*_: object) -> None:
        raise Malformed

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = declared
    try:
        # As text: expat reads no multi-byte encodings, and then overrules what the document says of itself.
        parser.Parse(body.decode(CODEC), True)
    except (expat.ExpatError, UnicodeDecodeError) as error:
        raise Malformed from error
    return telegram


def write(api_id: str, tree: Tree) -> Answer:
    """A whole answer, as the provider writes it: single quotes, four spaces, empty elements closed at once."""
    named = f' id="{api_id}"' if api_id else ""
    lines = ["<?xml version='1.0' encoding='Shift_JIS' ?>", f"<sps-api-response{named}>"]
    lines += _lines(tree, 1)
    text = "\n".join([*lines, "</sps-api-response>", ""])
    return Answer(text.encode(CODEC, "replace"), content_type=CONTENT_TYPE, headers=HEADERS)


def _lines(tree: Tree, depth: int) -> list[str]:
    lines: list[str] = []
    indent = "    " * depth
    for name, inner in tree:
        if not inner:
            lines.append(f"{indent}<{name}/>")
        elif isinstance(inner, str):
            lines.append(f"{indent}<{name}>{escape(inner)}</{name}>")
        else:
            lines += [f"{indent}<{name}>", *_lines(inner, depth + 1), f"{indent}</{name}>"]
    return lines


def sps_hashcode(values: Sequence[str]) -> str:
    """SHA-1 over the plain values in the order of the document and the hash key."""
    text = "".join(value.strip(BLANKS) for value in values) + HASH_KEY
    return hashlib.sha1(text.encode(CODEC, "replace"), usedforsecurity=False).hexdigest()


def from_base64(text: str) -> str:
    """A multi-byte value. Raises BadValue."""
    try:
        return base64.b64decode(text, validate=True).decode(CODEC)
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise BadValue from error


def encrypt(text: str) -> str:
    """3DES, filled with spaces, in Base64."""
    data = text.encode(CODEC, "replace")
    data += b" " * (-len(data) % BLOCK)
    machine = Cipher(TripleDES(CIPHER_KEY), modes.CBC(CIPHER_IV)).encryptor()
    return base64.b64encode(machine.update(data) + machine.finalize()).decode("ascii")


def decrypt(text: str) -> str:
    """Back again, without spaces or PKCS bytes at the end. Raises BadValue."""
    try:
        data = base64.b64decode(text, validate=True)
        machine = Cipher(TripleDES(CIPHER_KEY), modes.CBC(CIPHER_IV)).decryptor()
        plain = machine.update(data) + machine.finalize()
        if plain and plain[-1] <= BLOCK and plain.endswith(plain[-1:] * plain[-1]):
            plain = plain[: -plain[-1]]
        return plain.decode(CODEC).rstrip(" ")
    except (binascii.Error, ValueError) as error:
        raise BadValue from error
