"""Parameter checks of the calls that are not about cards: family M01, three digits for the item, three for the reason.

The items and reasons are those of the protocol's decoder (4.4); which call checks what, and in which order, no
source tells: [inferred].
"""

from __future__ import annotations

import re
from typing import Any

from gateways.sandbox.gmopg import trades
from gateways.sandbox.gmopg.desk import Desk
from gateways.sandbox.gmopg.fields import HEX_32, Checks, is_digits
from gateways.sandbox.gmopg.trades import Trade
from gateways.sandbox.gmopg.wire import Parameters, Refused

KANA = re.compile(r"[ァ-ヶー・　]*")
PHONE = re.compile(r"[0-9-]*")
NO_TRADE = "M01058002"
NOT_ALLOWED_NOW = "M01054004"
ALREADY_REQUESTED = "M01004014"


class MultiChecks(Checks):
    """Looks at the parameters of one call of another kind of payment."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters, "M01")

    def total(self, *, digits: int, highest: int) -> tuple[int, int]:
        """Amount and Tax in yen; together at most `highest`."""
        values = []
        for name, item in (("Amount", "005"), ("Tax", "006")):
            text = self.get(name) or ("" if name == "Amount" else "0")
            if not text:
                self.add(f"{item}001")
            elif len(text) > digits:
                self.add(f"{item}005")
            elif not is_digits(text):
                self.add(f"{item}006")
            values.append(int(text) if is_digits(text) else 0)
        amount, tax = values
        if not self.codes and not 0 < amount + tax <= highest:
            self.add("005011")
        return amount, tax

    def job(self, allowed: frozenset[str]) -> str:
        """JobCd: missing or undefined."""
        job = self.get("JobCd")
        if not job:
            self.add("054001")
        elif job not in allowed:
            self.add("054010")
        return job

    def access(self) -> tuple[str, str]:
        """AccessID and AccessPass."""
        values = []
        for item, name in (("007", "AccessID"), ("008", "AccessPass")):
            value = self.get(name)
            if not value:
                self.add(f"{item}001")
            elif not HEX_32.fullmatch(value):
                self.add(f"{item}008")
            values.append(value.lower())
        return values[0], values[1]

    def text(self, name: str, item: str, longest: int, *, required: bool = False) -> str:
        """A text of at most `longest` bytes in CP932."""
        value = self.get(name)
        if required and not value:
            self.add(f"{item}001")
        elif len(value.encode("cp932", "replace")) > longest:
            self.add(f"{item}012")
        return value

    def number(self, name: str, item: str, highest: int, default: int) -> int:
        """A whole number from 1; `default` where nothing was sent."""
        text = self.get(name)
        if not text:
            return default
        if not is_digits(text):
            self.add(f"{item}006")
            return default
        if not 0 < int(text) <= highest:
            self.add(f"{item}011")
        return int(text)

    def payer(self) -> None:
        """Who pays at a counter: name, full-width katakana, phone, mail, and whom to ask (printed on the slip)."""
        self.text("CustomerName", "010", 40, required=True)
        if not KANA.fullmatch(self.text("CustomerKana", "011", 40, required=True)):
            self.add("011013")
        phone = self.get("TelNo")
        if not phone:
            self.add("012001")
        elif len(phone) > 13:
            self.add("012005")
        elif not PHONE.fullmatch(phone):
            self.add("012008")
        mail = self.text("MailAddress", "014", 256)
        if mail and "@" not in mail:
            self.add("014008")
        self.text("ReceiptsDisp11", "036", 42, required=True)
        self.text("ReceiptsDisp12", "037", 12, required=True)
        self.text("ReceiptsDisp13", "038", 11, required=True)

    def client_fields(self) -> dict[str, Any]:
        """The shop's own fields, as columns of the trade."""
        return {f"client_field_{n}": self.text(f"ClientField{n}", f"{38 + n:03}", 100) for n in (1, 2, 3)} | {
            "client_field_flag": self.get("ClientFieldFlag")
        }

    def trade(self, desk: Desk, pay_type: str, *, shop_id: str | None = None) -> Trade:
        """The trade that AccessID, AccessPass and OrderID name. Raises Refused with everything collected."""
        access_id, access_pass = self.access()
        order_id = self.order_id()
        found = trades.by_access(desk, access_id, access_pass, shop_id)
        if found is None or found.order_id != order_id or found.pay_type != pay_type:
            self.codes.append(NO_TRADE)
            raise Refused(*self.codes)
        return found
