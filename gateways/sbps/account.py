"""What a service at SBPS needs to be told: addresses, numbers and keys."""

from __future__ import annotations

import base64
from typing import Annotated

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)

# A 3DES key of 24 bytes and its start vector of 8, as SBPS hands them out.
_KEY_BYTES, _IV_BYTES = 24, 8


class Account(BaseModel):
    """One service of a merchant. `base_url` is the address up to `/api`, such as https://api.sps-system.com.

    The password of the HTTP authentication is the hash key, and its user merchant and service, where nothing else
    was agreed. With `cipher_key` and `cipher_iv` (whole or not at all) the way of payment travels in 3DES, which
    has to be what the contract says. `token_url` and `token_script_url` are for the customer's browser.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    base_url: str
    merchant_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{5}$")]
    service_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")]
    hash_key: SecretStr = Field(min_length=1)
    basic_user: str | None = None
    basic_password: SecretStr | None = None
    cipher_key: SecretStr | None = Field(default=None, min_length=_KEY_BYTES, max_length=_KEY_BYTES)
    cipher_iv: SecretStr | None = Field(default=None, min_length=_IV_BYTES, max_length=_IV_BYTES)
    token_url: str | None = None
    token_script_url: str | None = None

    @field_validator("base_url", "token_url", "token_script_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value.startswith(("https://", "http://")):
            raise ValueError("must begin with https://")
        return value.rstrip("/")

    @field_validator("hash_key", "cipher_key", "cipher_iv")
    @classmethod
    def _single_bytes(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().isascii():
            raise ValueError("must be ASCII")
        return value

    @model_validator(mode="after")
    def _cipher_is_whole(self) -> Account:
        if (self.cipher_key is None) != (self.cipher_iv is None):
            raise ValueError("cipher_key and cipher_iv are given together or not at all")
        return self

    @property
    def shop_id(self) -> str:
        """How the card page names the shop to the token script."""
        return self.merchant_id + self.service_id

    def authorization(self) -> str:
        """The header of the HTTP authentication."""
        user = self.basic_user or self.merchant_id + self.service_id
        password = self.basic_password or self.hash_key
        pair = f"{user}:{password.get_secret_value()}"
        return "Basic " + base64.b64encode(pair.encode()).decode("ascii")
