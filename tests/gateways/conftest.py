"""An account at the sandbox, and an account at a server that says what a test wants."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator

import pytest
import responses

from gateways import transport
from gateways.gmopg.account import Account
from gateways.gmopg.gateway import GmoPgGateway
from gateways.interface import AuthorizeRequest, CardToken, PaymentReference
from gateways.outcomes import Approved
from gateways.vocabulary import PaymentStatus
from tests.gateways.journal import MemoryJournal
from tests.sandbox_server import SHOP, SITE, SandboxHandle

CANNED = "http://gmopg.test"


CONTACT = {
    "contact_name": "テストショップ",
    "contact_phone": "03-0000-0000",
    "contact_hours": "09:00-18:00",
    "contact_mail": "shop@example.jp",
}


def account_at(base_url: str, *, contact: bool = False) -> Account:
    """The sandbox's test shop at any address; with a contact it may sell without cards."""
    return Account.model_validate(
        {
            "base_url": base_url,
            "shop_id": SHOP["ShopID"],
            "shop_pass": SHOP["ShopPass"],
            "site_id": SITE["SiteID"],
            "site_pass": SITE["SitePass"],
            **(CONTACT if contact else {}),
        }
    )


@pytest.fixture(autouse=True)
def _outside_of_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hook of the payments application asks the database, which these tests do not have."""
    monkeypatch.setattr(transport, "before_send", None)


@pytest.fixture
def provider(sandbox: SandboxHandle) -> SandboxHandle:
    """The sandbox on the machine's own time, without faults, whatever an earlier test has left."""
    sandbox.real_clock()
    sandbox.clear_faults()
    return sandbox


@pytest.fixture
def gateway(provider: SandboxHandle) -> GmoPgGateway:
    return GmoPgGateway(account_at(f"{provider.url}/gmopg"))


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
def order_id() -> str:
    return uuid.uuid4().hex[:20]


@pytest.fixture
def canned() -> Iterator[responses.RequestsMock]:
    """Answers byte by byte, for what the sandbox would not say."""
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def canned_gateway() -> GmoPgGateway:
    return GmoPgGateway(account_at(CANNED))


_numbers = itertools.count(1)


def pay(
    gateway: GmoPgGateway,
    provider: SandboxHandle,
    *,
    amount: int = 3200,
    target: PaymentStatus = PaymentStatus.AUTH,
    installments: int = 1,
) -> PaymentReference:
    """A payment that the sandbox approved."""
    order_id = f"{uuid.uuid4().hex[:16]}-{next(_numbers)}"
    assert target in {PaymentStatus.AUTH, PaymentStatus.CAPTURE}
    outcome = gateway.authorize(
        PaymentReference(order_id=order_id),
        AuthorizeRequest(
            amount=amount,
            target=PaymentStatus.AUTH if target is PaymentStatus.AUTH else PaymentStatus.CAPTURE,
            card=CardToken(token=provider.token()),
            installments=installments,
        ),
        MemoryJournal(),
    )
    assert isinstance(outcome, Approved), outcome
    return PaymentReference(
        order_id=order_id,
        status=target,
        amount=amount,
        references=outcome.trade.references,
        secrets=outcome.trade.secrets,
    )
