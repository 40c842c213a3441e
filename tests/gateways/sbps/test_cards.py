"""The card on file at SBPS (MG02), in plain text and in 3DES: kept with a payment, shown masked, paid with, deleted."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest

from gateways.interface import CardToken, StoredCard
from gateways.outcomes import Approved, Declined, Refused
from gateways.sbps.cards import CardFile, KeptCard
from gateways.sbps.gateway import SbpsGateway
from tests.gateways.journal import MemoryJournal
from tests.gateways.sbps.conftest import CIPHER, account_at, new_payment, wish
from tests.sandbox_server import SandboxHandle


@pytest.fixture(params=[{}, CIPHER], ids=["plain", "3des"])
def shop(request: pytest.FixtureRequest, provider: SandboxHandle) -> tuple[SbpsGateway, CardFile]:
    account = account_at(f"{provider.url}/sbps", **request.param)
    return SbpsGateway(account), CardFile(account)


def test_a_card_is_kept_with_its_payment_and_can_be_deleted(
    shop: tuple[SbpsGateway, CardFile], new_token: Callable[..., CardToken]
) -> None:
    gateway, file = shop
    member, journal = uuid.uuid4().hex, MemoryJournal()
    assert file.kept(member_id=member, journal=journal) == ()
    token = replace(new_token(), keep_for=member)
    assert isinstance(gateway.authorize(new_payment(), wish(token), journal), Approved)
    assert file.kept(member_id=member, journal=journal) == (
        KeptCard(card_seq="0", number="************1111", expire="4912"),
    )
    stored = StoredCard(member_id=member, card_seq="0")
    assert isinstance(gateway.authorize(new_payment(), wish(stored), MemoryJournal()), Approved)
    assert isinstance(file.forget(member_id=member, card_seq="0", journal=journal), Approved)
    assert file.kept(member_id=member, journal=journal) == ()
    assert isinstance(file.forget(member_id=member, card_seq="0", journal=journal), Refused)
    assert isinstance(gateway.authorize(new_payment(), wish(stored), MemoryJournal()), Refused)


def test_a_card_that_does_not_pay_is_not_kept(
    shop: tuple[SbpsGateway, CardFile], new_token: Callable[..., CardToken]
) -> None:
    gateway, file = shop
    member = uuid.uuid4().hex
    token = replace(new_token("4999000000000022"), keep_for=member)
    assert isinstance(gateway.authorize(new_payment(), wish(token), MemoryJournal()), Declined)
    assert file.kept(member_id=member, journal=MemoryJournal()) == ()
