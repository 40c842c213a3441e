"""Which card a call means: a one-time token, a number, or a card on file."""

from __future__ import annotations

from dataclasses import dataclass

from gateways.sandbox.gmopg import stored_cards, tokens
from gateways.sandbox.gmopg.cards import Card, brand_of, has_right_check_digit, read_card
from gateways.sandbox.gmopg.desk import RAW_CARDS, Desk
from gateways.sandbox.gmopg.fields import Checks, is_digits
from gateways.sandbox.gmopg.wire import Refused

NUMBERS_NOT_ALLOWED = "E61040001"
BRAND_NOT_SUPPORTED = "E41170002"
CHECK_DIGIT_WRONG = "E41170099"


@dataclass(frozen=True, slots=True)
class ChosenCard:
    """The card; a member's when it is on file; the token to use up when it came with one."""

    card: Card
    site_id: str = ""
    member_id: str = ""
    token: str = ""


def check_number(checks: Checks, *, needs_expire: bool = True) -> None:
    """CardNo and Expire as they stand, without looking at the card."""
    number, expire = checks.get("CardNo"), checks.get("Expire")
    if not number:
        checks.add("170001")
    else:
        if not 10 <= len(number) <= 16:
            checks.add("170011")
        if not is_digits(number):
            checks.add("170006")
    if not expire:
        if needs_expire:
            checks.add("180001")
    elif len(expire) != 4:
        checks.add("180003")
    elif not is_digits(expire):
        checks.add("180006")
    elif not 1 <= int(expire[2:]) <= 12:
        checks.add("180008")


def choose(desk: Desk, checks: Checks) -> ChosenCard:
    """Find the card. Raises Refused with what was collected so far and what is wrong with the card."""
    if checks.get("MemberID") and not checks.get("Token") and not checks.get("CardNo"):
        return _on_file(desk, checks)
    return from_token_or_number(desk, checks)


def from_token_or_number(desk: Desk, checks: Checks, *, needs_expire: bool = True) -> ChosenCard:
    """A card that is not on file. Raises Refused."""
    if token := checks.get("Token"):
        checks.stop_on_errors()
        if checks.get("TokenType") not in ("", "1"):
            raise Refused("E01870008")
        return ChosenCard(tokens.look_up(desk, token), token=token)
    check_number(checks, needs_expire=needs_expire)
    code = checks.get("SecurityCode")
    if code and not (is_digits(code) and len(code) in (3, 4)):
        checks.add("460008")
    checks.stop_on_errors()
    if not desk.house.settings[RAW_CARDS]:
        raise Refused(NUMBERS_NOT_ALLOWED)
    number = checks.get("CardNo")
    if brand_of(number) is None:
        raise Refused(BRAND_NOT_SUPPORTED)
    if not has_right_check_digit(number):
        raise Refused(CHECK_DIGIT_WRONG)
    return ChosenCard(read_card(number, checks.get("Expire")))


def _on_file(desk: Desk, checks: Checks) -> ChosenCard:
    site_id, member_id = checks.site(), checks.member_id()
    sequence = stored_cards.check_sequence(checks, required=True)
    checks.stop_on_errors()
    found = stored_cards.find(desk, site_id, member_id, checks.get("SeqMode"), sequence)
    if found.card_pass and found.card_pass != checks.get("CardPass"):
        raise Refused("E01250010")
    return ChosenCard(found.card, site_id=site_id, member_id=member_id)
