"""Every kind of fault, seen from the shop's side of the wire, and what the provider really did."""

from __future__ import annotations

import time

import pytest
import requests

from tests.sandbox.conftest import Shop
from tests.sandbox_server import SHOP, SandboxHandle


def executed(shop: Shop, trade: dict[str, str]) -> bool:
    return [line["action"] for line in shop.sandbox.ledger(trade["OrderID"])] == ["AUTH", "SALES"]


def capture(shop: Shop, trade: dict[str, str], timeout: float = 5) -> requests.Response:
    access = {name: trade[name] for name in ("AccessID", "AccessPass")}
    url = f"{shop.sandbox.url}/gmopg/payment/AlterTran.idPass"
    data = {**SHOP, **access, "JobCd": "SALES", "Amount": "1000"}
    return requests.post(url, data=data, timeout=timeout)


@pytest.mark.parametrize(
    ("fault", "is_executed"),
    [
        ({"kind": "lost_answer"}, True),
        ({"kind": "lost_answer", "before": True}, False),
        ({"kind": "reset_before"}, False),
    ],
)
def test_no_answer_at_all(shop: Shop, fault: dict[str, object], is_executed: bool) -> None:
    trade = shop.paid()
    shop.sandbox.post_fault(str(fault.pop("kind")), call="AlterTran", order=trade["OrderID"], **fault)
    with pytest.raises(requests.ConnectionError):
        capture(shop, trade)
    assert executed(shop, trade) is is_executed


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize(
    ("kind", "status", "beginning"),
    [
        ("http_500", 500, b"<!DOCTYPE"),
        ("http_503", 503, b"<!DOCTYPE"),
        ("html", 200, b"<!DOCTYPE"),
        ("empty", 200, b""),
    ],
)
def test_something_else_than_the_answer(
    shop: Shop, kind: str, status: int, beginning: bytes, before: bool
) -> None:
    trade = shop.paid()
    shop.sandbox.post_fault(kind, call="gmopg.AlterTran", order=trade["OrderID"], before=before)
    answer = capture(shop, trade)
    assert answer.status_code == status
    assert answer.content[:9] == beginning
    assert executed(shop, trade) is not before
    assert b"ErrCode" not in answer.content


def test_half_an_answer_is_not_told_by_the_transport(shop: Shop) -> None:
    trade = shop.paid()
    shop.sandbox.post_fault("half", call="AlterTran")
    answer = capture(shop, trade)
    assert answer.content.startswith(b"AccessID=")
    assert b"TranDate" not in answer.content
    assert "Content-Length" not in answer.headers
    assert executed(shop, trade)


def test_an_answer_in_another_encoding(shop: Shop) -> None:
    trade = shop.paid()
    shop.sandbox.post_fault("wrong_encoding", call="AlterTran")
    assert capture(shop, trade).content.decode("utf-16").startswith("AccessID=")
    assert executed(shop, trade)


def test_an_answer_that_comes_twice_on_one_connection(shop: Shop) -> None:
    trade = shop.paid()
    shop.sandbox.post_fault("duplicate_answer", call="AlterTran")
    assert capture(shop, trade).text.startswith("AccessID=")
    assert executed(shop, trade)


def test_an_answer_that_stops_halfway_for_longer_than_the_client_waits(shop: Shop) -> None:
    trade = shop.paid()
    shop.sandbox.post_fault("slow_body", call="AlterTran", ms=1500)
    with pytest.raises(requests.ConnectionError):
        capture(shop, trade, timeout=0.5)
    assert executed(shop, trade)


def test_a_delayed_answer_was_executed_at_once(shop: Shop) -> None:
    trade = shop.paid()
    shop.sandbox.post_fault("delay_ms", call="AlterTran", ms=600)
    with pytest.raises(requests.ReadTimeout):
        capture(shop, trade, timeout=0.2)
    assert executed(shop, trade)


def test_a_delayed_execution_happens_after_the_client_has_gone(shop: Shop) -> None:
    trade = shop.paid()
    shop.sandbox.post_fault("delay_ms", call="AlterTran", ms=600, before=True)
    with pytest.raises(requests.ReadTimeout):
        capture(shop, trade, timeout=0.2)
    assert shop.search(trade["OrderID"])["Status"] == "AUTH"
    deadline = time.monotonic() + 5
    while not executed(shop, trade):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_error_code_executes_nothing_unless_asked_to(shop: Shop) -> None:
    trade = shop.paid()
    shop.sandbox.post_fault("error_code", call="AlterTran", code="E92000001")
    assert capture(shop, trade).text == "ErrCode=E92&ErrInfo=E92000001"
    assert not executed(shop, trade)
    shop.sandbox.post_fault("error_code", call="AlterTran", code="42C500000", before=False)
    assert capture(shop, trade).text == "ErrCode=C50&ErrInfo=42C500000"
    assert executed(shop, trade)


def test_a_fault_strikes_its_call_and_its_order_only_and_so_often_as_asked(shop: Shop) -> None:
    one, other = shop.paid(), shop.paid()
    shop.sandbox.post_fault("error_code", call="SearchTrade", order=one["OrderID"], code="E91099999", times=2)
    assert "ErrCode" not in shop.search(other["OrderID"])
    assert "ErrCode" not in shop.alter(one, "VOID")
    assert [shop.search(one["OrderID"]).get("ErrCode") for _ in range(3)] == ["E91", "E91", None]
    state = shop.sandbox.control("GET", "/_faults")
    assert state["faults"] == []
    assert [fault["hits"] for fault in state["spent"]] == [2]


def test_a_fault_without_end_goes_when_it_is_cleared(shop: Shop) -> None:
    number = shop.sandbox.post_fault("html", times=None)
    shop.sandbox.post_fault("empty", times=None)
    for _ in range(3):
        assert shop.post("SearchTrade", a="b").text.startswith("<!DOCTYPE")
    shop.sandbox.control("DELETE", "/_faults", params={"id": number})
    assert shop.post("SearchTrade", a="b").text == ""
    shop.sandbox.clear_faults()
    assert shop.post("SearchTrade", a="b").text.startswith("ErrCode=E01")


@pytest.mark.parametrize(
    "description",
    [
        {"kind": "earthquake"},
        {"kind": "delay_ms"},
        {"kind": "error_code"},
        {"kind": "half", "before": True},
        {"kind": "reset_before", "before": False},
        {"kind": "html", "times": 0},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(
    sandbox: SandboxHandle, description: dict[str, object]
) -> None:
    answer = requests.post(f"{sandbox.url}/_faults", json=description, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"]
