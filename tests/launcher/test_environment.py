"""A demo finds everything it needs in its environment, and nothing that reaches a real provider."""

from __future__ import annotations

from pathlib import Path

import pytest

from cagolab import config
from cagolab.demo.accounts import DEMO_USERS
from cagolab.launcher.embedded import Servers
from cagolab.launcher.environment import DEMO_ACCOUNTS, demo_environment
from cagolab.roles import ROLES

SERVERS = Servers(
    database_url="postgresql://postgres@/cagolab?host=/data", redis_url="redis://:secret@127.0.0.1:1/0"
)
SANDBOX = "http://127.0.0.1:8001"


def test_the_configuration_accepts_it(tmp_path: Path) -> None:
    loaded = config.load(demo_environment(SERVERS, folder=tmp_path, sandbox_url=SANDBOX))

    assert loaded.environment == "demo"
    assert loaded.sandbox_url == SANDBOX
    assert set(loaded.gateway_accounts) == set(DEMO_ACCOUNTS)
    assert loaded.redis_url == SERVERS.redis_url


def test_production_would_refuse_it(tmp_path: Path) -> None:
    environment = demo_environment(SERVERS, folder=tmp_path, sandbox_url=SANDBOX)

    with pytest.raises(config.ConfigurationError, match="SANDBOX_URL is set"):
        config.load({**environment, "ENVIRONMENT": "production"})


def test_the_keys_are_made_once_and_only_the_owner_reads_them(tmp_path: Path) -> None:
    other_folder = tmp_path / "other"
    other_folder.mkdir()
    first = demo_environment(SERVERS, folder=tmp_path, sandbox_url=SANDBOX)
    second = demo_environment(SERVERS, folder=tmp_path, sandbox_url=SANDBOX)
    other = demo_environment(SERVERS, folder=other_folder, sandbox_url=SANDBOX)

    for name in ("SECRET_KEY", "CREDENTIALS_KEY"):
        assert first[name] == second[name]
        assert first[name] != other[name]
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600


def test_real_accounts_and_mail_servers_of_the_shell_do_not_reach_the_demo(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EMAIL_URL", "smtp://mail.example.jp")
    monkeypatch.setenv("GATEWAY_ACCOUNTS", "real")
    monkeypatch.setenv("GATEWAY_REAL_PROVIDER", "gmopg")
    monkeypatch.setenv("GATEWAY_GMO_BASE_URL", "https://p01.mul-pay.jp")

    environment = demo_environment(SERVERS, folder=tmp_path, sandbox_url=SANDBOX)

    assert "GATEWAY_REAL_PROVIDER" not in environment
    assert config.load(environment).email["EMAIL_BACKEND"].endswith("console.EmailBackend")
    assert environment["GATEWAY_ACCOUNTS"] == ",".join(DEMO_ACCOUNTS)
    assert environment["GATEWAY_GMO_BASE_URL"] == f"{SANDBOX}/gmopg"


def test_there_is_one_login_per_role() -> None:
    assert [role for _name, _password, role in DEMO_USERS] == list(ROLES)
