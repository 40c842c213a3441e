"""A client that speaks raw SBPS, built here from the protocol and not from the adapter."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from itertools import count
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest
import requests

from tests.sandbox_server import GOOD_CARD, SandboxHandle

MERCHANT = ("99999", "001")
HASH_KEY = "0123456789abcdef0123456789abcdef01234567"
AUTHORIZE, COMMIT = "ST01-00131-101", "ST02-00101-101"
CAPTURE, CANCEL, INQUIRE = "ST02-00201-101", "ST02-00303-101", "MG01-00101-101"
# These travel in Base64.
MULTIBYTE = {"item_name", "free1", "free2", "free3", "resrv1", "resrv2", "resrv3"}

_numbers = count(1)

Fields = Sequence[tuple[str, str]]


class Merchant:
    """Posts calls as a merchant does. Fields are (path, plain value), in the order of the wire."""

    def __init__(self, sandbox: SandboxHandle) -> None:
        self.sandbox = sandbox

    def now(self) -> str:
        moment = datetime.fromisoformat(self.sandbox.control("GET", "/_clock")["now"])
        return f"{moment:%Y%m%d%H%M%S}"

    def post(
        self, body: bytes, *, user: str = "".join(MERCHANT), password: str = HASH_KEY
    ) -> requests.Response:
        return requests.post(
            f"{self.sandbox.url}/sbps/api/xmlapi.do",
            data=body,
            auth=(user, password),
            headers={"Content-Type": "text/xml; charset=Shift_JIS"},
            timeout=10,
        )

    def body(self, call: str, fields: Fields, *, hashed: str | None = None) -> bytes:
        """The bytes of a call with the hash over exactly these fields."""
        text = "".join(value.strip(" \t\r\n") for _, value in fields) + HASH_KEY
        sealed = hashed or hashlib.sha1(text.encode("cp932")).hexdigest()
        parts, group = [], ""
        for path, value in [*fields, ("sps_hashcode", sealed)]:
            head, _, name = path.rpartition("/")
            if head != group:
                parts += [f"</{group}>"] if group else []
                parts += [f"<{head}>"] if head else []
                group = head
            wire = base64.b64encode(value.encode("cp932")).decode() if name in MULTIBYTE else escape(value)
            parts.append(f"<{name}>{wire}</{name}>")
        inside = "".join(parts)
        return (
            f'<?xml version="1.0" encoding="Shift_JIS"?><sps-api-request id="{call}">{inside}</sps-api-request>'
        ).encode("cp932")

    def call(
        self, call: str, fields: Fields, *, date: str | None = None, limit: str = "600"
    ) -> dict[str, str]:
        """The answer's values by name, with `id` where the answer has one."""
        whole = [
            ("merchant_id", MERCHANT[0]),
            ("service_id", MERCHANT[1]),
            *fields,
            ("request_date", date or self.now()),
            ("limit_second", limit),
        ]
        return self.read(self.post(self.body(call, whole)))

    def read(self, answer: requests.Response) -> dict[str, str]:
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "text/xml;charset=Shift_JIS"
        text = answer.content.decode("cp932")
        head, _, rest = text.partition("\n")
        assert head == "<?xml version='1.0' encoding='Shift_JIS' ?>"
        root = ElementTree.fromstring(rest)
        values = {element.tag: (element.text or "").strip() for element in root.iter() if not len(element)}
        return values | ({"id": root.attrib["id"]} if "id" in root.attrib else {})

    def authorize(self, order: str | None = None, *, amount: str = "1250", **more: str) -> dict[str, str]:
        """A hold by a good token; `more` replaces or adds fields by name."""
        fields = {
            "cust_code": "cust-1",
            "order_id": order or self.new_order(),
            "item_id": "item1",
            "item_name": "保険料　１月",
            "amount": amount,
            "pay_method_info/dealings_type": "10",
            "pay_option_manage/token": "TOKEN",
            "pay_option_manage/token_key": "KEY",
            "pay_option_manage/cust_manage_flg": "0",
            "pay_option_manage/cardbrand_return_flg": "1",
            "encrypted_flg": "0",
        }
        for name, value in more.items():
            path = next((path for path in fields if path.rpartition("/")[2] == name), name)
            fields[path] = value
        return self.call(AUTHORIZE, list(fields.items()))

    def move(self, call: str, tracking_id: str, *, on: str = "", amount: str = "") -> dict[str, str]:
        """Commit, capture, cancel or refund."""
        fields = [("tracking_id", tracking_id)]
        if on:
            fields.append(("processing_datetime", on))
        if amount:
            fields.append(("pay_option_manage/amount", amount))
        return self.call(call, fields)

    def paid(self, **more: str) -> str:
        """The tracking id of a committed hold."""
        tracking_id = self.authorize(**more)["res_tracking_id"]
        assert self.move(COMMIT, tracking_id)["res_result"] == "OK"
        return tracking_id

    def status(self, tracking_id: str) -> tuple[str, str]:
        """commit_status and payment_status."""
        answer = self.call(INQUIRE, [("tracking_id", tracking_id), ("encrypted_flg", "0")])
        return answer["commit_status"], answer["payment_status"]

    def actions(self) -> list[tuple[Any, Any]]:
        return [(line["action"], line["amount"]) for line in self.sandbox.ledger()]

    def token(self, number: str = GOOD_CARD, **more: str) -> tuple[str, str]:
        """A one-time token and its key, as the customer's browser would get them."""
        card = {"ccNumber": number, "ccExpiration": "204912", "securityCode": "123", **more}
        answer = requests.post(f"{self.sandbox.url}/sbps/token", json=card, timeout=10).json()
        made = answer["tokenResponse"]
        return made["token"], made["tokenKey"]

    def new_order(self) -> str:
        return f"ORD-{next(_numbers):06d}"


@pytest.fixture
def merchant(sandbox: SandboxHandle) -> Merchant:
    return Merchant(sandbox)
