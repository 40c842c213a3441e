"""Orders of a shop of ten years, in random order of insertion, each with its copy of a payment."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from gateways.vocabulary import MethodKind
from gateways.vocabulary import PaymentStatus as S
from orders import search_text
from orders.models import Order, OrderSearch
from orders.statuses import OrderStatus as O
from tests.bench.lists.names import People

YEARS = 10
# Days in which orders are still worked on; older ones are shipped, cancelled or returned, with few exceptions.
YOUNG_DAYS = 30
CAPTURE_DAYS = 90
_YOUNG = {
    O.NEW: 30,
    O.PAID: 20,
    O.IN_PROGRESS: 15,
    O.SHIPPED: 25,
    O.CANCELLED: 5,
    O.PENDING: 3,
    O.PROCESSING: 2,
}
_OLD = {
    O.SHIPPED: 880,
    O.CANCELLED: 60,
    O.RETURNED: 25,
    O.NEW: 10,
    O.PAID: 10,
    O.IN_PROGRESS: 5,
    O.PENDING: 5,
    O.PROCESSING: 5,
}
# What the payment of an order in this status is, in per mille; cards only, the other kinds follow from them.
_PAYMENT = {
    O.NEW: {S.AUTH: 960, S.CAPTURE: 40},
    O.PAID: {S.CAPTURE: 500, S.SALES: 500},
    O.IN_PROGRESS: {S.AUTH: 800, S.CAPTURE: 200},
    O.SHIPPED: {S.SALES: 900, S.CAPTURE: 98, S.AUTH: 2},
    O.CANCELLED: {S.VOID: 900, S.RETURN: 98, S.AUTH: 2},
    O.RETURNED: {S.RETURN: 800, S.RETURNX: 198, S.SALES: 2},
    O.PENDING: {S.AUTHPROCESS: 700, S.PAYFAIL: 300},
    O.PROCESSING: {S.UNPROCESSED: 900, S.PAYFAIL: 100},
}
_HELD_OR_TAKEN = {S.AUTH, S.CAPTURE, S.SALES}
_TAKEN = {S.CAPTURE, S.SALES, S.RETURN, S.RETURNX}
_KINDS = {MethodKind.CARD: 90, MethodKind.CVS: 6, MethodKind.RAKUTEN: 3, MethodKind.DOCOMO: 1}


def orders(count: int, *, seed: int, now: datetime, methods: dict[str, int]) -> Iterator[dict[str, Any]]:
    """The columns of each order that differ from the model's defaults. `methods`: payment method ids by kind."""
    draw = random.Random(seed)
    people = People(draw)
    seconds = YEARS * 365 * 86_400
    kinds, kind_weights = list(_KINDS), list(_KINDS.values())
    pickers = {age: (list(table), list(table.values())) for age, table in (("young", _YOUNG), ("old", _OLD))}
    paid_with = {status: (list(table), list(table.values())) for status, table in _PAYMENT.items()}
    for pk in range(1, count + 1):
        age = draw.randrange(60, seconds)
        ordered_at = now - timedelta(seconds=age, microseconds=draw.randrange(1_000_000))
        statuses, weights = pickers["young" if age < YOUNG_DAYS * 86_400 else "old"]
        status = draw.choices(statuses, weights)[0]
        choices, weights = paid_with[status]
        payment_status = draw.choices(choices, weights)[0]
        kind = draw.choices(kinds, kind_weights)[0]
        if kind is MethodKind.CVS and payment_status in _HELD_OR_TAKEN:
            payment_status = S.REQSUCCESS if payment_status is S.AUTH else S.PAYSUCCESS
        total = draw.randrange(5, 500) * 100
        differs = payment_status in _HELD_OR_TAKEN and draw.random() < 0.0005
        person = people.one()
        shipped = status in (O.SHIPPED, O.RETURNED)
        yield {
            "id": pk,
            "number": str(pk),
            "status": int(status),
            "ordered_at": ordered_at,
            "paid_at": _paid_at(ordered_at, age, draw) if payment_status in _TAKEN else None,
            "shipped_at": ordered_at + timedelta(days=2) if shipped else None,
            "updated_at": ordered_at + timedelta(seconds=_unchanged_since(age, draw)),
            "name": person.name,
            "kana": person.kana,
            "company": person.company,
            "email": person.email,
            "phone": person.phone,
            "postal_code": f"{draw.randrange(1000):03}-{draw.randrange(10_000):04}",
            "prefecture": "東京都",
            "address": f"千代田区丸の内{draw.randrange(1, 9)}-{draw.randrange(1, 30)}",
            "delivery_name": person.name,
            "delivery_date": (ordered_at + timedelta(days=4)).date() if draw.random() < 0.3 else None,
            "tracking_number": f"{draw.randrange(10**12):012}" if shipped else "",
            "payment_method_id": methods[kind.value],
            "payment_method_name": kind.value,
            "subtotal": total,
            "total": total,
            "payment_total": total,
            "payment_id": pk,
            "payment_provider": "gmopg",
            "payment_kind": kind.value,
            "payment_status": payment_status.value,
            "payment_amount": total + 100 if differs else total,
            "payment_deadline": (
                (ordered_at + timedelta(days=CAPTURE_DAYS)).date() if payment_status is S.AUTH else None
            ),
            "payment_is_open": payment_status is S.AUTH and draw.random() < 0.0005,
        }


def _paid_at(ordered_at: datetime, age: int, draw: random.Random) -> datetime:
    """The next day, but for a few invoices that were paid months later."""
    days = draw.randrange(61, 200) if draw.random() < 0.004 else 1
    return ordered_at + timedelta(days=days if days * 86_400 < age else 1)


def _unchanged_since(age: int, draw: random.Random) -> int:
    """Seconds after the order was made: some days, but for the few that were looked at again at any time."""
    return draw.randrange(age) if draw.random() < 0.03 else min(age - 1, draw.randrange(86_400 * 5))


def copy_columns(model: type[Order] | type[OrderSearch]) -> list[str]:
    """Every column of the table, in the order in which `copy_row` fills them."""
    return [field.attname for field in model._meta.concrete_fields]


def copy_rows(
    found: Iterator[dict[str, Any]],
) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Each order as one row of its table and one of the search table."""
    defaults = {field.attname: field.get_default() for field in Order._meta.concrete_fields}
    columns = copy_columns(Order)
    for values in found:
        row = defaults | values
        text = search_text.text_of(
            **{name: values[name] for name in ("number", "name", "kana", "company", "email", "phone")}
        )
        yield tuple(row[column] for column in columns), (values["id"], values["ordered_at"], text)


def today() -> datetime:
    """The last midnight in UTC: two runs on one day make the same orders."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
