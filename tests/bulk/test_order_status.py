"""対応状況の一括変更 (G5-3) through the engine and the real status service."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from orders.bulk import engine, worklist
from orders.bulk.models import BulkItem, BulkRun
from orders.bulk.registry import registry
from orders.models import Order, OrderChange, OrderLine, Product
from orders.statuses import OrderStatus
from tests.bulk.shop import NOW, age_claims, in_threads, make_orders, make_preview, make_user, states

pytestmark = pytest.mark.django_db(transaction=True)

KIND = registry["order_status"]


@pytest.fixture
def editor() -> User:
    return make_user("editor", "受注編集")


def to(status: OrderStatus, orders: list[Order], editor: User) -> BulkRun:
    run = make_preview(KIND, orders, editor, to=status.value)
    worklist.start(run, follow=False, now=NOW)
    return run


def reason_of(run: BulkRun, order: Order) -> str:
    return BulkItem.objects.get(run=run, order=order).reason


def test_legal_rows_are_changed_and_illegal_rows_are_skipped_with_the_reason(editor: User) -> None:
    new = make_orders(2)
    shipped = make_orders(1, status=OrderStatus.SHIPPED)
    pending = make_orders(1, status=OrderStatus.PENDING)
    run = to(OrderStatus.IN_PROGRESS, [*new, *shipped, *pending], editor)
    engine.work(run.pk, seconds=10)
    assert states(run) == {"succeeded": 2, "skipped": 2}
    assert set(Order.objects.filter(pk__in=[o.pk for o in new]).values_list("status", flat=True)) == {4}
    assert Order.objects.get(pk=shipped[0].pk).status == OrderStatus.SHIPPED
    assert reason_of(run, shipped[0]).startswith("「発送済み」のため、「対応中」に変更できません。")
    change = OrderChange.objects.get(order=new[0], field="対応状況")
    assert (change.actor, change.source, change.old, change.new) == (editor, "一括操作", "新規受付", "対応中")


def test_an_order_already_there_is_skipped(editor: User) -> None:
    orders = make_orders(1)
    run = make_preview(KIND, orders, editor, to=OrderStatus.NEW.value)
    assert run.taken == 0
    assert reason_of(run, orders[0]) == "すでに「新規受付」です。"


def test_shipping_an_order_whose_card_is_not_secured_is_warned_about(editor: User) -> None:
    unsecured, held = make_orders(3), make_orders(2)
    for orders, status in ((unsecured, "VOID"), (held, "AUTH")):
        Order.objects.filter(pk__in=[order.pk for order in orders]).update(
            payment_kind="card", payment_status=status, payment_provider="gmopg"
        )
    run = make_preview(KIND, [*unsecured, *held], editor, to=OrderStatus.SHIPPED.value)
    assert run.taken == 5
    assert [warning["count"] for warning in run.warnings] == [3]
    assert "仮売上の注文だけを発送してください" in run.warnings[0]["text"]
    assert "各受注" not in run.warnings[0]["text"]


def test_a_status_that_somebody_else_has_changed_is_left_for_another_look(editor: User) -> None:
    orders = make_orders(2)
    run = to(OrderStatus.PAID, orders, editor)
    Order.objects.filter(pk=orders[0].pk).update(status=OrderStatus.IN_PROGRESS)
    engine.work(run.pk, seconds=10)
    assert states(run) == {"recheck": 1, "succeeded": 1}
    message = BulkItem.objects.get(run=run, order=orders[0]).message
    assert message == (
        "確認時の対応状況は「新規受付」でしたが、「対応中」に変わっていたため、変更していません。"
    )
    assert Order.objects.get(pk=orders[0].pk).status == OrderStatus.IN_PROGRESS


def test_a_payment_that_was_voided_meanwhile_is_left_for_another_look(editor: User) -> None:
    orders = make_orders(1)
    Order.objects.update(payment_kind="card", payment_status="AUTH", payment_provider="gmopg")
    run = to(OrderStatus.SHIPPED, orders, editor)
    Order.objects.update(payment_status="VOID")
    engine.work(run.pk, seconds=10)
    assert states(run) == {"recheck": 1}
    assert Order.objects.get().status == OrderStatus.NEW


def test_stock_that_is_short_fails_its_row_only(editor: User) -> None:
    product = Product.objects.create(code="P1", name="シャツ", price=2000, stock=1)
    orders = make_orders(2, status=OrderStatus.CANCELLED)
    for order in orders:
        OrderLine.objects.create(order=order, product=product, name="シャツ", unit_price=2000, quantity=1)
    run = to(OrderStatus.NEW, orders, editor)
    engine.work(run.pk, seconds=10)
    assert states(run) == {"succeeded": 1, "failed": 1}
    product.refresh_from_db()
    assert product.stock == 0


def test_two_runs_over_the_same_orders_change_each_once(editor: User) -> None:
    orders = make_orders(30)
    runs = [to(OrderStatus.PAID, orders, editor) for _ in range(2)]
    in_threads(6, lambda: [engine.work(run.pk, seconds=20) for run in runs])
    totals = [states(run) for run in runs]
    assert sum(total.get("succeeded", 0) for total in totals) == 30
    assert sum(total.get("recheck", 0) for total in totals) == 30
    assert OrderChange.objects.filter(field="対応状況").count() == 30


def test_a_row_taken_over_while_its_worker_lives_is_changed_once(editor: User) -> None:
    orders = make_orders(1)
    run = to(OrderStatus.PAID, orders, editor)
    slow = worklist.claim(run.pk)
    assert slow
    age_claims(run, worklist.LEASE_SECONDS + 1)
    run.refresh_from_db()
    engine.work(run.pk, seconds=10)
    assert KIND.is_atomic
    engine._execute(run, KIND, slow)
    assert states(run) == {"succeeded": 1}
    assert OrderChange.objects.filter(field="対応状況").count() == 1
