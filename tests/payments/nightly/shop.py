"""Orders that were given up at the card page, with stock and points taken, and payments at the sandbox."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection

from cagolab import clock
from gateways.vocabulary import MethodKind, PaymentStatus
from orders import checkout
from orders.models import Customer, Order, PaymentMethod, PointEntry, Product, StockEntry
from payments import authorizations
from payments.models import Operation, Payment, StaleCase, StaleRun
from payments.nightly import stale_orders
from tests.gateway_world import OPERATOR, World

PRICE = 1000
STOCK = 10
POINTS = 500


class GivenUpShop:
    """One product, one member, and orders that leave the cart and never arrive."""

    def __init__(self, world: World) -> None:
        self.world = world
        now = clock.now()
        self.product = Product.objects.create(code="A-1", name="シャツ", price=PRICE, stock=STOCK)
        StockEntry.objects.create(
            product=self.product, quantity=STOCK, reason="開店", key="opening", booked_at=now
        )
        self.customer = Customer.objects.create(name="会員 一郎", email="member@example.jp", points=POINTS)
        PointEntry.objects.create(
            customer=self.customer,
            kind=PointEntry.Kind.GRANTED,
            points=POINTS,
            reason="付与",
            key="grant",
            booked_at=now,
        )
        self.method = PaymentMethod.objects.create(
            name="クレジットカード決済", kind="card", account=world.account.code
        )

    def order(self, *, days: int = 8, at_card_page: bool = True, used_points: int = 100) -> Order:
        """An order of one shirt, `days` days old: 決済処理中, or 購入処理中 when it never reached the card page."""
        order = checkout.leave_cart(
            items=[checkout.CartItem(product=self.product, quantity=1)],
            buyer=checkout.Buyer(name="会員 一郎", email="member@example.jp", customer=self.customer),
            method=self.method,
            delivery_fee=500,
            used_points=used_points,
            now=clock.now(),
        )
        if at_card_page:
            checkout.enter_card_page(order_id=order.pk, now=clock.now())
        Order.objects.filter(pk=order.pk).update(ordered_at=clock.now() - timedelta(days=days))
        order.refresh_from_db()
        return order

    def lost(self, order: Order, *, at_provider: str = "AUTH") -> Payment:
        """An attempt whose authorization reached the provider, while our record says that nothing happened."""
        operation = self.world.authorize(order)
        payment = Payment.objects.get(pk=operation.payment_id)
        if at_provider != payment.status:
            self.world.behind_our_back(payment, action=at_provider)
        Payment.objects.filter(pk=payment.pk).update(
            status=PaymentStatus.UNPROCESSED, authorized_at=None, is_open=False
        )
        Order.objects.filter(pk=order.pk).update(
            status=7, payment_status="UNPROCESSED", payment_deadline=None, paid_at=None
        )
        Operation.objects.filter(pk=operation.pk).update(state=Operation.State.NOT_EXECUTED)
        payment.refresh_from_db()
        return payment

    def never_arrived(self, order: Order) -> Payment:
        """An attempt that the provider knows nothing of."""
        attempt = Payment.objects.filter(order=order).count() + 1
        return Payment.objects.create(
            order=order,
            account=self.world.account,
            kind=MethodKind.CARD.value,
            amount=order.payment_total,
            provider_order_id=authorizations.provider_order_id(order.pk, attempt, clock.now()),
            attempt=attempt,
            created_at=clock.now(),
        )

    def run(self) -> StaleRun:
        """Press the button and work everything off that is due."""
        run, _is_new = stale_orders.start(by=OPERATOR, until=clock.now(), now=clock.now())
        stale_orders.work(run.pk)
        run.refresh_from_db()
        return run

    def stock(self) -> int:
        self.product.refresh_from_db()
        return self.product.stock

    def points(self) -> int:
        self.customer.refresh_from_db()
        return self.customer.points

    def ledgers_agree(self) -> bool:
        """The counters are what the ledgers add up to."""
        stock = sum(StockEntry.objects.filter(product=self.product).values_list("quantity", flat=True))
        points = sum(PointEntry.objects.filter(customer=self.customer).values_list("points", flat=True))
        return (stock, points) == (self.stock(), self.points())


def outcome(run: StaleRun, order: Order) -> tuple[str, str]:
    """How the order's case ended, and what it says."""
    case = StaleCase.objects.get(run=run, order=order)
    return case.state, case.message


def make_due(run: StaleRun) -> None:
    """Let waiting times and leases be over."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE payments_stalecase SET not_before = NULL,"
            " claimed_at = claimed_at - interval '1 hour' WHERE run_id = %s",
            [run.pk],
        )
