"""People without the money permission who send what they have seen others send (invariant 12)."""

from __future__ import annotations

import uuid
from typing import Any

import requests

from tests.chaos.browser import Browser

# Crafted requests besides those copied from operators: {payment} and {run} are real ones.
_CRAFTED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/bulk/preview/", {"kind": "capture", "scope": "all", "back": "/orders/"}),
    ("/bulk/preview/", {"kind": "cancel", "scope": "page", "order": "1", "back": "/orders/"}),
    ("/bulk/{run}/choose/", {"target": "CAPTURE"}),
    ("/bulk/{run}/start/", {"confirmed": "on"}),
    ("/bulk/{run}/stop/", {}),
    ("/bulk/{run}/retry/", {}),
    ("/payments/{payment}/inquire/", {}),
    ("/payments/{payment}/cancel/", {"key": "{key}", "shown": "cancel:VOID:VOID:1000"}),
    ("/payments/differences/start/", {"account": "gmo"}),
    ("/payments/stale-orders/start/", {"until": "2026-11-30T00:00:00+00:00"}),
    ("/payments/stale-orders/adopt/{payment}/", {}),
    ("/payments/undecided/{payment}/", {"outcome": "absent", "reason": "0件", "looked": "1"}),
)


class Intruder(Browser):
    """A colleague of a lesser role, or with an empty name nobody's; every request must be refused."""

    unexpected = ()

    def act(self, payments: list[int]) -> None:
        """Send one thing that is not theirs to send."""
        with self.diary.lock:
            forms, runs = list(self.diary.forms[-40:]), list(self.diary.runs[-10:])
        path, body = self.dice.choice(_CRAFTED)
        if forms and self.dice.random() < 0.5:
            path, body = self.dice.choice(forms)
            body = dict(body)
            if self.dice.random() < 0.5:
                body["key"] = str(uuid.uuid4())
                with self.diary.lock:
                    self.diary.stolen.add(body["key"])
        elif "{run}" in path and not runs:
            return
        key = str(uuid.uuid4())
        values = {"payment": self.dice.choice(payments), "run": self.dice.choice(runs or [""]), "key": key}
        if "{key}" in body.values():
            self.diary.stolen.add(key)
            body = body | {"key": key}
        try:
            answer = self.post(path.format(**values), body, allow_redirects=False)
        except requests.RequestException:
            self.diary.note("broken connection")
            return
        refused = (
            answer.status_code == 403
            # Somebody else's run is not even there.
            or (answer.status_code == 404 and path.startswith("/bulk/{run}"))
            or (not self.name and answer.headers.get("Location", "").startswith("/login/"))
        )
        self.diary.note("crafted request refused" if refused else "crafted request taken")
        if not refused:
            who = self.name or "nobody"
            self.diary.trouble(12, f"{answer.status_code} instead of a refusal for {path}, sent by {who}")
