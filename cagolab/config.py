"""What differs between installations, read from the environment, checked once, never changed afterwards.

`load` names every problem in one line of its own and shows no value, because most values are secrets.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import environ
from cryptography.fernet import Fernet
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from gateways import registry

# A mail server that does not answer must not hold a page for longer.
MAIL_TIMEOUT_SECONDS = 10
# Shorter than the patience of an operator; a refused connection is a page that says so.
DATABASE_CONNECT_TIMEOUT_SECONDS = 5
# An idle connection of a thread lives this long; each request checks that it is still alive.
DATABASE_CONNECTION_LIFE_SECONDS = 60
# Statements are short: to start parallel workers or to compile one takes longer than it saves, and takes processors
# from everybody else. `?options=` in the URL overrides it, for a pooler that refuses such settings.
DATABASE_SESSION = "-c jit=off -c max_parallel_workers_per_gather=0"

ACCOUNT_CODE = re.compile(r"[a-z][a-z0-9]*")

# What a missing variable should have held; these lines are also the README's table.
MEANINGS: dict[str, str] = {
    "ENVIRONMENT": "production (default), demo or test",
    "SECRET_KEY": "at least 50 random characters; signs sessions and forms",
    "ALLOWED_HOSTS": "host names of the site, separated by commas",
    "CSRF_TRUSTED_ORIGINS": "further origins that may post forms, such as https://shop.example.jp",
    "TRUSTED_PROXIES": "how many proxies of yours stand in front and append to X-Forwarded-For",
    "REQUIRE_SECOND_FACTOR": "on or off: who may move money needs an authenticator app",
    "DATABASE_URL": "PostgreSQL 15 or newer, such as postgresql://user:password@host:5432/cagolab",
    "REDIS_URL": "Redis or Valkey with maxmemory-policy noeviction, such as redis://host:6379/0",
    "CREDENTIALS_KEY": "Fernet keys, separated by commas; the first one encrypts access passes at rest",
    "SANDBOX_URL": "the sandbox whose clock the product follows; demo and test only",
    "LOG_LEVEL": "DEBUG, INFO (default), WARNING, ERROR or CRITICAL",
    "EMAIL_URL": "how mails leave, such as smtp+tls://user:password@mail.example.jp:587",
    "EXPORT_FOLDER": "a folder that web and workers share, for the files of CSV downloads",
    "SHOP_MAIL_FROM": "sender of the shop's mails, such as CagoLab <shop@example.jp>",
    "SHOP_REGISTRATION_NUMBER": "the shop's number as an invoice issuer (T and 13 digits), for the 納品書",
    "SHOP_ADDRESS": "the shop's address, for the 納品書",
    "SHOP_PHONE": "the shop's phone number, for the 納品書",
    "GATEWAY_ACCOUNTS": "codes of the provider accounts (small letters and digits), separated by commas",
    "GATEWAY_<CODE>_PROVIDER": "provider of the account, such as gmopg",
    "GATEWAY_<CODE>_...": "credentials of the account; which ones depends on the provider",
}

# Production has no defaults but these; a demo gets its keys from the launcher.
_DEFAULTS: dict[str, dict[str, str]] = {
    "production": {"TRUSTED_PROXIES": "1", "REQUIRE_SECOND_FACTOR": "on"},
    "demo": {
        "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "EMAIL_URL": "consolemail://",
        "EXPORT_FOLDER": tempfile.gettempdir(),
        "SHOP_MAIL_FROM": "CagoLabデモショップ <shop@example.jp>",
        "GATEWAY_ACCOUNTS": "",
    },
    "test": {
        "SECRET_KEY": "for-tests-only-" * 4,
        "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1],testserver",
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "CREDENTIALS_KEY": "Zm9yIHRlc3RzIG9ubHksIG5ldmVyIGZvciBhIHNob3A=",
        "EMAIL_URL": "memorymail://",
        "EXPORT_FOLDER": tempfile.gettempdir(),
        "SHOP_MAIL_FROM": "テストショップ <shop@example.jp>",
        "GATEWAY_ACCOUNTS": "",
    },
}


class ConfigurationError(Exception):
    """The environment cannot be used; `str()` is one readable line per problem, without any value."""


def _problem(text: str) -> PydanticCustomError:
    return PydanticCustomError("configuration", "{text}", {"text": text})


def _words(value: str) -> tuple[str, ...]:
    return tuple(word for word in (part.strip() for part in value.split(",")) if word)


def _some_words(value: str) -> tuple[str, ...]:
    words = _words(value)
    if not words:
        raise _problem("is empty")
    return words


def _fernet_keys(value: str) -> tuple[str, ...]:
    keys = _some_words(value)
    for position, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except ValueError:
            raise _problem(
                f"key {position} is not a Fernet key (32 bytes in URL-safe base64); make one with "
                "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
            ) from None
    return keys


def _url_with(value: str, schemes: tuple[str, ...]) -> str:
    try:
        parts = urlsplit(value)
        valid = parts.scheme in schemes and (bool(parts.hostname) or "host=" in parts.query)
        _ = parts.port
    except ValueError:
        valid = False
    if not valid:
        raise _problem(f"is not a URL of the kind {' or '.join(f'{scheme}://' for scheme in schemes)}")
    return value


def _database(value: str) -> dict[str, Any]:
    """Django's entry for the database; empty without a URL, which Django answers at the first query."""
    if not value:
        return {}
    _url_with(value, ("postgresql", "postgres"))
    database = environ.Env.db_url_config(value)
    if not database["NAME"]:
        raise _problem("names no database: postgresql://user:password@host:5432/NAME")
    database["OPTIONS"] = {
        "connect_timeout": DATABASE_CONNECT_TIMEOUT_SECONDS,
        "options": DATABASE_SESSION,
        **database.get("OPTIONS", {}),
    }
    return {
        "CONN_MAX_AGE": DATABASE_CONNECTION_LIFE_SECONDS,
        "CONN_HEALTH_CHECKS": True,
        **database,
        "ENGINE": "cagolab.postgres",
    }


