"""What an account at Paygent needs to be told: address, credentials, the client certificate."""

from __future__ import annotations

import ssl
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)

_MerchantId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,9}$")]
_ConnectId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{1,32}$")]


class Account(BaseModel):
    """One merchant at Paygent. `base_url` is the host alone, such as https://module.paygent.co.jp.

    `client_certificate` names one PEM file with the certificate and its encrypted key; it, the passphrase and
    the file of certificate authorities are needed for https:// and are read when the account is loaded.
    `not_found_codes` (separated by commas) are the response codes with which an inquiry says that there is no
    such payment: they stand in the contract's documents. Without them "no such payment" is never concluded.
    `corrects_decreases` changes to a smaller amount by 028/029, where the contract has them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    base_url: str
    merchant_id: _MerchantId
    connect_id: _ConnectId
    connect_password: SecretStr = Field(min_length=1, max_length=32)
    hash_key: SecretStr = Field(min_length=1, max_length=100)
    client_certificate: Path | None = None
    key_passphrase: SecretStr | None = Field(default=None, min_length=1)
    ca_bundle: Path | None = None
    not_found_codes: frozenset[str] = frozenset()
    corrects_decreases: bool = False
    token_url: str | None = None

    @field_validator("base_url", "token_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("https://", "http://")):
            raise ValueError("must begin with https://")
        return value and value.rstrip("/")

    @field_validator("not_found_codes", mode="before")
    @classmethod
    def _codes(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return frozenset(code.strip() for code in value.split(",") if code.strip())

    @model_validator(mode="after")
    def _certificate_opens(self) -> Account:
        if self.base_url.startswith("https://"):
            missing = [
                name
                for name in ("client_certificate", "key_passphrase", "ca_bundle")
                if getattr(self, name) is None
            ]
            if missing:
                raise ValueError(f"{', '.join(missing)}: needed for an address with https://")
            assert self.tls_context is not None
        return self

    @property
    def shop_id(self) -> str:
        """How the card page names the merchant to the token script."""
        return self.merchant_id

    @cached_property
    def tls_context(self) -> ssl.SSLContext | None:
        """Shows our certificate and verifies the other side's; None for http://.

        Raises ValueError with what is wrong with which file.
        """
        if self.client_certificate is None or self.ca_bundle is None or self.key_passphrase is None:
            return None
        try:
            context = ssl.create_default_context(cafile=str(self.ca_bundle))
        except OSError as error:
            raise ValueError(f"ca_bundle: cannot read {self.ca_bundle} ({_why(error)})") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.client_certificate, password=self.key_passphrase.get_secret_value())
        except OSError as error:
            raise ValueError(
                f"client_certificate: cannot open {self.client_certificate} with key_passphrase ({_why(error)})"
            ) from error
        return context


def _why(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, PermissionError):
        return "this user may not read it"
    return "not a PEM file with certificates, or the key does not open"
