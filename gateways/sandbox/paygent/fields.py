"""What every telegram must carry, checked before anything is done. The codes are this sandbox's own."""

from __future__ import annotations

import re

from gateways.sandbox.paygent.desk import MERCHANTS
from gateways.sandbox.paygent.wire import Parameters, Refused

NOT_LET_IN = "P001"
WRONG_FIELD = "P002"
UNKNOWN_KIND = "P003"
WRONG_PATH = "P004"

TRADING_ID = re.compile(r"[A-Za-z0-9_]{0,25}")
CUSTOMER_ID = re.compile(r"[A-Za-z0-9_.@-]{1,25}")
LONGEST_AMOUNT = 7


def check_header(parameters: Parameters) -> None:
    """Credentials, version and the merchant's own id. Raises Refused."""
    merchant = MERCHANTS.get(parameters.get("merchant_id", ""))
    if merchant is None or (
        parameters.get("connect_id") != merchant.connect_id
        or parameters.get("connect_password") != merchant.connect_password
    ):
        raise Refused(NOT_LET_IN)
    if parameters.get("telegram_version") != "1.0":
        raise Refused(WRONG_FIELD, "telegram_version")
    if not TRADING_ID.fullmatch(parameters.get("trading_id", "")):
        raise Refused(WRONG_FIELD, "trading_id")
    payment_id = parameters.get("payment_id", "")
    if payment_id and not is_digits(payment_id):
        raise Refused(WRONG_FIELD, "payment_id")


def payment_id(parameters: Parameters) -> str:
    """The payment a telegram is about. Raises Refused."""
    return required(parameters, "payment_id")


def amount(parameters: Parameters) -> int:
    """payment_amount in yen, from 1. Raises Refused."""
    text = required(parameters, "payment_amount")
    if not is_digits(text) or len(text) > LONGEST_AMOUNT or int(text) == 0:
        raise Refused(WRONG_FIELD, "payment_amount")
    return int(text)


def customer_id(parameters: Parameters) -> str:
    """The owner of stored cards. Raises Refused."""
    text = required(parameters, "customer_id")
    if not CUSTOMER_ID.fullmatch(text):
        raise Refused(WRONG_FIELD, "customer_id")
    return text


def required(parameters: Parameters, name: str) -> str:
    """A field that may not be empty. Raises Refused."""
    text = parameters.get(name, "")
    if not text:
        raise Refused(WRONG_FIELD, name)
    return text


def is_digits(text: str) -> bool:
    """ASCII digits and nothing else."""
    return text.isascii() and text.isdigit()