def _redis(value: str) -> str:
    return _url_with(value, ("redis", "rediss")) if value else value


def _web_address(value: str) -> str:
    return _url_with(value, ("http", "https")).rstrip("/")


def _email(value: str) -> dict[str, Any]:
    """Django's EMAIL_* settings."""
    try:
        settings = environ.Env.email_url_config(value)
    except (environ.ImproperlyConfigured, ValueError):
        raise _problem("is not a mail URL such as smtp+tls://user:password@host:587") from None
    chosen = {name: part for name, part in settings.items() if name.startswith("EMAIL_") and part}
    return {"EMAIL_TIMEOUT": MAIL_TIMEOUT_SECONDS, **chosen}


def _mail_address(value: str) -> str:
    if "@" not in parseaddr(value)[1]:
        raise _problem("is not a mail address such as CagoLab <shop@example.jp>")
    return value


def _writable_folder(value: str) -> Path:
    folder = Path(value)
    if not folder.is_absolute():
        raise _problem("is not an absolute path")
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise _problem("is not a folder that this process may write to")
    return folder


def _account_codes(value: str) -> tuple[str, ...]:
    codes = _words(value)
    for code in codes:
        if not ACCOUNT_CODE.fullmatch(code):
            raise _problem(f"the code {code!r} is not made of small letters and digits")
    if len(set(codes)) != len(codes):
        raise _problem("names an account twice")
    return codes


Environment = Literal["production", "demo", "test"]


