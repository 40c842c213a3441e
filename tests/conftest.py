"""What every suite needs: the servers, the sandbox, and the property tests' profile."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import django
import psycopg
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
# A process that xdist starts inherits DJANGO_SETTINGS_MODULE, and pytest-django has read the settings by now.
django_settings.REDIS_URL = django_settings.CELERY_BROKER_URL = os.environ["REDIS_URL"]
# Half a second per login is for attackers, not for tests.
django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

from django.db import connection  # noqa: E402
from django.test.testcases import LiveServerThread  # noqa: E402
from django.utils import translation  # noqa: E402
from playwright.sync_api import expect  # noqa: E402

from tests import emptying  # noqa: E402
from tests.gateway_world import paygent, sbps, shop, world  # noqa: E402, F401 - fixtures of every suite
from tests.sandbox_server import SandboxHandle, start_sandbox  # noqa: E402

# A busy machine is slow, not wrong.
expect.set_options(timeout=15_000)
# A thread that has been told to end may need a moment on a busy machine.
THREAD_SECONDS = 30
# Of Django's parameters of a connection, those that say where the database is.
_HOLDER = ("host", "port", "user", "password", "dbname", "autocommit")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what drives a browser where there is none."""
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


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The run has its database to itself: two of them would see each other's rows, and only now and then."""
    with django_db_blocker.unblock():
        parameters = connection.get_connection_params() | {"autocommit": True}
    holder = psycopg.connect(**{name: parameters[name] for name in _HOLDER if name in parameters})
    cursor = holder.execute("SELECT pg_try_advisory_lock(hashtextextended('cagolab:tests', 0))")
    if cursor.fetchone() != (True,):
        pytest.exit(f"Another run uses the database {parameters['dbname']}: set DB_SUFFIX.", returncode=3)
    with pytest.MonkeyPatch.context() as patch:
        with django_db_blocker.unblock():
            emptying.delete_written_rows_only(patch)
        yield
    holder.close()


@pytest.fixture(autouse=True)
def japanese() -> Iterator[None]:
    """Sentences are compared in Japanese, whatever language an earlier test left in this thread."""
    translation.activate("ja")
    yield
    assert translation.get_language() == "ja", "this test changed the language of its thread"


@pytest.fixture(autouse=True)
def _no_thread_outlives_its_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """A thread that is left behind writes into the tables of the tests that follow."""
    before = set(threading.enumerate())
    yield
    if request.node.get_closest_marker("django_db") or {"db", "transactional_db"} & {*request.fixturenames}:
        for thread in set(threading.enumerate()) - before:
            if not _serves_the_whole_run(thread):
                thread.join(THREAD_SECONDS)
                assert not thread.is_alive(), f"{thread.name} is still running"


def _serves_the_whole_run(thread: threading.Thread) -> bool:
    """The live server and what answers the browser's connections there, the browser's driver, the throttle's renewer.

    The last one ends some seconds after the last call; it renews slots in Redis and knows no table.
    """
    is_server = isinstance(thread, LiveServerThread) or "process_request_thread" in thread.name
    return is_server or thread.name.startswith(("asyncio", "throttle-leases"))


@pytest.fixture(autouse=True)
def patient_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages come with their totals, however slowly a busy machine counts; and what counts them ends with the test."""
    monkeypatch.setattr("orders.listing.COUNT_WITHIN_MS", 60_000)
    monkeypatch.setattr("orders.beside.STATEMENT_MS", 60_000)
    monkeypatch.setattr("orders.beside.WAIT_SECONDS", 60.0)
    monkeypatch.setattr("orders.beside.IDLE_SECONDS", 0.05)
