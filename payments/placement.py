"""When a payment makes an order of what was in the checkout. Pure."""

from __future__ import annotations

from gateways.vocabulary import PAID_BY_NUMBER, MethodKind, PaymentStatus
from orders.statuses import OrderStatus

_PAID = frozenset({PaymentStatus.CAPTURE, PaymentStatus.SALES, PaymentStatus.PAYSUCCESS})


def order_status(kind: MethodKind, status: PaymentStatus) -> OrderStatus | None:
    """What a 決済処理中 order becomes once its payment stands so; None leaves it in the checkout.

    Who has a number to pay with has ordered; who was only sent to a carrier's page has not.
    """
    if status in _PAID:
        return OrderStatus.PAID
    has_number = status is PaymentStatus.REQSUCCESS and kind in PAID_BY_NUMBER
    return OrderStatus.NEW if status is PaymentStatus.AUTH or has_number else None
