"""The whole product on one machine, with a sandbox instead of providers and a shop's data to try things on."""

from __future__ import annotations

import http.client
import json
import shutil
import sys
import time
from pathlib import Path

from cagolab.demo.accounts import DEMO_USERS
from cagolab.launcher.embedded import start_servers
from cagolab.launcher.environment import DEMO_ACCOUNTS, demo_environment
from cagolab.launcher.errors import LauncherError
from cagolab.launcher.ports import LOCALHOST, data_folder, is_listening, only_one, require_free_port
from cagolab.launcher.processes import Supervisor
from gateways.registry import PROVIDERS

SANDBOX_START_SECONDS = 20.0
WEB_START_SECONDS = 60.0


def start_demo(repository: Path, *, port: int, sandbox_port: int, reset: bool) -> int:
    """Start everything, print where it is, and wait for Ctrl-C.

    Raises LauncherError when something cannot be started or ends by itself; nothing is left running then.
    """
    began = time.monotonic()
    require_free_port(port, variable="PORT")
    require_free_port(sandbox_port, variable="SANDBOX_PORT")
    if port == sandbox_port:
        raise LauncherError("PORT and SANDBOX_PORT are the same: choose two different ones.")
    folder = data_folder(repository, "demo")
    with only_one(folder):
        if reset:
            _delete_data(folder)
        with Supervisor() as supervisor:
            print(f"Starting; the data is in {folder}.", flush=True)
            _start_programs(supervisor, repository, folder, port=port, sandbox_port=sandbox_port)
            _wait_for_web(supervisor, port)
            _let_the_sandbox_notify(port=port, sandbox_port=sandbox_port)
            _print_welcome(port=port, sandbox_port=sandbox_port, seconds=time.monotonic() - began)
            supervisor.wait_until(lambda: False)
    return 0


def _start_programs(
    supervisor: Supervisor, repository: Path, folder: Path, *, port: int, sandbox_port: int
) -> None:
    python = sys.executable
    sandbox_url = f"http://{LOCALHOST}:{sandbox_port}"
    supervisor.start(
        "sandbox",
        [python, "-m", "gateways.sandbox", "--port", str(sandbox_port), "--data-dir", folder / "sandbox"],
        folder=repository,
    )
    servers = start_servers(supervisor, folder, durable=True)
    environment = demo_environment(servers, folder=folder, sandbox_url=sandbox_url)

    def run(name: str, *arguments: str) -> None:
        supervisor.run(name, [python, *arguments], environment=environment, folder=repository)

    def start(name: str, *arguments: str | Path) -> None:
        supervisor.start(name, [python, "-m", *arguments], environment=environment, folder=repository)

    run("migrate", "manage.py", "migrate", "--verbosity", "0")
    if not supervisor.wait_until(lambda: is_listening(sandbox_port), seconds=SANDBOX_START_SECONDS):
        raise LauncherError("The sandbox does not answer; its last lines say why.")
    run("seed", "manage.py", "seed_demo")
    celery = ("celery", "-A", "cagolab", "--quiet")
    start("worker", *celery, "worker", "--pool", "threads", "--concurrency", "32", "--loglevel", "WARNING")
    start(
        "beat", *celery, "beat", "--schedule", folder / "beat-schedule", "--pidfile=", "--loglevel", "WARNING"
    )
    start("web", "gunicorn", "cagolab.wsgi", "--bind", f"{LOCALHOST}:{port}")


def _wait_for_web(supervisor: Supervisor, port: int) -> None:
    if not supervisor.wait_until(lambda: _serves_login(port), seconds=WEB_START_SECONDS):
        raise LauncherError("The web server does not answer; its last lines say why.")


def _serves_login(port: int) -> bool:
    connection = http.client.HTTPConnection(LOCALHOST, port, timeout=10)
    try:
        connection.request("GET", "/login/")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _let_the_sandbox_notify(*, port: int, sandbox_port: int) -> None:
    """Name the shop's addresses to the sandbox, as an operator does in each provider's admin screen."""
    for code, (provider, _credentials) in DEMO_ACCOUNTS.items():
        if PROVIDERS[provider].notice_desk:
            target = f"http://{LOCALHOST}:{port}/notify/{provider}/{code}/"
            _wish_for_notifications(sandbox_port, {"provider": provider, "target": target})


def _wish_for_notifications(sandbox_port: int, wish: dict[str, str]) -> None:
    connection = http.client.HTTPConnection(LOCALHOST, sandbox_port, timeout=10)
    try:
        connection.request("POST", "/_notifications", body=json.dumps(wish))
        if connection.getresponse().status != http.client.OK:
            raise LauncherError("The sandbox does not accept the address for notifications.")
    except (OSError, http.client.HTTPException) as error:
        raise LauncherError("The sandbox does not answer; its last lines say why.") from error
    finally:
        connection.close()


def _print_welcome(*, port: int, sandbox_port: int, seconds: float) -> None:
    lines = [
        "",
        f"  CagoLab demo     http://{LOCALHOST}:{port}/        (ready after {seconds:.0f} s)",
        f"  Sandbox          http://{LOCALHOST}:{sandbox_port}/",
        "",
        *(f"  {role:　<5} {name:<8} {password}" for name, password, role in DEMO_USERS),
        "",
        "  Ctrl-C stops everything; the data stays until make demo-reset.",
        "",
    ]
    print("\n".join(lines), flush=True)


def _delete_data(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.name == "lock":
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
