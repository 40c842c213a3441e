"""A shop with one GMO-PG account at the sandbox: real HTTP, real clock control, orders to pay for."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import redis
from django.contrib.auth.models import User

from cagolab import clock
from gateways import registry
from gateways.interface import CardToken
from gateways.vocabulary import Action, PaymentStatus
from orders.models import Order, PaymentMethod
from orders.statuses import OrderStatus
from payments import accounts, authorizations, facts, operations
from payments.actors import By
from payments.decisions import decide
from payments.models import GatewayAccount, Operation, Payment
from payments.permits import CaptureMode, Permit
from tests.sandbox_server import SandboxHandle

TOKYO = ZoneInfo("Asia/Tokyo")
OPERATOR = By(name="会計 花子", source=Operation.Source.ORDER_EDIT)


class World:
    """The shop, its account and the sandbox, with the few verbs that tests of money need."""

    def __init__(self, sandbox: SandboxHandle, code: str = "gmo") -> None:
        self.sandbox = sandbox
        self.account = GatewayAccount.objects.get(code=code)

    def at(self, text: str) -> None:
        """Set the sandbox's clock, which is the product's too: "2026-11-30 10:00:00" in Tokyo."""
        self.sandbox.set_clock(datetime.fromisoformat(text).replace(tzinfo=TOKYO).isoformat())
        clock.forget_offset()

    def later(self, *, seconds: int) -> None:
        """Let time pass."""
        self.sandbox.control("POST", "/_clock", json={"advance": seconds})
        clock.forget_offset()

    def order(self, *, total: int = 3200, status: OrderStatus = OrderStatus.NEW, **fields: Any) -> Order:
        """An order over `total` yen, without a payment yet."""
        method, _created = PaymentMethod.objects.get_or_create(
            account=self.account.code, defaults={"name": "クレジットカード決済", "kind": "card"}
        )
        return Order.objects.create(
            number=uuid.uuid4().hex[:12],
            status=status,
            ordered_at=clock.now(),
            name="山田 太郎",
            payment_method=method,
            payment_method_name=method.name,
            payment_total=total,
            total=total,
            **fields,
        )

    def authorize(self, order: Order, *, card: str = "4111111111111111") -> Operation:
        """Pay for the order at the demo checkout's door."""
        result = authorizations.authorize(
            order_id=order.pk,
            account=self.account,
            card=CardToken(token=self.sandbox.token(card, provider=self.account.provider)),
            key=uuid.uuid4(),
            by=By(name="お客様", source=Operation.Source.CHECKOUT),
            now=clock.now(),
        )
        assert isinstance(result, Operation), result
        return result

    def held(self, *, total: int = 3200, **fields: Any) -> Payment:
        """A payment in AUTH for a new order."""
        order = self.order(total=total, **fields)
        operation = self.authorize(order)
        assert operation.state == Operation.State.SUCCEEDED, operation.message
        return Payment.objects.get(pk=operation.payment_id)

    def permit(self, payment: Payment, action: Action, **choices: Any) -> Permit:
        """What the dialog would show."""
        payment = Payment.objects.select_related("order", "account").get(pk=payment.pk)
        decision = decide(action, facts.read(payment), clock.now(), **choices)
        assert isinstance(decision, Permit), decision
        return decision

    def do(
        self,
        payment: Payment,
        action: Action,
        *,
        target: PaymentStatus | None = None,
        mode: CaptureMode | None = None,
        key: uuid.UUID | None = None,
        shown: str | None = None,
        follow: bool = False,
        user: User | None = None,
    ) -> operations.Result:
        """Click through the dialog: decide, confirm, execute."""
        if shown is None:
            shown = self.permit(payment, action, target=target, mode=mode).fingerprint
        return operations.execute(
            payment_id=payment.pk,
            action=action,
            key=key or uuid.uuid4(),
            shown=shown,
            by=OPERATOR if user is None else By(name=user.username, source=OPERATOR.source, user=user),
            now=clock.now(),
            target=target,
            mode=mode,
            follow=follow,
        )

    def done(self, payment: Payment, action: Action, **choices: Any) -> Operation:
        """As `do`, and it must have been executed by this call."""
        result = self.do(payment, action, **choices)
        assert isinstance(result, operations.Executed), result
        return result.operation

    def name_of(self, payment: Payment) -> str:
        """How the provider's own screen and the sandbox's ledger call the trade."""
        return str(payment.references.get("trading_id") or payment.provider_order_id)

    def behind_our_back(self, payment: Payment, **wish: Any) -> None:
        """Change the trade on the provider's own screen: action="VOID", or status=..., amount=..."""
        self.sandbox.admin(self.name_of(payment), provider=self.account.provider, **wish)

    def moved(self, payment: Payment) -> list[tuple[str, int]]:
        """The sandbox's ledger for the payment: (action, amount) in order."""
        lines = self.sandbox.ledger(order=self.name_of(payment))
        return [(line["action"], line["amount"]) for line in lines]


