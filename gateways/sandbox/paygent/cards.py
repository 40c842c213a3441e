"""Test cards: what a card number does, decided once, so that the number itself is never kept.

4111111111111111 and every other number with a right check digit is approved; 49990000000000NN is declined with
the detail 1GNN, such as 1G12 (unusable), 1G30 (held for judgement), 1G44 (security code), 1G54 (daily limit).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime

DECLINING_PREFIX = "49990000000000"
EXPIRED_CARD = "1G83"


@dataclass(frozen=True, slots=True)
class Card:
    """What is kept of a card. `valid_term` is MMYY, `decline` a detail such as 1G12 or empty."""

    last4: str
    length: int
    valid_term: str
    fingerprint: str
    decline: str

    @property
    def masked(self) -> str:
        """As 020 and 027 show it."""
        return "*" * (self.length - 4) + self.last4

    def refusal(self, now: datetime) -> str:
        """The detail with which the issuer declines, or nothing."""
        month_of_expiry = self.valid_term[2:] + self.valid_term[:2]
        return self.decline or (EXPIRED_CARD if month_of_expiry < now.strftime("%y%m") else "")

    def to_json(self) -> str:
        """For a column of our tables."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Card:
        """Back from a column."""
        return cls(**json.loads(text))


def read_card(number: str, valid_term: str, *, salt: str) -> Card:
    """Look at a well-formed number once and forget it; `salt` keeps the fingerprint from telling it."""
    declines = len(number) == 16 and number.startswith(DECLINING_PREFIX)
    return Card(
        last4=number[-4:],
        length=len(number),
        valid_term=valid_term,
        fingerprint=hashlib.sha256(f"{salt}{number}".encode()).hexdigest()[:32],
        decline=f"1G{number[-2:]}" if declines else "",
    )


def has_right_check_digit(number: str) -> bool:
    """Luhn; the documented declining cards are spared."""
    if number.startswith(DECLINING_PREFIX):
        return True
    digits = [int(digit) for digit in reversed(number)]
    return sum(digits[::2] + [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]) % 10 == 0
