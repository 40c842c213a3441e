"""Access passes of trades at rest: encrypted with the key of the environment, never in clear."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

logger = logging.getLogger(__name__)


@cache
def _cipher() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.CREDENTIALS_KEYS])


def seal(secrets: Mapping[str, str]) -> str:
    """Encrypt with the first of CREDENTIALS_KEY; empty stays empty."""
    return _cipher().encrypt(json.dumps(dict(secrets)).encode()).decode() if secrets else ""


def unseal(sealed: str) -> dict[str, str]:
    """Decrypt with any of CREDENTIALS_KEY.

    A text that no key opens gives nothing: the adapter then asks the provider for the access pass again.
    """
    if not sealed:
        return {}
    try:
        opened: dict[str, str] = json.loads(_cipher().decrypt(sealed.encode()))
    except InvalidToken:
        logger.warning(
            "a trade's access pass cannot be decrypted with CREDENTIALS_KEY; asking the provider again"
        )
        return {}
    return opened
