"""A browser of the storm: a session, forms with their tokens, and a look at every page for what must not be there."""

from __future__ import annotations

import random
import re
from html import unescape
from typing import Any

import requests

from tests.chaos.diary import Diary
from tests.chaos.evidence import secret_in
from tests.chaos.shop import PASSWORD
from tests.sandbox_server import SandboxHandle

PAGE_SECONDS = 60.0
_INPUT = re.compile(r"<input[^>]*>")
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')


class Browser:
    """One person's browser. `name` is the login, empty for somebody without one."""

    # Answers that say "you may not", which nobody of the office gets on the ways that they go.
    unexpected: tuple[int, ...] = (403, 404)

    def __init__(self, name: str, *, web_url: str, sandbox: SandboxHandle, seed: str, diary: Diary) -> None:
        self.name = name
        self.url = web_url
        self.sandbox = sandbox
        self.dice = random.Random(seed)
        self.diary = diary
        self.session = requests.Session()

    def log_in(self) -> None:
        """Through the login page, as everybody."""
        self.get("/login/")
        answer = self.post("/login/", {"username": self.name, "password": PASSWORD})
        assert answer.ok, answer.status_code

    def get(self, path: str, **arguments: Any) -> requests.Response:
        """A page."""
        return self._noted(path, self.session.get(f"{self.url}{path}", timeout=PAGE_SECONDS, **arguments))

    def post(self, path: str, body: dict[str, Any], **arguments: Any) -> requests.Response:
        """A form with its token against forgery."""
        token = self.session.cookies.get("csrftoken", "")
        return self._noted(
            path,
            self.session.post(
                f"{self.url}{path}",
                data=body | {"csrfmiddlewaretoken": token},
                headers={"Referer": f"{self.url}{path}"},
                timeout=PAGE_SECONDS,
                **arguments,
            ),
        )

    def _noted(self, path: str, answer: requests.Response) -> requests.Response:
        self.diary.note(f"http {answer.status_code // 100}xx")
        if found := secret_in(self.diary.secrets, answer.text):
            self.diary.trouble(11, f"{found[:4]}… on the page {path}")
        if answer.status_code >= 500:
            answer.raise_for_status()
        if answer.status_code in self.unexpected:
            self.diary.trouble(0, f"{answer.status_code} for {path}, asked by {self.name or 'a customer'}")
        return answer


def inputs(answer: requests.Response) -> dict[str, str]:
    """Name and value of the page's input fields, the last of a name."""
    found: dict[str, str] = {}
    for tag in _INPUT.findall(answer.text):
        attributes = dict(_ATTRIBUTE.findall(tag))
        if "name" in attributes and attributes.get("type") not in ("radio", "checkbox"):
            found[attributes["name"]] = unescape(attributes.get("value", ""))
    return found
