"""Beginning payments without a card at GMO-PG's sandbox: what is sent, what comes of it, what a lost answer means."""

from __future__ import annotations

import pytest
import requests
import responses

from gateways.gmopg.gateway import GmoPgGateway
from gateways.gmopg.stores import STORES, store_name
from gateways.interface import Payer, PaymentReference, PaymentRequest, TakesRequests
from gateways.outcomes import Approved, Found, NotFound, Outcome, ReasonKind, Refused, Unknown
from gateways.vocabulary import PAID_BY_CONSENT, MethodKind
from gateways.vocabulary import PaymentStatus as S
from tests.gateways.conftest import CANNED, account_at
from tests.gateways.journal import MemoryJournal
from tests.sandbox_server import SandboxHandle

PAYER = Payer(
    name="Smith 花子",
    kana="やまだ ﾊﾅｺ",
    phone="03-1234-5678",
    email="hanako@example.jp",
    store="00007",
    return_url="https://shop.example.jp/back",
)
WISH = PaymentRequest(amount=3200, target=S.AUTH, payer=PAYER)
OTHER_KINDS = [kind for kind in MethodKind if kind is not MethodKind.CARD]


@pytest.fixture
def gateway(provider: SandboxHandle) -> GmoPgGateway:
    return GmoPgGateway(account_at(f"{provider.url}/gmopg", contact=True))


def ask_for(
    gateway: GmoPgGateway,
    order_id: str,
    kind: MethodKind,
    journal: MemoryJournal,
    wish: PaymentRequest = WISH,
) -> Outcome:
    assert isinstance(gateway, TakesRequests)
    return gateway.request_payment(PaymentReference(order_id=order_id, kind=kind), wish, journal)


def found(gateway: GmoPgGateway, order_id: str, kind: MethodKind) -> Found | NotFound:
    answer = gateway.inquire(PaymentReference(order_id=order_id, kind=kind), MemoryJournal())
    assert isinstance(answer, Found | NotFound), answer
    return answer


def test_a_store_gives_a_number_and_the_customer_is_written_as_stores_can_read_it(
    gateway: GmoPgGateway, order_id: str, journal: MemoryJournal, provider: SandboxHandle
) -> None:
    outcome = ask_for(gateway, order_id, MethodKind.CVS, journal)
    assert isinstance(outcome, Approved), outcome
    told = outcome.trade.references
    assert (told["store"], told["cvs_code"], len(told["payment_term"])) == ("セブン-イレブン", "00007", 14)
    assert told["cvs_receipt_no"]
    assert len(outcome.trade.secrets["access_pass"]) == 32
    assert journal.calls == ["EntryTranCvs", "ExecTranCvs"]
    # Who pays stands in the order; the log of telegrams does not repeat it.
    assert "CustomerName=***" in journal.lines[1].request
    assert "花子" not in str(journal.lines)
    asked = found(gateway, order_id, MethodKind.CVS)
    assert isinstance(asked, Found)
    assert (asked.trade.status, asked.trade.amount) == (S.REQSUCCESS, 3200)
    assert asked.trade.references["cvs_receipt_no"] == told["cvs_receipt_no"]
    assert asked.trade.references["store"] == "セブン-イレブン"
    provider.admin(order_id, customer="pays")
    paid = found(gateway, order_id, MethodKind.CVS)
    assert isinstance(paid, Found)
    assert paid.trade.status is S.PAYSUCCESS
    assert len(paid.trade.references["finish_date"]) == 14


@pytest.mark.parametrize("kind", [MethodKind.PAYEASY_ATM, MethodKind.PAYEASY_NET])
def test_a_bank_gives_its_numbers_and_an_address_for_net_banking_only(
    gateway: GmoPgGateway, order_id: str, journal: MemoryJournal, kind: MethodKind
) -> None:
    outcome = ask_for(gateway, order_id, kind, journal)
    assert isinstance(outcome, Approved), outcome
    told = outcome.trade.references
    assert {"cust_id", "bk_code", "conf_no", "payment_term"} <= told.keys()
    assert ("payeasy_payment_url" in told) == (kind is MethodKind.PAYEASY_NET)
    assert journal.calls == ["EntryTranPayEasy", "ExecTranPayEasy"]
    # The number that opens the payment at a bank is in the answer, and not in the log.
    assert "EncryptReceiptNo=***" in journal.lines[1].response


