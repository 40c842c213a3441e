"""The ways to pay that the demo checkout offers: those that this installation can really carry out."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings

from gateways.vocabulary import PAID_BY_NUMBER, Action, MethodKind
from orders.models import PaymentMethod
from payments import accounts
from payments.models import GatewayAccount

_BY_NUMBER = sorted(kind.value for kind in PAID_BY_NUMBER)


def offered() -> list[PaymentMethod]:
    """The cards whose accounts turn card data into tokens in the browser, then what is paid with a number; each in
    the shop's order."""
    configured = settings.GATEWAY_ACCOUNTS
    with_tokens = [
        code for code, account in configured.items() if getattr(account.account, "token_url", None)
    ]
    with_numbers = [
        code
        for code, account in configured.items()
        if Action.REQUEST in accounts.capabilities(account.provider).actions
    ]
    cards = PaymentMethod.objects.filter(kind="card", account__in=with_tokens)
    others = PaymentMethod.objects.filter(kind__in=_BY_NUMBER, account__in=with_numbers).order_by(
        "sort_no", "pk"
    )
    return [*cards, *others]


def stores(account: GatewayAccount, kind: MethodKind) -> Mapping[str, str]:
    """The stores to choose from: code and name; empty where the customer needs not choose."""
    return accounts.capabilities(account.provider).stores if kind is MethodKind.CVS else {}
