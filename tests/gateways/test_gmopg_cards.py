"""Cards on file at GMO-PG, against the sandbox."""

from __future__ import annotations

import pytest

from gateways.gmopg.cards import CardFile, KeptCard, NoSite
from gateways.gmopg.gateway import GmoPgGateway
from gateways.interface import AuthorizeRequest, PaymentReference, StoredCard
from gateways.outcomes import Approved, Declined, Refused, Unknown
from gateways.vocabulary import PaymentStatus
from tests.gateways.conftest import account_at, pay
from tests.gateways.journal import MemoryJournal
from tests.sandbox_server import SandboxHandle


@pytest.fixture
def cards(provider: SandboxHandle) -> CardFile:
    return CardFile(account_at(f"{provider.url}/gmopg"))


def test_the_card_of_a_payment_is_kept_and_pays_again(
    gateway: GmoPgGateway, cards: CardFile, provider: SandboxHandle, journal: MemoryJournal, order_id: str
) -> None:
    member = f"customer-{order_id}"
    paid = pay(gateway, provider)
    kept = cards.keep_traded(member_id=member, order_id=paid.order_id, journal=journal)
    assert isinstance(kept, KeptCard)
    assert kept.number.endswith("1111")
    assert "*" in kept.number
    again = gateway.authorize(
        PaymentReference(order_id=order_id),
        AuthorizeRequest(
            amount=500,
            target=PaymentStatus.CAPTURE,
            card=StoredCard(member_id=member, card_seq=kept.card_seq),
        ),
        journal,
    )
    assert isinstance(again, Approved)
    assert [line["action"] for line in provider.ledger(order_id)] == ["CAPTURE"]
    assert "sitepass01" not in repr(journal.lines)


def test_cards_keep_their_numbers_when_another_is_forgotten(
    cards: CardFile, provider: SandboxHandle, journal: MemoryJournal, order_id: str
) -> None:
    for _ in range(3):
        kept = cards.keep(member_id=order_id, token=provider.token(), journal=journal)
        assert isinstance(kept, KeptCard)
    assert isinstance(cards.forget(member_id=order_id, card_seq="0", journal=journal), Approved)
    listed = cards.kept(member_id=order_id, journal=journal)
    assert isinstance(listed, tuple)
    assert [(card.card_seq, card.is_default) for card in listed] == [("1", False), ("2", True)]


def test_nobody_has_no_cards(cards: CardFile, journal: MemoryJournal, order_id: str) -> None:
    assert cards.kept(member_id=order_id, journal=journal) == ()


def test_a_bad_card_is_not_kept(
    cards: CardFile, provider: SandboxHandle, journal: MemoryJournal, order_id: str
) -> None:
    token = provider.token("4999000000000002")
    assert isinstance(cards.keep(member_id=order_id, token=token, journal=journal), Declined)
    assert isinstance(cards.forget(member_id=order_id, card_seq="0", journal=journal), Refused)
    assert cards.kept(member_id=order_id, journal=journal) == ()


def test_a_lost_answer_is_unknown(
    cards: CardFile, provider: SandboxHandle, journal: MemoryJournal, order_id: str
) -> None:
    provider.post_fault("lost_answer", call="SaveCard")
    assert isinstance(cards.keep(member_id=order_id, token=provider.token(), journal=journal), Unknown)
    listed = cards.kept(member_id=order_id, journal=journal)
    assert isinstance(listed, tuple)
    assert len(listed) == 1


def test_without_a_site_no_cards_are_kept() -> None:
    with pytest.raises(NoSite):
        CardFile(account_at("http://gmopg.test").model_copy(update={"site_id": None, "site_pass": None}))
