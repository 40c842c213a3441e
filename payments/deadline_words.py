"""How many days are left, in words and colours: 14, 7, 3 and 1 days are where operators get nervous."""

from __future__ import annotations

# The list's filters, in days from today.
NEAR_DAYS = (14, 7, 3, 1)


def days_left(left: int) -> str:
    """あと9日, 本日まで, or 2日超過."""
    if left == 0:
        return "本日まで"
    return f"あと{left}日" if left > 0 else f"{-left}日超過"


def style(left: int) -> str:
    """The badge's colour: red from the last three days on, yellow from fourteen on."""
    if left <= 3:
        return "badge-ec-red"
    return "badge-ec-yellow" if left <= NEAR_DAYS[0] else ""
