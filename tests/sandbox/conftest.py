"""One sandbox process per module, and a client that speaks raw GMO-PG; no database anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
import requests

from tests.sandbox_server import GOOD_CARD, SHOP, SandboxHandle, start_sandbox

CALL_TIMEOUT_SECONDS = 10
_numbers = count(1)


class Shop:
    """Posts calls as a shop does and reads the answer as a shop must."""

    def __init__(self, sandbox: SandboxHandle) -> None:
        self.sandbox = sandbox

    def post(self, name: str, **parameters: str) -> requests.Response:
        return requests.post(
            f"{self.sandbox.url}/gmopg/payment/{name}.idPass", data=parameters, timeout=CALL_TIMEOUT_SECONDS
        )

    def call(self, name: str, **parameters: str) -> dict[str, str]:
        line = self.post(name, **parameters).content.decode("cp932")
        return dict(pair.split("=", 1) for pair in line.split("&"))

    def errors(self, name: str, **parameters: str) -> str:
        answer = self.call(name, **parameters)
        assert list(answer) == ["ErrCode", "ErrInfo"], answer
        return answer["ErrInfo"]

    def new_order(self) -> str:
        return f"ORD-{next(_numbers):06d}"

    def entry(self, job: str = "AUTH", amount: str = "1000", **more: str) -> dict[str, str]:
        order = more.pop("OrderID", None) or self.new_order()
        amounts = {} if job == "CHECK" else {"Amount": amount}
        answer = self.call("EntryTran", **SHOP, OrderID=order, JobCd=job, **amounts, **more)
        return {"OrderID": order, **answer}

    def paid(self, job: str = "AUTH", amount: str = "1000", *, card: str = GOOD_CARD) -> dict[str, str]:
        trade = self.entry(job, amount)
        answer = self.call("ExecTran", **trade, Method="1", CardNo=card, Expire="4912")
        assert answer.get("ACS") == "0", answer
        return trade

    def alter(self, trade: dict[str, str], job: str, **more: str) -> dict[str, str]:
        return self.call(
            "AlterTran", **SHOP, AccessID=trade["AccessID"], AccessPass=trade["AccessPass"], JobCd=job, **more
        )

    def change(self, trade: dict[str, str], job: str, amount: str) -> dict[str, str]:
        access = {name: trade[name] for name in ("AccessID", "AccessPass")}
        return self.call("ChangeTran", **SHOP, **access, JobCd=job, Amount=amount)

    def search(self, order: str) -> dict[str, str]:
        return self.call("SearchTrade", **SHOP, OrderID=order)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    handle = start_sandbox(tmp_path_factory.mktemp("sandbox"))
    yield handle
    assert handle.stop() == 0


@pytest.fixture
def sandbox(running: SandboxHandle) -> SandboxHandle:
    running.control("POST", "/_reset")
    return running


@pytest.fixture
def shop(sandbox: SandboxHandle) -> Shop:
    return Shop(sandbox)


@pytest.fixture
def own_sandbox(tmp_path: Any) -> Iterator[SandboxHandle]:
    """One that a test may stop and start again in the same folder."""
    handle = start_sandbox(tmp_path)
    yield handle
    handle.stop()
