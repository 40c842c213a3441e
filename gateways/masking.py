"""What of a telegram may be written down: everything but what opens, pays or identifies.

Works on fields before they are encoded and on answers as they came, whole or broken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

HIDDEN = "***"

# Lower case. Passwords, one-time tokens, card data, 3-D Secure messages.
_SECRET = frozenset(
    {
        "shoppass",
        "sitepass",
        "accesspass",
        "token",
        "cardnotoken",
        "securitycode",
        "cardpass",
        "pin",
        "expire",
        "holdername",
        "pareq",
        "pares",
        "md",
        "redirecturl",
        "acsurl",
        "tds2param",
        "encrypted",
        "encryptreceiptno",
        # A hash over values that stand beside it and the shop's password of ten characters.
        "checkstring",
        # Who pays at a convenience store or a bank: the order knows, and the log of telegrams need not.
        "customername",
        "customerkana",
        "telno",
        "mailaddress",
        # Paygent's names.
        "connect_password",
        "card_token",
        "card_valid_term",
        "cardholder_name",
        "fingerprint",
        "3ds_auth_id",
        # A hash over values that stand beside it and the account's hash key.
        "hc",
        # SBPS's names.
        "token_key",
        "sps_hashcode",
        "cc_expiration",
        "security_code",
    }
)
_CARD_NUMBER = frozenset({"cardno", "cc_number"})
# Identify a trade but do not open it alone: enough is left to compare two of them.
_IDENTIFYING = frozenset({"accessid"})
_IDENTIFYING_KEPT = 6
# Shorter values stand by chance in harmless places.
_SHORTEST_ECHO = 4

_KNOWN = "|".join(sorted(_SECRET | _CARD_NUMBER | _IDENTIFYING))
_FIELD = re.compile(rf"(?i)(?<![A-Za-z0-9_])({_KNOWN})=([^&\r\n<>\"']*)")
_ELEMENT = re.compile(rf"(?i)<({_KNOWN})>([^<]*)")
# These values may hold & and =; nothing after them is worth the risk of cutting at the wrong place.
_OPEN_ENDED = re.compile(r"(?is)(?<![A-Za-z0-9_])(ACSUrl|PaReq|RedirectUrl|[a-z0-9_]+_html)=.*")
_DIGITS = re.compile(r"(?<![0-9])[0-9](?:[ -]?[0-9]){12,18}(?![0-9])")
# Times such as 20261121083000. No issuer has card numbers of 14 digits that begin with 20.
_TIME = re.compile(r"20\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])[0-5]\d[0-5]\d")


def mask_fields(fields: Mapping[str, str]) -> str:
    """A request as one readable line `Key=value&...`, not encoded, masked field by field."""
    return "&".join(f"{key}={_masked(key, value)}" for key, value in fields.items())


def secret_values(fields: Mapping[str, str]) -> tuple[str, ...]:
    """The secrets of a request, for `mask_text`: an answer may repeat them anywhere."""
    return tuple(
        value
        for key, value in fields.items()
        if key.lower() in _SECRET | _CARD_NUMBER and len(value) >= _SHORTEST_ECHO
    )


def mask_text(text: str, echoes: Iterable[str] = ()) -> str:
    """An answer as it came (perhaps broken, perhaps an error page) without what must not be kept."""
    for echo in echoes:
        text = text.replace(echo, HIDDEN)
    text = _OPEN_ENDED.sub(rf"\1={HIDDEN}", text)
    text = _FIELD.sub(lambda found: f"{found[1]}={_masked(found[1], found[2])}", text)
    text = _ELEMENT.sub(lambda found: f"<{found[1]}>{_masked(found[1], found[2])}", text)
    return mask_card_numbers(text)


def mask_card_numbers(text: str) -> str:
    """Hide what looks like a card number: 13 to 19 digits, perhaps in groups, with a right check digit."""
    return _DIGITS.sub(lambda found: HIDDEN if _is_card_number(found[0]) else found[0], text)


def _masked(key: str, value: str) -> str:
    name = key.lower()
    if not value:
        return value
    if name in _SECRET:
        return HIDDEN
    if name in _CARD_NUMBER:
        # The provider masks in answers (`*************111`, several joined by |); that may stay.
        return "|".join(number if "*" in number or not number else HIDDEN for number in value.split("|"))
    if name in _IDENTIFYING:
        return f"{value[:_IDENTIFYING_KEPT]}…" if len(value) > _IDENTIFYING_KEPT else HIDDEN
    return mask_card_numbers(value)


def _is_card_number(text: str) -> bool:
    # Nor does any card number begin with 0, as SBPS's numbers of trades do.
    if _TIME.fullmatch(text) or text.startswith("0"):
        return False
    digits = [int(character) for character in text if character.isdigit()]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (doubled + sum(digits[-1::-2])) % 10 == 0
