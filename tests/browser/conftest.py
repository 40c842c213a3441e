"""The desk of the browser tests. A failing script or a breach of the policy fails whatever test it happens in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from tests.browser.desk import Desk
from tests.gateway_world import World


@pytest.fixture
def desk(page: Page, live_server: LiveServer, world: World) -> Iterator[Desk]:
    """A browser that is logged in as an operator who may move money."""
    complaints: list[str] = []
    page.set_default_timeout(10_000)
    at = Desk(page, live_server.url, world, complaints)
    at.sign_in()
    yield at
    assert complaints == []
