"""Letting time pass for notifications: what a provider delivers by itself, and what waits for its turn."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db import connection

# Generous: the machine of a test run may be busy with much else.
WAIT_SECONDS = 40


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    give_up = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.05)


def make_due() -> None:
    """Nothing waits any longer, and the leases of dead workers are over."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE payments_notification SET not_before = NULL, claimed_at = claimed_at - interval '1 hour'"
        )
        cursor.execute(
            "UPDATE payments_noticecursor SET next_at = NULL, claimed_at = claimed_at - interval '1 hour'"
        )
