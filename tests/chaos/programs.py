"""Real programs of the product beside a test, on the test's database, broker and sandbox: to be killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from cagolab.celery import app
from cagolab.launcher.embedded import Servers
from cagolab.launcher.environment import demo_environment
from cagolab.launcher.processes import Supervisor
from tests.chaos.__main__ import SETTINGS
from tests.chaos.browser import Browser
from tests.chaos.diary import Diary
from tests.sandbox_server import SandboxHandle
from tests.stack import Stack

WORKER = "worker"
THREADS = 16


class Programs:
    """gunicorn and a Celery worker; each is started when it is first needed."""

    def __init__(self, sandbox: SandboxHandle, folder: Path) -> None:
        self.stack = Stack(Supervisor(), folder, settings=SETTINGS)
        self.stack.sandbox = sandbox
        database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
        servers = Servers(database_url=database.geturl(), redis_url=settings.REDIS_URL)
        self.stack.environment = demo_environment(servers, folder=folder, sandbox_url=sandbox.url) | {
            **SETTINGS,
            "SECRET_KEY": settings.SECRET_KEY,
            "CREDENTIALS_KEY": ",".join(settings.CREDENTIALS_KEYS),
            "WEB_CONCURRENCY": "1",
        }

    def stop(self) -> None:
        """End them all."""
        self.stack.supervisor.stop()

    @property
    def logs(self) -> Sequence[Path]:
        """What they say."""
        return sorted(self.stack.logs.glob("*.log"))

    def browser(self, user: User, diary: Diary) -> Browser:
        """The browser of somebody who has logged in."""
        if "web" not in self.stack.processes:
            self.stack.start_web()
        client = Client()
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        browser = Browser(
            user.username, web_url=self.stack.web_url, sandbox=self.stack.sandbox, seed="", diary=diary
        )
        browser.session.cookies.set(name, client.cookies[name].value)
        browser.get("/")  # the token against forgery
        return browser

    def kill_web(self) -> None:
        """SIGKILL to what answers requests; its master, which does nothing else, starts another one."""
        master = self.stack.processes["web"].pid
        for child in Path(f"/proc/{master}/task/{master}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)

    def ring(self, bell: str, *arguments: str) -> None:
        """Ring for a worker, as beat or a page does."""
        if WORKER not in self.stack.processes:
            self.stack.start_worker(WORKER, threads=THREADS)
        app.send_task(bell, args=arguments)

    def kill_worker(self) -> None:
        """SIGKILL; the next bell starts another one."""
        self.stack.kill(WORKER)
