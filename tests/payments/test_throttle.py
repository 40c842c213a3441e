"""The account's throttle on a real Valkey: who gets a slot, and what a dead process leaves behind."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from payments import throttle
from payments.models import GatewayAccount


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> GatewayAccount:
    """An account that nobody has called yet: two calls at a time. Waiting is given up soon."""
    monkeypatch.setattr(throttle, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(throttle, "_held", throttle._Held())
    return GatewayAccount(code=uuid.uuid4().hex, max_concurrent_calls=2, max_calls_per_second=1000)


def test_no_more_calls_at_a_time_than_the_account_allows(account: GatewayAccount) -> None:
    with throttle.slot(account) as first, throttle.slot(account) as second, throttle.slot(account) as third:
        assert (first, second, third) == (True, True, False)
    with throttle.slot(account) as again:
        assert again


def test_no_more_calls_per_second_than_the_account_allows(account: GatewayAccount) -> None:
    account.max_concurrent_calls, account.max_calls_per_second = 100, 3
    began = time.time()
    admitted = 0
    with ExitStack() as calls:
        for _ in range(4):
            admitted += calls.enter_context(throttle.slot(account))
    # A second may end in between; then another three are allowed.
    assert 3 <= admitted <= 3 * (int(time.time()) - int(began) + 1)


def test_a_bulk_run_leaves_slots_to_people(account: GatewayAccount) -> None:
    account.max_concurrent_calls = 3
    with throttle.slot(account, leaves=2) as row, throttle.slot(account, leaves=2) as next_row:
        assert (row, next_row) == (True, False)
        with throttle.slot(account) as click, throttle.slot(account) as another_click:
            assert (click, another_click) == (True, True)


def test_a_run_gets_one_call_at_a_time_even_where_fewer_are_allowed_than_kept(
    account: GatewayAccount,
) -> None:
    with throttle.slot(account, leaves=4) as row:
        assert row


def test_a_slot_is_kept_as_long_as_its_call_lasts(
    account: GatewayAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "LEASE_SECONDS", 2)
    monkeypatch.setattr(throttle, "RENEW_SECONDS", 0.1)
    account.max_concurrent_calls = 1
    with throttle.slot(account) as long_call:
        assert long_call
        time.sleep(2.5)  # longer than the lease: only time itself can show this
        with throttle.slot(account) as other:
            assert not other


def test_the_slots_of_a_dead_process_come_free_soon(
    account: GatewayAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "LEASE_SECONDS", 1)
    account.max_concurrent_calls = 1
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        with throttle.slot(account):
            os.write(writing, b"1")
            os._exit(9)
    os.read(reading, 1)
    os.waitpid(child, 0)
    monkeypatch.setattr(throttle, "PATIENCE_SECONDS", 30.0)
    with throttle.slot(account) as admitted:
        assert admitted


def test_a_slot_given_back_is_not_renewed(account: GatewayAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "RENEW_SECONDS", 0.05)
    account.max_concurrent_calls = 1
    # An earlier test's renewer sleeps for as long as the product's does, and is none of this one's.
    before = set(threading.enumerate())
    with throttle.slot(account):
        pass
    for renewing in set(threading.enumerate()) - before:
        renewing.join(timeout=30)
    with throttle.slot(account) as admitted:
        assert admitted


def waiting(account: GatewayAccount) -> int:
    return int(throttle._connection().zcard(f"throttle:{account.code}:waiting:0"))


def until(happened: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < give_up
        time.sleep(0.005)


def test_who_has_waited_longest_is_next_also_before_who_comes_back_at_once(
    account: GatewayAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "PATIENCE_SECONDS", 20.0)
    monkeypatch.setattr(throttle, "GONE_SECONDS", 20.0)
    account.max_concurrent_calls = 1
    served: list[str] = []

    def call(name: str) -> None:
        with throttle.slot(account) as admitted:
            assert admitted
            served.append(name)

    callers = [threading.Thread(target=call, args=[name]) for name in ("first", "second")]
    with throttle.slot(account):
        for position, caller in enumerate(callers, start=1):
            caller.start()
            until(lambda: waiting(account) == position)  # noqa: B023 - the loop waits for it
    call("comes back at once")
    for caller in callers:
        caller.join()
    assert served == ["first", "second", "comes back at once"]


def test_who_gave_up_waiting_or_died_is_in_nobodys_way(
    account: GatewayAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.max_concurrent_calls = 1
    with throttle.slot(account), throttle.slot(account) as gave_up:
        assert not gave_up
    assert waiting(account) == 0
    with throttle.slot(account) as again:
        assert again
    key = f"throttle:{account.code}"
    throttle._connection().zadd(f"{key}:waiting:0", {"died": 1})
    throttle._connection().zadd(f"{key}:seen:0", {"died": 1})
    with throttle.slot(account) as again:
        assert again
