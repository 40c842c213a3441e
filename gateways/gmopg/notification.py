"""GMO-PG's 結果通知 (protocol section 5): what one says, read from the bytes that came. Pure.

There is no signature: whoever knows the address can send one. What is read here is a reason to ask, no more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from gateways.gmopg.pay_types import PAY_TYPES
from gateways.masking import mask_fields
from gateways.vocabulary import MethodKind, PaymentStatus

# The body that says "received"; anything else makes GMO-PG send it again, about every hour, five times.
RECEIVED = "0"
NOT_RECEIVED = "1"

# More than GMO-PG has ever sent.
MAX_FIELDS = 100
MAX_VALUE_CHARACTERS = 200

# What a notification is about: two with the same values are one.
_CONTENT = (
    "ShopID", "AccessID", "OrderID", "PayType", "Status", "JobCd", "Amount", "Tax", "TranID", "TranDate",
    "ErrCode", "ErrInfo", "FinishDate",
)  # fmt: skip
_CONNECTION_TEST = "E00000000"


class NotANotification(Exception):
    """The body is not a form with the fields of a notification."""


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A notification as it was told, believed in nothing. `amount` in yen with tax; None where it is no number.

    `fields` may be stored: masked, cut, and without what is empty.
    """

    shop_id: str
    access_id: str = field(repr=False)
    order_id: str
    pay_type: str
    told_status: str
    amount: int | None
    tran_id: str
    is_connection_test: bool
    digest: str
    fields: Mapping[str, str] = field(repr=False)

    @property
    def status(self) -> PaymentStatus | None:
        """The status in the shared vocabulary; None for a word that GMO-PG's adapter does not know."""
        known = {status.value: status for status in PaymentStatus}
        return known.get(self.told_status)

    def is_of_kind(self, kind: MethodKind) -> bool:
        """Whether the pay type fits the payment; what is empty or not a number (letters occur) contradicts nobody."""
        return not self.pay_type.isdigit() or self.pay_type.lstrip("0") == PAY_TYPES[kind].lstrip("0")


def parse(body: bytes) -> Notice:
    """Read a body. Values are percent-encoded in Windows-31J. Raises NotANotification."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            encoding="cp932",
            errors="replace",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError as error:
        raise NotANotification from error
    fields = {key[:40]: value[:MAX_VALUE_CHARACTERS].replace("\x00", "") for key, value in pairs}
    if not fields.keys() & {"OrderID", "ErrInfo", "ShopID"}:
        raise NotANotification
    return Notice(
        shop_id=fields.get("ShopID", ""),
        access_id=fields.get("AccessID", ""),
        order_id=fields.get("OrderID", ""),
        pay_type=fields.get("PayType", ""),
        told_status=fields.get("Status", ""),
        amount=_total(fields),
        tran_id=fields.get("TranID", ""),
        is_connection_test=fields.get("ErrInfo") == _CONNECTION_TEST and not fields.get("OrderID"),
        digest=_digest(fields),
        fields=_masked({key: value for key, value in fields.items() if value}),
    )


def _total(fields: Mapping[str, str]) -> int | None:
    amount, tax = fields.get("Amount", ""), fields.get("Tax", "") or "0"
    readable = all(value.isascii() and value.isdigit() and len(value) <= 12 for value in (amount, tax))
    return int(amount) + int(tax) if readable else None


def _digest(fields: Mapping[str, str]) -> str:
    content = [fields.get(name, "") for name in _CONTENT]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _masked(fields: Mapping[str, str]) -> dict[str, str]:
    return {key: mask_fields({key: value}).partition("=")[2] for key, value in fields.items()}
