"""The bytes of SBPS: XML in Shift_JIS, multi-byte values in Base64, a hash over the plain values, perhaps 3DES."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from xml.parsers import expat
from xml.sax.saxutils import escape

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher as Machine
from cryptography.hazmat.primitives.ciphers import modes

CONTENT_TYPE = "text/xml; charset=Shift_JIS"
# Shift_JIS with Windows' additions, which is what SBPS means by it.
CODEC = "cp932"

_BLOCK = 8
# Single-byte ones only: an ideographic space is a value.
_BLANKS = " \t\r\n"
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
# What SBPS encrypts of an answer, and nothing else.
_ENCRYPTED = "res_pay_method_info/"
# Answers have some 15 elements in 4 levels.
_MOST_ELEMENTS = 200
_DEEPEST = 8


class Unreadable(Exception):
    """The body is not an answer of SBPS, or not a whole one."""


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """One value in plain text. Of the two ways to write it, 3DES wins: a value is never wrapped twice."""

    name: str
    value: str
    is_multibyte: bool = False
    is_encrypted: bool = False


@dataclass(frozen=True, kw_only=True)
class Block:
    """A group of values."""

    name: str
    children: Sequence[Node]


Node: TypeAlias = Leaf | Block


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer: the call it says it answers (none in refusals of the front), and its values by their path."""

    api_id: str | None
    values: Mapping[str, str]


def plain(value: str) -> str:
    """What is left of a value in Shift_JIS: ? for a character it does not have, one space for a line's end."""
    text = value.encode(CODEC, "replace").decode(CODEC)
    return _CONTROLS.sub(" ", text).strip(_BLANKS)


def leaves(nodes: Sequence[Node]) -> list[Leaf]:
    """All values in the order of the document."""
    found: list[Leaf] = []
    for node in nodes:
        found += [node] if isinstance(node, Leaf) else leaves(node.children)
    return found


def sps_hashcode(nodes: Sequence[Node], hash_key: str) -> str:
    """SHA-1, which is SBPS's choice, over the plain values and the key."""
    text = "".join(plain(leaf.value) for leaf in leaves(nodes)) + hash_key
    return hashlib.sha1(text.encode(CODEC), usedforsecurity=False).hexdigest()


class Cipher:
    """3DES in CBC mode, filled up with spaces."""

    def __init__(self, key: str, iv: str) -> None:
        # A machine serves one message; the key schedule is small.
        self._algorithm = TripleDES(key.encode("ascii"))
        self._iv = iv.encode("ascii")

    def encrypt(self, value: str) -> str:
        """A plain value as it travels."""
        data = value.encode(CODEC, "replace")
        data += b" " * (-len(data) % _BLOCK)
        machine = Machine(self._algorithm, modes.CBC(self._iv)).encryptor()
        return base64.b64encode(machine.update(data) + machine.finalize()).decode("ascii")

    def decrypt(self, value: str) -> str:
        """Back again. Raises Unreadable."""
        try:
            data = base64.b64decode(value, validate=True)
            machine = Machine(self._algorithm, modes.CBC(self._iv)).decryptor()
            return (machine.update(data) + machine.finalize()).decode(CODEC).rstrip(" ")
        except (binascii.Error, ValueError) as error:
            raise Unreadable("cipher") from error


def write(api_id: str, nodes: Sequence[Node], *, hash_key: str, cipher: Cipher | None) -> bytes:
    """A whole request with its hash. Empty values are left out."""
    sealed = Leaf(name="sps_hashcode", value=sps_hashcode(nodes, hash_key))
    inside = _elements([*nodes, sealed], cipher)
    text = f'<?xml version="1.0" encoding="Shift_JIS"?>\n<sps-api-request id="{api_id}">{inside}</sps-api-request>'
    return text.encode(CODEC)


def _elements(nodes: Sequence[Node], cipher: Cipher | None) -> str:
    parts: list[str] = []
    for node in nodes:
        text = _written(node, cipher) if isinstance(node, Leaf) else _elements(node.children, cipher)
        if text:
            parts.append(f"<{node.name}>{text}</{node.name}>")
    return "".join(parts)


def _written(leaf: Leaf, cipher: Cipher | None) -> str:
    value = plain(leaf.value)
    if not value:
        return ""
    if leaf.is_encrypted and cipher is not None:
        return cipher.encrypt(value)
    if leaf.is_multibyte:
        return base64.b64encode(value.encode(CODEC)).decode("ascii")
    return escape(value, {'"': "&quot;", "'": "&apos;"})


def as_text(body: bytes) -> str:
    """A body for the journal, readable whatever it is."""
    return body.decode(CODEC, errors="replace")


def read(body: bytes, cipher: Cipher | None) -> Answer:
    """The values of an answer, decrypted. Raises Unreadable for anything but one whole `sps-api-response`.

    Document types are refused before anything in them is looked at: no entity is declared, expanded or fetched.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    try:
        # As text: expat knows no multi-byte encodings, and text overrules what the document says of itself.
        parser.Parse(body.decode(CODEC), True)
    except UnicodeDecodeError as error:
        raise Unreadable("encoding") from error
    except (expat.ExpatError, ValueError) as error:
        raise Unreadable("xml") from error
    values = reader.values
    if cipher is not None:
        for path, value in values.items():
            if path.startswith(_ENCRYPTED) and value:
                values[path] = cipher.decrypt(value)
    return Answer(api_id=reader.api_id, values=values)


class _Reader:
    """Collects the leaves of one document."""

    def __init__(self) -> None:
        self.api_id: str | None = None
        self.values: dict[str, str] = {}
        self._names: list[str] = []
        self._texts: list[str] = []
        self._has_children: list[bool] = []
        self._count = 0

    def refuse(self, *_: object) -> None:
        raise Unreadable("doctype")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._names:
            if name != "sps-api-response":
                raise Unreadable("root")
            self.api_id = attributes.get("id")
        else:
            self._has_children[-1] = True
        self._count += 1
        self._names.append(name)
        self._texts.append("")
        self._has_children.append(False)
        if self._count > _MOST_ELEMENTS or len(self._names) > _DEEPEST:
            raise Unreadable("too many elements")

    def characters(self, text: str) -> None:
        self._texts[-1] += text

    def end(self, _name: str) -> None:
        path = "/".join(self._names[1:])
        self._names.pop()
        text = self._texts.pop().strip(_BLANKS)
        if self._has_children.pop():
            if text:
                raise Unreadable("text between elements")
        elif self.values.setdefault(path, text) != text:
            raise Unreadable("an element with two values")
