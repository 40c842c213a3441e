"""What goes wrong on the way, whoever the provider is: each fault leaves the outcome unknown."""

from __future__ import annotations

from typing import Any

from gateways.outcomes import ReasonKind

# Fault, further arguments, and the kind of the reason.
Fault = tuple[str, dict[str, Any], ReasonKind]


def on_the_way(*, slow_ms: int) -> list[Fault]:
    """Lost, late, and unreadable answers; `slow_ms` is longer than the client waits."""
    return [
        ("lost_answer", {}, ReasonKind.NO_ANSWER),
        ("lost_answer", {"before": True}, ReasonKind.NO_ANSWER),
        ("reset_before", {}, ReasonKind.NO_ANSWER),
        ("delay_ms", {"ms": slow_ms}, ReasonKind.NO_ANSWER),
        ("slow_body", {"ms": slow_ms}, ReasonKind.NO_ANSWER),
        ("http_500", {}, ReasonKind.UNREADABLE),
        ("http_503", {"before": True}, ReasonKind.UNREADABLE),
        ("html", {}, ReasonKind.UNREADABLE),
        ("empty", {}, ReasonKind.UNREADABLE),
        ("half", {}, ReasonKind.UNREADABLE),
        ("wrong_encoding", {}, ReasonKind.UNREADABLE),
    ]
