"""The states of a card payment and what is allowed in each. Codes are this sandbox's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

AUTHORIZATION_FAILED = "11"
AUTHORIZED = "20"
VOIDED = "32"
EXPIRED = "33"
CAPTURED = "40"
CANCEL_LIMIT_PASSED = "41"
CAPTURE_CANCELLED = "60"

WRONG_STATE = "2201"
TOO_LATE = "2202"


@dataclass(frozen=True, slots=True)
class Move:
    """One change of state: from where, to where, which date it sets, how the ledger calls it."""

    before: str
    after: str
    date_column: str
    action: str


MOVES: Mapping[str, Move] = {
    "021": Move(AUTHORIZED, VOIDED, "cancel_date", "VOID"),
    "022": Move(AUTHORIZED, CAPTURED, "payment_date", "SALES"),
    "023": Move(CAPTURED, CAPTURE_CANCELLED, "cancel_date", "RETURN"),
}
ADMIN_ACTIONS: Mapping[str, str] = {move.action: kind for kind, move in MOVES.items()}


def refusal(status: str, before: str) -> str | None:
    """The code with which a telegram that needs the state `before` is refused, or None."""
    if status == before:
        return None
    return TOO_LATE if status in (EXPIRED, CANCEL_LIMIT_PASSED) else WRONG_STATE
