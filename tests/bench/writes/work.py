"""The writes themselves, in a process of their own on one database; every one of them is committed.

Run by `tests.bench.writes` with the product's environment; prints the figures as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cagolab.settings")
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.db import connection  # noqa: E402

from cagolab import clock  # noqa: E402
from cagolab.warm_up import keep_what_is_loaded  # noqa: E402
from gateways.outcomes import Approved, Trade  # noqa: E402
from gateways.vocabulary import Action, MethodKind, PaymentStatus  # noqa: E402
from orders import checkout, editing  # noqa: E402
from orders.history import Author  # noqa: E402
from orders.models import Order, OrderLine, PaymentMethod, Product  # noqa: E402
from orders.order_data import LineData, OrderData  # noqa: E402
from orders.statuses import OrderStatus  # noqa: E402
from payments import facts, operations, settlement  # noqa: E402
from payments.actors import By  # noqa: E402
from payments.decisions import decide  # noqa: E402
from payments.models import Operation, Payment  # noqa: E402
from payments.permits import Permit  # noqa: E402
from tests.bench.lists.names import People  # noqa: E402
from tests.bench.lists.servers import USER  # noqa: E402

WARM = 20
PRODUCTS = 500
IN_STOCK = 1_000_000

Work = Callable[[], object]


@dataclass
class Figures:
    """What one kind of write costs: milliseconds of each round on the wall, of the processor on average, and the
    statements of the round that had most of them (BEGIN and COMMIT not counted)."""

    key: str
    wall: list[float] = field(default_factory=list)
    python: float = 0.0
    postgres: float = 0.0
    queries: int = 0


def main() -> None:
    """Measure everything once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    arguments = parser.parse_args()
    shop = Shop(random.Random(arguments.seed), arguments.rounds + WARM)
    # As every web and worker process does.
    keep_what_is_loaded()
    figures = [
        measure("checkout", shop.checkouts()),
        measure("create", shop.created()),
        measure("edit", shop.edits()),
        measure("claim", shop.claims()),
        measure("settle", shop.settles()),
    ]
    answer = {
        "settings": {name: _setting(name) for name in ("synchronous_commit", "fsync", "full_page_writes")},
        "figures": [asdict(each) for each in figures],
    }
    sys.stdout.write(json.dumps(answer))


def measure(key: str, works: Sequence[Work]) -> Figures:
    """Do all of them one after another, the first ones unmeasured."""
    if len(works) <= WARM:
        raise SystemExit(f"{key}: there are only {len(works)} rows to do it with")
    found = Figures(key)
    backend = connection.connection.info.backend_pid
    for work in works[:WARM]:
        work()
    python, postgres = time.process_time(), _processor_seconds(backend)
    for work in works[WARM:]:
        counter = _Counter()
        began = time.perf_counter()
        with connection.execute_wrapper(counter):
            work()
        found.wall.append((time.perf_counter() - began) * 1000)
        found.queries = max(found.queries, counter.count)
    rounds = len(found.wall)
    found.python = (time.process_time() - python) * 1000 / rounds
    found.postgres = (_processor_seconds(backend) - postgres) * 1000 / rounds
    return found


