"""The sandbox's merchant, in plain text and in 3DES, and an account at a server that says what a test wants."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
import requests

from gateways import clock
from gateways.interface import AuthorizeRequest, CardSource, CardToken, PaymentReference, Target
from gateways.outcomes import Approved
from gateways.sbps.account import Account
from gateways.sbps.gateway import SbpsGateway
from gateways.vocabulary import PaymentStatus
from tests.gateways.journal import MemoryJournal
from tests.sandbox_server import GOOD_CARD, SandboxHandle

CANNED = "http://sbps.test"
HASH_KEY = "0123456789abcdef0123456789abcdef01234567"
CIPHER = {"cipher_key": HASH_KEY[:24], "cipher_iv": HASH_KEY[24:32]}
AUTHORIZE, COMMIT = "ST01-00131-101", "ST02-00101-101"
CAPTURE, CANCEL, INQUIRE = "ST02-00201-101", "ST02-00303-101", "MG01-00101-101"

_numbers = itertools.count(1)


def account_at(base_url: str, **more: str) -> Account:
    """The documented merchant at any address."""
    values = {"base_url": base_url, "merchant_id": "99999", "service_id": "001", "hash_key": HASH_KEY}
    return Account.model_validate({**values, **more})


@pytest.fixture
def provider(provider: SandboxHandle) -> Iterator[SandboxHandle]:
    """The sandbox on the machine's own time, without faults and with SBPS's usual contract."""
    yield provider
    provider.settings(sbps_auto_capture=0, sbps_refused_uses_order_id=0, sbps_refunds_closed=0)


@pytest.fixture(autouse=True)
def _one_clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Telegrams carry the sandbox's time, as in the demo."""
    if "provider" not in request.fixturenames:
        monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC))
        return
    provider: SandboxHandle = request.getfixturevalue("provider")

    def now() -> datetime:
        return datetime.fromisoformat(provider.control("GET", "/_clock")["now"]).astimezone(UTC)

    monkeypatch.setattr(clock, "now", now)


@pytest.fixture(params=[{}, CIPHER], ids=["plain", "3des"])
def gateway(request: pytest.FixtureRequest, provider: SandboxHandle) -> SbpsGateway:
    """Once for each way in which a contract may have the way of payment travel."""
    return SbpsGateway(account_at(f"{provider.url}/sbps", **request.param))


@pytest.fixture
def plain_gateway(provider: SandboxHandle) -> SbpsGateway:
    return SbpsGateway(account_at(f"{provider.url}/sbps"))


@pytest.fixture
def canned_gateway() -> SbpsGateway:
    return SbpsGateway(account_at(CANNED))


@pytest.fixture
def new_token(provider: SandboxHandle) -> Callable[..., CardToken]:
    """A one-time token, as the customer's browser would get it."""

    def make(number: str = GOOD_CARD) -> CardToken:
        card = {"ccNumber": number, "ccExpiration": "204912", "securityCode": "123"}
        answer = requests.post(
            f"{provider.url}/sbps/token", json={"merchantId": "99999", "serviceId": "001", **card}, timeout=10
        ).json()
        token = answer["tokenResponse"]
        return CardToken(token=f"{token['token']}:{token['tokenKey']}")

    return make


def new_payment(amount: int = 3200) -> PaymentReference:
    """A payment that nothing has happened to yet."""
    return PaymentReference(order_id=f"{uuid.uuid4().hex[:16]}-{next(_numbers)}", amount=amount)


def wish(
    card: CardSource, *, amount: int = 3200, target: Target = PaymentStatus.AUTH, installments: int = 1
) -> AuthorizeRequest:
    """What a checkout asks for."""
    return AuthorizeRequest(amount=amount, target=target, card=card, installments=installments)


def pay(gateway: SbpsGateway, *, amount: int = 3200) -> PaymentReference:
    """A payment that the sandbox approved."""
    payment = new_payment(amount)
    outcome = gateway.authorize(payment, wish(CardToken(token="TOKEN:KEY"), amount=amount), MemoryJournal())
    assert isinstance(outcome, Approved), outcome
    return PaymentReference(
        order_id=payment.order_id,
        status=PaymentStatus.AUTH,
        amount=amount,
        references=outcome.trade.references,
    )


def actions(provider: SandboxHandle, payment: PaymentReference) -> list[str]:
    """The money movements that the provider executed."""
    return [line["action"] for line in provider.ledger(payment.order_id)]


def stands(provider: SandboxHandle, payment: PaymentReference) -> tuple[str, bool]:
    """Status and commit, as the provider's own screen shows them."""
    (trade,) = provider.trades(payment.order_id)
    return trade["status"], trade["is_committed"]
