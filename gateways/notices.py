"""What providers tell the shop by themselves, in one shape (invariant 14). None of it is believed: it is a reason to ask.

A provider's room reads the bytes that came to an account's address, checks what can be checked, and says what it
answers. Some providers also keep a queue of what they have told, from which nothing that was lost on its way is missing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias
from urllib.parse import parse_qsl

from gateways.interface import Journal, PaymentReference
from gateways.masking import mask_fields
from gateways.outcomes import NotSent, Refused, Unknown
from gateways.vocabulary import PaymentStatus

# More than any provider has ever sent.
MAX_FIELDS = 100
MAX_VALUE_CHARACTERS = 200
_MAX_NAME_CHARACTERS = 40
_LONGEST_YEN = 12


class NotANotice(Exception):
    """The body is not a form with the fields of a notice."""


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A notice as it was told. `amount` in yen; None where it is no number.

    `number` is the provider's own number of the notice, where it has one. `order_id` is ours as the provider wrote
    it; `known_as` is what our record calls the payment then, and `remembered` what an action of several telegrams
    would have noted about it (Journal.remember). `doubt` says in a sentence why it looks forged. `fields` may be
    stored: masked, cut, and without what is empty. Two with the same `digest` are one.
    """

    digest: str
    number: str = ""
    order_id: str
    known_as: str
    remembered: Mapping[str, str] = field(default_factory=dict)
    # In the shared vocabulary where it is known there, otherwise as the provider said it.
    told_status: str = ""
    amount: int | None = None
    fields: Mapping[str, str] = field(repr=False)
    is_signed: bool = False
    is_connection_test: bool = False
    doubt: str = ""

    @property
    def status(self) -> PaymentStatus | None:
        """The status in the shared vocabulary; None for a word that is not in it."""
        return PaymentStatus(self.told_status) if self.told_status in PaymentStatus.__members__ else None

    def contradiction(self, payment: PaymentReference) -> str:
        """In a sentence: what of it cannot be of this payment; empty where nothing is wrong."""
        return ""


class NoticeDesk(Protocol):
    """Where a provider's notices to one account come in."""

    @property
    def received(self) -> str:
        """The body that says so, and ends the repetition."""

    @property
    def not_received(self) -> str:
        """The body that makes the provider send it again."""

    def read(self, body: bytes) -> Notice:
        """Read what was posted. Raises NotANotice."""

    def repeats(self, fields: Mapping[str, str], payment: PaymentReference) -> bool:
        """Whether a notice's stored fields say what our record says already: mostly the echo of our own act."""


NoticeFailure: TypeAlias = Refused | NotSent | Unknown


class NoticeQueue(Protocol):
    """What a provider has told one account, kept by the provider until it is fetched. Fetching moves no money."""

    def take(self, journal: Journal) -> Notice | NoticeFailure | None:
        """The oldest notice that was not fetched yet; None when there is none. After Unknown it may be gone."""

    def again(self, number: str, journal: Journal) -> Notice | NoticeFailure:
        """The notice with this number, fetched or not. Refused where the provider has none."""


def read_form(body: bytes) -> dict[str, str]:
    """The fields of a form whose values are percent-encoded in CP932 (Windows-31J). Raises NotANotice."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            encoding="cp932",
            errors="replace",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError as error:
        raise NotANotice from error
    return cut(dict(pairs))


def cut(fields: Mapping[str, str]) -> dict[str, str]:
    """Names and values no longer than any that were ever sent, and without what PostgreSQL keeps in no text."""
    return {
        key[:_MAX_NAME_CHARACTERS].replace("\x00", ""): value[:MAX_VALUE_CHARACTERS].replace("\x00", "")
        for key, value in fields.items()
    }


def storable(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields without what is empty, masked one by one."""
    return {key: mask_fields({key: value}).partition("=")[2] for key, value in fields.items() if value}


def digest(content: Sequence[str]) -> str:
    """One word for what makes a notice the same one again."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def yen(*texts: str) -> int | None:
    """The sum of amounts as a provider writes them; None where one is not a number."""
    readable = all(text.isascii() and text.isdigit() and len(text) <= _LONGEST_YEN for text in texts)
    return sum(int(text) for text in texts) if readable else None
