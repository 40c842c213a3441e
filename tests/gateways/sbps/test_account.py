"""From an account's settings to its gateway."""

from __future__ import annotations

import base64

import pytest
from pydantic import ValidationError

from gateways import registry
from gateways.sbps.gateway import SbpsGateway
from gateways.vocabulary import Action
from tests.gateways.sbps.conftest import CIPHER, HASH_KEY, account_at

GOOD = {
    "base_url": "https://stbfep.sps-system.com/",
    "merchant_id": "99999",
    "service_id": "001",
    "hash_key": HASH_KEY,
}


def test_an_account_becomes_a_gateway() -> None:
    configured = registry.load_account("sb", "sbps", GOOD)
    gateway = registry.build(configured.provider, configured.account)
    assert isinstance(gateway, SbpsGateway)
    assert gateway.capabilities == registry.capabilities("sbps")
    assert gateway.capabilities.needs_date
    assert not gateway.capabilities.inquiry_has_amount
    assert not gateway.capabilities.not_found_is_proof
    assert gateway.capabilities.resumes == {Action.AUTHORIZE}
    assert not gateway.capabilities.actions & {
        Action.CHANGE_AMOUNT,
        Action.REAUTHORIZE,
        Action.GUIDED_CHANGE,
    }


@pytest.mark.parametrize(
    "change",
    [
        {"merchant_id": "9999"},
        {"service_id": "0001"},
        {"hash_key": ""},
        {"hash_key": "鍵"},
        {"base_url": "stbfep.sps-system.com"},
        {"cipher_key": CIPHER["cipher_key"]},
        {"cipher_iv": CIPHER["cipher_iv"]},
        {"cipher_key": "too-short", "cipher_iv": CIPHER["cipher_iv"]},
        {"colour": "blue"},
    ],
)
def test_wrong_settings_are_refused_without_showing_them(change: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        registry.load_account("sb", "sbps", GOOD | change)
    assert HASH_KEY[:8] not in str(caught.value)


def test_the_http_user_is_the_service_and_its_password_the_hash_key_unless_told() -> None:
    def pair(**more: str) -> str:
        return base64.b64decode(account_at("http://a", **more).authorization().split(" ")[1]).decode()

    assert pair() == f"99999001:{HASH_KEY}"
    assert pair(basic_user="u", basic_password="p") == "u:p"


def test_keys_are_in_no_repr() -> None:
    account = account_at("http://a", **CIPHER, basic_password="secret-word")
    shown = repr(account) + str(account) + repr(SbpsGateway(account))
    assert HASH_KEY[:8] not in shown
    assert "secret-word" not in shown
