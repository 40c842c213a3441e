"""Paygent's room: which path takes which telegram, and what its own admin screen (ペイジェントオンライン) may do.

Credentials: merchant_id 100000001, connect_id sandbox, connect_password sandboxpass, hash key sandboxhashkey01. Where the provider's codes
are not public, the sandbox has its own: 2101 no such payment, 2102 several, 2201 wrong state, 2202 too late,
2301 not a decrease, 2311 bad token, 2401 no such card, P001 credentials, P002 a field, P003 unknown telegram.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from gateways.sandbox.messages import NOT_FOUND, Answer, Request
from gateways.sandbox.paygent import (
    changes,
    charge,
    fields,
    inquiry,
    notices,
    payments,
    rules,
    stored_cards,
    tokens,
)
from gateways.sandbox.paygent.desk import NAME, SETTINGS, Desk, Handler
from gateways.sandbox.paygent.notifications import Notifier
from gateways.sandbox.paygent.payments import Payment
from gateways.sandbox.paygent.wire import Parameters, Refused, read_form, write_error, write_fields
from gateways.sandbox.rooms import AdminRefused, House, Visit

CARD_PATH, NOTICE_PATH, INQUIRY_PATH = "n/card/request", "n/ref/paynotice", "n/ref/paymentref"
CALLS: Mapping[str, tuple[str, Handler]] = {
    "020": (CARD_PATH, charge.authorize),
    "021": (CARD_PATH, changes.change_state),
    "022": (CARD_PATH, changes.change_state),
    "023": (CARD_PATH, changes.change_state),
    "025": (CARD_PATH, stored_cards.store),
    "026": (CARD_PATH, stored_cards.delete),
    "028": (CARD_PATH, changes.correct_amount),
    "029": (CARD_PATH, changes.correct_amount),
    "091": (NOTICE_PATH, notices.next_notice),
    "094": (INQUIRY_PATH, inquiry.inquire),
}
LISTINGS: Mapping[str, tuple[str, Callable[[Desk, Parameters], Answer]]] = {
    "027": (CARD_PATH, stored_cards.listing),
}
PATHS = frozenset({CARD_PATH, NOTICE_PATH, INQUIRY_PATH})
LISTED_PAYMENTS = 1000
CARD_DETAIL = re.compile(r"\d[A-Z]\d\d")


class PaygentRoom:
    """Serves `/paygent/n/...` and the token endpoint."""

    name = NAME
    prefix = "/paygent/"

    def __init__(self, house: House) -> None:
        self._house = house
        house.settings.declare(SETTINGS)
        for module in (payments, tokens, stored_cards, notices):
            house.storage.add_schema(module.SCHEMA)
        self.notifier = Notifier(house.storage)

    def receive(self, request: Request) -> Visit:
        """Telegrams can be faulty and slow; the browser's requests cannot."""
        desk = Desk(self._house)
        path = request.path.removeprefix(self.prefix)
        if path in PATHS and request.method == "POST":
            return self._telegram(desk, path, read_form(request.body))
        if path == "token" and request.method == "OPTIONS":
            return Visit(None, lambda: tokens.PREFLIGHT)
        if path == "token" and request.method == "POST":
            return Visit(None, partial(tokens.token_answer, desk, request))
        return Visit(None, lambda: NOT_FOUND)

    def _telegram(self, desk: Desk, path: str, parameters: Parameters) -> Visit:
        return Visit(
            parameters.get("telegram_kind", ""),
            partial(self._execute, desk, path, parameters),
            partial(_order_of, desk, parameters),
            _refuse,
        )

    def _execute(self, desk: Desk, path: str, parameters: Parameters) -> Answer:
        with self._house.storage.transaction():
            payments.age(desk)
            try:
                answer = _answer(desk, path, parameters)
            except Refused as refused:
                answer = write_error(refused.code, refused.detail)
            self.notifier.queue_new()
            return answer

    def trades(self, order_id: str | None) -> list[dict[str, object]]:
        """The newest thousand, or those of one trading_id."""
        with self._house.storage.transaction():
            payments.age(Desk(self._house))
            self.notifier.queue_new()
        rows = self._house.storage.rows(
            "SELECT * FROM paygent_payments WHERE (?1 IS NULL OR trading_id = ?1)"
            " ORDER BY payment_id DESC LIMIT ?2",
            order_id, LISTED_PAYMENTS,
        )  # fmt: skip
        return [_shown(Payment(*row)) for row in rows]

    def change_behind_the_back(self, order_id: str, wish: Mapping[str, Any]) -> dict[str, object]:
        """`order_id` is a trading_id (its newest payment) or a payment_id.

        `action` (SALES, VOID, RETURN) goes through the same rules as 022, 021, 023; `status` (payment_status)
        and `amount` overwrite.
        """
        desk = Desk(self._house)
        with self._house.storage.transaction():
            payments.age(desk)
            try:
                found = payments.by_trading_id(desk, order_id)
                payment = found[-1] if found else payments.by_id(desk, order_id)
                _change(desk, payment, wish)
            except Refused as refused:
                raise AdminRefused(str(refused)) from refused
            self.notifier.queue_new()
            return _shown(payments.by_id(desk, str(payment.payment_id)))

    def reset(self) -> None:
        """All state is in the storage, but for the address that is notified."""
        self.notifier.reset()


def _answer(desk: Desk, path: str, parameters: Parameters) -> Answer:
    kind = parameters.get("telegram_kind", "")
    if kind in LISTINGS:
        right_path, listing = LISTINGS[kind]
        _check(path, right_path, parameters)
        return listing(desk, parameters)
    if kind not in CALLS:
        raise Refused(fields.UNKNOWN_KIND)
    right_path, handler = CALLS[kind]
    _check(path, right_path, parameters)
    return write_fields(handler(desk, parameters))


def _check(path: str, right_path: str, parameters: Parameters) -> None:
    if path != right_path:
        raise Refused(fields.WRONG_PATH)
    fields.check_header(parameters)


def _refuse(code: str) -> Answer:
    """A fault's code: a card detail such as 1G12 comes under the code of declined cards."""
    return write_error(charge.DECLINED, code) if CARD_DETAIL.fullmatch(code) else write_error(code)


def _order_of(desk: Desk, parameters: Parameters) -> str | None:
    if trading_id := parameters.get("trading_id"):
        return trading_id
    try:
        return payments.by_id(desk, parameters.get("payment_id", "")).trading_id
    except Refused:
        return None


def _change(desk: Desk, payment: Payment, wish: Mapping[str, Any]) -> None:
    if action := wish.get("action"):
        kind = rules.ADMIN_ACTIONS.get(str(action))
        if kind is None:
            raise AdminRefused(f"action must be one of {', '.join(rules.ADMIN_ACTIONS)}")
        changes.execute(desk, payment, kind, source="admin")
        return
    if "status" not in wish and "amount" not in wish:
        raise AdminRefused("expected action, status or amount")
    payments.move(
        desk, payment, str(wish.get("status", payment.status)), amount=int(wish.get("amount", payment.amount))
    )


def _shown(payment: Payment) -> dict[str, object]:
    return {
        "provider": NAME,
        "order_id": payment.trading_id,
        "payment_id": str(payment.payment_id),
        "status": payment.status,
        "amount": payment.amount,
        "card": payment.known_card.masked,
        "payment_class": payment.payment_class,
        "split_count": payment.split_count,
        "init_date": payment.init_date,
        "authorized_date": payment.authorized_date,
        "payment_date": payment.payment_date,
        "cancel_date": payment.cancel_date,
    }
