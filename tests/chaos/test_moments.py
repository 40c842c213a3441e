"""A moment belongs to its test: test runs beside it hold moments in their own databases of the same server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.db import connection

from tests.chaos.moments import CLAIMED, Hold, wait_until

_LOCK = "SELECT pg_advisory_lock(7390, 1)"


def _elsewhere() -> psycopg.Connection[Any]:
    given = {
        name: value
        for name, value in connection.get_connection_params().items()
        if name in ("host", "port", "user", "password")
    }
    return psycopg.connect(**given, dbname="postgres", autocommit=True)


@pytest.mark.django_db(transaction=True)
def test_who_waits_in_another_database_has_not_come_to_this_moment() -> None:
    with (
        _elsewhere() as holder,
        _elsewhere() as waiter,
        _elsewhere() as watcher,
        ThreadPoolExecutor(1) as pool,
        Hold(CLAIMED) as hold,
    ):
        holder.execute(_LOCK)
        waiting = pool.submit(waiter.execute, _LOCK)
        state = "SELECT wait_event_type FROM pg_stat_activity WHERE pid = %s"
        wait_until(
            lambda: watcher.execute(state, [waiter.info.backend_pid]).fetchone() == ("Lock",), "nobody waits"
        )
        assert not hold.is_reached()
        hold.roll_back()
        holder.execute("SELECT pg_advisory_unlock_all()")
        assert waiting.result(timeout=10), "it has lost its connection"
