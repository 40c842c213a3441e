"""Processes of one test run share PostgreSQL's and Valkey's servers, and nothing in them."""

from __future__ import annotations

import os

from django.conf import settings

from cagolab.celery import app
from payments import throttle


def test_each_process_of_a_run_counts_and_rings_in_a_broker_database_of_its_own() -> None:
    own = int(os.environ.get("PYTEST_XDIST_WORKER", "gw-1").removeprefix("gw")) + 1
    assert os.environ["REDIS_URL"] == settings.REDIS_URL
    assert settings.REDIS_URL.endswith(f"/{own}")
    assert throttle._connection().connection_pool.connection_kwargs["db"] == own
    assert app.connection_for_write().virtual_host == str(own)
