"""The sandbox tells the shop's address about each change of a trade, until it says that it has received it."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests

from tests.sandbox.conftest import Shop
from tests.sandbox_server import GOOD_CARD, SandboxHandle

WAIT_SECONDS = 10


class Listener:
    """The shop's address: keeps what comes and answers what the test wants."""

    def __init__(self, received: bytes) -> None:
        self.heard: list[dict[str, str]] = []
        self.answers: list[tuple[int, bytes]] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode("ascii")
                listener.heard.append(dict(parse_qsl(body, keep_blank_values=True, encoding="cp932")))
                status, text = listener.answers.pop(0) if listener.answers else (200, received)
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


class PaygentShop:
    """A merchant who pays by the wire and listens at an address."""

    def __init__(self, sandbox: SandboxHandle, listener: Listener) -> None:
        self.sandbox = sandbox
        self.listener = listener

    def wish(self, **wishes: Any) -> dict[str, Any]:
        return self.sandbox.control("POST", "/_notifications", json={"provider": "paygent", **wishes})

    def fates(self) -> list[tuple[str, int]]:
        found = self.sandbox.control("GET", "/_notifications", params={"provider": "paygent"})
        return [(each["state"], each["tries"]) for each in found["notifications"]]

    def call(self, kind: str, **fields: str) -> dict[str, str]:
        path = {"020": "card/request", "091": "ref/paynotice"}[kind]
        header = {
            "merchant_id": "100000001",
            "connect_id": "sandbox",
            "connect_password": "sandboxpass",
            "telegram_kind": kind,
            "telegram_version": "1.0",
        }
        answer = requests.post(f"{self.sandbox.url}/paygent/n/{path}", data=header | fields, timeout=5)
        lines = answer.content.decode("cp932").split("\r\n")
        return dict(line.split("=", 1) for line in lines if line)

    def pay(self, trading_id: str, *, card: str = GOOD_CARD) -> dict[str, str]:
        token = self.sandbox.token(card, provider="paygent")
        options = {"payment_class": "10", "3dsecure_ryaku": "1", "card_token": token}
        return self.call("020", trading_id=trading_id, payment_amount="3300", **options)

    def paid(self, trading_id: str) -> str:
        return self.pay(trading_id)["payment_id"]


def until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def listener(shop: Shop) -> Iterator[Listener]:
    listener = Listener(b"0")
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


def test_they_come_late_on_demand(shop: Shop, listener: Listener) -> None:
    wish(shop, delay_ms=400)
    began = time.monotonic()
    shop.paid()
    until(lambda: len(listener.heard) == 1)
    assert time.monotonic() - began >= 0.4


@pytest.fixture
def paygent(sandbox: SandboxHandle) -> Iterator[PaygentShop]:
    listener = Listener(b"result=0")
    shop = PaygentShop(sandbox, listener)
    shop.wish(target=listener.url, retries=5, retry_ms=50, copies=1, paused=False, newest_first=False)
    yield shop
    shop.wish(target=None, paused=False)
    listener.close()


def test_paygent_posts_each_notice_of_its_queue_with_a_hash(paygent: PaygentShop) -> None:
    payment_id = paygent.paid("o1_1")
    paygent.sandbox.admin("o1_1", provider="paygent", action="SALES")
    until(lambda: len(paygent.listener.heard) == 2)
    held, sold = sorted(paygent.listener.heard, key=lambda each: each["payment_notice_id"])
    assert [held["payment_status"], sold["payment_status"]] == ["20", "40"]
    assert (sold["payment_id"], sold["trading_id"], sold["payment_amount"]) == (payment_id, "o1_1", "3300")
    covered = ("payment_notice_id", "payment_id", "trading_id", "payment_type", "payment_amount")
    text = "".join(sold[name] for name in covered) + "sandboxhashkey01"
    assert sold["hc"] == hashlib.sha256(text.encode()).hexdigest()
    fetched = paygent.call("091")
    assert {name: value for name, value in fetched.items() if name in held} == {
        name: value for name, value in held.items() if name != "hc"
    }


def test_paygent_waits_for_result_0(paygent: PaygentShop) -> None:
    paygent.listener.answers = [(200, b"0"), (200, b"result=1"), (500, b"result=0")]
    paygent.paid("o2_1")
    until(lambda: paygent.fates() == [("received", 4)])
    assert len(paygent.listener.heard) == 4


def test_paygent_repeats_reorders_and_forges_on_demand(paygent: PaygentShop) -> None:
    paygent.wish(paused=True, copies=2, newest_first=True)
    paygent.paid("o3_1")
    paygent.sandbox.admin("o3_1", provider="paygent", action="VOID")
    paygent.wish(paused=False)
    until(lambda: len(paygent.listener.heard) == 4)
    assert [each["payment_status"] for each in paygent.listener.heard] == ["32", "32", "20", "20"]
    paygent.wish(forge={"payment_id": "1", "hc": "0"})
    until(lambda: paygent.listener.heard[-1] == {"payment_id": "1", "hc": "0"})


def test_paygent_tells_of_a_refused_card_too(paygent: PaygentShop) -> None:
    paygent.pay("o4_1", card="4999000000000012")
    until(lambda: [each["payment_status"] for each in paygent.listener.heard] == ["11"])


def test_a_provider_that_tells_nothing_is_refused(shop: Shop) -> None:
    for provider in ("sbps", "nobody"):
        address = f"{shop.sandbox.url}/_notifications"
        assert requests.get(address, params={"provider": provider}, timeout=5).status_code == 404
        assert requests.post(address, json={"provider": provider}, timeout=5).status_code == 404


@pytest.mark.parametrize(
    "wishes",
    [{"target": "ftp://x"}, {"copies": -1}, {"paused": 1}, {"delay_ms": -1}, {"nonsense": 1}, {"forge": "x"}],
)
def test_a_wrong_wish_is_refused(shop: Shop, wishes: dict[str, Any]) -> None:
    answer = requests.post(f"{shop.sandbox.url}/_notifications", json=wishes, timeout=5)
    assert answer.status_code == 400
