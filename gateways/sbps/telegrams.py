"""What goes into each telegram about a payment. No rule here, and nothing is sent."""

from __future__ import annotations

from datetime import date

from gateways import clock
from gateways.interface import AuthorizeRequest, CardToken, PaymentReference
from gateways.sbps.account import Account
from gateways.sbps.messages import (
    ENCRYPTED,
    INSTALMENTS,
    LAST_FOUR,
    LUMP_SUM,
    NO,
    PLAIN,
    YES,
    AmountOption,
    Authorize,
    CancelOrRefund,
    Capture,
    Commit,
    Inquire,
    PayMethodInfo,
    PayOptionManage,
)

# SBPS asks for one article per order and shows it on its own screens; lines are the shop's business.
_ITEM_ID = "order"
_ITEM_NAME = "ご注文"


class Telegrams:
    """Writes the telegrams of one account."""

    def __init__(self, account: Account, *, encrypts: bool) -> None:
        self._shop = {"merchant_id": account.merchant_id, "service_id": account.service_id}
        self._flag = ENCRYPTED if encrypts else PLAIN

    def authorize(self, payment: PaymentReference, request: AuthorizeRequest) -> Authorize:
        """A one-time token is `token:token_key`, a stored card is all that its customer has.

        A customer who pays without a stored card, and wants none kept, is a new one to SBPS: the order number serves.
        """
        in_parts = request.installments > 1
        if isinstance(request.card, CardToken):
            customer = request.card.keep_for or payment.order_id
            token, _, token_key = request.card.token.partition(":")
            card = PayOptionManage(
                token=token,
                token_key=token_key,
                cust_manage_flg=YES if request.card.keep_for else NO,
                cardbrand_return_flg=YES,
            )
        else:
            customer = request.card.member_id
            card = PayOptionManage(cust_manage_flg=NO, cardbrand_return_flg=YES)
        return Authorize(
            **self._shop,
            cust_code=customer,
            order_id=payment.order_id,
            item_id=_ITEM_ID,
            item_name=_ITEM_NAME,
            amount=request.amount,
            pay_method_info=PayMethodInfo(
                dealings_type=INSTALMENTS if in_parts else LUMP_SUM,
                divide_times=f"{request.installments:03d}" if in_parts else None,
            ),
            pay_option_manage=card,
            encrypted_flg=self._flag,
        )

    def commit(self, tracking_id: str) -> Commit:
        """Effective now."""
        return Commit(**self._shop, tracking_id=tracking_id, processing_datetime=_effective(None))

    def capture(self, tracking_id: str, *, amount: int, on: date | None) -> Capture:
        """With the amount, so that never more is sold than was shown."""
        return Capture(
            **self._shop,
            tracking_id=tracking_id,
            processing_datetime=_effective(on),
            pay_option_manage=AmountOption(amount=amount),
        )

    def cancel(self, tracking_id: str, *, on: date | None) -> CancelOrRefund:
        """The whole payment."""
        return CancelOrRefund(**self._shop, tracking_id=tracking_id, processing_datetime=_effective(on))

    def inquire(self, tracking_id: str) -> Inquire:
        """With the card's last four digits."""
        return Inquire(
            **self._shop,
            tracking_id=tracking_id,
            response_info_type=LAST_FOUR,
            pay_option_manage=PayOptionManage(cardbrand_return_flg=YES),
            encrypted_flg=self._flag,
        )


def _effective(on: date | None) -> str:
    """The moment from which a call counts: a day is its first second, today is now."""
    now = clock.tokyo()
    return f"{now:%Y%m%d%H%M%S}" if on is None or on == now.date() else f"{on:%Y%m%d}000000"
