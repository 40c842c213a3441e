"""What every suite needs: the servers, the sandbox, and the property tests' profile."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import django
import pytest
from django.conf import settings as django_settings
from hypothesis import HealthCheck, settings

# A property test may not fail on one machine only, and a slow machine is no failure.
settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("local", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")

missing = [name for name in ("DATABASE_URL", "REDIS_URL") if not os.environ.get(name)]
if missing:
    sys.exit(f"{' and '.join(missing)} not set: run `make test`, which starts the servers.")

# Each process of a run has a broker database of its own: what one counts or deletes is not the other's.
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw-1").removeprefix("gw")) + 1
os.environ["REDIS_URL"] = urlsplit(os.environ["REDIS_URL"])._replace(path=f"/{_worker}").geturl()

# Set up here, before pytest reads the conftests below this one: they may import models.
os.environ["ENVIRONMENT"] = "test"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cagolab.settings")
django.setup()
# Half a second per login is for attackers, not for tests.
django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

from django.utils import translation  # noqa: E402
from playwright.sync_api import expect  # noqa: E402

from tests.gateway_world import paygent, sbps, shop, world  # noqa: E402, F401 - fixtures of every suite
from tests.sandbox_server import SandboxHandle, start_sandbox  # noqa: E402

# A busy machine is slow, not wrong.
expect.set_options(timeout=15_000)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tour of every address, and skip what drives a browser where there is none.

    The tour compares whole tables, and a thread that an earlier test left behind may still write into them.
    """
    items.sort(key=lambda item: "test_every_url" not in item.nodeid)
    if CHROMIUM is None:
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason="no Chromium on this machine: install chromium"))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The machine's own Chromium; as root it starts without its inner sandbox only."""
    # The browser's driver runs an event loop in this thread, in which Django would refuse the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": arguments}


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    """One provider's side for the whole run, as a real process."""
    handle = start_sandbox(tmp_path_factory.mktemp("sandbox"))
    yield handle
    handle.stop()


@pytest.fixture(scope="session")
def django_db_modify_db_settings_parallel_suffix(worker_id: str) -> None:
    """Let runs share a server: DB_SUFFIX and the number of the xdist worker end the database's name."""
    parts = [os.environ.get("DB_SUFFIX", ""), "" if worker_id == "master" else worker_id]
    name = "_".join(["test", "cagolab", *filter(None, parts)])
    django_settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = name


@pytest.fixture(autouse=True)
def japanese() -> None:
    """Sentences are compared in Japanese, whatever language an earlier test left in this thread."""
    translation.activate("ja")
