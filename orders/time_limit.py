"""Queries that may be given up: what is not known in time is asked for later, and nobody waits for it now."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import psycopg
from django.db import Error, OperationalError, connection, transaction

Answer = TypeVar("Answer")


def within(milliseconds: int, read: Callable[[], Answer]) -> Answer | None:
    """What `read` answers; None when one of its statements took longer and PostgreSQL gave it up."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(milliseconds)])
            return read()
    except OperationalError as error:
        if is_given_up(error):
            return None
        raise


def is_given_up(error: Error) -> bool:
    """Whether PostgreSQL gave a statement up because it took too long."""
    return isinstance(error.__cause__, psycopg.errors.QueryCanceled)
