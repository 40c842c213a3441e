"""Invariants 11 and 13: what is written, and what the logs tell."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.chaos.evidence import Evidence, secret_in

# What a program may say when the server that it talks to is stopped or killed, and when somebody may not.
EXPECTED = re.compile(
    r"OperationalError|InterfaceError|AdminShutdown|ConnectionError|ConnectionRefused|ConnectionReset|BrokenPipe"
    r"|ConnectionDoesNotExist|CannotConnectNow|IdleInTransaction|TimeoutError|consumer: Connection to broker lost"
    r"|core\.exceptions\.PermissionDenied"
)


def nothing_secret_is_written_anywhere(evidence: Evidence) -> Iterator[str]:
    """11: not in the database, not in the broker, not in a log. Pages are looked at when they come."""
    for place, text in evidence.written():
        if found := secret_in(evidence.secrets, text):
            yield f"a secret in {place}: {found[:4]}…"


def logs_tell_of_no_fault(evidence: Evidence) -> Iterator[str]:
    """13, and no traceback but those of a lost connection or of a refused request."""
    for log in evidence.logs:
        text = log.read_text(errors="replace")
        if "TransactionOpenError" in text:
            yield f"{log.name}: a provider was called inside a transaction"
        for chain in tracebacks(text):
            # Whatever came of a lost connection is its fault.
            if not any(EXPECTED.search(raised) for raised in chain):
                yield f"{log.name}: {chain[-1][:200]}"


def tracebacks(text: str) -> Iterator[list[str]]:
    """The exceptions of each traceback, what was raised in the end last."""
    chain: list[str] = []
    inside = goes_on = False
    for line in text.splitlines():
        if line.startswith("Traceback (most recent call last)"):
            if chain and not goes_on:
                yield chain
                chain = []
            inside, goes_on = True, False
        elif line.startswith(("The above exception was", "During handling of the above")):
            goes_on = True
        elif inside and line[:1].strip():
            chain.append(line)
            inside = False
    if chain:
        yield chain
