"""Test cards: what a number does, decided once, so that the number itself is never kept.

Every number with a right check digit is approved; 49990000000000NN is refused with type NN (22 limit amount over,
23 card unusable, 61 security code ...).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

APPROVED = ""
REFUSING_PREFIX = "49990000000000"
BRANDS = (("4", "V"), ("5", "M"), ("2", "M"), ("35", "J"), ("34", "A"), ("37", "A"), ("30", "D"), ("36", "D"))
COMPANIES = {"V": "10035", "M": "99665"}


@dataclass(frozen=True, slots=True)
class Card:
    """What is kept of a card; `refusal` is the type with which its issuer says no, empty for a good one."""

    last4: str
    length: int
    brand: str
    expiration: str
    refusal: str = APPROVED

    def masked(self, info_type: str) -> str:
        """As an inquiry shows it: 1 hides everything, 2 shows the last four digits."""
        shown = self.last4 if info_type == "2" else "****"
        return "*" * (self.length - 4) + shown

    @property
    def company(self) -> str:
        """The card company's code."""
        return COMPANIES.get(self.brand, "99661")

    def to_json(self) -> str:
        """For a column of our tables."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Card:
        """Back from a column."""
        return cls(**json.loads(text))


GOOD = Card("4242", 16, "V", "204912")


def read_card(number: str, expiration: str) -> Card:
    """Look at a well-formed number once and forget it. `expiration` is YYYYMM."""
    return Card(number[-4:], len(number), _brand(number), expiration, _refusal(number))


def has_right_check_digit(number: str) -> bool:
    """Luhn; the documented refused cards are spared."""
    if _refusal(number):
        return True
    digits = [int(digit) for digit in reversed(number)]
    return sum(digits[::2] + [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]) % 10 == 0


def _brand(number: str) -> str:
    return next((brand for prefix, brand in BRANDS if number.startswith(prefix)), "X")


def _refusal(number: str) -> str:
    return number[-2:] if len(number) == 16 and number.startswith(REFUSING_PREFIX) else APPROVED
