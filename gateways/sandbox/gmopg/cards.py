"""Test cards: what a card number does, decided once, so that the number itself is never kept.

4111111111111111 and every other number with a right check digit is approved; 49990000000000NN is declined with
42GNN0000; 4100000000000100 passes 3-D Secure by itself and 4100000000005000 after a challenge.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime

APPROVED = "approved"
FRICTIONLESS = "frictionless"
CHALLENGE = "challenge"

DECLINING_PREFIX = "49990000000000"
THREE_D_SECURE_CARDS = {"4100000000000100": FRICTIONLESS, "4100000000005000": CHALLENGE}
BRANDS = (("4", "VISA"), ("5", "MASTER"), ("2", "MASTER"), ("35", "JCB"), ("34", "AMEX"), ("37", "AMEX"))
DINERS = ("30", "36", "38", "39")


@dataclass(frozen=True, slots=True)
class Card:
    """What is kept of a card. `behaviour` is one of the words above, or a decline such as G02."""

    last4: str
    length: int
    brand: str
    expire: str
    behaviour: str

    @property
    def masked(self) -> str:
        """As SearchTrade and TradedCard show it."""
        return "*" * (self.length - 4) + self.last4

    @property
    def masked_when_stored(self) -> str:
        """As SaveCard and SearchCard show it."""
        return "*" * (self.length - 3) + self.last4[1:]

    @property
    def three_d_secure(self) -> bool:
        """Whether the issuer takes part in 3-D Secure."""
        return self.behaviour in (FRICTIONLESS, CHALLENGE)

    def decline(self, now: datetime) -> str | None:
        """The ErrInfo with which the issuer declines, or None."""
        if self.behaviour.startswith("G"):
            return f"42{self.behaviour}0000"
        return "42G830000" if self.expire < now.strftime("%y%m") else None

    def to_json(self) -> str:
        """For a column of our tables."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Card:
        """Back from a column."""
        return cls(**json.loads(text))


def read_card(number: str, expire: str) -> Card:
    """Look at a well-formed number once and forget it. `expire` is YYMM."""
    return Card(number[-4:], len(number), brand_of(number) or "", expire, _behaviour(number))


def brand_of(number: str) -> str | None:
    """The brand by the leading digits, None where no shop of ours has a contract."""
    if number.startswith(DINERS):
        return "DINERS"
    return next((brand for prefix, brand in BRANDS if number.startswith(prefix)), None)


def has_right_check_digit(number: str) -> bool:
    """Luhn; the documented declining cards are spared."""
    if _behaviour(number) != APPROVED:
        return True
    digits = [int(digit) for digit in reversed(number)]
    return sum(digits[::2] + [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]) % 10 == 0


def _behaviour(number: str) -> str:
    if len(number) == 16 and number.startswith(DECLINING_PREFIX):
        return f"G{number[-2:]}"
    return THREE_D_SECURE_CARDS.get(number, APPROVED)
