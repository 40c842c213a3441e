"""Customers at the checkout of all three accounts: nervous double clicks, bad cards, carts left behind."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.chaos.browser import Browser, inputs
from tests.sandbox_server import GOOD_CARD

# The sandbox refuses this one for lack of money.
BAD_CARD = "4999000000000002"
_METHOD = re.compile(r'<option value="(\d+)"[^>]*>カード払い\((\w+)\)</option>')


class Customer(Browser):
    """Somebody without a login."""

    def pay_once(self) -> None:
        """One visit: cart, card page, token, and one or two clicks."""
        number = self.dice.choice((GOOD_CARD, GOOD_CARD, GOOD_CARD, BAD_CARD))
        pay = self.to_the_card_page(number)
        if pay is None:
            return
        if self.dice.random() < 0.15:
            self.post("/checkout/back/", {})
            return
        with self.diary.lock:
            self.diary.confirmed.add(pay["key"])
        with ThreadPoolExecutor(2) as pool:
            answers = [pool.submit(self.post, "/checkout/pay/", pay) for _ in range(self.dice.choice((1, 2)))]
        for answer in answers:
            answer.result()

    def to_the_card_page(self, number: str, *, account: str | None = None) -> dict[str, str] | None:
        """With a full cart, to pay at an account; what the page's button sends to /checkout/pay/."""
        cart = self.get("/checkout/")
        quantities = re.findall(r'name="(quantity_\d+)"', cart.text)
        methods = _METHOD.findall(cart.text)
        assert quantities, cart.url
        assert len(methods) == 3, methods
        method, account = self.dice.choice([each for each in methods if account in (None, each[1])])
        body: dict[str, Any] = dict.fromkeys(quantities, "0") | {
            self.dice.choice(quantities): "2",
            "method": method,
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
            return None
        provider = {"gmo": "gmopg"}.get(account, account)
        return {
            "key": card["key"],
            "order": card.get("order", ""),
            "token": self.sandbox.token(number, provider=provider),
            "installments": "1",
        }
