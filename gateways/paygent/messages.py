"""The telegrams of Paygent that the product uses, typed on both sides. Field names are the wire's."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

TOKYO = ZoneInfo("Asia/Tokyo")
VERSION = "1.0"

CARD_PATH = "/n/card/request"
NOTICE_PATH = "/n/ref/paynotice"
INQUIRY_PATH = "/n/ref/paymentref"

TradingId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_]{1,25}$")]
# Theirs; digits, and text all the same: it has no fixed length.
PaymentId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,30}$")]
CustomerId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_.@-]{1,25}$")]
Yen = Annotated[int, Field(ge=1, le=9_999_999)]


def _tokyo_time(value: object) -> object:
    """`YYYYMMDDHHMMSS` in Tokyo; empty means not said."""
    if value == "":
        return None
    if isinstance(value, str):
        if len(value) != 14 or not value.isascii() or not value.isdigit():
            raise ValueError("not a time")
        return datetime.strptime(value, "%Y%m%d%H%M%S").replace(tzinfo=TOKYO)
    return value


def _empty_is_none(value: object) -> object:
    return None if value == "" else value


MaybeMoment = Annotated[datetime | None, BeforeValidator(_tokyo_time)]
MaybeYen = Annotated[int | None, Field(ge=0), BeforeValidator(_empty_is_none)]


class Request(BaseModel):
    """A telegram without the merchant's part. Its repr shows nothing: some fields are secrets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[str]
    path: ClassVar[str] = CARD_PATH

    def fields(self) -> dict[str, str]:
        """What goes onto the wire beside the merchant's part; None is not sent."""
        return {
            _WIRE_NAMES.get(name, name): str(value)
            for name, value in self.__dict__.items()
            if value is not None
        }

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    __str__ = __repr__


# A name in Python does not begin with a digit.
_WIRE_NAMES = {"skips_3ds": "3dsecure_ryaku"}


class Authorize(Request):
    """020: authorize (`sales_mode` 1: and capture at once) with exactly one card source."""

    kind = "020"

    trading_id: TradingId
    payment_amount: Yen
    payment_class: str
    split_count: str | None = None
    skips_3ds: str = "1"
    sales_mode: str | None = None
    card_token: str | None = None
    stock_card_mode: str | None = None
    customer_id: CustomerId | None = None
    customer_card_id: str | None = None
    # As Paygent told it: perhaps not one of ours.
    ref_trading_id: str | None = None


def payment_class(installments: int) -> dict[str, str]:
    """The fields of 020 for a lump sum (1), or for so many parts."""
    if installments == 1:
        return {"payment_class": "10"}
    return {"payment_class": "61", "split_count": str(installments)}


class Void(Request):
    """021: void an authorization."""

    kind = "021"

    payment_id: PaymentId


class Capture(Request):
    """022: capture the whole authorized amount."""

    kind = "022"

    payment_id: PaymentId


class CancelCapture(Request):
    """023: give a captured amount back, all of it."""

    kind = "023"

    payment_id: PaymentId


class Correction(Request):
    """A smaller total for a payment, which then has a new payment_id. `reduction_flag` 0: a new total."""

    trading_id: TradingId
    payment_id: PaymentId
    payment_amount: Yen
    reduction_flag: str = "0"


class CorrectAuthorization(Correction):
    """028."""

    kind = "028"


class CorrectCapture(Correction):
    """029."""

    kind = "029"


class StoreCard(Request):
    """025: keep the card behind a token for a customer."""

    kind = "025"

    customer_id: CustomerId
    card_token: str


class DeleteCard(Request):
    """026: forget one card."""

    kind = "026"

    customer_id: CustomerId
    customer_card_id: str


class ListCards(Request):
    """027: a customer's cards; answers a list."""

    kind = "027"

    customer_id: CustomerId


class NextNotice(Request):
    """091: the next notice of the queue, or the one with this id again."""

    kind = "091"
    path = NOTICE_PATH

    payment_notice_id: PaymentId | None = None


class Inquire(Request):
    """094: a payment as it stands, by the id that Paygent gave it or by ours."""

    kind = "094"
    path = INQUIRY_PATH

    payment_id: PaymentId | None = None
    trading_id: TradingId | None = None


class Answer(BaseModel):
    """An answer that is no error. Unknown keys are ignored: there are many, and more with each version."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class AuthorizeAnswer(Answer):
    """A new payment. The recorded answer tells no date and no approval number."""

    payment_id: PaymentId
    trading_id: str = ""
    acq_name: str = ""
    masked_card_number: str = ""
    out_acs_html: str = Field(default="", repr=False)


class ChangedAnswer(Answer):
    """The payment that was changed; for a correction, the new one."""

    payment_id: PaymentId
    trading_id: str = ""


class InquiryAnswer(Answer):
    """A payment as it stands. Whether ids come back depends on the kind of payment."""

    payment_id: PaymentId
    trading_id: str = ""
    payment_status: Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")]
    payment_amount: MaybeYen
    payment_init_date: MaybeMoment = None
    authorized_date: MaybeMoment = None
    payment_date: MaybeMoment = None
    cancel_date: MaybeMoment = None


class StoredCardAnswer(Answer):
    """The number of a card among a customer's cards."""

    customer_card_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,10}$")]
