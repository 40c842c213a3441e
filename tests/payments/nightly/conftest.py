"""The shop of orders that were given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.gateway_world import World
    from tests.payments.nightly.shop import GivenUpShop


@pytest.fixture
def given_up(world: World) -> GivenUpShop:
    """One product, one member, the GMO-PG account at the sandbox."""
    from tests.payments.nightly.shop import GivenUpShop  # models: after Django is set up

    return GivenUpShop(world)
