"""What lists read from the copy of the payment that stands on the order row.

orders does not know payments, so these words are repeated here; a test holds them equal to theirs.
"""

from __future__ import annotations

from typing import Final

# The provider holds or has taken the customer's money, or may still take it.
LIVE: Final = (
    "AUTH",
    "CAPTURE",
    "PAYSTART",
    "PAYSUCCESS",
    "REQCANCEL",
    "REQCHANGE",
    "REQSALES",
    "REQSUCCESS",
    "SALES",
    "SAUTH",
)

# Money is held and not taken yet: these have a deadline, and goods sent against them are not paid.
AUTHORIZED: Final = ("AUTH", "SAUTH")
