"""The programs and the shop for deaths at moments that a test chooses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.sandbox_server import SandboxHandle

if TYPE_CHECKING:
    from tests.chaos.programs import Programs
    from tests.chaos.scene import Scene
    from tests.gateway_world import World


@pytest.fixture(scope="package")
def programs(
    sandbox: SandboxHandle, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Programs]:
    """Web and worker for all tests here, each started when it is first needed."""
    from tests.chaos.programs import Programs  # models: after Django is set up

    started = Programs(sandbox, tmp_path_factory.mktemp("programs"))
    yield started
    started.stop()


@pytest.fixture
def scene(world: World, programs: Programs) -> Scene:
    """A shop without orders; the ledgers are empty."""
    from tests.chaos.scene import Scene

    world.sandbox.control("POST", "/_reset")
    return Scene(world, programs)
