"""Which elements a call has, and the front's checks on them in its order: 03, 04, 05, 06, 07, then the hash."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateways.sandbox.clock import TOKYO
from gateways.sandbox.sbps.wire import CODEC, BadValue, Refused, Telegram, decrypt, from_base64, sps_hashcode

NONE = "999"
ENCRYPTED_BLOCK = "pay_method_info"
DEFAULT_LIFE_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Item:
    """One element: its number in codes, its type (9 digits, X single bytes, M in Base64), its limit."""

    number: str
    type: str
    longest: int
    values: frozenset[str] = frozenset()
    is_exact: bool = False


def _flag(number: str) -> Item:
    return Item(number, "9", 1, frozenset("01"))


ITEMS: Mapping[str, Item] = {
    "merchant_id": Item("001", "9", 5, is_exact=True),
    "service_id": Item("002", "9", 3, is_exact=True),
    "cust_code": Item("003", "X", 64),
    "order_id": Item("004", "X", 38),
    "item_id": Item("005", "X", 32),
    "item_name": Item("006", "M", 40),
    "tax": Item("007", "9", 7),
    "amount": Item("008", "9", 7),
    "free1": Item("010", "M", 20),
    "free2": Item("011", "M", 20),
    "free3": Item("012", "M", 20),
    "order_rowno": Item("013", "9", 2),
    "dtl_rowno": Item("014", "9", 3),
    "dtl_item_id": Item("015", "X", 20),
    "dtl_item_name": Item("016", "M", 40),
    "dtl_item_count": Item("017", "9", 6),
    "dtl_tax": Item("018", "9", 7),
    "dtl_amount": Item("019", "9", 7),
    "request_date": Item("023", "9", 14, is_exact=True),
    "limit_second": Item("024", "9", 4),
    "sps_hashcode": Item("025", "X", 40, is_exact=True),
    "sps_transaction_id": Item("026", "X", 32),
    "tracking_id": Item("027", "9", 14, is_exact=True),
    "encrypted_flg": _flag("028"),
    "processing_datetime": Item("029", "9", 14, is_exact=True),
    "sps_cust_info_return_flg": _flag("030"),
    "cc_number": Item("200", "9", 16),
    "cc_expiration": Item("201", "9", 6, is_exact=True),
    "dealings_type": Item("202", "9", 2, frozenset({"10", "21", "61", "80"})),
    "divide_times": Item("203", "9", 3),
    "cust_manage_flg": _flag("205"),
    "resrv1": Item("206", "M", 20),
    "resrv2": Item("207", "M", 20),
    "resrv3": Item("208", "M", 20),
    "security_code": Item("209", "9", 4),
    "response_info_type": Item("216", "9", 1, frozenset("012")),
    "cardbrand_return_flg": _flag("217"),
    "token": Item("227", "X", 512),
    "token_key": Item("228", "X", 512),
}
_DATES = frozenset({"request_date", "processing_datetime"})
_ALWAYS = ("merchant_id", "service_id", "request_date", "sps_hashcode")
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "ST01-00131-101": ("cust_code", "order_id", "item_id", "amount"),
    "ST02-00101-101": (),
    "ST02-00201-101": (),
    "ST02-00303-101": (),
    "MG01-00101-101": (),
    "MG02-00131-101": ("cust_code", "token"),
    "MG02-00132-101": ("cust_code", "token"),
    "MG02-00103-101": ("cust_code",),
    "MG02-00104-101": ("cust_code",),
}
NEEDS_PAYMENT = frozenset({"ST02-00101-101", "ST02-00201-101", "ST02-00303-101", "MG01-00101-101"})
_SINGLE_BYTES = re.compile(r"[\x20-\x7e\uff61-\uff9f]*")


def refusal(api_id: str, type_code: str, item: str = NONE, *, by_front: bool = True) -> Refused:
    """A refusal of the call's method."""
    return Refused(f"{api_id[-3:]}{type_code}{item}", by_front=by_front)


def read_values(telegram: Telegram, now: datetime) -> dict[str, str]:
    """The plain values by name, after every check of the front. Raises Refused."""
    api_id = telegram.api_id
    sent = {path.rpartition("/")[2]: text for path, text in telegram.leaves}
    for name in (*_ALWAYS, *REQUIRED[api_id]):
        if not sent.get(name):
            raise refusal(api_id, "03", ITEMS[name].number)
    if api_id in NEEDS_PAYMENT and not sent.get("tracking_id") and not sent.get("sps_transaction_id"):
        raise refusal(api_id, "03", ITEMS["tracking_id"].number)
    is_encrypted = sent.get("encrypted_flg") == "1"
    plain = [
        (name, _plain(api_id, name, text, is_encrypted and path.startswith(f"{ENCRYPTED_BLOCK}/")))
        for path, text in telegram.leaves
        if (name := path.rpartition("/")[2]) in ITEMS
    ]
    for code, check in (("04", _has_type), ("05", _has_length), ("06", _has_format), ("07", _has_value)):
        for name, value in plain:
            if value and not check(name, value):
                raise refusal(api_id, code, ITEMS[name].number)
    wanted = sps_hashcode([value for name, value in plain if name != "sps_hashcode"])
    if not hmac.compare_digest(wanted, sent["sps_hashcode"].lower()):
        raise refusal(api_id, "09")
    values = dict(plain)
    asked_at = _moment(values["request_date"])
    life = timedelta(seconds=int(values.get("limit_second") or DEFAULT_LIFE_SECONDS))
    if asked_at is None or now > asked_at + life:
        raise refusal(api_id, "10")
    return values


def _plain(api_id: str, name: str, text: str, is_encrypted: bool) -> str:
    if not text:
        return ""
    try:
        if is_encrypted:
            return decrypt(text)
        return from_base64(text) if ITEMS[name].type == "M" else text
    except BadValue as error:
        raise refusal(api_id, "06", ITEMS[name].number) from error


def _has_type(name: str, value: str) -> bool:
    if ITEMS[name].type == "9":
        return value.isascii() and value.isdigit()
    return ITEMS[name].type == "M" or bool(_SINGLE_BYTES.fullmatch(value))


def _has_length(name: str, value: str) -> bool:
    return len(value.encode(CODEC, "replace")) <= ITEMS[name].longest


def _has_format(name: str, value: str) -> bool:
    if name in _DATES:
        return _moment(value) is not None
    return not ITEMS[name].is_exact or len(value) == ITEMS[name].longest


def _has_value(name: str, value: str) -> bool:
    if name == "amount":
        return int(value) > 0
    return not ITEMS[name].values or value in ITEMS[name].values


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=TOKYO) if len(text) == 14 else None
    except ValueError:
        return None


def authorization_header(user: str, password: str) -> str:
    """What a client with these credentials sends."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