@pytest.mark.parametrize("kind", sorted(PAID_BY_CONSENT))
def test_a_carrier_gives_a_page_to_agree_on(
    gateway: GmoPgGateway, order_id: str, journal: MemoryJournal, kind: MethodKind
) -> None:
    outcome = ask_for(gateway, order_id, kind, journal)
    assert isinstance(outcome, Approved), outcome
    token = outcome.trade.secrets["start_token"]
    assert token not in str(journal.lines)
    form = {"AccessID": outcome.trade.references["access_id"], "Token": token, "answer": "agree"}
    page = requests.post(outcome.trade.references["start_url"], data=form, timeout=10).text
    assert PAYER.return_url in page
    asked = found(gateway, order_id, kind)
    assert isinstance(asked, Found)
    assert (asked.trade.status, asked.trade.amount) == (S.AUTH, 3200)


@pytest.mark.parametrize("kind", OTHER_KINDS)
@pytest.mark.parametrize("lost", ["EntryTran*", "ExecTran*"])
def test_what_a_lost_answer_left_behind_is_found_by_asking(
    gateway: GmoPgGateway,
    order_id: str,
    journal: MemoryJournal,
    provider: SandboxHandle,
    kind: MethodKind,
    lost: str,
) -> None:
    names = {"cvs": "Cvs", "au": "Au", "docomo": "Docomo", "softbank": "Sb", "rakuten": "RakutenId"}
    call = lost.replace("*", names.get(kind.value, "PayEasy"))
    provider.post_fault("lost_answer", call=call)
    assert isinstance(ask_for(gateway, order_id, kind, journal), Unknown)
    asked = found(gateway, order_id, kind)
    assert isinstance(asked, Found)
    assert asked.trade.status is (S.UNPROCESSED if lost == "EntryTran*" else S.REQSUCCESS)


def test_what_never_arrived_is_not_found(
    gateway: GmoPgGateway, order_id: str, journal: MemoryJournal, provider: SandboxHandle
) -> None:
    provider.post_fault("lost_answer", call="EntryTranCvs", before=True)
    assert isinstance(ask_for(gateway, order_id, MethodKind.CVS, journal), Unknown)
    assert isinstance(found(gateway, order_id, MethodKind.CVS), NotFound)


def test_without_anybody_to_ask_nothing_is_sent(order_id: str, journal: MemoryJournal) -> None:
    outcome = ask_for(GmoPgGateway(account_at(CANNED)), order_id, MethodKind.CVS, journal)
    assert isinstance(outcome, Refused)
    assert outcome.reason.kind is ReasonKind.CREDENTIALS
    assert journal.calls == []


def test_a_store_that_is_none_is_refused_in_words(
    gateway: GmoPgGateway, order_id: str, journal: MemoryJournal
) -> None:
    payer = Payer(name="山田", kana="ヤマダ", phone="03-1234-5678", store="99999")
    wish = PaymentRequest(amount=3200, target=S.AUTH, payer=payer)
    outcome = ask_for(gateway, order_id, MethodKind.CVS, journal, wish)
    assert isinstance(outcome, Refused)
    assert outcome.reason.code == "M01009002"


def test_an_answer_with_a_wrong_check_string_is_believed_in_nothing(
    canned: responses.RequestsMock, order_id: str, journal: MemoryJournal
) -> None:
    pair = f"AccessID={'a' * 32}&AccessPass={'b' * 32}"
    slip = (
        f"OrderID={order_id}&Convenience=00007&ConfNo=1&ReceiptNo=2&PaymentTerm=20261130235959"
        f"&TranDate=20261121100000&CheckString={'0' * 32}"
    )
    for call, body in (("EntryTranCvs", pair), ("ExecTranCvs", slip)):
        canned.post(f"{CANNED}/payment/{call}.idPass", body=body)
    outcome = ask_for(GmoPgGateway(account_at(CANNED, contact=True)), order_id, MethodKind.CVS, journal)
    assert isinstance(outcome, Unknown)
    assert outcome.reason.code == "check_string"


def test_stores_are_known_by_the_old_number_and_the_new() -> None:
    assert store_name("00002") == store_name("10002") == STORES["10002"]
    assert store_name("77777") == "77777"
