"""One-time card tokens, as the provider's script makes them in the customer's browser."""

from __future__ import annotations

import json
import secrets
from datetime import datetime, timedelta
from typing import Any

from gateways.sandbox.messages import Answer, Request
from gateways.sandbox.paygent.cards import Card, has_right_check_digit, read_card
from gateways.sandbox.paygent.desk import Desk
from gateways.sandbox.paygent.wire import Refused, read_form

SCHEMA = """
CREATE TABLE IF NOT EXISTS paygent_tokens (
    token TEXT PRIMARY KEY, card TEXT NOT NULL, expires_at TEXT NOT NULL, used INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
"""
LIFE = timedelta(minutes=30)
BAD_TOKEN = "2311"  # noqa: S105 - an answer's code
SALT = "paygent.salt"

# A browser page of the shop comes from another origin.
CORS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "POST, OPTIONS"),
    ("Access-Control-Allow-Headers", "Content-Type"),
    ("Access-Control-Max-Age", "600"),
)
PREFLIGHT = Answer(b"", status=204, headers=CORS)


class BadCard(ValueError):
    """The card data cannot become a token; the text is the script's result code."""


def take(desk: Desk, token: str) -> Card:
    """The card behind a token, which is used up by this. Raises Refused."""
    row = desk.house.storage.row("SELECT * FROM paygent_tokens WHERE token = ?", token)
    if row is None or row["used"] or datetime.fromisoformat(row["expires_at"]) < desk.now:
        raise Refused(BAD_TOKEN)
    desk.house.storage.run("UPDATE paygent_tokens SET used = 1 WHERE token = ?", token)
    return Card.from_json(row["card"])


def token_answer(desk: Desk, request: Request) -> Answer:
    """POST with the card as JSON or as a form: cardno, expire (YYMM), securitycode."""
    try:
        result = _make(desk, _parameters(request))
    except BadCard as refused:
        result = {"resultCode": str(refused)}
    return Answer(json.dumps(result).encode(), content_type="application/json; charset=utf-8", headers=CORS)


def _parameters(request: Request) -> dict[str, str]:
    if not request.headers.get("content-type", "").startswith("application/json"):
        return {name.lower(): value for name, value in read_form(request.body).items()}
    try:
        values = json.loads(request.body)
    except ValueError as error:
        raise BadCard("701") from error
    if not isinstance(values, dict):
        raise BadCard("701")
    return {str(name).lower(): "" if value is None else str(value) for name, value in values.items()}


def _make(desk: Desk, parameters: dict[str, str]) -> dict[str, Any]:
    number, expire = parameters.get("cardno", ""), parameters.get("expire", "")
    if not (number.isascii() and number.isdigit() and 10 <= len(number) <= 16):
        raise BadCard("101")
    if not has_right_check_digit(number):
        raise BadCard("101")
    if not (len(expire) == 4 and expire.isascii() and expire.isdigit() and 1 <= int(expire[2:]) <= 12):
        raise BadCard("111")
    code = parameters.get("securitycode", "")
    if code and not (code.isascii() and code.isdigit() and len(code) in (3, 4)):
        raise BadCard("121")
    card = read_card(number, expire[2:] + expire[:2], salt=_salt(desk))
    token, expires_at = secrets.token_hex(32), desk.now + LIFE
    desk.house.storage.run(
        "INSERT INTO paygent_tokens (token, card, expires_at) VALUES (?, ?, ?)",
        token, card.to_json(), expires_at.isoformat(),
    )  # fmt: skip
    return {
        "resultCode": "000",
        "tokenObject": {
            "token": token,
            "toBeExpiredAt": expires_at.strftime("%Y-%m-%d-%H-%M-%S"),
            "maskedCardNo": card.masked,
            "isSecurityCodeSet": bool(code),
        },
    }


def _salt(desk: Desk) -> str:
    salt = desk.house.storage.recall(SALT)
    if salt is None:
        salt = secrets.token_hex(16)
        desk.house.storage.remember(SALT, salt)
    return salt
