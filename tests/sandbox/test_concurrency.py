"""Many shops' worth of calls at the same moment."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.sandbox.conftest import Shop


def test_a_hundred_calls_at_a_time(shop: Shop) -> None:
    orders = [shop.entry()["OrderID"] for _ in range(100)]
    shop.sandbox.settings(latency_ms=1000)
    began = time.monotonic()
    with ThreadPoolExecutor(100) as pool:
        found = list(pool.map(shop.search, orders))
    assert [trade["OrderID"] for trade in found] == orders
    # One after the other they would take a hundred seconds.
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("latency_ms", [0, 50])
def test_the_same_capture_twice_at_once_is_executed_once(shop: Shop, latency_ms: int) -> None:
    trade = shop.paid()
    shop.sandbox.settings(latency_ms=latency_ms)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: shop.alter(trade, "SALES", Amount="1000"), range(8)))
    assert sorted(answer.get("ErrInfo", "") for answer in answers) == ["", *["E11010003"] * 7]
    assert [line["action"] for line in shop.sandbox.ledger(trade["OrderID"])] == ["AUTH", "SALES"]


def test_the_same_token_twice_at_once_pays_once(shop: Shop) -> None:
    token, trades = shop.sandbox.token(), [shop.entry() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda trade: shop.call("ExecTran", **trade, Method="1", Token=token), trades)
        )
    assert sorted(answer.get("ErrInfo", "") for answer in answers) == ["", *["EX1000302"] * 7]
    assert len(shop.sandbox.ledger()) == 1


def test_the_same_order_entered_twice_at_once_exists_once(shop: Shop) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: shop.entry(OrderID="twice"), range(8)))
    assert sorted(answer.get("ErrInfo", "") for answer in answers) == ["", *["E01040010"] * 7]