# The credentials that the sandbox documents, per account of the tests' shop.
CREDENTIALS: dict[str, tuple[str, dict[str, str]]] = {
    "gmo": (
        "gmopg",
        {
            "shop_id": "tshop00000001",
            "shop_pass": "shoppass01",
            "site_id": "tsite00000001",
            "site_pass": "sitepass01",
            "contact_name": "テストショップ",
            "contact_phone": "03-0000-0000",
            "contact_hours": "09:00-18:00",
            "contact_mail": "shop@example.jp",
        },
    ),
    "paygent": (
        "paygent",
        {
            "merchant_id": "100000001",
            "connect_id": "sandbox",
            "connect_password": "sandboxpass",
            "hash_key": "sandboxhashkey01",
        },
    ),
    "sbps": (
        "sbps",
        {
            "merchant_id": "99999",
            "service_id": "001",
            "hash_key": "0123456789abcdef0123456789abcdef01234567",
        },
    ),
}


@pytest.fixture
def shop(sandbox: SandboxHandle, settings: Any, transactional_db: None) -> Iterator[SandboxHandle]:
    """A fresh shop with an account at every provider; no transaction is open, as in the product."""
    settings.SANDBOX_URL = sandbox.url
    settings.GATEWAY_ACCOUNTS = {
        code: registry.load_account(
            code,
            provider,
            {
                "base_url": f"{sandbox.url}/{provider}",
                "token_url": f"{sandbox.url}/{provider}/token",
                **credentials,
            },
        )
        for code, (provider, credentials) in CREDENTIALS.items()
    }
    accounts.gateway.cache_clear()
    accounts.notice_queue.cache_clear()
    accounts.install_accounts()
    # The slots of a worker that an earlier test has killed come free by themselves, but not before 20 seconds.
    redis.Redis.from_url(settings.REDIS_URL).delete(*(f"throttle:{code}" for code in CREDENTIALS))
    sandbox.clear_faults()
    sandbox.real_clock()
    clock.forget_offset()
    yield sandbox
    # A shop of the next test must not be told of trades of this one.
    for provider in ("gmopg", "paygent"):
        quiet = {"provider": provider, "target": None, "paused": False, "copies": 1, "newest_first": False}
        sandbox.control("POST", "/_notifications", json=quiet | {"delay_ms": 0})
    clock.forget_offset()
    accounts.gateway.cache_clear()
    accounts.notice_queue.cache_clear()


@pytest.fixture
def world(shop: SandboxHandle) -> World:
    """The shop and its account at GMO-PG."""
    return World(shop)


@pytest.fixture
def paygent(shop: SandboxHandle) -> World:
    """The shop and its account at Paygent."""
    return World(shop, "paygent")


@pytest.fixture
def sbps(shop: SandboxHandle) -> World:
    """The shop and its account at SBPS."""
    return World(shop, "sbps")
