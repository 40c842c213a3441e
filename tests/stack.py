"""The whole product as real processes, for what no test inside one process can show: chaos and benches.

PostgreSQL, Valkey, the sandbox, web and worker processes run from one temporary folder on free ports; what they
say goes to files there. The process that starts them becomes a client of the same database.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import django
import redis
import requests

from cagolab.launcher.embedded import Servers, start_postgres, start_valkey
from cagolab.launcher.environment import demo_environment
from cagolab.launcher.errors import LauncherError
from cagolab.launcher.ports import LOCALHOST, free_port, is_listening
from cagolab.launcher.processes import Supervisor
from tests.sandbox_server import SandboxHandle

REPOSITORY = Path(__file__).resolve().parent.parent
START_SECONDS = 60.0


class Stack:
    """Starts, kills and restarts the processes. `logs` has one file per program; `settings` are variables besides
    those of a demo."""

    def __init__(
        self, supervisor: Supervisor, folder: Path, *, settings: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.supervisor = supervisor
        self.folder = folder
        self.logs = folder / "logs"
        self.logs.mkdir()
        self.processes: dict[str, subprocess.Popen[str]] = {}
        self.web_port = free_port()
        self.web_url = f"http://{LOCALHOST}:{self.web_port}"
        self.settings = settings
        self.environment: dict[str, str] = {}

    def start_servers(self) -> None:
        """Sandbox, PostgreSQL and Valkey, the tables, and Django in this process."""
        self.sandbox_port = free_port()
        self.start_sandbox()
        url = f"http://{LOCALHOST}:{self.sandbox_port}"
        self.sandbox = SandboxHandle(self.processes["sandbox"], url, self.folder / "sandbox")
        servers = Servers(
            database_url=start_postgres(self.supervisor, self.folder / "postgres", durable=True),
            redis_url=start_valkey(self.supervisor, self.folder),
        )
        self.redis = redis.Redis.from_url(servers.redis_url)
        self.environment = demo_environment(servers, folder=self.folder, sandbox_url=url) | dict(
            self.settings
        )
        self.supervisor.run(
            "migrate",
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            environment=self.environment,
            folder=REPOSITORY,
        )
        os.environ.update(self.environment, DJANGO_SETTINGS_MODULE="cagolab.settings")
        django.setup()

    def start_sandbox(self) -> None:
        """The providers, with what they know from before."""
        port = self.sandbox_port
        self._start(
            "sandbox", ["-m", "gateways.sandbox", "--port", str(port), "--data-dir", self.folder / "sandbox"]
        )
        self._wait(lambda: is_listening(port), "the sandbox")

    def start_worker(self, name: str, *, threads: int) -> None:
        """One Celery process."""
        command = ["-m", "celery", "-A", "cagolab", "--quiet", "worker", "--pool", "threads"]
        self._start(
            name, [*command, "--concurrency", str(threads), "--loglevel", "WARNING", "-n", f"{name}@%h"]
        )

    def start_web(self, *, wait: bool = True) -> None:
        """gunicorn as in production; returns when it answers, or at once."""
        self._start("web", ["-m", "gunicorn", "--bind", f"{LOCALHOST}:{self.web_port}"])
        if wait:
            self._wait(self._serves_login, "the web server")

    def kill(self, name: str) -> None:
        """SIGKILL to the program and its children: nothing is cleaned up."""
        process = self.processes.pop(name)
        self.supervisor.forget(process)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def restart_postgres(self, *, crash: bool) -> None:
        """Stop PostgreSQL under everybody's feet ("fast", or at once as in a crash) and start it again."""
        process = self.supervisor.named("postgres")
        self.supervisor.forget(process)
        process.send_signal(signal.SIGQUIT if crash else signal.SIGINT)
        process.wait()
        start_postgres(self.supervisor, self.folder / "postgres", durable=True)

    def cpu_seconds(self, *names: str) -> float:
        """User and system time of programs so far."""
        ticks = 0
        for name in names:
            fields = Path(f"/proc/{self.processes[name].pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def _start(self, name: str, arguments: list[str | Path]) -> None:
        self.processes[name] = self.supervisor.start(
            name,
            [sys.executable, *arguments],
            environment=self.environment or None,
            folder=REPOSITORY,
            log=self.logs / f"{name}.log",
        )

    def _wait(self, happened: Callable[[], bool], what: str) -> None:
        if not self.supervisor.wait_until(happened, seconds=START_SECONDS):
            raise LauncherError(f"{what} does not answer; {self.logs} says why")

    def _serves_login(self) -> bool:
        try:
            return requests.get(f"{self.web_url}/login/", timeout=10).ok
        except requests.RequestException:
            return False