class Config(BaseModel):
    """A checked environment, turned into what Django and Celery want.

    `gateway_accounts` maps a code to what `gateways.registry` made of the account's variables.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: Environment = Field(alias="ENVIRONMENT")
    secret_key: str = Field(alias="SECRET_KEY", min_length=50, repr=False)
    allowed_hosts: Annotated[tuple[str, ...], BeforeValidator(_some_words)] = Field(alias="ALLOWED_HOSTS")
    csrf_trusted_origins: Annotated[tuple[str, ...], BeforeValidator(_words)] = Field(
        alias="CSRF_TRUSTED_ORIGINS", default=()
    )
    trusted_proxies: int = Field(alias="TRUSTED_PROXIES", default=0, ge=0, le=10)
    require_second_factor: bool = Field(alias="REQUIRE_SECOND_FACTOR", default=False)
    database: Annotated[dict[str, Any], BeforeValidator(_database)] = Field(alias="DATABASE_URL", repr=False)
    redis_url: Annotated[str, BeforeValidator(_redis)] = Field(alias="REDIS_URL", repr=False)
    credentials_keys: Annotated[tuple[str, ...], BeforeValidator(_fernet_keys)] = Field(
        alias="CREDENTIALS_KEY", repr=False
    )
    sandbox_url: Annotated[str, BeforeValidator(_web_address)] | None = Field(
        alias="SANDBOX_URL", default=None
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(
        alias="LOG_LEVEL", default="INFO"
    )
    email: Annotated[dict[str, Any], BeforeValidator(_email)] = Field(alias="EMAIL_URL", repr=False)
    export_folder: Annotated[Path, BeforeValidator(_writable_folder)] = Field(alias="EXPORT_FOLDER")
    shop_mail_from: Annotated[str, BeforeValidator(_mail_address)] = Field(alias="SHOP_MAIL_FROM")
    shop_registration_number: str = Field(
        alias="SHOP_REGISTRATION_NUMBER", default="", pattern=r"^(T\d{13})?$"
    )
    shop_address: str = Field(alias="SHOP_ADDRESS", default="")
    shop_phone: str = Field(alias="SHOP_PHONE", default="")
    account_codes: Annotated[tuple[str, ...], BeforeValidator(_account_codes)] = Field(
        alias="GATEWAY_ACCOUNTS"
    )
    gateway_accounts: Mapping[str, registry.ConfiguredAccount] = Field(default={}, repr=False)


def load(environment: Mapping[str, str]) -> Config:
    """Read and check everything at once.

    Raises ConfigurationError with one line per problem.
    """
    given = {name: environment[name] for name in MEANINGS if environment.get(name)}
    kind = given.setdefault("ENVIRONMENT", "production")
    if kind not in _DEFAULTS:
        raise ConfigurationError(f"ENVIRONMENT is none of: {MEANINGS['ENVIRONMENT']}.")
    values = {**_DEFAULTS[kind], **given}
    problems: list[str] = []
    accounts: dict[str, registry.ConfiguredAccount] = {}
    config: Config | None = None
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        problems += [_line(details) for details in error.errors(include_input=False)]
    if kind == "production":
        problems += _refused_in_production(values, environment)
    for code in _words(values.get("GATEWAY_ACCOUNTS", "")):
        if ACCOUNT_CODE.fullmatch(code):
            _load_account(code, environment, accounts, problems)
    if problems or config is None:
        raise ConfigurationError("\n".join(problems))
    return config.model_copy(update={"gateway_accounts": accounts})


def load_or_exit(environment: Mapping[str, str]) -> Config:
    """`load`, but print the problems to standard error and end the process with exit code 1."""
    try:
        return load(environment)
    except ConfigurationError as error:
        print(error, file=sys.stderr)  # noqa: T201 - logging is not configured yet
        sys.exit(1)


def _line(details: ErrorDetails) -> str:
    name = str(details["loc"][0])
    if details["type"] == "missing":
        return f"{name} is not set: {MEANINGS[name]}."
    if details["type"] == "string_too_short":
        return f"{name} is too short: {MEANINGS[name]}."
    if details["type"] == "literal_error":
        return f"{name} is none of: {MEANINGS[name]}."
    if details["type"] in ("int_parsing", "greater_than_equal", "less_than_equal", "bool_parsing"):
        return f"{name} is not a usable value: {MEANINGS[name]}."
    if details["type"] == "string_pattern_mismatch":
        return f"{name} is not {MEANINGS[name]}."
    return f"{name}: {details['msg'].removeprefix('Value error, ')}."


def _refused_in_production(values: Mapping[str, str], environment: Mapping[str, str]) -> list[str]:
    problems = [
        f"{name} does not begin with https://: production sends credentials over TLS only."
        for name, value in environment.items()
        if name.startswith("GATEWAY_") and name.endswith("_URL") and value.startswith("http://")
    ]
    if "SANDBOX_URL" in values:
        problems.append("SANDBOX_URL is set: production follows no sandbox, remove it.")
    if "*" in _words(values.get("ALLOWED_HOSTS", "")):
        problems.append("ALLOWED_HOSTS: * accepts every host name, name those of the site.")
    return problems


def _load_account(
    code: str,
    environment: Mapping[str, str],
    accounts: dict[str, registry.ConfiguredAccount],
    problems: list[str],
) -> None:
    """Add what the provider makes of the account's variables, or lines that say why it cannot."""
    prefix = f"GATEWAY_{code.upper()}_"
    values = {
        name.removeprefix(prefix).lower(): value
        for name, value in environment.items()
        if name.startswith(prefix) and value
    }
    provider = values.pop("provider", None)
    if provider is None:
        problems.append(f"{prefix}PROVIDER is not set: {MEANINGS['GATEWAY_<CODE>_PROVIDER']}.")
        return
    if provider not in registry.PROVIDERS:
        known = ", ".join(sorted(registry.PROVIDERS))
        problems.append(f"{prefix}PROVIDER names no provider of this version; there are: {known}.")
        return
    try:
        accounts[code] = registry.load_account(code, provider, values)
    except ValidationError as error:
        for details in error.errors(include_input=False):
            name = prefix + str(details["loc"][0]).upper() if details["loc"] else f"GATEWAY_{code.upper()}"
            problems.append(_account_line(name, provider, details))


def _account_line(name: str, provider: str, details: ErrorDetails) -> str:
    if details["type"] == "missing":
        return f"{name} is not set: the provider {provider} needs it."
    if details["type"] == "extra_forbidden":
        return f"{name} is not a setting of the provider {provider}."
    return f"{name}: {details['msg'].removeprefix('Value error, ')}."
