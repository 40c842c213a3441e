"""What SBPS's two status numbers mean for a payment."""

from __future__ import annotations

from collections.abc import Mapping

from gateways.outcomes import Trade
from gateways.sbps.messages import Payment
from gateways.vocabulary import PaymentStatus

HELD, SOLD, VOIDED, RETURNED = "1", "2", "3", "4"
_COMMITTED = "1"
# res_status of an inquiry.
_NORMAL = "0"

_STATUSES: Mapping[str, PaymentStatus] = {
    HELD: PaymentStatus.AUTH,
    SOLD: PaymentStatus.SALES,
    VOIDED: PaymentStatus.VOID,
    RETURNED: PaymentStatus.RETURN,
}


def is_normal(payment: Payment) -> bool:
    """Whether the inquiry itself worked."""
    return payment.status == _NORMAL


def is_uncommitted_hold(payment: Payment) -> bool:
    """An authorization that was never made final. Cancelled payments keep their commit status, so this asks both."""
    return payment.payment_status == HELD and payment.commit_status != _COMMITTED


def status_of(payment: Payment) -> PaymentStatus:
    """The canonical status; whether a sale was immediate is the shop's own record."""
    return _STATUSES.get(payment.payment_status, PaymentStatus.EXCEPTION)


def trade_of(payment: Payment, tracking_id: str) -> Trade:
    """The payment as SBPS tells it: no amount, and no time but that of the inquiry."""
    references = {
        "tracking_id": tracking_id,
        "approve": payment.recognized_no.strip(),
        "forward": payment.cc_company_code,
        "card_no": payment.cc_number,
    }
    return Trade(
        status=status_of(payment), references={name: value for name, value in references.items() if value}
    )
