"""SaveCard, SearchCard, DeleteCard, TradedCard and SearchCardDetail."""

from __future__ import annotations

from gateways.sandbox.gmopg import card_source, stored_cards, tokens, trades
from gateways.sandbox.gmopg.cards import Card
from gateways.sandbox.gmopg.desk import FORWARD, Desk
from gateways.sandbox.gmopg.fields import Checks
from gateways.sandbox.gmopg.rules import UNSETTLED
from gateways.sandbox.gmopg.wire import Fields, Parameters, Refused

NO_TRADE = "E01110002"
NOT_SETTLED = "E01110010"


def save_card(desk: Desk, parameters: Parameters) -> Fields:
    """File a card of a member after asking the issuer whether it is good; with CardSeq it is replaced."""
    checks = Checks(parameters)
    site_id, member_id = checks.site(), checks.member_id()
    sequence = stored_cards.check_sequence(checks, required=False)
    checks.limited("CardName", 10, "130012")
    if checks.get("DefaultFlag") not in ("", "0", "1"):
        checks.add("440008")
    if len(checks.get("CardPass")) > 20:
        checks.add("250008")
    if len(checks.get("HolderName")) > 50:
        checks.add("480011")
    checks.stop_on_errors()
    mode = checks.get("SeqMode")
    old = None
    if sequence is None:
        stored_cards.all_of(desk, site_id, member_id, mode)
    else:
        old = stored_cards.find(desk, site_id, member_id, mode, sequence)
    card = _new_card(desk, checks)
    texts = {
        "name": checks.get("CardName"),
        "holder": checks.get("HolderName"),
        "card_pass": checks.get("CardPass"),
    }
    is_default = checks.get("DefaultFlag") == "1"
    if old is None:
        shown = stored_cards.add(desk, site_id, member_id, card, mode=mode, is_default=is_default, **texts)
    else:
        stored_cards.replace(desk, site_id, member_id, old, card, **texts)
        if is_default:
            stored_cards.make_default(desk, site_id, member_id, old.seq)
        shown = old.shown_seq
    return [("CardSeq", str(shown)), ("CardNo", card.masked_when_stored), ("Forward", FORWARD)]


def _new_card(desk: Desk, checks: Checks) -> Card:
    # A member's own card cannot be the source here: without a number it is missing.
    chosen = card_source.from_token_or_number(desk, checks)
    if chosen.token:
        tokens.use_up(desk, chosen.token)
    if decline := chosen.card.decline(desk.now):
        raise Refused(decline)
    return chosen.card


def search_card(desk: Desk, parameters: Parameters) -> Fields:
    """One card or all, joined by `|`."""
    checks = Checks(parameters)
    site_id, member_id = checks.site(), checks.member_id()
    sequence = stored_cards.check_sequence(checks, required=False)
    checks.stop_on_errors()
    found = stored_cards.all_of(desk, site_id, member_id, checks.get("SeqMode"))
    if sequence is not None:
        found = [card for card in found if card.shown_seq == sequence]
    if not found:
        raise Refused(stored_cards.NO_CARD)
    columns = {
        "CardSeq": [str(card.shown_seq) for card in found],
        "DefaultFlag": [str(int(card.is_default)) for card in found],
        "CardName": [card.name for card in found],
        "CardNo": [card.card.masked_when_stored for card in found],
        "Expire": [card.card.expire for card in found],
        "HolderName": [card.holder for card in found],
        "DeleteFlag": [str(int(card.deleted)) for card in found],
    }
    return [(name, "|".join(values)) for name, values in columns.items()]


def delete_card(desk: Desk, parameters: Parameters) -> Fields:
    """Take a card out of the file."""
    checks = Checks(parameters)
    site_id, member_id = checks.site(), checks.member_id()
    sequence = stored_cards.check_sequence(checks, required=True)
    checks.stop_on_errors()
    card = stored_cards.find(desk, site_id, member_id, checks.get("SeqMode"), sequence)
    stored_cards.delete(desk, site_id, member_id, card)
    return [("CardSeq", checks.get("CardSeq"))]


def traded_card(desk: Desk, parameters: Parameters) -> Fields:
    """File the card that a trade was executed with."""
    checks = Checks(parameters)
    shop_id, site_id = checks.shop(), checks.site()
    order_id, member_id = checks.order_id(), checks.member_id()
    stored_cards.check_sequence(checks, required=False)
    trade = trades.by_order(desk, shop_id, order_id)
    if trade is None and order_id:
        checks.codes.append(NO_TRADE)
    checks.stop_on_errors()
    card = trade.known_card if trade is not None and trade.status not in UNSETTLED else None
    if card is None:
        raise Refused(NOT_SETTLED)
    shown = stored_cards.add(
        desk,
        site_id,
        member_id,
        card,
        mode=checks.get("SeqMode"),
        is_default=checks.get("DefaultFlag") == "1",
        name=checks.get("CardName"),
        holder=checks.get("HolderName"),
        card_pass=checks.get("CardPass"),
    )
    return [("CardSeq", str(shown)), ("CardNo", card.masked), ("Forward", FORWARD)]


def search_card_detail(desk: Desk, parameters: Parameters) -> Fields:
    """What is known of a card: by OrderID, token, number or member."""
    checks = Checks(parameters)
    shop_id = checks.shop()
    if order_id := checks.get("OrderID"):
        checks.stop_on_errors()
        trade = trades.by_order(desk, shop_id, order_id)
        if trade is None:
            raise Refused(NO_TRADE)
        card = trade.known_card
        if card is None:
            raise Refused(NOT_SETTLED)
    elif checks.get("MemberID"):
        site_id, member_id = checks.site(), checks.member_id()
        sequence = stored_cards.check_sequence(checks, required=False)
        checks.stop_on_errors()
        card = stored_cards.find(desk, site_id, member_id, checks.get("SeqMode"), sequence).card
    else:
        card = card_source.from_token_or_number(desk, checks, needs_expire=False).card
    return [
        ("CardNo", card.masked_when_stored),
        ("Brand", card.brand),
        ("DomesticFlag", "1"),
        ("IssuerCode", "1"),
        ("DebitPrepaidFlag", "0"),
        ("DebitPrepaidIssuerName", "dummy"),
        ("ForwardFinal", "dummy"),
    ]
