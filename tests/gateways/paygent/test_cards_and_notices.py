"""Stored cards, and what Paygent tells by itself."""

from __future__ import annotations

import pytest

from gateways.interface import AuthorizeRequest, CaptureRequest, CardToken, PaymentReference
from gateways.outcomes import Approved, Declined, Refused, Unknown
from gateways.paygent.cards import CardFile, KeptCard
from gateways.paygent.notices import Forged, Notice, NoticeQueue, hash_of, received
from gateways.vocabulary import PaymentStatus
from tests.gateways.journal import MemoryJournal
from tests.gateways.paygent.conftest import Merchant, account_at

KEY = "sandboxhashkey01"
POSTED = {
    "payment_notice_id": "90001",
    "payment_id": "500001",
    "trading_id": "o123_1",
    "payment_type": "02",
    "payment_amount": "3300",
    "payment_status": "40",
    "hc": "e6e7856b44cd84245b36ab1d2a63ab19d0ddf33d2723177deb94ff4d4a835163",
}


def test_the_documented_hash() -> None:
    assert hash_of(POSTED, KEY) == POSTED["hc"]
    notice = received(POSTED, account_at("http://paygent.test"))
    assert notice == Notice(
        payment_notice_id="90001", payment_id="500001", trading_id="o123_1", payment_type="02"
    )


@pytest.mark.parametrize("change", ["payment_id", "trading_id", "payment_amount", "hc", "payment_notice_id"])
def test_a_notice_with_another_value_is_forged(change: str) -> None:
    for value in ("", "1", "é"):
        with pytest.raises(Forged):
            received({**POSTED, change: value}, account_at("http://paygent.test"))


def test_the_state_of_a_notice_is_not_believed() -> None:
    notice = received({**POSTED, "payment_status": "60"}, account_at("http://paygent.test"))
    assert not hasattr(notice, "payment_status")


def test_a_notice_without_its_ids_is_no_notice() -> None:
    empty = {"hc": hash_of({}, KEY)}
    with pytest.raises(Forged):
        received(empty, account_at("http://paygent.test"))


def test_the_queue_tells_every_change_once(merchant: Merchant) -> None:
    queue = NoticeQueue(account_at(f"{merchant.sandbox.url}/paygent"))
    while isinstance(queue.take(MemoryJournal()), Notice):
        pass
    payment = merchant.pay()
    merchant.gateway.capture(payment, CaptureRequest(amount=3300), MemoryJournal())
    first, second = queue.take(MemoryJournal()), queue.take(MemoryJournal())
    assert isinstance(first, Notice)
    assert isinstance(second, Notice)
    assert first.payment_id == second.payment_id == payment.references["payment_id"]
    assert int(second.payment_notice_id) == int(first.payment_notice_id) + 1
    assert queue.take(MemoryJournal()) is None
    merchant.sandbox.post_fault("html", call="091")
    assert isinstance(queue.take(MemoryJournal()), Unknown)


def test_cards_are_kept_listed_and_forgotten(merchant: Merchant, order_id: str) -> None:
    cards = CardFile(account_at(f"{merchant.sandbox.url}/paygent"))
    journal = MemoryJournal()
    for _ in range(2):
        assert isinstance(cards.keep(member_id=order_id, token=merchant.token(), journal=journal), KeptCard)
    kept = cards.kept(member_id=order_id, journal=journal)
    assert kept == (
        KeptCard(card_seq="1", number="************1111", expire="4912"),
        KeptCard(card_seq="2", number="************1111", expire="4912"),
    )
    assert isinstance(cards.forget(member_id=order_id, card_seq="1", journal=journal), Approved)
    left = cards.kept(member_id=order_id, journal=journal)
    assert isinstance(left, tuple)
    assert [card.card_seq for card in left] == ["2"]
    assert isinstance(cards.forget(member_id=order_id, card_seq="1", journal=journal), Refused)
    assert not any("1249" in line.response or "4912" in line.response for line in journal.lines)


def test_a_card_that_the_issuer_declines_is_not_kept(merchant: Merchant, order_id: str) -> None:
    cards = CardFile(account_at(f"{merchant.sandbox.url}/paygent"))
    token = merchant.token("4999000000000012")
    assert isinstance(cards.keep(member_id=order_id, token=token, journal=MemoryJournal()), Declined)
    assert isinstance(cards.kept(member_id=order_id, journal=MemoryJournal()), Refused)


@pytest.mark.parametrize("kind", ["html", "half", "empty", "lost_answer"])
def test_a_broken_list_is_no_list(merchant: Merchant, order_id: str, kind: str) -> None:
    cards = CardFile(account_at(f"{merchant.sandbox.url}/paygent"))
    cards.keep(member_id=order_id, token=merchant.token(), journal=MemoryJournal())
    merchant.sandbox.post_fault(kind, call="027")
    assert isinstance(cards.kept(member_id=order_id, journal=MemoryJournal()), Unknown)


def test_a_token_is_used_once(merchant: Merchant, order_id: str) -> None:
    token = CardToken(token=merchant.token())
    request = AuthorizeRequest(amount=100, target=PaymentStatus.AUTH, card=token)
    first = PaymentReference(order_id=order_id)
    assert isinstance(merchant.gateway.authorize(first, request, MemoryJournal()), Approved)
    second = PaymentReference(order_id=f"{order_id[:10]}-2")
    assert isinstance(merchant.gateway.authorize(second, request, MemoryJournal()), Refused)
