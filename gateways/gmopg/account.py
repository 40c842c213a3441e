"""What an account at GMO-PG needs to be told: addresses and credentials."""

from __future__ import annotations

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

# GMO-PG's own limits (protocol, Limits).
_Id = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{1,13}$")]


def _web_address(value: str) -> str:
    if not value.startswith(("https://", "http://")):
        raise ValueError("must begin with https://")
    return value.rstrip("/")


class Account(BaseModel):
    """One shop at GMO-PG; the site pair is for members with stored cards and comes whole or not at all.

    `base_url` is the host alone, such as https://p01.mul-pay.jp. `token_url` and `token_script_url` are for the
    customer's browser, which turns card data into a token there. `contact_*` is whom a customer may ask who pays at
    a convenience store, at a bank or by phone bill (such as 09:00-18:00): GMO-PG prints and shows it, and takes no
    such payment without.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    base_url: str
    shop_id: _Id
    shop_pass: SecretStr = Field(min_length=1, max_length=10)
    site_id: _Id | None = None
    site_pass: SecretStr | None = Field(default=None, min_length=1, max_length=20)
    token_url: str | None = None
    token_script_url: str | None = None
    contact_name: str = Field(default="", max_length=21)
    contact_phone: str = Field(default="", pattern=r"^[0-9-]{0,12}$")
    contact_hours: str = Field(default="", pattern=r"^([0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2})?$")
    contact_mail: str = Field(default="", max_length=100)

    @field_validator("base_url", "token_url", "token_script_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        return None if value is None else _web_address(value)

    @model_validator(mode="after")
    def _site_pair_is_whole(self) -> Account:
        if (self.site_id is None) != (self.site_pass is None):
            raise ValueError("site_id and site_pass are given together or not at all")
        return self
