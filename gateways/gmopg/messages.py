"""The telegrams of GMO-PG that the product uses, typed on both sides.

Field names follow the wire: `shop_id` is ShopID, `job_cd` is JobCd. A value of None is not sent.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_pascal

# Physical numbers of stored cards stay when another card is deleted; logical ones move up.
PHYSICAL = "1"

TOKYO = ZoneInfo("Asia/Tokyo")

Hex32 = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{32}$")]


# Spelled otherwise than the rest: ItemId at 楽天ペイ, RetURL for every kind but cards.
_SPELLED = {"item_id": "ItemId", "ret_url": "RetURL", "error_rcv_url": "ErrorRcvURL"}


def _wire_name(field: str) -> str:
    if field in _SPELLED:
        return _SPELLED[field]
    name = to_pascal(field)
    return f"{name[:-2]}ID" if name.endswith("Id") else name


def _tokyo_time(value: object) -> object:
    """`yyyyMMddHHmmss` in Tokyo; empty means not said."""
    if value == "":
        return None
    if isinstance(value, str):
        if len(value) != 14 or not value.isascii() or not value.isdigit():
            raise ValueError("not a time")
        return datetime.strptime(value, "%Y%m%d%H%M%S").replace(tzinfo=TOKYO)
    return value


def _empty_is_none(value: object) -> object:
    return None if value == "" else value


# A time as it came, where a hash over it has to be made.
Stamp = Annotated[str, StringConstraints(pattern=r"^[0-9]{14}$")]
Moment = Annotated[datetime, BeforeValidator(_tokyo_time)]
MaybeMoment = Annotated[datetime | None, BeforeValidator(_tokyo_time)]
MaybeYen = Annotated[int | None, Field(ge=0), BeforeValidator(_empty_is_none)]


class Request(BaseModel):
    """A telegram to GMO-PG. Its repr shows nothing: half of the fields are secrets.

    Values are not checked here: GMO-PG refuses wrong ones with a code that says that nothing was executed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=_wire_name, populate_by_name=True)

    def fields(self) -> dict[str, str]:
        """What goes onto the wire, in the order of the class."""
        return {
            _WIRE_NAMES.setdefault(name, _wire_name(name)): str(value)
            for name, value in self.__dict__.items()
            if value is not None
        }

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    __str__ = __repr__


_WIRE_NAMES: dict[str, str] = {}


class ShopRequest(Request):
    """A telegram in the name of the shop."""

    shop_id: str
    shop_pass: str


class EntryTran(ShopRequest):
    """Open a trade. `job_cd`: AUTH holds, CAPTURE sells at once."""

    order_id: str
    job_cd: str
    amount: int


class ExecTran(Request):
    """Execute an opened trade with a token or a stored card. `method`: 1 lump sum, 2 instalments."""

    access_id: str
    access_pass: str
    order_id: str
    method: str
    pay_times: str | None = None
    token: str | None = None
    site_id: str | None = None
    site_pass: str | None = None
    member_id: str | None = None
    seq_mode: str | None = None
    card_seq: str | None = None


class AlterTran(ShopRequest):
    """SALES captures, VOID/RETURN/RETURNX cancel, AUTH/CAPTURE authorize a cancelled trade again."""

    access_id: str
    access_pass: str
    job_cd: str
    amount: int | None = None
    method: str | None = None
    pay_times: str | None = None


class ChangeTran(ShopRequest):
    """Change to a new total, ending as `job_cd` says."""

    access_id: str
    access_pass: str
    job_cd: str
    amount: int


class SearchTrade(ShopRequest):
    """Ask for a card trade."""

    order_id: str


class SearchTradeMulti(ShopRequest):
    """Ask for a trade of another kind of payment."""

    order_id: str
    pay_type: str


class SiteRequest(Request):
    """A telegram in the name of the site, which keeps members and their cards."""

    site_id: str
    site_pass: str
    member_id: str


class SaveMember(SiteRequest):
    """Register a member."""


class SaveCard(SiteRequest):
    """Store the card behind a token."""

    seq_mode: str
    token: str
    default_flag: str


class SearchCard(SiteRequest):
    """List a member's cards."""

    seq_mode: str


class DeleteCard(SiteRequest):
    """Forget one card."""

    seq_mode: str
    card_seq: str


class TradedCard(SiteRequest):
    """Store the card that a trade was paid with."""

    shop_id: str
    shop_pass: str
    order_id: str
    seq_mode: str
    default_flag: str


class Answer(BaseModel):
    """An answer that is not an error. Unknown keys are ignored: GMO-PG adds some with each version."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=lambda field: field.replace("_", ""),
        hide_input_in_errors=True,
    )


class EntryTranAnswer(Answer):
    """The pair that addresses the trade from now on."""

    access_id: Hex32
    access_pass: Hex32 = Field(repr=False)


class ExecTranAnswer(Answer):
    """An executed trade (ACS=0). `approve` may begin with a space, which the check string includes."""

    order_id: str
    forward: str
    method: str
    pay_times: str
    approve: str
    tran_id: str
    tran_date: Moment
    check_string: Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{32}$")]


class AlteredAnswer(Answer):
    """The answer to AlterTran and ChangeTran: no status, no order id."""

    access_id: Hex32
    access_pass: Hex32 = Field(repr=False)
    forward: str
    approve: str
    tran_id: str
    tran_date: Moment


class SearchAnswer(Answer):
    """A trade as it stands. Keys without a value come empty; the ones without a default always came.

    `approve` stands behind the amounts: where it is missing, the answer was cut and an amount may be too.
    """

    status: Annotated[str, StringConstraints(min_length=1)]
    process_date: MaybeMoment
    access_id: str
    access_pass: str = Field(repr=False)
    amount: MaybeYen
    tax: MaybeYen
    order_id: str | None = None
    site_id: str = ""
    member_id: str = ""
    card_no: str = ""
    method: str = ""
    pay_times: str = ""
    forward: str = ""
    tran_id: str = ""
    approve: str
    cvs_code: str = ""
    cvs_conf_no: str = ""
    cvs_receipt_no: str = ""
    cust_id: str = ""
    bk_code: str = ""
    conf_no: str = ""
    payment_term: str = ""
    finish_date: str = ""
    payeasy_payment_url: str = ""
    au_pay_info_no: str = ""
    docomo_settlement_code: str = ""
    sb_tracking_id: str = ""
    order_date: str = ""
    completion_date: str = ""


class CardSeqAnswer(Answer):
    """The number of a card in a member's file."""

    card_seq: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,4}$")]


class SavedCardAnswer(CardSeqAnswer):
    """A stored card; the number is masked by GMO-PG."""

    card_no: str
    forward: str = ""
