"""Fills the demo shop: orders through the checkout's own door, payments through the sandbox over HTTP.

The sandbox's clock is set back and walks through the past 200 days, so that authorizations, captures, cancels and
payments at stores have really happened on their days. Every payment is a trade at the sandbox.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import Group, User

from cagolab import clock
from cagolab.demo import catalogue, elsewhere, rare_cards
from cagolab.demo.accounts import DEMO_USERS
from cagolab.demo.stage import Stage
from cagolab.demo.stories import Event, Planned, plan
from gateways.vocabulary import Action, PaymentStatus
from orders import changes, checkout, editing
from orders.history import Author
from orders.models import Customer, Order, PaymentMethod, PointEntry, Product, StockEntry
from orders.order_data import LineData, OrderData
from orders.statuses import OrderStatus
from payments import authorizations, facts, operations
from payments.actors import By
from payments.decisions import decide
from payments.models import GatewayAccount, NightlyJob, Operation, Payment
from payments.nightly import schedule
from payments.nightly.settings_row import DEFAULT_HOURS
from payments.notifications import polling
from payments.permits import Permit

ORDERS = 260
DELIVERY_FEE = 500
START_STOCK, START_POINTS = 1000, 500
# Rakuten's answer to a request comes so much later while the demo is filled (seconds; ten days), and then again after
# the sandbox's own time: what it has accepted can be looked at.
RAKUTEN_SECONDS, RAKUTEN_SECONDS_AFTERWARDS = 864_000, 60
# Until this long ago, what Rakuten accepts is done by the next day.
SLOW_SINCE_SECONDS = -2 * 86_400


def is_filled() -> bool:
    """Whether an earlier filling was finished: only then do its users exist and may log in."""
    return User.objects.filter(username=DEMO_USERS[0][0], is_active=True).exists()


class DemoShop:
    """One filling of the shop. `report` gets a line now and then."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self.report = report
        self.stage = Stage()
        self.random = self.stage.random
        self.orders: dict[int, int] = {}
        self.operator: User | None = None

    def fill(self) -> None:
        """Users, catalogue, then event after event in time; the sandbox's clock is real again at the end."""
        started = datetime.now(UTC)
        self._users()
        self._catalogue()
        events = plan(self.random, ORDERS)
        is_slow = False
        try:
            for number, planned in enumerate(events):
                self.stage.at(started + timedelta(seconds=planned.seconds))
                if planned.seconds > SLOW_SINCE_SECONDS and not is_slow:
                    is_slow = True
                    self.stage.control("_settings", {"gmopg_rakuten_seconds": RAKUTEN_SECONDS})
                self._do(planned)
                if number % 200 == 199:
                    self.report(f"{number + 1} of {len(events)} events")
            rare_cards.add(self.stage, started)
        finally:
            self.stage.control("_settings", {"gmopg_rakuten_seconds": RAKUTEN_SECONDS_AFTERWARDS})
            self.stage.back_to_now()
        # The sandbox numbers its notices without gaps; those of the past 200 days have nothing new to tell.
        GatewayAccount.objects.filter(code="paygent").update(notice_numbers_are_consecutive=True)
        polling.skip_history(GatewayAccount.objects.get(code="paygent"))
        for kind in NightlyJob.Kind:
            schedule.switch(kind, is_on=True, hour=DEFAULT_HOURS[kind], now=clock.now())
        User.objects.update(is_active=True)  # the last step: who can log in sees a whole shop

    def _users(self) -> None:
        for username, password, role in DEMO_USERS:
            user = User.objects.create_user(username, password=password, last_name=role, is_active=False)
            user.groups.add(Group.objects.get(name=role))
        self.operator = User.objects.get(username=DEMO_USERS[2][0])

    def _catalogue(self) -> None:
        now = clock.now()
        for code, name, options, price, rate in catalogue.PRODUCTS:
            product = Product.objects.create(
                code=code, name=name, options=options, price=price, tax_rate=rate, stock=START_STOCK
            )
            StockEntry.objects.create(
                product=product, quantity=START_STOCK, reason="開店", key=f"opening-{code}", booked_at=now
            )
        for position, (name, kind, account, charge) in enumerate(catalogue.METHODS):
            PaymentMethod.objects.create(
                name=name, kind=kind, account=account, charge=charge, sort_no=position
            )
        for index in range(40):
            name, kana = self._person()
            customer = Customer.objects.create(
                name=name, kana=kana, email=f"member{index:02}@example.jp", points=START_POINTS
            )
            PointEntry.objects.create(
                customer=customer,
                kind=PointEntry.Kind.GRANTED,
                points=START_POINTS,
                reason="会員登録",
                key=f"opening-customer-{customer.pk}",
                booked_at=now,
            )

    def _person(self) -> tuple[str, str]:
        family, given = self.random.choice(catalogue.FAMILY_NAMES), self.random.choice(catalogue.GIVEN_NAMES)
        return f"{family[0]} {given[0]}", f"{family[1]} {given[1]}"

    def _do(self, planned: Planned) -> None:
        event = planned.event
        if event is Event.ORDER:
            self.orders[planned.order_index] = self._order(planned.kind)
            return
        order = Order.objects.select_related("payment_method").get(pk=self.orders[planned.order_index])
        if event in _STATUS_EVENTS:
            self._status(order, _STATUS_EVENTS[event])
        elif event is Event.EDIT:
            self._edit(order)
        elif event in (Event.PAY, Event.PAY_AT_ONCE, Event.TRY_BAD_CARD):
            self._authorize(order, event)
        elif event is Event.REQUEST:
            elsewhere.request(order, self.stage.account, self.random)
        elif event in elsewhere.WISHES:
            elsewhere.happen(order, event, self.stage.control)
        elif event is Event.LOOK:
            elsewhere.look(order)
        else:
            self._money(order, _MONEY_EVENTS[event])

    def _order(self, kind: str) -> int:
        name, kana = self._person()
        customer = self.random.choice([None, *Customer.objects.order_by("id")[:40]])
        prefecture, postal_code, address = self.random.choice(catalogue.PLACES)
        buyer = checkout.Buyer(
            name=customer.name if customer else name,
            kana=customer.kana if customer else kana,
            company=self.random.choice(catalogue.COMPANIES),
            email=customer.email if customer else f"guest{self.random.randrange(1000)}@example.jp",
            phone=f"090-0000-{self.random.randrange(10_000):04}",
            postal_code=postal_code,
            prefecture=prefecture,
            address=address,
            customer=customer,
        )
        products = list(Product.objects.order_by("id"))
        items = [
            checkout.CartItem(product=product, quantity=self.random.randint(1, 3))
            for product in self.random.sample(products, self.random.randint(1, 3))
        ]
        order = checkout.leave_cart(
            items=items,
            buyer=buyer,
            method=self._method(kind),
            delivery_fee=DELIVERY_FEE,
            used_points=100 if customer and customer.points >= 100 and self.random.random() < 0.2 else 0,
            message=self.random.choice(catalogue.QUESTIONS),
            now=clock.now(),
        )
        if kind != "card" or self.random.random() > 0.02:  # a few never reach the card page: 購入処理中
            checkout.enter_card_page(order_id=order.pk, now=clock.now())
        if not kind:  # 銀行振込: no payment at a gateway (PG-9)
            self._place(order)
        return order.pk

    def _method(self, kind: str) -> PaymentMethod:
        account = self._card_account() if kind == "card" else None
        methods = PaymentMethod.objects.filter(kind=kind)
        return methods.get(account=account) if account else methods.get()

    def _place(self, order: Order) -> None:
        changes.change_status(
            order_id=order.pk,
            to=OrderStatus.NEW,
            actor=None,
            actor_name=checkout.CUSTOMER.name,
            source=checkout.CUSTOMER.source,
            ip=None,
            now=clock.now(),
            by_system=True,
        )

    def _card_account(self) -> str:
        codes, weights = zip(*catalogue.CARD_ACCOUNTS.items(), strict=True)
        return str(self.random.choices(codes, weights)[0])

    def _authorize(self, order: Order, event: Event) -> None:
        if order.status not in (OrderStatus.PENDING, OrderStatus.PROCESSING):
            return
        if event is Event.PAY_AT_ONCE:
            GatewayAccount.objects.update(checkout_target=PaymentStatus.CAPTURE)
        try:
            account = GatewayAccount.objects.get(code=order.payment_method.account)
            authorizations.authorize(
                order_id=order.pk,
                account=account,
                card=self.stage.token(account, is_good=event is not Event.TRY_BAD_CARD),
                key=uuid.uuid4(),
                by=By(name="お客様", source=Operation.Source.CHECKOUT),
                now=clock.now(),
            )
        finally:
            GatewayAccount.objects.update(checkout_target=PaymentStatus.AUTH)

    def _money(self, order: Order, action: Action) -> None:
        if order.payment_id is None:
            return
        payment = Payment.objects.select_related("order", "account").get(pk=order.payment_id)
        decision = decide(action, facts.read(payment), clock.now())
        if not isinstance(decision, Permit):
            return
        operations.execute(
            payment_id=payment.pk,
            action=action,
            key=uuid.uuid4(),
            shown=decision.fingerprint,
            by=By(name="決済操作", source=Operation.Source.ORDER_EDIT, user=self.operator),
            now=clock.now(),
        )

    def _status(self, order: Order, to: OrderStatus) -> None:
        changes.change_status(
            order_id=order.pk,
            to=to,
            actor=self.operator,
            actor_name="決済操作",
            source="受注編集",
            ip=None,
            now=clock.now(),
        )

    def _edit(self, order: Order) -> None:
        lines = [LineData.of(line) for line in order.lines.all()]
        lines[0] = replace(lines[0], quantity=lines[0].quantity + 1)
        author = Author(name="決済操作", source="受注編集", user=self.operator)
        editing.save_order(
            order_id=order.pk,
            version=order.version,
            data=OrderData(values={}, lines=tuple(lines)),
            author=author,
            now=clock.now(),
        )


_STATUS_EVENTS = {
    Event.IN_PROGRESS: OrderStatus.IN_PROGRESS,
    Event.PAID: OrderStatus.PAID,
    Event.SHIP: OrderStatus.SHIPPED,
    Event.CANCEL_ORDER: OrderStatus.CANCELLED,
    Event.TAKE_BACK: OrderStatus.RETURNED,
}
_MONEY_EVENTS = {
    Event.CAPTURE: Action.CAPTURE,
    Event.CANCEL: Action.CANCEL,
    Event.REAUTHORIZE: Action.REAUTHORIZE,
    Event.CHANGE_AMOUNT: Action.CHANGE_AMOUNT,
}
