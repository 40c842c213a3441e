"""Children of the test process are strangers to PostgreSQL, as other machines' processes are."""

from __future__ import annotations

import asyncio
import os

import pytest
from django.db import connection

from tests.dying import child_doing


def session() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    return int(pid)


@pytest.mark.django_db(transaction=True)
def test_a_child_has_a_session_of_its_own_while_an_event_loop_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    ours = session()
    reading, writing = os.pipe()

    async def fork() -> int:
        return child_doing(lambda: os.write(writing, str(session()).encode()))

    _, status = os.waitpid(asyncio.run(fork()), 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert int(os.read(reading, 20)) != ours
    assert session() == ours


@pytest.mark.django_db(transaction=True)
def test_a_child_that_breaks_says_so() -> None:
    def act() -> None:
        raise ValueError

    _, status = os.waitpid(child_doing(act), 0)
    assert os.waitstatus_to_exitcode(status) == 1
