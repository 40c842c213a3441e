"""020: authorize, or authorize and capture at once, with one card source."""

from __future__ import annotations

from gateways.sandbox.paygent import fields, payments, stored_cards, tokens
from gateways.sandbox.paygent.cards import Card
from gateways.sandbox.paygent.desk import Desk, stamp
from gateways.sandbox.paygent.payments import Payment
from gateways.sandbox.paygent.rules import AUTHORIZATION_FAILED, AUTHORIZED, CAPTURED
from gateways.sandbox.paygent.wire import Fields, Parameters, Refused

SOURCES = ("card_token", "stock_card_mode", "ref_trading_id")
CLASSES = frozenset({"10", "23", "61", "80"})
DECLINED = "2003"


def authorize(desk: Desk, parameters: Parameters) -> Fields:
    """Every accepted 020 makes a payment of its own, also under a trading_id that was used before."""
    amount, payment_class = fields.amount(parameters), fields.required(parameters, "payment_class")
    split_count = parameters.get("split_count", "")
    if payment_class not in CLASSES or (payment_class == "61") != bool(split_count):
        raise Refused(fields.WRONG_FIELD, "payment_class")
    if parameters.get("3dsecure_ryaku") != "1" and not parameters.get("3ds_auth_id"):
        raise Refused(fields.WRONG_FIELD, "3dsecure_ryaku")
    if parameters.get("sales_mode", "") not in ("", "0", "1"):
        raise Refused(fields.WRONG_FIELD, "sales_mode")
    card = _card(desk, parameters)
    detail = card.refusal(desk.now)
    now = stamp(desk.now)
    payment = payments.enter(
        desk,
        trading_id=parameters.get("trading_id", ""),
        status=AUTHORIZATION_FAILED if detail else AUTHORIZED,
        amount=amount,
        card=card,
        payment_class=payment_class,
        split_count=split_count,
        authorized_date="" if detail else now,
    )
    if detail:
        raise Refused(DECLINED, detail)
    payments.book(desk, payment, action="AUTH", amount=amount, call="020")
    if parameters.get("sales_mode") == "1":
        payments.move(desk, payment, CAPTURED, payment_date=now)
        payments.book(desk, payment, action="SALES", amount=amount, call="020")
    return _answer(payment)


def _card(desk: Desk, parameters: Parameters) -> Card:
    given = [name for name in SOURCES if parameters.get(name)]
    if len(given) != 1:
        raise Refused(fields.WRONG_FIELD, "card_token")
    match given[0]:
        case "card_token":
            return tokens.take(desk, parameters["card_token"])
        case "stock_card_mode":
            customer_id = fields.customer_id(parameters)
            return stored_cards.find(desk, customer_id, fields.required(parameters, "customer_card_id"))
    earlier = [
        payment
        for payment in payments.by_trading_id(desk, parameters["ref_trading_id"])
        if payment.status != AUTHORIZATION_FAILED
    ]
    if not earlier:
        raise Refused(payments.NO_SUCH_PAYMENT)
    return earlier[-1].known_card


def _answer(payment: Payment) -> Fields:
    """The keys of the recorded answer, in its order."""
    card = payment.known_card
    return [
        ("result", "0"),
        ("payment_id", str(payment.payment_id)),
        ("trading_id", payment.trading_id),
        ("issur_class", "1"),
        ("acq_id", "50001"),
        ("acq_name", "NICOS"),
        ("issur_name", "ﾋﾞｻﾞ"),
        ("fc_auth_umu", ""),
        ("daiko_code", ""),
        ("card_shu_code", ""),
        ("k_card_name", ""),
        ("issur_id", ""),
        ("attempt_kbn", ""),
        ("fingerprint", card.fingerprint),
        ("masked_card_number", card.masked),
        ("card_valid_term", card.valid_term),
        ("out_acs_html", ""),
    ]
