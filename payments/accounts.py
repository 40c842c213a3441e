"""The gateway accounts of this installation: credentials from the environment, rules from the database."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from gateways import registry
from gateways.interface import Capabilities, Gateway
from gateways.notices import NoticeDesk, NoticeQueue
from payments.models import GatewayAccount

# What a new account starts with, where the provider's contracts differ (requirements, Deadlines).
_DEFAULTS: dict[str, dict[str, int | str]] = {
    "gmopg": {"name": "GMO-PG", "capture_days": 90, "change_days": 180},
    "paygent": {"name": "ペイジェント", "capture_days": 60, "change_days": 60},
    "sbps": {"name": "SBペイメントサービス", "capture_days": 60, "change_days": 180},
}


class AccountNotConfigured(Exception):
    """The database names an account whose credentials are not in the environment."""


@cache
def gateway(code: str) -> Gateway:
    """The adapter for an account. Raises AccountNotConfigured."""
    configured = settings.GATEWAY_ACCOUNTS.get(code)
    if configured is None:
        raise AccountNotConfigured(code)
    return registry.build(configured.provider, configured.account)


def notice_desk(code: str) -> NoticeDesk | None:
    """Where an account's notices come in; None for an account without credentials or a provider that sends none."""
    configured = settings.GATEWAY_ACCOUNTS.get(code)
    return registry.notice_desk(configured.provider, configured.account) if configured else None


@cache
def notice_queue(code: str) -> NoticeQueue | None:
    """The queue in which the account's provider keeps its notices; None where there is none to ask."""
    configured = settings.GATEWAY_ACCOUNTS.get(code)
    return registry.notice_queue(configured.provider, configured.account) if configured else None


@cache
def capabilities(provider: str) -> Capabilities:
    """What a provider can do; needs no credentials."""
    return registry.capabilities(provider)


def install_accounts(**_: object) -> None:
    """Create a row of rules for each account of the environment that has none yet. Runs after migrate."""
    for code, configured in settings.GATEWAY_ACCOUNTS.items():
        GatewayAccount.objects.get_or_create(
            code=code, defaults={"provider": configured.provider, **_DEFAULTS[configured.provider]}
        )
