"""The account's throttle on a real Valkey: who gets a slot, and what a dead process leaves behind."""

from __future__ import annotations

import os
import threading
import time
import uuid
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
    with throttle.slot(account):
        pass
    renewing = [thread for thread in threading.enumerate() if thread.name == "throttle-leases"]
    for thread in renewing:
        thread.join(timeout=30)
    with throttle.slot(account) as admitted:
        assert admitted
