"""Two people edited one order: what each of them changed, set side by side.

A snapshot is what a form says, in words, one entry per field and per line. Three of them are compared: as
both began (base), as it is stored now (theirs), and as this operator typed it (mine).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Side = Literal["theirs", "mine"]


@dataclass(frozen=True)
class Difference:
    """One field that is stored differently from what the operator sent.

    `suggestion` is the side that alone changed it; None when both did, so that a person has to choose.
    """

    key: str
    label: str
    theirs: str
    mine: str
    suggestion: Side | None


def compare(
    *,
    labels: Mapping[str, str],
    base: Mapping[str, str] | None,
    theirs: Mapping[str, str],
    mine: Mapping[str, str],
) -> list[Difference]:
    """Every difference, in the order of the form; without a base each one is for a person to choose."""
    found = []
    for key in dict.fromkeys((*theirs, *mine)):
        stored, typed = theirs.get(key, ""), mine.get(key, "")
        if stored == typed:
            continue
        suggestion: Side | None = None
        if base is not None and base.get(key, "") == typed:
            suggestion = "theirs"
        elif base is not None and base.get(key, "") == stored:
            suggestion = "mine"
        found.append(
            Difference(key=key, label=labels.get(key, key), theirs=stored, mine=typed, suggestion=suggestion)
        )
    return found
