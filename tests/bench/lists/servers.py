"""What is measured, as processes: the product's web server and those of the rivals."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg

from cagolab.launcher.embedded import Servers
from cagolab.launcher.environment import demo_environment
from cagolab.launcher.errors import LauncherError
from cagolab.launcher.ports import LOCALHOST, free_port
from cagolab.launcher.processes import Supervisor

REPOSITORY = Path(__file__).resolve().parents[3]
RIVALS = Path(__file__).resolve().parent / "rivals"
USER, PASSWORD = "bench", "bench-only-on-localhost"
OSCAR_USER = "bench@example.jp"
OSCAR_PACKAGES = ("django-oscar[sorl-thumbnail]==4.2.1", "psycopg[binary]==3.3.*", "gunicorn")
# Like the product's own gunicorn.conf.py.
WORKERS = ["--workers", "2", "--worker-class", "gthread", "--threads", "8", "--preload", "--timeout", "600"]
START_SECONDS = 120.0


class Skipped(Exception):
    """A rival cannot be had here; the text says why."""


@dataclass(frozen=True)
class Site:
    """A running web server and how to get in."""

    url: str
    login: str
    user: str


def environment(servers: Servers, folder: Path, database: str) -> dict[str, str]:
    """The product's variables for one database of the bench; no sandbox, the clock is the machine's."""
    url = servers.database_url.replace("/cagolab?", f"/{database}?")
    given = demo_environment(
        Servers(database_url=url, redis_url=servers.redis_url),
        folder=folder,
        sandbox_url=f"http://{LOCALHOST}:9",
    )
    del given["SANDBOX_URL"]
    return given | {"LOG_LEVEL": "ERROR"}


def start_product(supervisor: Supervisor, environment: dict[str, str], log: Path) -> Site:
    """gunicorn with the product's own configuration."""
    port = _start(
        supervisor, "web", [sys.executable, "-m", "gunicorn"], environment, folder=REPOSITORY, log=log
    )
    return Site(f"http://{LOCALHOST}:{port}", "/login/", USER)


def start_admin(supervisor: Supervisor, environment: dict[str, str], log: Path, *, variant: str) -> Site:
    """Django's admin on its own table, which is filled from the product's the first time.

    As process `admin`, with the indexes that Django makes by itself, or `admin-tuned`, with those that its lists
    ask for.
    """
    with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as connection:
        is_there = connection.execute("SELECT to_regclass(%s)", [f"rival_order_{variant}"]).fetchone()
        if is_there is None or is_there[0] is None:
            connection.execute((RIVALS / "admin_rows.sql").read_text().replace("VARIANT", variant))
            if variant == "tuned":
                connection.execute((RIVALS / "admin_indexes.sql").read_text())
            connection.execute(f"VACUUM (ANALYZE) rival_order_{variant}")
    command = [sys.executable, "-m", "gunicorn", "-c", "/dev/null", *WORKERS]
    command.append("tests.bench.lists.rivals.admin_site:application")
    port = _start(
        supervisor,
        "admin" if variant == "shipped" else f"admin-{variant}",
        command,
        environment | {"ADMIN_VARIANT": variant},
        folder=REPOSITORY,
        log=log,
    )
    return Site(f"http://{LOCALHOST}:{port}", "/admin/login/", USER)


def manage(supervisor: Supervisor, environment: dict[str, str], *arguments: str) -> None:
    """One command of the product's manage.py."""
    supervisor.run(
        "manage", [sys.executable, "manage.py", *arguments], environment=environment, folder=REPOSITORY
    )


def stop(supervisor: Supervisor, name: str) -> None:
    """Stop a web server if it runs, so that the next one has the machine for itself."""
    try:
        process = supervisor.named(name)
    except KeyError:
        return
    supervisor.forget(process)
    process.terminate()
    process.wait()


def install_oscar(folder: Path) -> Path:
    """A virtual environment with django-oscar; its Python. Raises Skipped."""
    venv = folder / "oscar-venv"
    done = venv / "installed"
    if done.exists() and done.read_text() == " ".join(OSCAR_PACKAGES):
        return venv / "bin" / "python"
    shutil.rmtree(venv, ignore_errors=True)
    for command in (
        [sys.executable, "-m", "venv", venv],
        [venv / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *OSCAR_PACKAGES],
    ):
        result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        if result.returncode:
            lines = result.stderr.strip().splitlines() or ["no reason given"]
            raise Skipped(f"django-oscar cannot be installed: {lines[-1]}")
    done.write_text(" ".join(OSCAR_PACKAGES))
    return venv / "bin" / "python"


def start_oscar(
    supervisor: Supervisor, python: Path, servers: Servers, folder: Path, database: str, log: Path
) -> Site:
    """django-oscar's dashboard on its own tables, which are filled from the product's the first time."""
    url = servers.database_url.replace("/cagolab?", f"/{database}?")
    given = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | {
        "DJANGO_SETTINGS_MODULE": "oscar_site",
        "PYTHONPATH": str(RIVALS),
        "OSCAR_DATABASE": database,
        "OSCAR_SOCKETS": parse_qs(urlsplit(url).query)["host"][0],
        "OSCAR_STATIC": str(folder / "oscar-static"),
    }
    with psycopg.connect(url, autocommit=True) as connection:
        is_there = connection.execute("SELECT to_regclass('oscar.bench_filled')").fetchone()
        if is_there is None or is_there[0] is None:
            connection.execute("DROP SCHEMA IF EXISTS oscar CASCADE")
            connection.execute("CREATE SCHEMA oscar")
            _oscar(supervisor, python, given, "migrate", "--verbosity", "0")
            _oscar(supervisor, python, given, "collectstatic", "--noinput", "--verbosity", "0")
            connection.execute((RIVALS / "oscar_rows.sql").read_text())
            user = {
                "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
                "DJANGO_SUPERUSER_USERNAME": USER,
                "DJANGO_SUPERUSER_EMAIL": OSCAR_USER,
            }
            _oscar(supervisor, python, given | user, "createsuperuser", "--noinput")
            connection.execute("VACUUM (ANALYZE)")
            connection.execute("CREATE TABLE oscar.bench_filled ()")
    command = [str(python), "-m", "gunicorn", "-c", "/dev/null", *WORKERS, "oscar_wsgi:application"]
    port = _start(supervisor, "oscar", command, given, folder=RIVALS, log=log)
    return Site(f"http://{LOCALHOST}:{port}", "/dashboard/login/", OSCAR_USER)


def _oscar(supervisor: Supervisor, python: Path, environment: dict[str, str], *arguments: str) -> None:
    supervisor.run("oscar", [python, "-m", "django", *arguments], environment=environment, folder=RIVALS)


def _start(
    supervisor: Supervisor,
    name: str,
    command: list[str],
    environment: dict[str, str],
    *,
    folder: Path,
    log: Path,
) -> int:
    port = free_port()
    supervisor.start(
        name, [*command, "--bind", f"{LOCALHOST}:{port}"], environment=environment, folder=folder, log=log
    )
    if not supervisor.wait_until(lambda: _answers(port), seconds=START_SECONDS):
        raise LauncherError(f"{name} does not answer; {log} says why.")
    return port


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://{LOCALHOST}:{port}/", timeout=30).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
