"""trading_id: our own name for one attempt at Paygent, of at most 25 letters, digits and underscores.

It is not unique at Paygent, so it must be here: a lost authorization is found again by nothing else.
"""

from __future__ import annotations

import hashlib
import re
import secrets

LONGEST = 25
_TRANSLATES = re.compile(r"[0-9A-Za-z-]{1,25}")
_RANDOM_BYTES = 4
_KEPT = LONGEST - 2 * _RANDOM_BYTES - 1


def of_order(order_id: str) -> str:
    """The trading_id of a payment's authorization; always the same for one order_id, and for no other one."""
    if _TRANSLATES.fullmatch(order_id):
        return order_id.replace("-", "_")
    digest = hashlib.sha256(order_id.encode()).hexdigest()[:10]
    return f"{_safe(order_id)[: LONGEST - 11]}_{digest}"


def to_order(trading_id: str) -> str:
    """The order_id that `of_order` makes this trading_id of, where it only changes the hyphens."""
    return trading_id.replace("_", "-")


def of_new_attempt(order_id: str) -> str:
    """Another one for a further authorization: begins like the order, so that a person finds it."""
    return f"{_safe(order_id)[:_KEPT]}_{secrets.token_hex(_RANDOM_BYTES)}"


def _safe(order_id: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "_", order_id)
