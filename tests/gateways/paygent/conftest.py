"""A merchant at the sandbox's Paygent, and helpers that count what is live there."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import pytest
import requests

from gateways.interface import AuthorizeRequest, CaptureRequest, CardToken, PaymentReference, Target
from gateways.outcomes import Approved
from gateways.paygent.account import Account
from gateways.paygent.gateway import PaygentGateway
from gateways.vocabulary import PaymentStatus
from tests.gateways.journal import MemoryJournal
from tests.sandbox_server import GOOD_CARD, SandboxHandle

CANNED = "http://paygent.test"
CREDENTIALS = {
    "merchant_id": "100000001",
    "connect_id": "sandbox",
    "connect_password": "sandboxpass",
    "hash_key": "sandboxhashkey01",
}
# What this sandbox says when there is no such payment; a real contract has its own.
NO_SUCH_PAYMENT = "2101"
LIVE = {"20", "40", "41"}


def account_at(base_url: str, **more: str) -> Account:
    """The sandbox's merchant at any address; values as an environment gives them."""
    return Account.model_validate({"base_url": base_url, **CREDENTIALS, **more})


@dataclass
class Merchant:
    """What a test does around the gateway: tokens, and what the provider's own screens show."""

    sandbox: SandboxHandle
    gateway: PaygentGateway

    def token(self, card: str = GOOD_CARD, expire: str = "4912") -> str:
        answer = requests.post(
            f"{self.sandbox.url}/paygent/token",
            json={"cardno": card, "expire": expire, "securitycode": "123"},
            timeout=10,
        ).json()
        return str(answer["tokenObject"]["token"])

    def pay(
        self, *, amount: int = 3300, status: PaymentStatus = PaymentStatus.AUTH, order_id: str = ""
    ) -> PaymentReference:
        """A payment that the sandbox approved, and captured where `status` is SALES."""
        order_id = order_id or uuid.uuid4().hex[:12]
        target: Target = PaymentStatus.CAPTURE if status is PaymentStatus.CAPTURE else PaymentStatus.AUTH
        outcome = self.gateway.authorize(
            PaymentReference(order_id=order_id),
            AuthorizeRequest(amount=amount, target=target, card=CardToken(token=self.token())),
            MemoryJournal(),
        )
        assert isinstance(outcome, Approved), outcome
        payment = PaymentReference(
            order_id=order_id, status=status, amount=amount, references=outcome.trade.references
        )
        if status is PaymentStatus.SALES:
            captured = self.gateway.capture(payment, CaptureRequest(amount=amount), MemoryJournal())
            assert isinstance(captured, Approved), captured
        return payment

    def payments(self, payment: PaymentReference) -> list[dict[str, object]]:
        """Everything at the provider that belongs to an order, oldest first."""
        trades = self.sandbox.control("GET", "/_admin/trades", params={"provider": "paygent"})["trades"]
        return [trade for trade in reversed(trades) if str(trade["order_id"]).startswith(payment.order_id)]

    def live(self, payment: PaymentReference) -> list[tuple[object, object]]:
        """(payment_status, amount) of what the customer is held or charged for."""
        return [
            (trade["status"], trade["amount"]) for trade in self.payments(payment) if trade["status"] in LIVE
        ]

    def movements(self, payment: PaymentReference) -> list[str]:
        """The ledger's lines of an order, in their order: "AUTH 3300"."""
        lines = self.sandbox.control("GET", "/_ledger", params={"provider": "paygent"})["lines"]
        return [
            f"{line['action']} {line['amount']}"
            for line in lines
            if str(line["order_id"]).startswith(payment.order_id)
        ]

    def admin(self, order_id: str, **wish: object) -> None:
        """Somebody works in ペイジェントオンライン."""
        self.sandbox.control("POST", "/_admin", json={"provider": "paygent", "order_id": order_id, **wish})


@pytest.fixture
def gateway(provider: SandboxHandle) -> PaygentGateway:
    return PaygentGateway(account_at(f"{provider.url}/paygent", not_found_codes=NO_SUCH_PAYMENT))


@pytest.fixture
def merchant(provider: SandboxHandle, gateway: PaygentGateway) -> Merchant:
    return Merchant(provider, gateway)
