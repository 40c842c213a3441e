"""094: one payment as it stands."""

from __future__ import annotations

from gateways.sandbox.paygent import fields, payments
from gateways.sandbox.paygent.desk import Desk
from gateways.sandbox.paygent.wire import Fields, Parameters, Refused


def inquire(desk: Desk, parameters: Parameters) -> Fields:
    """By payment_id, or by trading_id; an error where none or several match."""
    payment_id, trading_id = parameters.get("payment_id", ""), parameters.get("trading_id", "")
    if not payment_id and not trading_id:
        raise Refused(fields.WRONG_FIELD, "payment_id")
    payment = payments.only_one(desk, payment_id=payment_id, trading_id=trading_id)
    return [
        ("result", "0"),
        ("payment_id", str(payment.payment_id)),
        ("trading_id", payment.trading_id),
        ("payment_type", "02"),
        ("payment_status", payment.status),
        ("payment_amount", str(payment.amount)),
        ("payment_init_date", payment.init_date),
        ("authorized_date", payment.authorized_date),
        ("payment_date", payment.payment_date),
        ("cancel_date", payment.cancel_date),
    ]
