"""The clock, the settings, the provider's own admin screen, restarts and the command line."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest
import requests

from gateways.sandbox.server import ThreadedServer
from tests.sandbox.conftest import Shop
from tests.sandbox_server import GOOD_CARD, ROOT, SandboxHandle, start_sandbox


def test_the_clock_goes_on_from_where_it_was_set(sandbox: SandboxHandle) -> None:
    sandbox.set_clock("2026-12-01T23:59:59+09:00")
    first = sandbox.control("GET", "/_clock")
    time.sleep(0.05)
    second = sandbox.control("GET", "/_clock")
    assert first["now"].startswith("2026-12-0")
    assert first["now"] < second["now"]
    assert first["offset"] == second["offset"]


def test_the_clock_freezes_advances_and_goes_back(sandbox: SandboxHandle) -> None:
    sandbox.set_clock("2026-12-01T00:00:00", freeze=True)
    assert sandbox.control("GET", "/_clock")["now"] == "2026-12-01T00:00:00+09:00"
    assert sandbox.control("POST", "/_clock", json={"advance": 86_400})["now"] == "2026-12-02T00:00:00+09:00"
    sandbox.set_clock("2020-02-29T12:00:00+00:00", freeze=True)
    assert sandbox.control("GET", "/_clock")["now"] == "2020-02-29T21:00:00+09:00"
    real = sandbox.control("POST", "/_clock", json={"real": True})
    assert abs(datetime.fromisoformat(real["now"]).timestamp() - time.time()) < 2
    assert real["offset"] == 0


@pytest.mark.parametrize("wish", [{"set": "soon"}, {"advance": "x"}, {"move": 1}, {}, [1]])
def test_a_time_that_makes_no_sense_is_refused(sandbox: SandboxHandle, wish: object) -> None:
    assert requests.post(f"{sandbox.url}/_clock", json=wish, timeout=5).status_code == 400


def test_a_restart_keeps_trades_tokens_clock_settings_and_ledger(
    own_sandbox: SandboxHandle, tmp_path: Path
) -> None:
    shop = Shop(own_sandbox)
    own_sandbox.set_clock("2026-12-01T00:00:00", freeze=True)
    own_sandbox.settings(latency_ms=1)
    trade, token = shop.paid("CAPTURE"), own_sandbox.token()
    before = (shop.search(trade["OrderID"]), own_sandbox.ledger())
    own_sandbox.stop(kill=True)
    again = start_sandbox(tmp_path)
    try:
        shop = Shop(again)
        assert (shop.search(trade["OrderID"]), again.ledger()) == before
        assert again.control("GET", "/_settings")["latency_ms"] == 1
        assert again.control("GET", "/_clock")["now"] == "2026-12-01T00:00:00+09:00"
        assert shop.call("ExecTran", **shop.entry(), Method="1", Token=token)["ACS"] == "0"
    finally:
        again.stop()


def test_a_reset_forgets_everything(shop: Shop) -> None:
    trade = shop.paid()
    shop.sandbox.settings(latency_ms=3)
    shop.sandbox.control("POST", "/_reset")
    assert shop.search(trade["OrderID"])["ErrInfo"] == "E01110002"
    assert (shop.sandbox.ledger(), shop.sandbox.trades()) == ([], [])
    assert shop.sandbox.control("GET", "/_settings")["latency_ms"] == 0


def test_the_provider_s_own_screen_moves_money_by_the_same_rules(shop: Shop) -> None:
    trade = shop.paid()
    assert shop.sandbox.admin(trade["OrderID"], action="CHANGE", amount=700)["amount"] == 700
    assert shop.sandbox.admin(trade["OrderID"], action="SALES")["status"] == "SALES"
    assert shop.search(trade["OrderID"])["Status"] == "SALES"
    lines = shop.sandbox.ledger(trade["OrderID"])
    assert [(line["action"], line["amount"], line["source"]) for line in lines] == [
        ("AUTH", 1000, "api"),
        ("CHANGE", 700, "admin"),
        ("SALES", 700, "admin"),
    ]
    wish = {"provider": "gmopg", "order_id": trade["OrderID"], "action": "RETURNX"}
    answer = requests.post(f"{shop.sandbox.url}/_admin", json=wish, timeout=5)
    assert (answer.status_code, answer.json()) == (409, {"error": "E11010003"})


def test_a_trade_can_be_overwritten_without_a_ledger_line(shop: Shop) -> None:
    trade = shop.paid()
    shop.sandbox.admin(trade["OrderID"], status="CAPTURE", amount=5)
    found = shop.search(trade["OrderID"])
    assert (found["Status"], found["Amount"]) == ("CAPTURE", "5")
    assert len(shop.sandbox.ledger(trade["OrderID"])) == 1
    assert trade["AccessID"] not in str(shop.sandbox.trades(trade["OrderID"]))


def test_the_ledger_is_filtered(shop: Shop) -> None:
    shop.sandbox.set_clock("2026-11-10T12:00:00", freeze=True)
    shop.paid()
    shop.sandbox.set_clock("2026-11-11T12:00:00", freeze=True)
    later = shop.paid()
    since = {"since": "2026-11-11T00:00:00+09:00"}
    lines = shop.sandbox.control("GET", "/_ledger", params=since)["lines"]
    assert [line["order_id"] for line in lines] == [later["OrderID"]]
    assert shop.sandbox.control("GET", "/_ledger", params={"provider": "nobody"})["lines"] == []


def test_latency_applies_to_calls_only(shop: Shop) -> None:
    shop.sandbox.settings(latency_ms=200)
    began = time.monotonic()
    shop.search("nobody")
    assert time.monotonic() - began >= 0.2
    began = time.monotonic()
    shop.sandbox.token()
    assert time.monotonic() - began < 0.2


@pytest.mark.parametrize("wishes", [{"speed": 1}, {"latency_ms": -1}, {"latency_ms": "x"}])
def test_a_setting_that_does_not_exist_is_refused(sandbox: SandboxHandle, wishes: dict[str, object]) -> None:
    assert requests.post(f"{sandbox.url}/_settings", json=wishes, timeout=5).status_code == 400


def test_a_port_in_use_is_one_readable_line(sandbox: SandboxHandle, tmp_path: Path) -> None:
    port = sandbox.url.rpartition(":")[2]
    for command in (["-m", "gateways.sandbox"], ["manage.py", "sandbox"]):
        left = {"DATABASE_URL", "REDIS_URL", "ENVIRONMENT", "DJANGO_SETTINGS_MODULE"}
        environment = {name: value for name, value in os.environ.items() if name not in left}
        run = subprocess.run(
            [sys.executable, *command, "--port", port],
            cwd=ROOT,
            env=environment | {"SANDBOX_DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert run.returncode == 1
        assert run.stderr == f"The sandbox cannot start on 127.0.0.1:{port}: the port is already in use.\n"


def test_it_runs_inside_another_process_too(tmp_path: Path) -> None:
    server = ThreadedServer(data_dir=tmp_path)
    server.start()
    try:
        health = requests.get(f"{server.url}/_health", timeout=5).json()
        assert health["status"] == "ok"
        assert {"gmopg", "paygent"} <= set(health["providers"])
    finally:
        server.stop()


def test_no_card_number_and_no_security_code_reaches_the_disk(
    own_sandbox: SandboxHandle, tmp_path: Path
) -> None:
    shop = Shop(own_sandbox)
    security_codes = ("7391", "8264", "5917")
    for code in security_codes:
        own_sandbox.token(security_code=code)
        card = {"CardNo": "4999000000000002", "Expire": "4912", "SecurityCode": code}
        shop.call("ExecTran", **shop.entry(), Method="1", **card)
    shop.paid()
    own_sandbox.stop()
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"************1111" not in kept
    for secret in (GOOD_CARD, "4999000000000002"):
        assert secret.encode() not in kept
    # Four digits stand in some number by chance; whoever writes security codes down writes all of them.
    assert not all(code.encode() in kept for code in security_codes)