class Shop:
    """What is written: orders from all over the table, each of them once."""

    def __init__(self, draw: random.Random, count: int) -> None:
        self._draw, self._count = draw, count
        self._people = People(draw)
        self._operations: list[Operation] = []
        self._user = User.objects.get(username=USER)
        self._author = Author(name=USER, source="受注編集", user=self._user, ip="127.0.0.1")
        self._by = By(name=USER, source=Operation.Source.ORDER_EDIT, user=self._user, ip="127.0.0.1")
        self._card = PaymentMethod.objects.get(kind=MethodKind.CARD.value, account="gmo")
        self._products = Product.objects.bulk_create(
            Product(code=f"BENCH-{number}", name=f"商品{number}", price=1000, stock=IN_STOCK)
            for number in range(PRODUCTS)
        )

    def checkouts(self) -> list[Work]:
        """A customer leaves the cart with two products and stands at the card page."""
        return [self._checkout() for _ in range(self._count)]

    def _checkout(self) -> Work:
        person = self._people.one()
        buyer = checkout.Buyer(
            name=person.name,
            kana=person.kana,
            company=person.company,
            email=person.email,
            phone=person.phone,
            postal_code="100-0005",
            prefecture="東京都",
            address="千代田区丸の内1-1",
        )
        items = [checkout.CartItem(product=each, quantity=1) for each in self._draw.sample(self._products, 2)]
        return lambda: checkout.leave_cart(
            items=items, buyer=buyer, method=self._card, delivery_fee=500, used_points=0, now=clock.now()
        )

    def created(self) -> list[Work]:
        """新規受注入力 with two products and 送料."""
        return [self._create() for _ in range(self._count)]

    def _create(self) -> Work:
        person = self._people.one()
        values: dict[str, Any] = {
            "payment_method": self._card.pk,
            "name": person.name,
            "kana": person.kana,
            "company": person.company,
            "email": person.email,
            "phone": person.phone,
            "delivery_name": person.name,
        }
        goods = [
            LineData(
                kind=OrderLine.Kind.PRODUCT,
                product_id=product.pk,
                unit_price=product.price,
                quantity=1,
                tax_rate=Decimal(10),
            )
            for product in self._draw.sample(self._products, 2)
        ]
        fee = LineData(
            kind=OrderLine.Kind.DELIVERY_FEE,
            name="送料",
            unit_price=500,
            quantity=1,
            tax_rate=Decimal(10),
            price_includes_tax=True,
        )
        data = OrderData(values=values, lines=(*goods, fee))
        return lambda: editing.create_order(data=data, customer=None, author=self._author, now=clock.now())

    def edits(self) -> list[Work]:
        """受注編集 of orders of any age: the first line sells something else, one piece more of it."""
        last = Order.objects.order_by("-pk").values_list("pk", flat=True)[0]
        ids = self._draw.sample(range(1, last), min(self._count * 2, last - 1))
        orders = Order.objects.filter(
            pk__in=ids, status__in=(OrderStatus.NEW, OrderStatus.PAID, OrderStatus.SHIPPED)
        ).prefetch_related("lines")
        return [self._edit(order) for order in orders[: self._count]]

    def _edit(self, order: Order) -> Work:
        first, *others = [LineData.of(line) for line in order.lines.all()]
        first = replace(first, product_id=self._draw.choice(self._products).pk, quantity=first.quantity + 1)
        data = OrderData(values={}, lines=(first, *others))

        def save() -> None:
            saved = editing.save_order(
                order_id=order.pk, version=order.version, data=data, author=self._author, now=clock.now()
            )
            assert isinstance(saved, editing.Saved), saved

        return save

    def claims(self) -> list[Work]:
        """売上確定 of card payments that are held and may be captured, as the dialog showed it."""
        now = clock.now()
        holds = Payment.objects.filter(
            order__in=Order.objects.filter(
                payment_status=PaymentStatus.AUTH.value,
                payment_kind=MethodKind.CARD.value,
                payment_deadline__gte=now.date(),
                payment_is_open=False,
            )
        ).select_related("order", "account")
        found = []
        for payment in self._draw.sample(list(holds), holds.count()):
            permit = decide(Action.CAPTURE, facts.read(payment), now)
            if isinstance(permit, Permit) and len(permit.steps) == 1:
                found.append(self._claim(payment.pk, permit.fingerprint))
            if len(found) == self._count:
                break
        return found

    def _claim(self, payment_id: int, shown: str) -> Work:
        def claim() -> None:
            claimed = operations.claim(
                payment_id=payment_id,
                action=Action.CAPTURE,
                key=uuid.uuid4(),
                shown=shown,
                by=self._by,
                now=clock.now(),
            )
            assert isinstance(claimed, operations.Executed), claimed
            self._operations.append(claimed.operation)

        return claim

    def settles(self) -> list[Work]:
        """The provider has approved what was claimed."""
        return [self._settle(operation.pk) for operation in self._operations]

    def _settle(self, operation_id: int) -> Work:
        def settle() -> None:
            now = clock.now()
            outcome = Approved(
                trade=Trade(
                    status=PaymentStatus.SALES,
                    processed_at=now,
                    references={"approve": "0378171", "forward": "2a99662", "tran_id": "2611211200111111"},
                )
            )
            operation = settlement.settle(operation_id=operation_id, step=0, outcome=outcome, now=now)
            assert operation.state == Operation.State.SUCCEEDED, operation.state

        return settle


class _Counter:
    """Counts statements."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.count += 1
        return execute(sql, params, many, context)


def _processor_seconds(pid: int) -> float:
    """Processor time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _setting(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        return str(cursor.fetchone()[0])


if __name__ == "__main__":
    main()
