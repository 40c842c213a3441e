"""Moments at which a test holds a process of the product from outside, to kill it there.

Nothing in the product knows of it. A trigger in the test's database lets the transaction wait right before its
commit for a lock that the test holds. The process is killed meanwhile, and the test says what PostgreSQL makes of the
transaction: rolled back, the process died right before its commit; committed, right after it and before it knew.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

import psycopg
from django.db import connection

# Of advisory locks; the product's begin with 73 too.
_KEY = (7390, 1)
WAIT_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A change of a row: table, INSERT or UPDATE, and a condition on NEW and OLD."""

    table: str
    event: str
    when: str = "true"


# Moments of one operation. "started" is how an operation is claimed; a telegram is a row before it is sent.
CLAIMED = Moment(table="payments_operation", event="INSERT", when="NEW.action <> 'inquire'")
ENDED = Moment(
    table="payments_operation", event="UPDATE", when="OLD.state = 'started' AND NEW.state = 'succeeded'"
)


def telegram(name: str) -> Moment:
    """Its row is written: it is sent next."""
    return Moment(table="payments_call", event="INSERT", when=f"NEW.name = '{name}'")


def answer(name: str) -> Moment:
    """The provider has answered, and the answer is written next to the telegram."""
    return Moment(table="payments_call", event="UPDATE", when=f"NEW.name = '{name}' AND OLD.response = ''")


def noted(stage: str) -> Moment:
    """An action of several telegrams has remembered how far it came."""
    return Moment(
        table="payments_operation",
        event="UPDATE",
        when=f"OLD.progress->>'stage' IS DISTINCT FROM '{stage}' AND NEW.progress->>'stage' = '{stage}'",
    )


def step(number: int) -> Moment:
    """A step is settled, the next one has not begun."""
    return Moment(
        table="payments_operation", event="UPDATE", when=f"OLD.step = {number} - 1 AND NEW.step = {number}"
    )


class Hold:
    """Holds every transaction with such a change right before its commit, for as long as the block lasts."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def __enter__(self) -> Hold:
        self._session = psycopg.connect(
            **{
                name: value
                for name, value in connection.get_connection_params().items()
                if name in ("host", "port", "user", "password", "dbname")
            },
            autocommit=True,
        )
        self._session.execute("SELECT pg_advisory_lock(%s, %s)", _KEY)
        self._session.execute(
            "CREATE FUNCTION wait_for_the_test() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN PERFORM pg_advisory_xact_lock{_KEY}; RETURN NULL; END $$"
        )
        self._session.execute(
            f"CREATE CONSTRAINT TRIGGER held_by_the_test AFTER {self._moment.event} ON {self._moment.table}"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
            f" WHEN ({self._moment.when}) EXECUTE FUNCTION wait_for_the_test()"
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.execute("SELECT pg_advisory_unlock_all()")
        self._session.execute("DROP FUNCTION wait_for_the_test() CASCADE")
        self._session.close()

    def wait(self) -> None:
        """Until a process of the product has come to the moment."""
        wait_until(self.is_reached, "nobody came to the moment")

    def is_reached(self) -> bool:
        """Whether a process of the product waits at the moment."""
        return bool(self._held())

    def roll_back(self) -> None:
        """The dead process's transaction has never been; the next one passes."""
        for pid in self._held():
            self._session.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
        self._session.execute("SELECT pg_advisory_unlock_all()")

    def break_connections(self) -> None:
        """PostgreSQL ends the connections of all programs, as a restart does; the test keeps its own."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (ours,) = cursor.fetchone()
        self._session.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> ALL(%s)"
            # The run of the tests has the database to itself by such a lock.
            " AND pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1)",
            [[self._session.info.backend_pid, ours]],
        )
        self._session.execute("SELECT pg_advisory_unlock_all()")

    def commit(self) -> None:
        """Whoever was held goes on; of a process that is dead, the transaction is committed and nobody is told."""
        held = self._held()
        self._session.execute("SELECT pg_advisory_unlock_all()")
        at_work = "SELECT 1 FROM pg_stat_activity WHERE pid = ANY(%s) AND state = 'active'"
        wait_until(
            lambda: self._session.execute(at_work, [held]).fetchone() is None, "a commit takes too long"
        )

    def _held(self) -> list[int]:
        # pg_locks shows those of all databases, and another process of the test run holds moments in its own.
        waiting = (
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid = %s AND NOT granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return [pid for (pid,) in self._session.execute(waiting, _KEY).fetchall()]


def wait_until(happened: Callable[[], bool], complaint: str, *, seconds: float = WAIT_SECONDS) -> None:
    """Look again and again."""
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, complaint
        time.sleep(0.02)
