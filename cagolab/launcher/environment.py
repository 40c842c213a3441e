"""What the programs of a demo find in their environment."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet

from cagolab import config
from cagolab.launcher.embedded import Servers

# The accounts of the demo with the credentials that the sandbox documents: code -> (provider, variables).
DEMO_ACCOUNTS: dict[str, tuple[str, dict[str, str]]] = {
    "gmo": (
        "gmopg",
        {
            "SHOP_ID": "tshop00000001",
            "SHOP_PASS": "shoppass01",
            "SITE_ID": "tsite00000001",
            "SITE_PASS": "sitepass01",
            "CONTACT_NAME": "デモショップ",
            "CONTACT_PHONE": "03-0000-0000",
            "CONTACT_HOURS": "09:00-18:00",
            "CONTACT_MAIL": "shop@example.jp",
        },
    ),
    "paygent": (
        "paygent",
        {
            "MERCHANT_ID": "100000001",
            "CONNECT_ID": "sandbox",
            "CONNECT_PASSWORD": "sandboxpass",
            "HASH_KEY": "sandboxhashkey01",
        },
    ),
    "sbps": (
        "sbps",
        {
            "MERCHANT_ID": "99999",
            "SERVICE_ID": "001",
            "HASH_KEY": "0123456789abcdef0123456789abcdef01234567",
        },
    ),
}

_INHERITED = ("LOG_LEVEL", "REQUIRE_SECOND_FACTOR")


def sandbox_accounts(sandbox_url: str) -> dict[str, str]:
    """The variables of an account at each of the sandbox's providers."""
    variables = {"GATEWAY_ACCOUNTS": ",".join(DEMO_ACCOUNTS)}
    for code, (provider, credentials) in DEMO_ACCOUNTS.items():
        prefix = f"GATEWAY_{code.upper()}_"
        variables[f"{prefix}PROVIDER"] = provider
        variables[f"{prefix}BASE_URL"] = f"{sandbox_url}/{provider}"
        variables[f"{prefix}TOKEN_URL"] = f"{sandbox_url}/{provider}/token"
        variables |= {f"{prefix}{name}": value for name, value in credentials.items()}
    return variables


def demo_environment(servers: Servers, *, folder: Path, sandbox_url: str) -> dict[str, str]:
    """Everything that cagolab.config asks for.

    Of the shell's own settings only _INHERITED count: a demo must reach no real provider and send no mail.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name in _INHERITED or not (name in config.MEANINGS or name.startswith("GATEWAY_"))
    }
    exports = folder / "exports"
    exports.mkdir(mode=0o700, exist_ok=True)
    return {
        **inherited,
        **_kept_keys(folder / "keys.json"),
        **sandbox_accounts(sandbox_url),
        "ENVIRONMENT": "demo",
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "SANDBOX_URL": sandbox_url,
        "EXPORT_FOLDER": str(exports),
        "PYTHONUNBUFFERED": "1",
        # A demo serves static files from the sources, without the folder of collectstatic, and may run as root.
        "PYTHONWARNINGS": "ignore:No directory at,ignore:You're running the worker with superuser",
    }


def _kept_keys(path: Path) -> dict[str, str]:
    """The demo's own keys, made at the first start; nobody else may read them."""
    try:
        keys: dict[str, str] = json.loads(path.read_text())
    except FileNotFoundError:
        keys = {"SECRET_KEY": secrets.token_urlsafe(64), "CREDENTIALS_KEY": Fernet.generate_key().decode()}
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(keys, file)
    return keys
