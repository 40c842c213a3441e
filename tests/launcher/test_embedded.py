"""Real servers from wheels: they start again with their data, several at once, and stop."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis

from cagolab.launcher.embedded import Servers, start_servers
from cagolab.launcher.errors import LauncherError
from cagolab.launcher.ports import only_one
from cagolab.launcher.processes import Supervisor

REPOSITORY = Path(__file__).parent.parent.parent


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder that PostgreSQL's own user can reach when the tests run as root."""
    if os.geteuid() == 0:
        for path in (tmp_path, *tmp_path.parents):
            path.chmod(path.stat().st_mode | 0o001)
    return tmp_path


def query(servers: Servers, text: str) -> list[tuple[object, ...]]:
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        cursor = connection.execute(text)
        return cursor.fetchall() if cursor.description else []


def test_both_servers_answer_and_are_what_the_product_needs(folder: Path) -> None:
    with Supervisor() as supervisor:
        servers = start_servers(supervisor, folder, durable=True)

        version = int(str(query(servers, "SHOW server_version_num")[0][0]))
        assert version >= 150000
        assert query(servers, "SHOW max_connections") == [("200",)]
        assert query(servers, "SHOW fsync") == [("on",)]
        with redis.Redis.from_url(servers.redis_url) as client:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert client.config_get("bind") == {"bind": "127.0.0.1"}

    with pytest.raises(psycopg.OperationalError):
        query(servers, "SELECT 1")


def test_a_second_start_finds_the_data_of_the_first(folder: Path) -> None:
    with Supervisor() as supervisor:
        servers = start_servers(supervisor, folder, durable=False)
        query(servers, "CREATE TABLE kept AS SELECT 1 AS number")

    with Supervisor() as supervisor:
        servers = start_servers(supervisor, folder, durable=False)
        assert query(servers, "SELECT number FROM kept") == [(1,)]


def test_two_data_folders_are_two_worlds_at_the_same_time(folder: Path) -> None:
    with Supervisor() as supervisor:
        worlds = []
        for name in ("one", "two"):
            (folder / name).mkdir()
            worlds.append(start_servers(supervisor, folder / name, durable=False))
            query(worlds[-1], f"CREATE TABLE {name} AS SELECT 1")

        for servers, own in zip(worlds, ("one", "two"), strict=True):
            names = query(servers, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            assert names == [(own,)]
        assert worlds[0].redis_url != worlds[1].redis_url


def test_a_folder_with_a_long_path_works(folder: Path) -> None:
    long = folder / ("long" * 25)
    long.mkdir()
    with Supervisor() as supervisor:
        servers = start_servers(supervisor, long, durable=False)
        assert query(servers, "SELECT 1") == [(1,)]


def test_nobody_gets_into_valkey_without_the_password(folder: Path) -> None:
    with Supervisor() as supervisor:
        servers = start_servers(supervisor, folder, durable=False)
        address = servers.redis_url.rsplit("@", 1)[1]
        with (
            redis.Redis.from_url(f"redis://{address}") as client,
            pytest.raises(redis.AuthenticationError),
        ):
            client.ping()
        assert (folder / "postgres").stat().st_mode & 0o077 == 0


def test_the_log_and_the_printed_form_hold_no_password(folder: Path) -> None:
    with Supervisor() as supervisor:
        servers = start_servers(supervisor, folder, durable=False)
        password = servers.redis_url.split(":")[2].split("@")[0]
        assert password not in repr(servers)
        assert password not in (folder / "valkey.log").read_text()


def test_a_killed_launcher_leaves_nothing_in_the_way_and_nothing_running(folder: Path) -> None:
    environment = {
        name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}
    }
    ready = folder / "ready"
    launcher = subprocess.Popen(
        [sys.executable, "-m", "cagolab.launcher", "run", "--", "sh", "-c", f"touch {ready}; exec sleep 60"],
        cwd=REPOSITORY,
        env={**environment, "CAGOLAB_DATA": str(folder)},
        start_new_session=True,
    )
    until = time.monotonic() + 30
    while not ready.exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    with pytest.raises(LauncherError, match="in use by another run"), only_one(folder / "run"):
        pass
    children = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split()
    assert len(children) == 3
    launcher.kill()
    launcher.wait()

    with only_one(folder / "run"), Supervisor() as supervisor:
        servers = start_servers(supervisor, folder / "run", durable=False)
        assert query(servers, "SELECT 1") == [(1,)]
    for child in children:
        assert not Path(f"/proc/{child}/cmdline").exists() or not Path(f"/proc/{child}/cmdline").read_bytes()
