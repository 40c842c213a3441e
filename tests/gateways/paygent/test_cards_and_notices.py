"""Stored cards, and what Paygent tells by itself."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from gateways.interface import AuthorizeRequest, CaptureRequest, CardToken, PaymentReference
from gateways.notices import NotANotice, Notice
from gateways.outcomes import Approved, Declined, NotSent, Refused, Unknown
from gateways.paygent.cards import CardFile, KeptCard
from gateways.paygent.notices import Desk, NoticeQueue, hash_of
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


def desk() -> Desk:
    return Desk(account_at("http://paygent.test"))


def posted(**changes: str) -> bytes:
    return urlencode({**POSTED, **changes}, encoding="cp932").encode()


def recorded(**changes: Any) -> PaymentReference:
    values: dict[str, Any] = {
        "order_id": "o123-1",
        "status": PaymentStatus.SALES,
        "amount": 3300,
        "references": {"payment_id": "500001"},
    }
    return PaymentReference(**values | changes)


def test_the_documented_hash() -> None:
    assert hash_of(POSTED, KEY) == POSTED["hc"]
    notice = desk().read(posted())
    assert (notice.number, notice.order_id, notice.known_as) == ("90001", "o123_1", "o123-1")
    assert (notice.is_signed, notice.doubt, notice.amount, notice.status) == (True, "", 3300, "SALES")
    assert desk().received == "result=0"


@pytest.mark.parametrize("change", ["payment_id", "trading_id", "payment_amount", "hc", "payment_notice_id"])
def test_a_notice_with_another_value_is_doubted_and_takes_no_number(change: str) -> None:
    for value in ("", "1", "あ"):
        notice = desk().read(posted(**{change: value}))
        assert "署名" in notice.doubt
        assert (notice.is_signed, notice.number) == (False, "")
        assert notice.digest != desk().read(posted()).digest


def test_a_notice_with_another_state_is_the_same_notice() -> None:
    assert desk().read(posted(payment_status="60")).digest == desk().read(posted()).digest


def test_a_notice_without_its_ids_is_doubted() -> None:
    body = urlencode({"hc": hash_of({}, KEY)}).encode()
    assert "通知ID" in desk().read(body).doubt


@pytest.mark.parametrize("body", [b"", b"a=1", b"<html></html>", "payment_id=あ".encode()])
def test_what_is_no_notice_is_refused(body: bytes) -> None:
    with pytest.raises(NotANotice):
        desk().read(body)


def test_the_hash_is_not_kept_beside_what_it_covers() -> None:
    assert desk().read(posted()).fields["hc"] == "***"


@pytest.mark.parametrize(
    ("code", "payment", "repeats"),
    [
        ("40", {}, True),
        ("41", {"status": PaymentStatus.CAPTURE}, True),
        ("20", {}, False),
        ("99", {"status": PaymentStatus.EXCEPTION}, False),
        ("40", {"amount": 3200}, False),
        ("40", {"references": {"payment_id": "500002"}}, False),
        ("40", {"references": {}}, False),
    ],
)
def test_an_echo_says_what_our_record_says(code: str, payment: dict[str, Any], repeats: bool) -> None:
    fields = desk().read(posted(payment_status=code)).fields
    assert desk().repeats(fields, recorded(**payment)) is repeats


def test_the_queue_tells_every_change_once(merchant: Merchant) -> None:
    queue = NoticeQueue(account_at(f"{merchant.sandbox.url}/paygent"))
    while isinstance(queue.take(MemoryJournal()), Notice):
        pass
    payment = merchant.pay()
    merchant.gateway.capture(payment, CaptureRequest(amount=3300), MemoryJournal())
    first, second = queue.take(MemoryJournal()), queue.take(MemoryJournal())
    assert isinstance(first, Notice)
    assert isinstance(second, Notice)
    assert first.fields["payment_id"] == second.fields["payment_id"] == payment.references["payment_id"]
    assert int(second.number) == int(first.number) + 1
    assert queue.take(MemoryJournal()) is None
    assert queue.again(first.number, MemoryJournal()) == first
    merchant.sandbox.post_fault("html", call="091")
    assert isinstance(queue.take(MemoryJournal()), Unknown)


def test_a_notice_from_the_queue_is_the_one_that_was_pushed(merchant: Merchant) -> None:
    queue = NoticeQueue(account_at(f"{merchant.sandbox.url}/paygent"))
    merchant.pay()
    fetched = queue.take(MemoryJournal())
    assert isinstance(fetched, Notice)
    values = dict(fetched.fields)
    pushed = desk().read(urlencode({**values, "hc": hash_of(values, KEY)}).encode())
    assert (pushed.digest, pushed.doubt) == (fetched.digest, "")


@pytest.mark.parametrize(
    ("code", "outcome"),
    [("2121", Refused), ("P001", NotSent), ("E001", Unknown)],
)
def test_no_such_notice_is_told_from_trouble(merchant: Merchant, code: str, outcome: type) -> None:
    queue = NoticeQueue(account_at(f"{merchant.sandbox.url}/paygent"))
    merchant.sandbox.post_fault("error_code", call="091", code=code)
    assert isinstance(queue.again("1", MemoryJournal()), outcome)


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
