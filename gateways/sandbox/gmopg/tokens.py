"""One-time card tokens, as token.js makes them in the customer's browser."""

from __future__ import annotations

import json
import re
import secrets
from datetime import datetime, timedelta
from typing import Any

from gateways.sandbox.gmopg.cards import Card, has_right_check_digit, read_card
from gateways.sandbox.gmopg.desk import SHOPS, Desk
from gateways.sandbox.gmopg.fields import is_digits
from gateways.sandbox.gmopg.wire import Refused, read_form
from gateways.sandbox.messages import Answer, Request

SCHEMA = """
CREATE TABLE IF NOT EXISTS gmopg_tokens (
    token TEXT PRIMARY KEY, card TEXT NOT NULL, expires_at TEXT NOT NULL, used INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
"""
LIFE = timedelta(minutes=30)
MOST_TOKENS = 10
SHAPE = re.compile(r"[0-9A-Za-z_-]{1,256}")

UNKNOWN, USED, EXPIRED, MALFORMED = "EX1000301", "EX1000302", "EX1000303", "EX1000304"

# A browser page of the shop comes from another origin.
CORS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "POST, OPTIONS"),
    ("Access-Control-Allow-Headers", "Content-Type"),
    ("Access-Control-Max-Age", "600"),
)
PREFLIGHT = Answer(b"", status=204, headers=CORS)


class BadToken(ValueError):
    """The card data cannot become a token; the text is token.js's result code."""


def look_up(desk: Desk, token: str) -> Card:
    """The card behind a usable token. Raises Refused."""
    if not SHAPE.fullmatch(token):
        raise Refused(MALFORMED)
    row = desk.house.storage.row("SELECT * FROM gmopg_tokens WHERE token = ?", token)
    if row is None:
        raise Refused(UNKNOWN)
    if row["used"]:
        raise Refused(USED)
    if datetime.fromisoformat(row["expires_at"]) < desk.now:
        raise Refused(EXPIRED)
    return Card.from_json(row["card"])


def use_up(desk: Desk, token: str) -> None:
    """A token is good for one attempt, declined ones included."""
    desk.house.storage.run("UPDATE gmopg_tokens SET used = 1 WHERE token = ?", token)


def token_answer(desk: Desk, request: Request) -> Answer:
    """POST with the card as JSON or as a form; answers what token.js hands to its callback."""
    try:
        result = _make(desk, _parameters(request))
    except BadToken as refused:
        result = {"resultCode": str(refused)}
    text = json.dumps(result, ensure_ascii=False)
    return Answer(text.encode(), content_type="application/json; charset=utf-8", headers=CORS)


def _parameters(request: Request) -> dict[str, str]:
    if not request.headers.get("content-type", "").startswith("application/json"):
        return {name.lower(): value for name, value in read_form(request.body).items()}
    try:
        values = json.loads(request.body)
    except ValueError as error:
        raise BadToken("701") from error
    if not isinstance(values, dict):
        raise BadToken("701")
    return {str(name).lower(): "" if value is None else str(value) for name, value in values.items()}


def _make(desk: Desk, parameters: dict[str, str]) -> dict[str, Any]:
    shop_id = parameters.get("shopid") or next(iter(SHOPS))
    if shop_id not in SHOPS:
        raise BadToken("180")
    card = read_card(_number(parameters), _expire(parameters))
    security_code = parameters.get("securitycode", "")
    if security_code and not is_digits(security_code):
        raise BadToken("121")
    if security_code and len(security_code) not in (3, 4):
        raise BadToken("122")
    holder = parameters.get("holdername", "")
    if not holder.isascii():
        raise BadToken("131")
    if len(holder) > 50:
        raise BadToken("132")
    count_text = parameters.get("tokennumber") or "1"
    if not is_digits(count_text):
        raise BadToken("141")
    if not 1 <= int(count_text) <= MOST_TOKENS:
        raise BadToken("142")
    made, expires_at = _keep(desk, card, int(count_text))
    return {
        "resultCode": "000",
        "tokenObject": {
            "token": made if parameters.get("tokennumber") and len(made) > 1 else made[0],
            "toBeExpiredAt": expires_at.strftime("%Y-%m-%d-%H-%M-%S"),
            "maskedCardNo": card.masked,
            "isSecurityCodeSet": bool(security_code),
        },
    }


def _keep(desk: Desk, card: Card, how_many: int) -> tuple[list[str], datetime]:
    expires_at = desk.now + LIFE
    made = [secrets.token_hex(32) for _ in range(how_many)]
    with desk.house.storage.transaction():
        for token in made:
            desk.house.storage.run(
                "INSERT INTO gmopg_tokens (token, card, expires_at) VALUES (?, ?, ?)",
                token, card.to_json(), expires_at.isoformat(),
            )  # fmt: skip
    return made, expires_at


def _number(parameters: dict[str, str]) -> str:
    number = parameters.get("cardno", "")
    if not number:
        raise BadToken("100")
    if not is_digits(number):
        raise BadToken("101")
    if not 10 <= len(number) <= 16:
        raise BadToken("102")
    if not has_right_check_digit(number):
        raise BadToken("101")
    return number


def _expire(parameters: dict[str, str]) -> str:
    expire = parameters.get("expire", "")
    if not expire:
        raise BadToken("110")
    if not is_digits(expire):
        raise BadToken("111")
    if len(expire) not in (4, 6):
        raise BadToken("112")
    if not 1 <= int(expire[-2:]) <= 12:
        raise BadToken("113")
    return expire[-4:]


SCRIPT = """\
// Multipayment of the sandbox: the card goes from the customer's browser to the provider, never to the shop.
(function () {
  "use strict";
  var endpoint = new URL("../../token", document.currentScript.src).href;
  var shopId = "";
  window.Multipayment = {
    init: function (id) { shopId = id; },
    getToken: function (card, callback) {
      var done = typeof callback === "function" ? callback : window[callback];
      var body = Object.assign({}, card, { shopid: shopId });
      fetch(endpoint, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body)
      }).then(function (answer) { return answer.json(); })
        .then(done, function () { done({ resultCode: "901" }); });
    }
  };
})();
"""
SCRIPT_ANSWER = Answer(SCRIPT.encode(), content_type="text/javascript; charset=utf-8", headers=CORS)
