"""021, 022, 023: a payment to its next state; 028 and 029: a smaller amount under a new payment_id."""

from __future__ import annotations

from gateways.sandbox.paygent import fields, payments
from gateways.sandbox.paygent.desk import Desk, stamp
from gateways.sandbox.paygent.payments import Payment
from gateways.sandbox.paygent.rules import MOVES, WRONG_STATE, refusal
from gateways.sandbox.paygent.wire import Fields, Parameters, Refused

# Which telegram ends the payment whose amount is corrected.
ENDS_BY = {"028": "021", "029": "023"}
NO_DECREASE = "2301"


def change_state(desk: Desk, parameters: Parameters) -> Fields:
    """The whole amount, always."""
    payment = payments.by_id(desk, fields.payment_id(parameters))
    execute(desk, payment, parameters["telegram_kind"])
    return [("result", "0"), ("payment_id", str(payment.payment_id)), ("trading_id", payment.trading_id)]


def execute(desk: Desk, payment: Payment, kind: str, *, source: str = "api") -> None:
    """What 021, 022 and 023 do, by the rules. Raises Refused."""
    move = MOVES[kind]
    if code := refusal(payment.status, move.before):
        raise Refused(code)
    payments.move(desk, payment, move.after, **{move.date_column: stamp(desk.now)})
    payments.book(desk, payment, action=move.action, amount=payment.amount, call=kind, source=source)


def correct_amount(desk: Desk, parameters: Parameters) -> Fields:
    """Decreases only. The new payment keeps the dates and takes the telegram's trading_id, if it has one."""
    kind = parameters["telegram_kind"]
    old = payments.by_id(desk, fields.payment_id(parameters))
    given, flag = fields.amount(parameters), fields.required(parameters, "reduction_flag")
    if flag not in ("0", "1"):
        raise Refused(fields.WRONG_FIELD, "reduction_flag")
    total = given if flag == "0" else old.amount - given
    end = MOVES[ENDS_BY[kind]]
    if old.status != end.before:
        raise Refused(refusal(old.status, end.before) or WRONG_STATE)
    if not 0 < total < old.amount:
        raise Refused(NO_DECREASE)
    payments.move(desk, old, end.after, cancel_date=stamp(desk.now))
    new = payments.enter(
        desk,
        trading_id=parameters.get("trading_id") or old.trading_id,
        status=old.status,
        amount=total,
        card=old.known_card,
        payment_class=old.payment_class,
        split_count=old.split_count,
        authorized_date=old.authorized_date,
        payment_date=old.payment_date,
    )
    payments.book(desk, new, action="CHANGE", amount=total, call=kind)
    return [("result", "0"), ("payment_id", str(new.payment_id)), ("trading_id", new.trading_id)]
