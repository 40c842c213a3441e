"""Which providers there are: one table, and the way from an account's settings to its gateway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from pydantic import BaseModel

from gateways.interface import Capabilities, CardFile, Gateway
from gateways.notices import NoticeDesk, NoticeQueue


@dataclass(frozen=True, kw_only=True)
class Provider:
    """Where a provider's parts are, as `module:name`; nothing is imported before it is needed."""

    account: str
    gateway: str
    capabilities: str
    # Makes the card file from an account, or None; empty where the provider keeps no cards.
    card_file: str = ""
    # Makes the place where the provider's notices come in; empty where it sends none.
    notice_desk: str = ""
    # Makes the queue of notices; empty where the provider keeps none.
    notice_queue: str = ""


PROVIDERS: Mapping[str, Provider] = {
    "gmopg": Provider(
        account="gateways.gmopg.account:Account",
        gateway="gateways.gmopg.gateway:GmoPgGateway",
        capabilities="gateways.gmopg.gateway:CAPABILITIES",
        card_file="gateways.gmopg.cards:card_file",
        notice_desk="gateways.gmopg.notification:Desk",
    ),
    "paygent": Provider(
        account="gateways.paygent.account:Account",
        gateway="gateways.paygent.gateway:PaygentGateway",
        capabilities="gateways.paygent.gateway:CAPABILITIES",
        card_file="gateways.paygent.cards:CardFile",
        notice_desk="gateways.paygent.notices:Desk",
        notice_queue="gateways.paygent.notices:NoticeQueue",
    ),
    "sbps": Provider(
        account="gateways.sbps.account:Account",
        gateway="gateways.sbps.gateway:SbpsGateway",
        capabilities="gateways.sbps.gateway:CAPABILITIES",
        card_file="gateways.sbps.cards:CardFile",
    ),
}


@dataclass(frozen=True, kw_only=True)
class ConfiguredAccount:
    """An account of this installation: its code, its provider, and what the provider made of its settings."""

    code: str
    provider: str
    account: BaseModel = field(repr=False)


def load_account(code: str, provider: str, values: Mapping[str, str]) -> ConfiguredAccount:
    """Check an account's settings (names in small letters).

    Raises KeyError for a provider that this version does not have, pydantic.ValidationError for the settings.
    """
    model = _named(PROVIDERS[provider].account)
    return ConfiguredAccount(code=code, provider=provider, account=model.model_validate(dict(values)))


def build(provider: str, account: BaseModel) -> Gateway:
    """The gateway of an account. Costs nothing until the first call; keep it, it owns the connections."""
    gateway: Gateway = _named(PROVIDERS[provider].gateway)(account)
    return gateway


def capabilities(provider: str) -> Capabilities:
    """What a provider can do; needs no account."""
    found: Capabilities = _named(PROVIDERS[provider].capabilities)
    return found


def card_file(provider: str, account: BaseModel) -> CardFile | None:
    """The cards that the account's provider keeps for members (CC-7); None where it keeps none."""
    path = PROVIDERS[provider].card_file
    found: CardFile | None = _named(path)(account) if path else None
    return found


def notice_desk(provider: str, account: BaseModel) -> NoticeDesk | None:
    """Where the provider's notices to the account come in; None where it sends none."""
    path = PROVIDERS[provider].notice_desk
    found: NoticeDesk | None = _named(path)(account) if path else None
    return found


def has_notice_queue(provider: str) -> bool:
    """Whether the provider keeps what it has told until it is fetched."""
    return bool(PROVIDERS[provider].notice_queue)


def notice_queue(provider: str, account: BaseModel) -> NoticeQueue | None:
    """The account's queue of notices; None where the provider keeps none. Keep it, it owns the connections."""
    path = PROVIDERS[provider].notice_queue
    found: NoticeQueue | None = _named(path)(account) if path else None
    return found


def _named(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
