"""No card number, password, token or access pass in database, log, pages or files (invariant 11)."""

from __future__ import annotations

import logging
import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from cagolab import clock
from gateways.vocabulary import Action
from orders.bulk.models import BulkRun
from payments import credentials, inquiry
from payments.models import Payment
from tests.gateway_world import OPERATOR, World
from tests.security.office import client_of, make_user

CARDS = ("4111111111111111", "4999000000000002")
PASSWORDS = ("shoppass01", "sitepass01")
# One UUID in some ten thousand happens to look like a card number with hyphens.
_UUIDS = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
# Not a longer number's part: transaction ids have 28 digits.
_DIGITS = re.compile(r"(?<![0-9a-zA-Z])\d(?:[ -]?\d){12,18}(?![0-9a-zA-Z])")
# First digits of the card brands that shops in Japan take, with the lengths of their numbers.
_BRANDS = re.compile(r"(4\d{12}|4\d{15}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|35\d{14}|3[068]\d{12})")


def card_numbers(text: str) -> list[str]:
    """What looks like a whole card number: a brand's digits and a right check digit."""
    found = [re.sub(r"[ -]", "", match) for match in _DIGITS.findall(_UUIDS.sub("", text))]
    return [number for number in found if _BRANDS.fullmatch(number) and passes_luhn(number)]


def passes_luhn(number: str) -> bool:
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(number))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def everything_stored() -> dict[str, str]:
    """Every row of every table as text, by table."""
    with connection.cursor() as cursor:
        stored = {}
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT coalesce(string_agg(t::text, E'\\n'), '') FROM \"{table}\" AS t")
            stored[table] = cursor.fetchone()[0]
        return stored


def pages(client: Client, payments: list[Payment], run: BulkRun) -> dict[str, str]:
    """What operators see of what was done, pages and files."""
    paths = ["/", "/orders/", "/payments/", "/payments/accounts/", "/bulk/", f"/bulk/{run.pk}/"]
    paths += [f"/bulk/{run.pk}/result.csv", "/audit/", "/audit/?tab=money", "/audit/?tab=office", "/users/"]
    for payment in payments:
        paths.append(reverse("orders:edit", args=[payment.order_id]))
        paths.append(reverse("payments:log", args=[payment.pk]))
    shown = {}
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200, path
        shown[path] = b"".join(iter(answer)).decode()
    return shown


def days_work(world: World) -> list[Payment]:
    """Sell, be declined, capture, cancel, lose an answer, ask."""
    captured, cancelled, lost = world.held(), world.held(), world.held()
    world.authorize(world.order(), card=CARDS[1])
    world.done(captured, Action.CAPTURE)
    world.done(cancelled, Action.CANCEL)
    world.sandbox.post_fault("lost_answer", call="AlterTran", times=1)
    world.do(lost, Action.CAPTURE)
    inquiry.inquire_now(payment_id=lost.pk, by=OPERATOR, now=clock.now())
    return list(Payment.objects.all())


def test_after_a_days_work_nothing_secret_is_found_anywhere(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    tokens: list[str] = []
    real = world.sandbox.token

    def noted(card: str, **options: Any) -> str:
        tokens.append(real(card, **options))
        return tokens[-1]

    monkeypatch.setattr(world.sandbox, "token", noted)
    made = days_work(world)
    admin = client_of(make_user("admin", "管理者"))
    form = {"kind": "cancel", "scope": "page", "order": [payment.order_id for payment in made]}
    admin.post("/bulk/preview/", form)
    run = BulkRun.objects.get()
    # Somebody types a card number where it does not belong, and a wrong password.
    Client().post("/login/", {"username": CARDS[0], "password": PASSWORDS[0]})
    passes = [
        value for payment in made for value in credentials.unseal(payment.sealed_secrets).values() if value
    ]
    assert passes
    assert tokens
    places = everything_stored() | pages(admin, made, run) | {"log": caplog.text}
    for place, text in places.items():
        assert card_numbers(text) == [], place
        for secret in (*CARDS, *PASSWORDS, *tokens, *passes):
            assert secret not in text, place


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("card 4111 1111 1111 1111.", ["4111111111111111"]),
        ("4111-1111-1111-1111", ["4111111111111111"]),
        ("*************111", []),
        ("2611301111111111111111111804", []),
        ("4111111111111112", []),
        (str(uuid.UUID(int=4111111111111111)), []),
        ("26227155-5803-4887-a3c1-9d4e00b17f52", []),
    ],
)
def test_the_detector_knows_a_card_number_when_it_sees_one(text: str, found: list[str]) -> None:
    assert card_numbers(text) == found
