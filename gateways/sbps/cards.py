"""The card that SBPS keeps for a customer of the shop (CC-7): one each, shown masked; no number ever comes here.

It is kept with the payment that the customer made with it (cust_manage_flg), instead of an earlier one, so that only a
card that paid is ever on file.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateways.interface import Journal
from gateways.outcomes import Approved, Trade
from gateways.sbps import errors
from gateways.sbps.account import Account
from gateways.sbps.line import Failure, Line, Refusal
from gateways.sbps.messages import (
    ENCRYPTED,
    LAST_FOUR,
    PLAIN,
    YES,
    CardForgotten,
    CardShown,
    DeleteCard,
    PayOptionManage,
    ReferCard,
)

# The only card of a customer.
THE_CARD = "0"
# Nobody by this name, or nobody with a card.
_NOTHING_KEPT = "95"


@dataclass(frozen=True, kw_only=True)
class KeptCard:
    """A card on file. `number` is masked by SBPS; `expire` is YYMM, empty where it was not told."""

    card_seq: str
    number: str
    expire: str = ""


class CardFile:
    """The customers' cards of an account. No call here moves money."""

    def __init__(self, account: Account) -> None:
        self._line = Line(account)
        self._shop = {"merchant_id": account.merchant_id, "service_id": account.service_id}
        self._flag = ENCRYPTED if self._line.encrypts else PLAIN

    def kept(self, *, member_id: str, journal: Journal) -> tuple[KeptCard, ...] | Failure:
        """The customer's card; empty for one who has none and for one who does not exist."""
        question = ReferCard(
            **self._shop,
            cust_code=member_id,
            response_info_type=LAST_FOUR,
            pay_option_manage=PayOptionManage(cardbrand_return_flg=YES),
            encrypted_flg=self._flag,
        )
        answer = self._line.call(question, CardShown, journal)
        if isinstance(answer, Refusal):
            return () if errors.type_of(answer.code) == _NOTHING_KEPT else answer.judged()
        if not isinstance(answer, CardShown):
            return answer
        expire = answer.cc_expiration[2:] if len(answer.cc_expiration) == 6 else ""
        return (KeptCard(card_seq=THE_CARD, number=answer.cc_number, expire=expire),)

    def forget(self, *, member_id: str, card_seq: str, journal: Journal) -> Approved | Failure:
        """Delete the card from the file."""
        wish = DeleteCard(**self._shop, cust_code=member_id, encrypted_flg=self._flag)
        answer = self._line.ask(wish, CardForgotten, journal)
        return Approved(trade=Trade()) if isinstance(answer, CardForgotten) else answer
