"""GMO-PG's 結果通知 (protocol section 5): what one says, read from the bytes that came. Pure.

There is no signature: whoever knows the address can send one. What is read here is a reason to ask, no more.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateways import notices
from gateways.gmopg.account import Account
from gateways.gmopg.pay_types import PAY_TYPES
from gateways.interface import PaymentReference
from gateways.notices import NotANotice, Notice
from gateways.vocabulary import MethodKind

# What a notification is about: two with the same values are one.
_CONTENT = (
    "ShopID", "AccessID", "OrderID", "PayType", "Status", "JobCd", "Amount", "Tax", "TranID", "TranDate",
    "ErrCode", "ErrInfo", "FinishDate",
)  # fmt: skip
_CONNECTION_TEST = "E00000000"


@dataclass(frozen=True, kw_only=True)
class GmoPgNotice(Notice):
    """A notification with what shows whose trade it is about. The amount is with tax."""

    access_id: str = field(repr=False)
    pay_type: str

    def contradiction(self, payment: PaymentReference) -> str:
        """The AccessID that only GMO-PG and we know, and the kind of payment."""
        known = payment.references.get("access_id", "")
        if known and not hmac.compare_digest(self.access_id.lower().encode(), known.lower().encode()):
            return "取引ID(AccessID)が、この決済のものと一致しません。"
        if not self._is_of_kind(payment.kind):
            return "支払方法が、この決済のものと一致しません。"
        return ""

    def _is_of_kind(self, kind: MethodKind) -> bool:
        # What is empty or not a number (letters occur) contradicts nobody.
        return not self.pay_type.isdigit() or self.pay_type.lstrip("0") == PAY_TYPES[kind].lstrip("0")


class Desk:
    """Takes the 結果通知 of one shop. Anything but `0` makes GMO-PG send it again, about every hour, five times."""

    received = "0"
    not_received = "1"

    def __init__(self, account: Account) -> None:
        self._shop_id = account.shop_id

    def read(self, body: bytes) -> GmoPgNotice:
        """Values are percent-encoded in Windows-31J. Raises NotANotice."""
        fields = notices.read_form(body)
        if not fields.keys() & {"OrderID", "ErrInfo", "ShopID"}:
            raise NotANotice
        order_id = fields.get("OrderID", "")
        is_ours = hmac.compare_digest(fields.get("ShopID", "").encode(), self._shop_id.encode())
        return GmoPgNotice(
            digest=notices.digest([fields.get(name, "") for name in _CONTENT]),
            order_id=order_id,
            known_as=order_id,
            told_status=fields.get("Status", ""),
            amount=_total(fields),
            fields=notices.storable(fields),
            is_connection_test=fields.get("ErrInfo") == _CONNECTION_TEST and not order_id,
            doubt="" if is_ours else "ショップIDが当店のものと一致しません。",
            access_id=fields.get("AccessID", ""),
            pay_type=fields.get("PayType", ""),
        )

    def repeats(self, fields: Mapping[str, str], payment: PaymentReference) -> bool:
        """Status, amount and approval as recorded. Such a one could be forged, and would change nothing."""
        tran_id = payment.references.get("tran_id", "")
        return (
            fields.get("Status") == payment.status
            and _total(fields) == payment.amount
            and bool(tran_id)
            and fields.get("TranID") == tran_id
            and not fields.get("ErrInfo")
        )


def _total(fields: Mapping[str, str]) -> int | None:
    return notices.yen(fields.get("Amount", ""), fields.get("Tax", "") or "0")
