"""From an account's settings to its gateway."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gateways import registry
from gateways.gmopg.gateway import GmoPgGateway

GOOD = {"base_url": "https://pt01.mul-pay.jp/", "shop_id": "tshop00000001", "shop_pass": "shoppass01"}


def test_an_account_becomes_a_gateway() -> None:
    configured = registry.load_account("gmo", "gmopg", GOOD)
    assert (configured.code, configured.provider) == ("gmo", "gmopg")
    gateway = registry.build(configured.provider, configured.account)
    assert isinstance(gateway, GmoPgGateway)
    assert gateway.capabilities == registry.capabilities("gmopg")


@pytest.mark.parametrize(
    "change",
    [
        {"shop_id": "tshop-1"},
        {"shop_id": "tshop000000012"},
        {"shop_pass": "longer-than-ten"},
        {"base_url": "pt01.mul-pay.jp"},
        {"site_id": "tsite00000001"},
        {"site_pass": "sitepass01"},
        {"colour": "blue"},
    ],
)
def test_wrong_settings_are_refused_without_showing_them(change: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        registry.load_account("gmo", "gmopg", GOOD | change)
    assert "shoppass01" not in str(caught.value)
    assert "longer-than-ten" not in str(caught.value)


def test_an_unknown_provider_is_a_lookup_error() -> None:
    with pytest.raises(LookupError):
        registry.load_account("x", "nobody", GOOD)


def test_passwords_are_in_no_repr() -> None:
    configured = registry.load_account(
        "gmo", "gmopg", GOOD | {"site_id": "tsite00000001", "site_pass": "sitepass01"}
    )
    gateway = registry.build(configured.provider, configured.account)
    shown = repr(configured) + repr(configured.account) + str(configured.account) + repr(gateway)
    assert "shoppass01" not in shown
    assert "sitepass01" not in shown
