"""One-time card tokens, as the token script makes them in the customer's browser."""

from __future__ import annotations

import json
import secrets
from datetime import datetime, timedelta
from typing import Any

from gateways.sandbox.messages import Answer, Request
from gateways.sandbox.sbps.cards import GOOD, Card, has_right_check_digit, read_card
from gateways.sandbox.sbps.desk import MERCHANT_ID, SERVICE_ID, Desk

SCHEMA = """
CREATE TABLE IF NOT EXISTS sbps_tokens (
    token TEXT PRIMARY KEY, token_key TEXT NOT NULL, card TEXT NOT NULL, expires_at TEXT NOT NULL,
    used INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
"""
LIFE = timedelta(minutes=20)
# A token of this kind is a good card, unless the endpoint made it; for clients without a browser.
ALWAYS_GOOD = "TOKEN"
UNREADABLE, EXPIRED = "T1", "T2"
ERRORS = {"cardno": "03001", "expire": "04001", "securitycode": "05001", "shop": "02001"}
# What the token script of the demo's card page understands of these.
PAGE_CODES = {"cardno": "101", "expire": "111", "securitycode": "121", "shop": "180"}

CORS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "POST, OPTIONS"),
    ("Access-Control-Allow-Headers", "Content-Type"),
    ("Access-Control-Max-Age", "600"),
)
PREFLIGHT = Answer(b"", status=204, headers=CORS)


class BadToken(ValueError):
    """No card is behind this token; the text is the type of the refusal, or what is wrong with the card data."""


def use(desk: Desk, token: str, token_key: str) -> Card:
    """The card behind a token, which is used up by it. Raises BadToken."""
    row = desk.house.storage.row("SELECT * FROM sbps_tokens WHERE token = ?", token)
    if row is None:
        if token.startswith(ALWAYS_GOOD):
            return GOOD
        raise BadToken(UNREADABLE)
    if row["token_key"] != token_key or row["used"]:
        raise BadToken(UNREADABLE)
    if datetime.fromisoformat(row["expires_at"]) < desk.now:
        raise BadToken(EXPIRED)
    desk.house.storage.run("UPDATE sbps_tokens SET used = 1 WHERE token = ?", token)
    return Card.from_json(row["card"])


def token_answer(desk: Desk, request: Request) -> Answer:
    """POST with the card as JSON (ccNumber, ccExpiration YYYYMM, securityCode; or cardno, expire YYMM).

    Answers what generateToken hands to its callback, and beside it the same token as the card pages of the
    sandbox's other rooms read it: token and key in one, joined by a colon.
    """
    try:
        card = _read(request)
    except BadToken as error:
        wrong = str(error)
        return _json({"result": "NG", "errorCode": ERRORS[wrong], "resultCode": PAGE_CODES[wrong]})
    token, token_key = secrets.token_hex(124).upper(), secrets.token_hex(91).upper()
    desk.house.storage.run(
        "INSERT INTO sbps_tokens (token, token_key, card, expires_at) VALUES (?, ?, ?, ?)",
        token, token_key, card.to_json(), (desk.now + LIFE).isoformat(),
    )  # fmt: skip
    return _json(
        {
            "result": "OK",
            "tokenResponse": {"token": token, "tokenKey": token_key, "cardBrandCode": card.brand},
            "resultCode": "000",
            "tokenObject": {"token": f"{token}:{token_key}", "maskedCardNo": card.masked("2")},
        }
    )


def _json(value: dict[str, Any]) -> Answer:
    return Answer(json.dumps(value).encode(), content_type="application/json; charset=utf-8", headers=CORS)


def _read(request: Request) -> Card:
    try:
        sent = json.loads(request.body)
    except ValueError as error:
        raise BadToken("cardno") from error
    values = {str(name).lower(): str(value or "") for name, value in sent.items()}
    shop = values.get("shopid") or values.get("merchantid", MERCHANT_ID) + values.get("serviceid", SERVICE_ID)
    if shop != MERCHANT_ID + SERVICE_ID:
        raise BadToken("shop")
    number = values.get("ccnumber") or values.get("cardno", "")
    is_number = number.isascii() and number.isdigit() and 12 <= len(number) <= 16
    if not is_number or not has_right_check_digit(number):
        raise BadToken("cardno")
    expiration = values.get("ccexpiration") or "20" + values.get("expire", "")
    is_month = expiration.isascii() and expiration.isdigit() and len(expiration) == 6
    if not is_month or not 1 <= int(expiration[-2:]) <= 12:
        raise BadToken("expire")
    code = values.get("securitycode", "")
    if code and not (code.isascii() and code.isdigit() and len(code) in (3, 4)):
        raise BadToken("securitycode")
    return read_card(number, expiration)


SCRIPT = """\
// The token script of the sandbox: the card goes from the customer's browser to the provider, never to the shop.
(function () {
  "use strict";
  var endpoint = new URL("../token", document.currentScript.src).href;
  window.com_sbps_system = {
    generateToken: function (card, callback) {
      fetch(endpoint, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(card)
      }).then(function (answer) { return answer.json(); })
        .then(callback, function () { callback({ result: "NG", errorCode: "99999" }); });
    }
  };
})();
"""
SCRIPT_ANSWER = Answer(SCRIPT.encode(), content_type="text/javascript; charset=utf-8", headers=CORS)
