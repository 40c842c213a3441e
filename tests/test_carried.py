"""Questions that travel with another one are answered as if they had been asked by themselves."""

from __future__ import annotations

import pytest
from django.db import DataError, connection
from django.test.utils import CaptureQueriesContext

from cagolab.postgres.carried import Carried

pytestmark = pytest.mark.django_db(transaction=True)

ASKED = ("SELECT 1", "SELECT 2 WHERE false", "SELECT n FROM generate_series(3, 4) AS n")
ANSWERS = [[(1,)], [], [(3,), (4,)]]


def answer(sql: str, *parameters: str | int) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def test_they_travel_with_the_first_statement() -> None:
    with CaptureQueriesContext(connection) as sent, Carried(*ASKED) as carried:
        assert answer("SELECT %s::text || '%%'", "5") == [("5%",)]
        assert answer("SELECT 6") == [(6,)]
    assert carried.answers() == ANSWERS
    assert len(sent) == 2


def test_without_a_statement_they_are_asked_by_themselves() -> None:
    with Carried(*ASKED) as carried:
        pass
    assert carried.answers() == ANSWERS
    unused = Carried("SELECT 7")
    assert unused.answers() == [[(7,)]]


def test_when_the_statement_fails_they_are_asked_by_themselves() -> None:
    with Carried(*ASKED) as carried, pytest.raises(DataError):
        answer("SELECT 1 / %s", 0)
    assert carried.answers() == ANSWERS


def test_after_the_block_nothing_travels() -> None:
    with Carried("SELECT 1"):
        pass
    with CaptureQueriesContext(connection) as sent:
        assert answer("SELECT 2") == [(2,)]
    assert [query["sql"] for query in sent] == ["SELECT 2"]
