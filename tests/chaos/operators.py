"""Operators at their browsers: seeded, impatient, and often two at one order."""

from __future__ import annotations

import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

import requests

from tests.chaos.browser import Browser, inputs
from tests.chaos.customers import Customer
from tests.chaos.diary import Diary
from tests.sandbox_server import SandboxHandle
from tests.screens.order_pages import form_of

MONEY = ("capture", "cancel", "change_amount", "reauthorize")
STATUSES = ("3", "4", "5", "6", "9", "1")
# 行う操作 names the kind of cancel, in the words of each provider's manual.
_WORDS = re.compile(r"行う操作</dt><dd><strong>(.*?)</strong>")
_CANCELS = {
    "月跨返品": r"→ 月跨返品$",
    "返品": r"→ 返品$|^返品します。|で返金します",
    "取消": r"→ 取消$|^取消します。|を取り消します",
}
_DIFFERENCE = re.compile(r"/payments/differences/(\d+)/adopt/")


class Operator(Browser):
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
        super().__init__(name, web_url=web_url, sandbox=sandbox, seed=seed, diary=diary)
        self.orders = orders
        self.runs: list[str] = []
        # Dialogs that were opened and are still on the screen: (path, body). Midnight may come between.
        self.open_dialogs: list[tuple[str, dict[str, str]]] = []

    def act(self) -> None:
        """One act. A connection that breaks is what an operator sees as an error page: on to the next."""
        acts = (
            (self.move_money, 12),
            (self.leave_a_dialog_open, 2),
            (self.confirm_an_old_dialog, 2),
            (self.inquire, 3),
            (self.run_bulk, 4),
            (self.stop_run, 1),
            (self.retry_run, 1),
            (self.edit_order, 3),
            (self.check_out, 4),
            (self.compare_with_the_provider, 1),
            (self.adopt_a_difference, 1),
            (self.cancel_given_up_orders, 1),
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
        posts = self.dice.choice((1, 1, 2, 2, 3))
        same_key, again = self.dice.random() < 0.5, self.dice.random() < 0.2
        if (dialog := self._dialog()) is None:
            return
        path, values = dialog
        bodies = [values] + [
            values if same_key else {**values, "key": str(uuid.uuid4())} for _ in range(posts - 1)
        ]
        self._confirm(path, bodies, again=again)

    def leave_a_dialog_open(self) -> None:
        """Coffee first."""
        if (dialog := self._dialog()) is not None:
            self.open_dialogs.append(dialog)

    def confirm_an_old_dialog(self) -> None:
        """What was shown may be long untrue: then it must come back instead of being executed."""
        if self.open_dialogs:
            path, values = self.open_dialogs.pop(0)
            self._confirm(path, [values], again=False)

    def _dialog(self) -> tuple[str, dict[str, str]] | None:
        """Open a money dialog; where to confirm it and with what, or None where nothing can be confirmed."""
        _order, payment = self.dice.choice(self.orders)
        action = self.dice.choice(MONEY)
        path = f"/payments/{payment}/{action}/"
        choice = self.dice.choice(({}, {}, {"mode": "as_is"}, {"mode": "change_first"}, {"target": "AUTH"}))
        # SBPS takes the day of a capture or refund from the operator (SB-1); the others have no such field.
        days_ahead, follow = self.dice.choice((None, None, 0, 1, 20, -3)), self.dice.random() < 0.5
        if days_ahead is not None:
            choice = {**choice, "on": (self._today() + timedelta(days=days_ahead)).isoformat()}
        page = self.get(path, params=choice)
        form = inputs(page)
        if "shown" not in form:
            return None
        values = {**choice, "key": form["key"], "shown": form["shown"], "asked": "1", "second": "1"}
        values |= {"on": form["on"]} if "on" in form else {}
        values |= {"follow": "1"} if follow else {}
        if action == "cancel":
            words = _WORDS.search(page.text)
            named = [cancel for cancel, said in _CANCELS.items() if words and re.search(said, words[1])]
            assert len(named) == 1, (page.url, words)
            with self.diary.lock:
                self.diary.cancels_shown[form["key"]] = named[0]
        return path, values

    def _confirm(self, path: str, bodies: list[dict[str, str]], *, again: bool) -> None:
        with self.diary.lock:
            for body in bodies:
                self.diary.confirmed.add(body["key"])
                if shown := self.diary.cancels_shown.get(bodies[0]["key"]):
                    self.diary.cancels_shown[body["key"]] = shown
            self.diary.forms.append((path, dict(bodies[0])))
        with ThreadPoolExecutor(len(bodies)) as pool:
            answers = [pool.submit(self.post, path, body) for body in bodies]
        for answer in answers:
            if answer.exception() is not None and again:
                self.post(path, bodies[0])  # "send again?" says the browser: the same form, the same key
            elif answer.result().status_code == 409:
                self.diary.note("asked again")

    def _today(self) -> date:
        return datetime.fromisoformat(self.sandbox.control("GET", "/_clock")["now"]).date()

    def inquire(self) -> None:
        """決済状態確認・反映."""
        _order, payment = self.dice.choice(self.orders)
        self.post(f"/payments/{payment}/inquire/", {})

    def run_bulk(self) -> None:
        """Tick orders, read the preview, start; others tick the same orders meanwhile."""
        kinds = ("capture", "cancel", "cancel", "capture", "reauthorize", "change_amount", "order_status")
        kind = self.dice.choice(kinds)
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
        if kind != "order_status":
            with self.diary.lock:
                self.diary.runs.append(found[1])
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
        """A customer comes by."""
        seed = f"{self.dice.random()}"
        customer = Customer("", web_url=self.url, sandbox=self.sandbox, seed=seed, diary=self.diary)
        customer.pay_once()

    def compare_with_the_provider(self) -> None:
        """差異確認 now, for one account."""
        account = self.dice.choice(("gmo", "paygent", "sbps"))
        self.post("/payments/differences/start/", {"account": account})

    def adopt_a_difference(self) -> None:
        """反映 of something in 差異一覧."""
        found = _DIFFERENCE.findall(self.get("/payments/differences/").text)
        if found:
            path = f"/payments/differences/{self.dice.choice(found)}/adopt/"
            self.post(path, {"reason": "決済代行会社の画面で確認した"})

    def cancel_given_up_orders(self) -> None:
        """決済処理中の注文の取消, by the button."""
        form = inputs(self.get("/payments/stale-orders/"))
        if "until" in form:
            self.post("/payments/stale-orders/start/", {"until": form["until"]})

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
            "/payments/differences/",
            "/payments/notifications/",
        ):
            self.get(path)
