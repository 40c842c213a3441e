"""The administrator who closes what no inquiry can tell, by what the provider's own screen shows."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import requests
from django.db import Error as DatabaseError
from django.db import connection

from payments import undecided
from payments.models import Payment
from tests.chaos.browser import Browser

# How the page names the trade that is looked for, in its last sentence.
_LOOKED_FOR = re.compile(r"「([^」]+)」の取引が管理画面にない")
# What the provider's own screen calls its number of a trade.
_NUMBERS = ("tracking_id", "payment_id")


class Administrator(Browser):
    """Looks at the provider's screen and says what is there: honestly, but sometimes twice, or with a slip."""

    def decide(self) -> None:
        """One that waits, if there is one; a server that is away now is tried the next time."""
        try:
            waiting = list(undecided.waiting().values_list("pk", flat=True))
            if waiting:
                self._decide(self.dice.choice(waiting))
        except (DatabaseError, requests.RequestException):
            connection.close()

    def _decide(self, operation_id: int) -> None:
        path = f"/payments/undecided/{operation_id}/"
        page = self.get(path)
        name = _LOOKED_FOR.search(page.text)
        if name is None:
            return  # somebody else was quicker
        if self.dice.random() < 0.2:
            self._slip(path)
        body = self._what_is_there(name[1])
        posts = self.dice.choice((1, 1, 2))
        with ThreadPoolExecutor(posts) as pool:
            answers = [pool.submit(self.post, path, body) for _ in range(posts)]
        for answer in answers:
            answer.result()
        self.diary.note(f"said {body['outcome']}")

    def _what_is_there(self, name: str) -> dict[str, str]:
        for trade in self.sandbox.trades(name):
            number = next((str(trade[key]) for key in _NUMBERS if trade.get(key)), None)
            if number is not None:
                return {"outcome": "present", "trade_id": number, "compared": "1"}
        return {"outcome": "absent", "reason": "管理画面を検索し、0件", "looked": "1"}

    def _slip(self, path: str) -> None:
        """The number of another order's payment: it must be refused."""
        known = Payment.objects.exclude(references__tracking_id=None).order_by("pk").first()
        if known is None:
            return
        number = str(known.references["tracking_id"])
        answer = self.post(path, {"outcome": "present", "trade_id": number, "compared": "1"})
        refused = "まだ何も変えていません" in answer.text or "何も変えていません" in answer.text
        self.diary.note("slip refused" if refused else "slip too late")
