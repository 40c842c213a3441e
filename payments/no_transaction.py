"""Invariant 13: no transaction is open while a provider is called."""

from __future__ import annotations

from django.db import connection


class TransactionOpenError(AssertionError):
    """A provider was about to be called inside a transaction: our fault, found before anything was sent."""


def require() -> None:
    """Raise TransactionOpenError where this thread's connection is inside a transaction."""
    if connection.in_atomic_block:
        raise TransactionOpenError("a provider call inside a database transaction")
