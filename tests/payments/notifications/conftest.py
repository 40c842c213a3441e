"""The sandbox's deliveries to the running site, for both providers that notify."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from payments.notifications import limits
from tests.gateway_world import World
from tests.payments.notifications.waiting import until


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    for key in limits._connection().scan_iter("notify*"):
        limits._connection().delete(key)


@pytest.fixture
def pushed(world: World, live_server: Any) -> Iterator[Callable[..., Any]]:
    """GMO-PG notifies the running site; the function changes how."""
    yield from _pushed(world, live_server, "gmopg", "gmo")


@pytest.fixture
def paygent_pushed(paygent: World, live_server: Any) -> Iterator[Callable[..., Any]]:
    """Paygent notifies the running site; the function changes how."""
    yield from _pushed(paygent, live_server, "paygent", "paygent")


def _pushed(world: World, live_server: Any, provider: str, code: str) -> Iterator[Callable[..., Any]]:
    def wish(**wishes: Any) -> Any:
        return world.sandbox.control("POST", "/_notifications", json={"provider": provider, **wishes})

    wish(target=f"{live_server.url}/notify/{provider}/{code}/", retries=5, retry_ms=100)
    yield wish
    # Nothing of this test may arrive in the next one.
    wish(target=None, paused=False, copies=1, newest_first=False, delay_ms=0)
    until(lambda: wish()["under_way"] == 0)
