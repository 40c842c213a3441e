"""Cards that Paygent keeps for a customer of the shop (CC-7): no number ever comes here, only its masked form."""

from __future__ import annotations

from dataclasses import dataclass

from gateways.interface import Journal
from gateways.outcomes import Approved, Declined, NotSent, Refused, Trade, Unknown
from gateways.paygent.account import Account
from gateways.paygent.errors import Refusal
from gateways.paygent.line import Line, unreadable
from gateways.paygent.messages import DeleteCard, ListCards, StoreCard, StoredCardAnswer

_LONGEST_CUSTOMER_ID = 25

# What a call ends in when it does not end in a card.
Failure = Declined | Refused | NotSent | Unknown


@dataclass(frozen=True, kw_only=True)
class KeptCard:
    """A card on file. `number` is masked by Paygent; `expire` is YYMM. Both are empty where it was not told."""

    card_seq: str
    number: str = ""
    expire: str = ""


class CardFile:
    """The customers' cards of an account. No call here moves money.

    An unknown outcome of keeping a card may have kept it: list before keeping it again.
    """

    def __init__(self, account: Account) -> None:
        self._line = Line(account)

    def keep(self, *, member_id: str, token: str, journal: Journal) -> KeptCard | Failure:
        """Keep the card behind a token."""
        telegram = StoreCard(customer_id=customer_id(member_id), card_token=token)
        answer = self._line.ask(telegram, StoredCardAnswer, journal)
        if isinstance(answer, StoredCardAnswer):
            return KeptCard(card_seq=answer.customer_card_id)
        return answer.judged() if isinstance(answer, Refusal) else answer

    def kept(self, *, member_id: str, journal: Journal) -> tuple[KeptCard, ...] | Failure:
        """The customer's cards. Nobody has told the code for "none", so that is a refusal like any other."""
        rows = self._line.rows(ListCards(customer_id=customer_id(member_id)), journal)
        if isinstance(rows, Refusal):
            return rows.judged()
        if not isinstance(rows, list):
            return rows
        if any(not row.get("customer_card_id") for row in rows):
            return unreadable("customer_card_id")
        return tuple(
            KeptCard(
                card_seq=row["customer_card_id"],
                number=row.get("card_number", ""),
                expire=_year_first(row.get("card_valid_term", "")),
            )
            for row in rows
        )

    def forget(self, *, member_id: str, card_seq: str, journal: Journal) -> Approved | Failure:
        """Delete a card from the file."""
        telegram = DeleteCard(customer_id=customer_id(member_id), customer_card_id=card_seq)
        answer = self._line.fields(telegram, journal)
        if isinstance(answer, Refusal):
            return answer.judged()
        return Approved(trade=Trade()) if isinstance(answer, dict) else answer


def customer_id(member_id: str) -> str:
    """A member as Paygent takes one: the beginning of an id of ours, which is random all the way through."""
    return member_id[:_LONGEST_CUSTOMER_ID]


def _year_first(valid_term: str) -> str:
    """Paygent writes MMYY."""
    return valid_term[2:] + valid_term[:2]
