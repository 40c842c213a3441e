"""Children of the test process are strangers to PostgreSQL, as other machines' processes are."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

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
    reading, writing = os.pipe()

    async def fork() -> int:
        return child_doing(lambda: os.write(writing, str(session()).encode()))

    def sessions() -> tuple[int, int, int]:
        before = session()
        _, status = os.waitpid(asyncio.run(fork()), 0)
        assert os.waitstatus_to_exitcode(status) == 0
        after = session()
        connection.close()
        return before, int(os.read(reading, 20)), after

    # In a thread of its own: in this one a browser's event loop may run already.
    with ThreadPoolExecutor(1) as pool:
        ours, of_the_child, still_ours = pool.submit(sessions).result(timeout=60)
    assert of_the_child != ours
    assert still_ours == ours


@pytest.mark.django_db(transaction=True)
def test_a_child_that_breaks_says_so() -> None:
    def act() -> None:
        raise ValueError

    _, status = os.waitpid(child_doing(act), 0)
    assert os.waitstatus_to_exitcode(status) == 1
