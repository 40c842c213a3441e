"""Cards that GMO-PG keeps for a member of the shop (CC-7): no number ever comes here, only its masked form."""

from __future__ import annotations

from dataclasses import dataclass

from gateways.gmopg import wire
from gateways.gmopg.account import Account
from gateways.gmopg.line import Failure, Line, Refusal, unreadable
from gateways.gmopg.messages import (
    PHYSICAL,
    CardSeqAnswer,
    DeleteCard,
    SaveCard,
    SavedCardAnswer,
    SaveMember,
    SearchCard,
    SiteRequest,
    TradedCard,
)
from gateways.interface import Journal
from gateways.outcomes import Approved, Trade

_MEMBER_EXISTS = ("E01390010",)
# A member without cards, or nobody yet: both have nothing to choose from.
_NOTHING_KEPT = (("E01240002",), ("E01390002",))
_NEW_DEFAULT = "1"


@dataclass(frozen=True, kw_only=True)
class KeptCard:
    """A card on file. `number` is masked by GMO-PG; `expire` is YYMM, empty where it was not told."""

    card_seq: str
    number: str
    expire: str = ""
    is_default: bool = False


class NoSite(Exception):
    """The account has no site, so it keeps no cards."""


class CardFile:
    """The members and cards of an account's site. No call here moves money.

    Raises NoSite when the account has no site_id. An unknown outcome of keeping a card may have kept it: list
    before keeping it again.
    """

    def __init__(self, account: Account) -> None:
        if account.site_id is None or account.site_pass is None:
            raise NoSite
        self._account = account
        self._site = {"site_id": account.site_id, "site_pass": account.site_pass.get_secret_value()}
        self._line = Line(account)

    def keep_traded(self, *, member_id: str, order_id: str, journal: Journal) -> KeptCard | Failure:
        """Keep the card that a finished trade was paid with, as the member's default."""
        telegram = TradedCard(
            **self._site,
            member_id=member_id,
            shop_id=self._account.shop_id,
            shop_pass=self._account.shop_pass.get_secret_value(),
            order_id=order_id,
            seq_mode=PHYSICAL,
            default_flag=_NEW_DEFAULT,
        )
        return self._keep(telegram, journal)

    def keep(self, *, member_id: str, token: str, journal: Journal) -> KeptCard | Failure:
        """Keep the card behind a token; the card company is asked whether it is valid."""
        telegram = SaveCard(
            **self._site, member_id=member_id, seq_mode=PHYSICAL, token=token, default_flag=_NEW_DEFAULT
        )
        return self._keep(telegram, journal)

    def kept(self, *, member_id: str, journal: Journal) -> tuple[KeptCard, ...] | Failure:
        """The member's usable cards; empty for a member who has none and for one who does not exist."""
        answer = self._line.call(SearchCard(**self._site, member_id=member_id, seq_mode=PHYSICAL), journal)
        if isinstance(answer, Refusal):
            return () if answer.codes in _NOTHING_KEPT else answer.judged()
        if not isinstance(answer, dict):
            return answer
        try:
            rows = wire.records(answer, "CardSeq", "CardNo", "Expire", "DefaultFlag", "DeleteFlag")
        except wire.Unreadable as error:
            return unreadable(str(error))
        return tuple(
            KeptCard(
                card_seq=row["CardSeq"],
                number=row["CardNo"],
                expire=row["Expire"],
                is_default=row["DefaultFlag"] == "1",
            )
            for row in rows
            if row["DeleteFlag"] != "1"
        )

    def forget(self, *, member_id: str, card_seq: str, journal: Journal) -> Approved | Failure:
        """Delete a card from the file."""
        telegram = DeleteCard(**self._site, member_id=member_id, seq_mode=PHYSICAL, card_seq=card_seq)
        answer = self._line.ask(telegram, CardSeqAnswer, journal)
        return Approved(trade=Trade()) if isinstance(answer, CardSeqAnswer) else answer

    def _keep(self, telegram: SiteRequest, journal: Journal) -> KeptCard | Failure:
        failure = self._register(telegram.member_id, journal)
        if failure is not None:
            return failure
        kept = self._line.ask(telegram, SavedCardAnswer, journal)
        if not isinstance(kept, SavedCardAnswer):
            return kept
        return KeptCard(card_seq=kept.card_seq, number=kept.card_no, is_default=True)

    def _register(self, member_id: str, journal: Journal) -> Failure | None:
        answer = self._line.call(SaveMember(**self._site, member_id=member_id), journal)
        if isinstance(answer, Refusal):
            return None if answer.codes == _MEMBER_EXISTS else answer.judged()
        return None if isinstance(answer, dict) else answer


def card_file(account: Account) -> CardFile | None:
    """The account's card file; None where it has no site."""
    return CardFile(account) if account.site_id else None
