"""Queries that may be given up."""

from __future__ import annotations

import pytest
from django.db import DataError, connection

from orders.time_limit import within


def answer(sql: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_what_takes_too_long_is_given_up_and_the_limit_ends_with_it() -> None:
    assert within(50, lambda: answer("SELECT pg_sleep(60)")) is None
    assert within(60_000, lambda: answer("SELECT 7")) == 7
    assert answer("SHOW statement_timeout") == "0"


@pytest.mark.django_db
def test_other_errors_are_errors() -> None:
    with pytest.raises(DataError):
        within(60_000, lambda: answer("SELECT 1 / 0"))
