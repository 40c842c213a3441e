"""What every part of the filling works with: the sandbox, its clock and cards, the dice, the account at GMO-PG."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Any

import requests
from django.conf import settings

from cagolab import clock
from gateways.interface import CardToken
from payments.models import GatewayAccount

GOOD_CARD = "4111111111111111"
# Cards that the sandbox refuses, per provider.
BAD_CARDS = {"gmopg": "4999000000000002", "paygent": "4999000000000012", "sbps": "4999000000000022"}
# The same shop at every start of a new demo.
SEED = 20_261_130
CONTROL_TIMEOUT_SECONDS = 10


class Stage:
    """One filling's hand at the sandbox, over HTTP."""

    def __init__(self) -> None:
        self.random = Random(SEED)  # noqa: S311 - for show, not for secrets
        self.account = GatewayAccount.objects.get(code="gmo")
        self._http = requests.Session()

    def at(self, moment: datetime) -> None:
        """Set the sandbox's clock, which is the product's too."""
        self.control("_clock", {"set": moment.isoformat()})
        clock.forget_offset()

    def back_to_now(self) -> None:
        """Let the sandbox's clock show the real time again."""
        self.control("_clock", {"real": True})
        clock.forget_offset()

    def control(self, path: str, body: dict[str, object]) -> None:
        """POST to the sandbox's control interface."""
        answer = self._http.post(f"{settings.SANDBOX_URL}/{path}", json=body, timeout=CONTROL_TIMEOUT_SECONDS)
        answer.raise_for_status()

    def token(self, account: GatewayAccount, *, is_good: bool = True, expire: str = "4912") -> CardToken:
        """A token for a card that the account's sandbox approves or refuses; `expire` is YYMM."""
        configured: Any = settings.GATEWAY_ACCOUNTS[account.code].account
        answer = self._http.post(
            configured.token_url,
            json={
                "cardno": GOOD_CARD if is_good else BAD_CARDS[account.provider],
                "expire": expire,
                "securitycode": "123",
            },
            timeout=CONTROL_TIMEOUT_SECONDS,
        ).json()
        return CardToken(token=answer["tokenObject"]["token"])
