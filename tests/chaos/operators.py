"""Operators and customers at their browsers: seeded, impatient, and often two at one order."""

from __future__ import annotations

import random
import re
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import requests

from tests.chaos.shop import PASSWORD
from tests.sandbox_server import GOOD_CARD, SandboxHandle
from tests.screens.order_pages import form_of

PAGE_SECONDS = 60.0
# The sandbox refuses this one for lack of money.
BAD_CARD = "4999000000000002"
_INPUT = re.compile(r"<input[^>]*>")
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')
MONEY = ("capture", "cancel", "change_amount", "reauthorize")
STATUSES = ("3", "4", "5", "6", "9", "1")


@dataclass
class Diary:
    """What the operators asked for, counted across threads."""

    confirmed: set[str] = field(default_factory=set)
    done: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str) -> None:
        """Count one act."""
        with self.lock:
            self.done[what] += 1


class Operator:
    """One person with a session; `act` does the next thing that comes to mind.

    Orders with an even id are left alone by hand, so that their 対応状況 moves through money actions only.
    """

    def __init__(
        self,
        name: str,
        *,
        web_url: str,
        sandbox: SandboxHandle,
        seed: str,
        diary: Diary,
        orders: list[tuple[int, int]],
    ) -> None:
        self.name = name
        self.url = web_url
        self.sandbox = sandbox
        self.dice = random.Random(seed)
        self.diary = diary
        self.orders = orders
        self.session = requests.Session()
        self.runs: list[str] = []

    def log_in(self) -> None:
        """Through the login page, as everybody."""
        self.get("/login/")
        answer = self.post("/login/", {"username": self.name, "password": PASSWORD})
        assert answer.ok, answer.status_code

    def act(self) -> None:
        """One act. A connection that breaks is what an operator sees as an error page: on to the next."""
        acts = (
            (self.move_money, 12),
            (self.inquire, 3),
            (self.run_bulk, 4),
            (self.stop_run, 1),
            (self.retry_run, 1),
            (self.edit_order, 3),
            (self.check_out, 3),
            (self.look, 1),
        )
        act = self.dice.choices([act for act, _ in acts], [weight for _, weight in acts])[0]
        try:
            act()
            self.diary.note(act.__name__)
        except requests.RequestException:
            self.diary.note("broken connection")
            time.sleep(0.5)

    def move_money(self) -> None:
        """Open the dialog, confirm it: once, twice with one key, or twice with two keys, at the same time."""
        _order, payment = self.dice.choice(self.orders)
        path = f"/payments/{payment}/{self.dice.choice(MONEY)}/"
        choice = self.dice.choice(({}, {}, {"mode": "as_is"}, {"mode": "change_first"}, {"target": "AUTH"}))
        posts = self.dice.choice((1, 1, 2, 2, 3))
        follow = self.dice.random() < 0.5
        same_key = self.dice.random() < 0.5
        again = self.dice.random() < 0.2
        form = inputs(self.get(path, params=choice))
        if "shown" not in form:
            return
        values = {**choice, "key": form["key"], "shown": form["shown"], "asked": "1", "second": "1"}
        if follow:
            values["follow"] = "1"
        bodies = [values] + [
            values if same_key else {**values, "key": str(uuid.uuid4())} for _ in range(posts - 1)
        ]
        with self.diary.lock:
            self.diary.confirmed.update(body["key"] for body in bodies)
        with ThreadPoolExecutor(posts) as pool:
            answers = [pool.submit(self.post, path, body) for body in bodies]
        for answer in answers:
            if answer.exception() is not None and again:
                self.post(path, values)  # "send again?" says the browser: the same form, the same key
            else:
                answer.result()

    def inquire(self) -> None:
        """決済状態確認・反映."""
        _order, payment = self.dice.choice(self.orders)
        self.post(f"/payments/{payment}/inquire/", {})

    def run_bulk(self) -> None:
        """Tick orders, read the preview, start; others tick the same orders meanwhile."""
        kind = self.dice.choice(("capture", "cancel", "cancel", "capture", "reauthorize", "order_status"))
        chosen = self.dice.sample(self.orders, self.dice.randint(2, 25))
        to = self.dice.choice(STATUSES)
        posts = self.dice.choice((1, 2))
        if kind == "order_status":
            chosen = [pair for pair in chosen if pair[0] % 2]
        body: dict[str, Any] = {"kind": kind, "scope": "page", "order": [order for order, _ in chosen]}
        answer = self.post("/bulk/preview/", body | {"to": to, "back": "/orders/"})
        found = re.search(r"/bulk/([0-9a-f-]{36})/start/", answer.text)
        if not found:
            return
        start: dict[str, Any] = {"confirmed": "on"} | ({"follow": "on"} if self.dice.random() < 0.5 else {})
        path = f"/bulk/{found[1]}/start/"
        self.runs.append(found[1])
        with ThreadPoolExecutor(posts) as pool:
            answers = [pool.submit(self.post, path, start) for _ in range(posts)]
        for started in answers:
            started.result()

    def stop_run(self) -> None:
        """The brake."""
        if self.runs:
            self.post(f"/bulk/{self.runs[-1]}/stop/", {})

    def retry_run(self) -> None:
        """Again what failed: a new preview, started."""
        if not self.runs:
            return
        answer = self.post(f"/bulk/{self.dice.choice(self.runs)}/retry/", {})
        found = re.search(r"/bulk/([0-9a-f-]{36})/start/", answer.text)
        if found:
            self.runs.append(found[1])
            self.post(f"/bulk/{found[1]}/start/", {"confirmed": "on"})

    def edit_order(self) -> None:
        """Save an order with another quantity or 対応状況; two editors meet here too."""
        orders = [order for order, _ in self.orders if order % 2]
        path = f"/orders/{self.dice.choice(orders)}/"
        quantity, status = str(self.dice.randint(1, 5)), self.dice.choice((None, None, *STATUSES))
        form = form_of(self.get(path))
        if "version" not in form:
            return
        lines = [key for key in form if key.endswith("-quantity")]
        if lines:
            form[lines[0]] = [quantity]
        if status is not None and "status" in form:
            form["status"] = [status]
        self.post(path, form)

    def check_out(self) -> None:
        """A customer without a login: cart, card page, token, and a nervous double click."""
        customer = Operator(
            "customer",
            web_url=self.url,
            sandbox=self.sandbox,
            seed=f"{self.dice.random()}",
            diary=self.diary,
            orders=[],
        )
        customer.pay_once()

    def pay_once(self) -> None:
        """One visit to the checkout."""
        cart = self.get("/checkout/")
        quantities = re.findall(r'name="(quantity_\d+)"', cart.text)
        assert quantities, cart.url
        body: dict[str, Any] = dict.fromkeys(quantities, "0") | {
            self.dice.choice(quantities): "2",
            "name": "嵐 太郎",
            "kana": "アラシ タロウ",
            "email": "taro@example.jp",
            "phone": "0312345678",
            "postal_code": "1000001",
            "prefecture": "東京都",
            "address": "千代田区千代田1-1",
        }
        card = inputs(self.post("/checkout/", body))
        if "key" not in card:
            return
        number = self.dice.choice((GOOD_CARD, GOOD_CARD, GOOD_CARD, BAD_CARD))
        pay = {
            "key": card["key"],
            "order": card.get("order", ""),
            "token": self.sandbox.token(number),
            "installments": "1",
        }
        with ThreadPoolExecutor(2) as pool:
            answers = [pool.submit(self.post, "/checkout/pay/", pay) for _ in range(self.dice.choice((1, 2)))]
        for answer in answers:
            answer.result()

    def look(self) -> None:
        """Lists and pages while all this goes on."""
        order, payment = self.dice.choice(self.orders)
        for path in (
            "/",
            "/orders/",
            "/payments/",
            f"/orders/{order}/",
            f"/payments/{payment}/log/",
            "/bulk/",
        ):
            self.get(path)

    def get(self, path: str, **arguments: Any) -> requests.Response:
        """A page."""
        return self._noted(path, self.session.get(f"{self.url}{path}", timeout=PAGE_SECONDS, **arguments))

    def post(self, path: str, body: dict[str, Any]) -> requests.Response:
        """A form with its token against forgery."""
        token = self.session.cookies.get("csrftoken", "")
        return self._noted(
            path,
            self.session.post(
                f"{self.url}{path}",
                data=body | {"csrfmiddlewaretoken": token},
                headers={"Referer": f"{self.url}{path}"},
                timeout=PAGE_SECONDS,
            ),
        )

    def _noted(self, path: str, answer: requests.Response) -> requests.Response:
        self.diary.note(f"http {answer.status_code // 100}xx")
        if answer.status_code >= 500:
            answer.raise_for_status()
        if answer.status_code in (403, 404):
            with self.diary.lock:
                self.diary.troubles.append(f"{answer.status_code} for {path}")
        return answer


def inputs(answer: requests.Response) -> dict[str, str]:
    """Name and value of the page's input fields, the last of a name."""
    found: dict[str, str] = {}
    for tag in _INPUT.findall(answer.text):
        attributes = dict(_ATTRIBUTE.findall(tag))
        if "name" in attributes and attributes.get("type") not in ("radio", "checkbox"):
            found[attributes["name"]] = unescape(attributes.get("value", ""))
    return found
