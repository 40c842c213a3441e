"""The sandbox tells the shop's address about each change of a trade, until it answers `0`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests

from tests.sandbox.conftest import Shop

WAIT_SECONDS = 10


class Listener:
    """The shop's address: keeps what comes and answers what the test wants."""

    def __init__(self) -> None:
        self.heard: list[dict[str, str]] = []
        self.answers: list[tuple[int, bytes]] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode("ascii")
                listener.heard.append(dict(parse_qsl(body, keep_blank_values=True, encoding="cp932")))
                status, text = listener.answers.pop(0) if listener.answers else (200, b"0")
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/notify"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def listener(shop: Shop) -> Iterator[Listener]:
    listener = Listener()
    wish(shop, target=listener.url, retries=5, retry_ms=50, copies=1, paused=False, newest_first=False)
    yield listener
    wish(shop, target=None, paused=False)
    listener.close()


def wish(shop: Shop, **wishes: Any) -> dict[str, Any]:
    return shop.sandbox.control("POST", "/_notifications", json=wishes)


def fates(shop: Shop, order: str) -> list[tuple[str, int]]:
    found = shop.sandbox.control("GET", "/_notifications")["notifications"]
    return [(each["state"], each["tries"]) for each in found if each["fields"].get("OrderID") == order]


def test_without_a_target_nothing_is_kept_or_sent(shop: Shop) -> None:
    trade = shop.paid()
    assert fates(shop, trade["OrderID"]) == []


def test_each_change_is_told_with_passwords_as_asterisks(shop: Shop, listener: Listener) -> None:
    trade = shop.paid(amount="1200")
    shop.alter(trade, "SALES", Amount="1200")
    until(lambda: len(listener.heard) == 2)
    told = {each["Status"]: each for each in listener.heard}
    assert set(told) == {"AUTH", "SALES"}
    sale = told["SALES"]
    assert (sale["ShopID"], sale["OrderID"], sale["AccessID"]) == (
        "tshop00000001",
        trade["OrderID"],
        trade["AccessID"],
    )
    assert (sale["Amount"], sale["Tax"], sale["PayType"], sale["Currency"]) == ("1200", "0", "0", "JPN")
    assert (sale["ShopPass"], sale["AccessPass"]) == ("*" * 10, "*" * 32)
    until(lambda: fates(shop, trade["OrderID"]) == [("received", 1), ("received", 1)])


def test_the_admin_screen_tells_too(shop: Shop, listener: Listener) -> None:
    trade = shop.paid()
    shop.sandbox.admin(trade["OrderID"], action="VOID")
    shop.sandbox.admin(trade["OrderID"], status="EXPIRED")
    until(lambda: sorted(each["Status"] for each in listener.heard) == ["AUTH", "EXPIRED", "VOID"])


@pytest.mark.parametrize("answer", [(200, b"1"), (200, b"0\n"), (500, b"0"), (200, b"<html>0</html>")])
def test_anything_but_a_bare_0_is_sent_again(
    shop: Shop, listener: Listener, answer: tuple[int, bytes]
) -> None:
    listener.answers = [answer, answer]
    trade = shop.paid()
    until(lambda: fates(shop, trade["OrderID"]) == [("received", 3)])
    assert len(listener.heard) == 3


def test_after_the_last_try_it_gives_up(shop: Shop, listener: Listener) -> None:
    wish(shop, retries=2)
    listener.answers = [(503, b"")] * 9
    trade = shop.paid()
    until(lambda: fates(shop, trade["OrderID"]) == [("given up", 3)])


def test_copies_and_the_wrong_order_on_demand(shop: Shop, listener: Listener) -> None:
    wish(shop, paused=True, copies=2, newest_first=True)
    trade = shop.paid()
    shop.alter(trade, "SALES", Amount="1000")
    assert listener.heard == []
    wish(shop, paused=False)
    until(lambda: len(listener.heard) == 4)
    assert [each["Status"] for each in listener.heard] == ["SALES", "SALES", "AUTH", "AUTH"]


def test_a_forged_one_is_sent_as_it_was_written(shop: Shop, listener: Listener) -> None:
    wish(shop, forge={"OrderID": "F-1", "Status": "SALES", "ErrInfo": "偽"})
    until(lambda: listener.heard == [{"OrderID": "F-1", "Status": "SALES", "ErrInfo": "偽"}])


def test_trades_of_other_kinds_can_be_entered_and_paid(shop: Shop, listener: Listener) -> None:
    order = shop.new_order()
    shop.sandbox.admin(order, enter="REQSUCCESS", pay_type="3", amount=800)
    shop.sandbox.admin(order, status="PAYSUCCESS", pay_type="3")
    until(lambda: sorted(each["Status"] for each in listener.heard) == ["PAYSUCCESS", "REQSUCCESS"])
    assert {each["PayType"] for each in listener.heard} == {"3"}


@pytest.mark.parametrize(
    "wishes", [{"target": "ftp://x"}, {"copies": -1}, {"paused": 1}, {"nonsense": 1}, {"forge": "x"}]
)
def test_a_wrong_wish_is_refused(shop: Shop, wishes: dict[str, Any]) -> None:
    answer = requests.post(f"{shop.sandbox.url}/_notifications", json=wishes, timeout=5)
    assert answer.status_code == 400
