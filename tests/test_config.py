"""The environment is checked whole, in readable lines, and no line shows a value."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from cagolab import config

SECRETS = {
    "SECRET_KEY": "geheim-" * 10,
    "DATABASE_URL": "postgresql://shop:geheim@db.example.jp:5433/cagolab",
    "REDIS_URL": "redis://:geheim@redis.example.jp:6379/0",
    "CREDENTIALS_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "EMAIL_URL": "smtp+tls://shop:geheim@mail.example.jp:587",
    "GATEWAY_GMO_SHOP_PASS": "geheim",
    "GATEWAY_GMO_SITE_PASS": "geheim",
}
PRODUCTION = {
    **SECRETS,
    "ALLOWED_HOSTS": "shop.example.jp, office.example.jp",
    "EXPORT_FOLDER": tempfile.gettempdir(),
    "SHOP_MAIL_FROM": "ショップ <shop@example.jp>",
    "GATEWAY_ACCOUNTS": "gmo",
    "GATEWAY_GMO_PROVIDER": "gmopg",
    "GATEWAY_GMO_BASE_URL": "https://pt01.mul-pay.jp",
    "GATEWAY_GMO_SHOP_ID": "tshop00000001",
    "GATEWAY_GMO_SITE_ID": "tsite00000001",
}
REPOSITORY = Path(config.__file__).parent.parent


def problems_of(environment: dict[str, str]) -> list[str]:
    with pytest.raises(config.ConfigurationError) as caught:
        config.load(environment)
    return str(caught.value).splitlines()


def test_a_complete_production_environment_is_accepted() -> None:
    loaded = config.load(PRODUCTION)

    assert loaded.environment == "production"
    assert loaded.allowed_hosts == ("shop.example.jp", "office.example.jp")
    assert loaded.sandbox_url is None
    assert set(loaded.gateway_accounts) == {"gmo"}
    database = loaded.database
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db.example.jp", 5433, "cagolab")
    assert loaded.email["EMAIL_USE_TLS"] is True
    assert loaded.email["EMAIL_PORT"] == 587


@pytest.mark.parametrize(
    "name",
    [
        "SECRET_KEY",
        "ALLOWED_HOSTS",
        "DATABASE_URL",
        "REDIS_URL",
        "CREDENTIALS_KEY",
        "EMAIL_URL",
        "EXPORT_FOLDER",
        "SHOP_MAIL_FROM",
        "GATEWAY_ACCOUNTS",
        "GATEWAY_GMO_PROVIDER",
        "GATEWAY_GMO_SHOP_ID",
        "GATEWAY_GMO_SHOP_PASS",
    ],
)
@pytest.mark.parametrize("is_empty", [True, False])
def test_production_names_each_missing_variable_in_one_line(name: str, is_empty: bool) -> None:
    environment = {key: value for key, value in PRODUCTION.items() if key != name}
    if is_empty:
        environment[name] = ""

    lines = problems_of(environment)

    assert len(lines) == 1
    assert lines[0].startswith(f"{name} is not set: ")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ENVIRONMENT", "staging", "production (default), demo or test"),
        ("SECRET_KEY", "geheim", "too short"),
        ("ALLOWED_HOSTS", " , ", "is empty"),
        ("ALLOWED_HOSTS", "*", "every host name"),
        ("DATABASE_URL", "mysql://shop:geheim@db/cagolab", "postgresql://"),
        ("DATABASE_URL", "postgresql://shop:geheim@db:5432/", "names no database"),
        ("DATABASE_URL", "postgresql://shop:geheim@db:geheim/cagolab", "not a URL"),
        ("REDIS_URL", "amqp://:geheim@redis", "redis://"),
        ("CREDENTIALS_KEY", f"{SECRETS['CREDENTIALS_KEY']},geheim", "key 2 is not a Fernet key"),
        ("SANDBOX_URL", "http://127.0.0.1:8001", "production follows no sandbox"),
        ("LOG_LEVEL", "geheim", "INFO"),
        ("EMAIL_URL", "pigeon://shop:geheim@mail.example.jp", "not a mail URL"),
        ("EMAIL_URL", "smtp://shop:geheim@mail.example.jp:geheim", "not a mail URL"),
        ("EXPORT_FOLDER", "geheim/exports", "not an absolute path"),
        ("EXPORT_FOLDER", "/geheim/exports", "not a folder that this process may write to"),
        ("SHOP_MAIL_FROM", "geheim", "not a mail address"),
        ("SHOP_REGISTRATION_NUMBER", "geheim", "T and 13 digits"),
        ("GATEWAY_ACCOUNTS", "gmo,gmo", "twice"),
        ("GATEWAY_GMO_PROVIDER", "geheim", "no provider of this version"),
        ("GATEWAY_GMO_SHOP_PAS", "geheim", "not a setting of the provider gmopg"),
        ("GATEWAY_GMO_SHOP_PASS", "geheim-geheim", "at most 10"),
        ("GATEWAY_GMO_SITE_ID", "", "given together"),
        ("GATEWAY_GMO_BASE_URL", "http://geheim.example.jp", "over TLS only"),
    ],
)
def test_a_wrong_value_is_named_in_one_line_and_not_shown(name: str, value: str, words: str) -> None:
    lines = problems_of({**PRODUCTION, name: value})

    assert len(lines) == 1
    assert lines[0].startswith(name.removesuffix("_SITE_ID"))
    assert words in lines[0]
    assert "geheim" not in lines[0]


def test_all_problems_are_told_at_once() -> None:
    lines = problems_of({"SECRET_KEY": "geheim", "EMAIL_URL": "geheim", "GATEWAY_ACCOUNTS": "gmo"})

    named = {line.split()[0].rstrip(":") for line in lines}
    assert named == {
        "SECRET_KEY",
        "ALLOWED_HOSTS",
        "DATABASE_URL",
        "REDIS_URL",
        "CREDENTIALS_KEY",
        "EMAIL_URL",
        "EXPORT_FOLDER",
        "SHOP_MAIL_FROM",
        "GATEWAY_GMO_PROVIDER",
    }


def test_an_account_code_cannot_be_the_beginning_of_another_ones_variables() -> None:
    lines = problems_of({**PRODUCTION, "GATEWAY_ACCOUNTS": "gmo,gmo_b"})

    assert lines == ["GATEWAY_ACCOUNTS: the code 'gmo_b' is not made of small letters and digits."]


def test_the_printed_form_of_a_configuration_holds_no_secret() -> None:
    loaded = config.load(PRODUCTION)

    for value in SECRETS.values():
        assert value not in repr(loaded)
    assert "geheim" not in repr(loaded)


@pytest.mark.parametrize("kind", ["demo", "test"])
def test_without_a_database_the_commands_that_need_none_still_load(kind: str) -> None:
    environment = {**PRODUCTION, "ENVIRONMENT": kind, "DATABASE_URL": "", "REDIS_URL": ""}

    assert config.load(environment).database == {}


def test_a_database_on_a_socket_is_understood() -> None:
    url = "postgresql://postgres@/cagolab?host=/srv/cago%20lab/var"

    database = config.load({"ENVIRONMENT": "test", "DATABASE_URL": url}).database

    assert database["NAME"] == "cagolab"
    assert database["OPTIONS"]["host"] == "/srv/cago lab/var"


@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "check"],
        ["-m", "gunicorn", "--bind", "127.0.0.1:0"],
        ["-m", "celery", "-A", "cagolab", "worker", "--pool", "threads"],
        ["-m", "celery", "-A", "cagolab", "beat", "--pidfile="],
    ],
)
def test_every_process_stops_with_the_lines_and_no_stack_trace(command: list[str]) -> None:
    environment = {"PATH": os.environ["PATH"], **PRODUCTION, "SECRET_KEY": "geheim"}

    result = subprocess.run(
        [sys.executable, *command],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert result.returncode == 1
    output = (result.stdout + result.stderr).strip().splitlines()
    assert output == ["SECRET_KEY is too short: at least 50 random characters; signs sessions and forms."]


def test_a_command_that_needs_the_database_says_so_in_one_line() -> None:
    environment = {"PATH": os.environ["PATH"], "ENVIRONMENT": "test"}

    result = subprocess.run(
        [sys.executable, "manage.py", "migrate"],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert result.returncode == 1
    assert result.stderr.strip() == f"DATABASE_URL is not set: {config.MEANINGS['DATABASE_URL']}."
