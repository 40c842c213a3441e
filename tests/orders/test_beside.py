"""A second session beside a request's own: it answers in time or not at all, and never what is not committed."""

from __future__ import annotations

import threading

import pytest
from django.db import OperationalError, connection, transaction

from orders import beside
from orders.beside import Beside

pytestmark = pytest.mark.django_db(transaction=True)


def session() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    return int(pid)


def sleep(seconds: float) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds])
    return "slept"


def test_it_is_read_in_a_session_of_its_own() -> None:
    reading = Beside(session, key="q")
    reading.start()
    answered = reading.answer()
    assert answered is not None
    assert answered != session()


def test_started_twice_it_is_read_once() -> None:
    read: list[int] = []
    reading = Beside(lambda: read.append(1), key="q")
    reading.start()
    reading.start()
    reading.answer()
    assert read == [1]


def test_what_was_not_started_has_no_answer() -> None:
    assert Beside(session, key="q").answer() is None


def test_within_a_transaction_it_is_not_begun() -> None:
    """Another session would not see what this one has written."""
    reading = Beside(session, key="q")
    with transaction.atomic():
        reading.start()
    assert reading.answer() is None


def test_a_slow_statement_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "STATEMENT_MS", 20)
    reading = Beside(lambda: sleep(30), key="q")
    reading.start()
    assert reading.answer() is None


def test_a_lost_session_costs_the_answer_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> None:
        raise OperationalError("the connection is closed")

    reading = Beside(broken, key="q")
    reading.start()
    assert reading.answer() is None
    assert "the connection is closed" in caplog.text


def test_what_takes_longer_is_found_by_who_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "WAIT_SECONDS", 0)
    gate = threading.Event()
    reading = Beside(lambda: gate.wait(30), key="q")
    reading.start()
    assert reading.answer() is None
    assert beside.left("another") is None
    gate.set()
    assert beside.left("q") is True
    assert beside.left("q") is None, "it is told once: who asks later wants to know how it is then"


def test_what_was_left_too_long_ago_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "WAIT_SECONDS", 0)
    monkeypatch.setattr(beside, "LEFT_SECONDS", -1)
    reading = Beside(lambda: sleep(0.05), key="q")
    reading.start()
    assert reading.answer() is None
    assert beside.left("q") is None


def test_of_what_nobody_asks_for_again_only_so_much_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "MOST_LEFT", 2)
    monkeypatch.setattr(beside, "WAIT_SECONDS", 0)
    gate = threading.Event()
    for key in range(3):
        reading = Beside(lambda: gate.wait(30), key=key)
        reading.start()
        assert reading.answer() is None
    gate.set()
    assert [beside.left(key) for key in range(3)] == [None, True, True]


def test_a_fault_of_ours_is_not_swallowed() -> None:
    def broken() -> None:
        raise KeyError("numbers")

    reading = Beside(broken, key="q")
    reading.start()
    with pytest.raises(KeyError):
        reading.answer()


def test_with_all_threads_busy_nothing_more_is_begun_and_a_free_one_is_used_again() -> None:
    gate = threading.Event()
    busy = [Beside(lambda: gate.wait(30), key="q") for _ in range(beside.MOST)]
    for each in busy:
        each.start()
    refused = Beside(session, key="q")
    refused.start()
    assert refused.answer() is None
    gate.set()
    assert [each.answer() for each in busy] == [True] * beside.MOST
    again = Beside(session, key="q")
    while again.answer() is None:  # a thread that has answered is free a moment later
        again.start()
