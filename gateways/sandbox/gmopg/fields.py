"""Parameter checks: E01 or M01, three digits for the item, three for the reason. All are collected, then told.

E01 writes item 4 as 040, M01 as 004; so E01040001 and M01004001 both say that the OrderID is missing.
"""

from __future__ import annotations

import re

from gateways.sandbox.gmopg.desk import SHOPS, SITES
from gateways.sandbox.gmopg.rules import KNOWN_JOBS
from gateways.sandbox.gmopg.wire import Parameters, Refused

ORDER_ID = re.compile(r"[0-9A-Za-z-]*")
MEMBER_ID = re.compile(r"[0-9A-Za-z@_.-]*")
HEX_32 = re.compile(r"[0-9A-Fa-f]{32}")
HIGHEST_AMOUNT = 9_999_999


def is_digits(text: str) -> bool:
    """ASCII digits only, at least one."""
    return text.isascii() and text.isdigit()


class Checks:
    """Looks at the parameters of one call and collects what is wrong with them."""

    def __init__(self, parameters: Parameters, family: str = "E01") -> None:
        self.parameters = parameters
        self.codes: list[str] = []
        self._family = family
        self._order_item = "040" if family == "E01" else "004"

    def get(self, name: str) -> str:
        """The value, empty when absent."""
        return self.parameters.get(name, "")

    def add(self, code: str) -> None:
        """Collect one error of this call's family."""
        self.codes.append(self._family + code)

    def stop_on_errors(self) -> None:
        """Raise Refused when anything was collected."""
        if self.codes:
            raise Refused(*self.codes)

    def shop(self) -> str:
        """ShopID and ShopPass; a wrong pair is told by itself, before anything is looked up."""
        items = ("010", "020", "030") if self._family == "E01" else ("002", "003", "002")
        return self._pair("ShopID", "ShopPass", items, SHOPS, longest_pass=10)

    def site(self) -> str:
        """SiteID and SitePass."""
        return self._pair("SiteID", "SitePass", ("190", "200", "210"), SITES, longest_pass=20)

    def _pair(
        self,
        id_name: str,
        pass_name: str,
        items: tuple[str, str, str],
        known: dict[str, str],
        *,
        longest_pass: int,
    ) -> str:
        id_item, pass_item, pair_item = items
        identity, password = self.get(id_name), self.get(pass_name)
        before = len(self.codes)
        for item, value, longest in ((id_item, identity, 13), (pass_item, password, longest_pass)):
            if not value:
                self.add(f"{item}001")
            elif len(value) > longest or not value.isascii():
                self.add(f"{item}008")
        if len(self.codes) == before and known.get(identity) != password:
            raise Refused(f"{self._family}{pair_item}002")
        return identity

    def new_order_id(self) -> str:
        """An OrderID that a trade may be entered under."""
        order_id = self.get("OrderID")
        if not order_id:
            self.add(f"{self._order_item}001")
        elif len(order_id) > 27:
            self.add(f"{self._order_item}{'003' if self._family == 'E01' else '012'}")
        elif not ORDER_ID.fullmatch(order_id):
            self.add(f"{self._order_item}013")
        return order_id

    def order_id(self) -> str:
        """An OrderID to look up: what is not in the books is simply not found."""
        order_id = self.get("OrderID")
        if not order_id:
            self.add(f"{self._order_item}001")
        return order_id

    def job(self, allowed: frozenset[str]) -> str:
        """JobCd: missing, undefined, or not one of this call's."""
        job = self.get("JobCd")
        if not job:
            self.add("050001")
        elif job not in KNOWN_JOBS:
            self.add("050002")
        elif job not in allowed:
            self.add("050004")
        return job

    def access(self) -> tuple[str, str]:
        """AccessID and AccessPass."""
        values = []
        for item, name in (("090", "AccessID"), ("100", "AccessPass")):
            value = self.get(name)
            if not value:
                self.add(f"{item}001")
            elif not HEX_32.fullmatch(value):
                self.add(f"{item}008")
            values.append(value.lower())
        return values[0], values[1]

    def amount(self) -> int:
        """Amount in yen, 1 to 7 digits, not zero."""
        text = self.get("Amount")
        if not text:
            self.add("060001")
            return 0
        if len(text) > 7:
            self.add("060005")
        if not is_digits(text):
            self.add("060006")
            return 0
        if int(text) == 0:
            self.add("060011")
        return int(text)

    def tax(self, amount: int) -> int:
        """Tax in yen, 0 when absent; together with the amount not over 7 digits."""
        text = self.get("Tax") or "0"
        if len(text) > 7:
            self.add("070005")
        if not is_digits(text):
            self.add("070006")
            return 0
        if not self.codes and amount + int(text) > HIGHEST_AMOUNT:
            self.add("490005")
        return int(text)

    def method(self) -> tuple[str, str]:
        """Method and PayTimes; PayTimes counts for instalments only and is dropped otherwise."""
        method, times = self.get("Method"), self.get("PayTimes")
        if not method:
            self.add("260001")
        elif method not in ("1", "2", "3", "4", "5"):
            self.add("260002")
        if method not in ("2", "4"):
            return method, ""
        if not times:
            self.add("270001")
        elif len(times) > 2:
            self.add("270005")
        elif not is_digits(times):
            self.add("270006")
        elif int(times) < 2:
            self.add("270010")
        return method, times

    def limited(self, name: str, longest: int, code: str) -> str:
        """A free text of at most `longest` bytes in CP932."""
        value = self.get(name)
        if len(value.encode("cp932", "replace")) > longest:
            self.add(code)
        return value

    def member_id(self) -> str:
        """MemberID."""
        member_id = self.get("MemberID")
        if not member_id:
            self.add("220001")
        elif len(member_id) > 60:
            self.add("220005")
        elif not MEMBER_ID.fullmatch(member_id):
            self.add("220008")
        return member_id
