"""Starts the sandbox as a real process, for every suite that needs a provider on the other end of the wire."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parent.parent
SHOP = {"ShopID": "tshop00000001", "ShopPass": "shoppass01"}
SITE = {"SiteID": "tsite00000001", "SitePass": "sitepass01"}
# Whose page the browser is on, as the token endpoints want to know.
TOKEN_SHOPS = {"gmopg": "tshop00000001", "paygent": "100000001", "sbps": "99999001"}
GOOD_CARD = "4111111111111111"
CONTROL_TIMEOUT_SECONDS = 10


class SandboxHandle:
    """One running sandbox; `url` has no slash at its end."""

    def __init__(self, process: subprocess.Popen[str], url: str, data_dir: Path) -> None:
        self.process = process
        self.url = url
        self.data_dir = data_dir
        self._session = requests.Session()

    def control(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        """Any call of the control interface; raises for an error answer."""
        answer = self._session.request(method, self.url + path, timeout=CONTROL_TIMEOUT_SECONDS, **arguments)
        answer.raise_for_status()
        value: dict[str, Any] = answer.json()
        return value

    def post_fault(self, kind: str, *, call: str = "*", order: str | None = None, **more: Any) -> int:
        """Switch a fault on (`times`, `before`, `ms`, `code` as the control interface explains); gives its id."""
        value = self.control("POST", "/_faults", json={"kind": kind, "call": call, "order": order, **more})
        return int(value["id"])

    def clear_faults(self) -> None:
        """Switch all faults off."""
        self.control("DELETE", "/_faults")

    def set_clock(self, moment: datetime | str, *, freeze: bool = False) -> None:
        """Go to a moment (naive or without offset = Tokyo) and go on, or stand still."""
        text = moment if isinstance(moment, str) else moment.isoformat()
        self.control("POST", "/_clock", json={"set": text, "freeze": freeze})

    def real_clock(self) -> None:
        """Show the machine's own time again."""
        self.control("POST", "/_clock", json={"real": True})

    def ledger(self, order: str | None = None) -> list[dict[str, Any]]:
        """The executed money movements, oldest first."""
        lines: list[dict[str, Any]] = self.control("GET", "/_ledger", params={"order": order})["lines"]
        return lines

    def trades(self, order: str | None = None) -> list[dict[str, Any]]:
        """The trades as the provider's own admin screen shows them."""
        found: list[dict[str, Any]] = self.control("GET", "/_admin/trades", params={"order": order})["trades"]
        return found

    def admin(self, order: str, *, provider: str = "gmopg", **wish: Any) -> dict[str, Any]:
        """Change a trade behind the client's back: action="VOID", or status=..., amount=..."""
        return self.control("POST", "/_admin", json={"provider": provider, "order_id": order, **wish})

    def settings(self, **wishes: int) -> dict[str, Any]:
        """Change settings such as latency_ms; gives all of them."""
        return self.control("POST", "/_settings", json=wishes)

    def token(
        self,
        card: str = GOOD_CARD,
        expire: str = "4912",
        security_code: str = "123",
        *,
        provider: str = "gmopg",
    ) -> str:
        """A one-time token, as the customer's browser would get it."""
        answer = self._session.post(
            f"{self.url}/{provider}/token",
            json={
                "cardno": card,
                "expire": expire,
                "securitycode": security_code,
                "shopid": TOKEN_SHOPS[provider],
            },
            timeout=CONTROL_TIMEOUT_SECONDS,
        ).json()
        return str(answer["tokenObject"]["token"])

    def stop(self, *, kill: bool = False) -> int:
        """End the process and return its exit code; the data stay in `data_dir`."""
        self._session.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        code = self.process.wait(timeout=CONTROL_TIMEOUT_SECONDS)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code


def start_sandbox(data_dir: Path, *, port: int = 0) -> SandboxHandle:
    """A sandbox in a process of its own that already answers; port 0 takes a free one."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gateways.sandbox", "--port", str(port), "--data-dir", str(data_dir)],
        cwd=ROOT,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if " on http://" not in line:
        process.wait(timeout=CONTROL_TIMEOUT_SECONDS)
        raise RuntimeError(f"the sandbox did not start: {line!r}")
    return SandboxHandle(process, line.strip().rpartition(" ")[2], data_dir)
