"""The telegrams of SBPS that the product uses, typed on both sides. Names and order are those of the wire."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from gateways.clock import TOKYO
from gateways.sbps.wire import Block, Leaf, Node

ENCRYPTED, PLAIN = "1", "0"
YES, NO = "1", "0"
# An inquiry shows the last four digits of the card.
LAST_FOUR = "2"
# dealings_type.
LUMP_SUM, INSTALMENTS = "10", "61"


class _Multibyte:
    """Marks a value that travels in Base64."""


MULTIBYTE = _Multibyte()


class Group(BaseModel):
    """Values that stand together. None is not sent. Nothing is checked here: SBPS refuses what is wrong."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    is_encrypted: ClassVar[bool] = False

    def nodes(self) -> list[Node]:
        """What goes onto the wire."""
        found: list[Node] = []
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if isinstance(value, Group):
                found.append(Block(name=name, children=value.nodes()))
            elif value is not None:
                found.append(
                    Leaf(
                        name=name,
                        value=str(value),
                        is_multibyte=MULTIBYTE in field.metadata,
                        is_encrypted=self.is_encrypted,
                    )
                )
        return found

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    __str__ = __repr__


class PayMethodInfo(Group):
    """How it is paid; encrypted where the contract says so."""

    is_encrypted = True

    dealings_type: str
    divide_times: str | None = None


class PayOptionManage(Group):
    """The customer's card as a one-time token, and switches."""

    token: str | None = None
    token_key: str | None = None
    cust_manage_flg: str | None = None
    cardbrand_return_flg: str | None = None


class AmountOption(Group):
    """The amount of a capture, in yen."""

    amount: int


class Request(Group):
    """A call: its id at SBPS and the values that all of them begin with."""

    api_id: ClassVar[str]

    merchant_id: str
    service_id: str


class Authorize(Request):
    """Hold an amount by token, or by the customer's stored card where there is none."""

    api_id = "ST01-00131-101"

    cust_code: str
    order_id: str
    item_id: str
    item_name: Annotated[str | None, MULTIBYTE] = None
    amount: int
    sps_cust_info_return_flg: str | None = None
    pay_method_info: PayMethodInfo
    pay_option_manage: PayOptionManage
    encrypted_flg: str


class FollowUp(Request):
    """A call on a payment. The date of `processing_datetime` is the day on which it counts."""

    tracking_id: str
    processing_datetime: str


class Commit(FollowUp):
    """Make a hold final."""

    api_id = "ST02-00101-101"


class Capture(FollowUp):
    """Sell the hold."""

    api_id = "ST02-00201-101"

    pay_option_manage: AmountOption


class CancelOrRefund(FollowUp):
    """Free a hold or give a sale back: the state of the payment decides which."""

    api_id = "ST02-00303-101"


class Inquire(Request):
    """Ask how a payment stands."""

    api_id = "MG01-00101-101"

    tracking_id: str
    response_info_type: str
    pay_option_manage: PayOptionManage
    encrypted_flg: str


class ReferCard(Request):
    """Show the card that is kept for a customer."""

    api_id = "MG02-00104-101"

    cust_code: str
    sps_cust_info_return_flg: str = NO
    response_info_type: str
    pay_option_manage: PayOptionManage
    encrypted_flg: str


class DeleteCard(Request):
    """Forget the card that is kept for a customer."""

    api_id = "MG02-00103-101"

    cust_code: str
    sps_cust_info_return_flg: str = NO
    encrypted_flg: str


def _tokyo_time(value: object) -> object:
    if isinstance(value, str):
        if len(value) != 14 or not value.isascii() or not value.isdigit():
            raise ValueError("not a time")
        return datetime.strptime(value, "%Y%m%d%H%M%S").replace(tzinfo=TOKYO)
    return value


Moment = Annotated[datetime, BeforeValidator(_tokyo_time)]
# The whole shape: an answer that was cut must not be believed.
TrackingId = Annotated[str, StringConstraints(pattern=r"^[0-9]{14}$")]
TransactionId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{32}$")]
Digit = Annotated[str, StringConstraints(pattern=r"^[0-9]$")]


class Answer(BaseModel):
    """An answer with res_result OK. Elements that are not here are ignored: SBPS may add some."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    sps_transaction_id: TransactionId = Field(alias="res_sps_transaction_id")
    process_date: Moment = Field(alias="res_process_date")
    date: Moment = Field(alias="res_date")

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Any:
        """Check the values of an answer. Raises pydantic.ValidationError."""
        return cls.model_validate(dict(values))

    def told(self) -> str:
        """What it says beyond that it worked, for the log that operators read."""
        return ""


class Authorized(Answer):
    """A hold: the tracking id addresses the payment from now on."""

    tracking_id: TrackingId = Field(alias="res_tracking_id")
    cc_company_code: str = Field(default="", alias="res_pay_method_info/cc_company_code")
    recognized_no: str = Field(default="", alias="res_pay_method_info/recognized_no")

    def told(self) -> str:
        """The number under which everybody finds the payment."""
        return f"トラッキングID {self.tracking_id}"


class Done(Answer):
    """A commit, capture, cancel or refund. `process_date` of the last three is the day on which it counts."""


class Payment(Answer):
    """A payment as it stands. No amount: SBPS does not tell."""

    status: Digit = Field(alias="res_status")
    commit_status: Digit = Field(alias="res_pay_method_info/commit_status")
    payment_status: Digit = Field(alias="res_pay_method_info/payment_status")
    cc_company_code: str = Field(default="", alias="res_pay_method_info/cc_company_code")
    recognized_no: str = Field(default="", alias="res_pay_method_info/recognized_no")
    cc_number: str = Field(default="", alias="res_pay_method_info/res_pay_method_info_detail/cc_number")
    dealings_type: str = Field(
        default="", alias="res_pay_method_info/res_pay_method_info_detail/dealings_type"
    )
    divide_times: str = Field(default="", alias="res_pay_method_info/res_pay_method_info_detail/divide_times")

    def told(self) -> str:
        """The two statuses, which alone make up the answer."""
        return f"決済ステータス {self.payment_status} 確定ステータス {self.commit_status}"


class CardShown(Answer):
    """A card on file; `cc_expiration` is YYYYMM."""

    cc_number: str = Field(alias="res_pay_method_info/cc_number")
    cc_expiration: str = Field(default="", alias="res_pay_method_info/cc_expiration")


class CardForgotten(Answer):
    """The card is off the file."""
