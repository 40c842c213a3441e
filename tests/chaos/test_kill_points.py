"""kill -9 to real web processes, and to recovery, at chosen moments of claim, call and settle; then the books.

The storm kills at random; here every moment has its test. Each death is judged by the storm's own checks, against the
sandbox's ledger.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from django.db.models import F

from gateways.vocabulary import PaymentStatus as S
from orders.models import Order
from orders.statuses import OrderStatus
from payments.models import GatewayAccount, Operation, Payment
from tests.chaos.customers import Customer
from tests.chaos.moments import CLAIMED, ENDED, Moment, answer, noted, step, telegram
from tests.chaos.scene import AFTER_THE_COMMIT, BEFORE_THE_COMMIT, Scene, SlowCapture, die, die_at_work
from tests.gateway_world import World
from tests.sandbox_server import GOOD_CARD

State = Operation.State

# What became of the capture, in the words of Operation.State; None where nothing was begun.
CAPTURE = [
    (CLAIMED, BEFORE_THE_COMMIT, None),
    (CLAIMED, AFTER_THE_COMMIT, State.NOT_SENT),
    (telegram("AlterTran"), BEFORE_THE_COMMIT, State.NOT_SENT),
    (telegram("AlterTran"), AFTER_THE_COMMIT, State.NOT_EXECUTED),
    (answer("AlterTran"), BEFORE_THE_COMMIT, State.SUCCEEDED),
    (answer("AlterTran"), AFTER_THE_COMMIT, State.SUCCEEDED),
    (ENDED, BEFORE_THE_COMMIT, State.SUCCEEDED),
    (ENDED, AFTER_THE_COMMIT, State.SUCCEEDED),
]
CAPTURE_NAMES = [
    "before the claim commits",
    "right after the claim",
    "before the telegram is written down",
    "when the telegram is written and not sent",
    "when the answer is in",
    "when the answer is written down",
    "before the settlement commits",
    "right after the settlement",
]


@pytest.mark.parametrize(("moment", "at", "ends_as"), CAPTURE, ids=CAPTURE_NAMES)
def test_a_web_process_killed_during_a_click_on_capture(
    scene: Scene, moment: Moment, at: str, ends_as: State | None
) -> None:
    payment = scene.paid()
    click = die(scene, moment, at, lambda: scene.confirm(payment, "capture"))
    assert isinstance(click.exception(), requests.ConnectionError), "the operator sees an error page"
    scene.recover()
    operation = Operation.objects.filter(payment=payment, action="capture").first()
    assert (operation and operation.state) == ends_as
    assert scene.violations() == []
    if ends_as != State.SUCCEEDED:
        assert scene.world.moved(payment) == [("AUTH", payment.amount)]
        scene.confirm(payment, "capture")
    assert scene.world.moved(payment) == [("AUTH", payment.amount), ("SALES", payment.amount)]
    payment.refresh_from_db()
    assert (payment.status, payment.is_open) == (S.SALES, False)
    assert Order.objects.get(pk=payment.order_id).status == OrderStatus.PAID
    assert scene.violations() == []


@pytest.mark.parametrize("executes_at_once", [True, False], ids=["has executed it", "is still at it"])
def test_a_web_process_killed_while_the_provider_answers(scene: Scene, executes_at_once: bool) -> None:
    payment = scene.paid()
    slow = SlowCapture(scene, payment, executes_at_once=executes_at_once)
    with ThreadPoolExecutor(1) as pool:
        click = pool.submit(scene.confirm, payment, "capture")
        slow.wait_until_it_arrived()
        scene.programs.kill_web()
        assert isinstance(click.exception(timeout=60), requests.ConnectionError)
    slow.wait_until_it_is_executed()
    scene.recover()
    payment.refresh_from_db()
    assert (payment.status, payment.is_open) == (S.SALES, False)
    assert Order.objects.get(pk=payment.order_id).status == OrderStatus.PAID
    assert len(scene.world.moved(payment)) == 2
    assert scene.violations() == []


@pytest.mark.parametrize("at", [BEFORE_THE_COMMIT, AFTER_THE_COMMIT])
def test_stock_goes_back_once_when_a_cancel_is_settled_and_the_process_dies(scene: Scene, at: str) -> None:
    payment = scene.paid()
    die(scene, ENDED, at, lambda: scene.confirm(payment, "cancel"))
    scene.recover()
    assert Order.objects.get(pk=payment.order_id).status == OrderStatus.CANCELLED
    assert [action for action, _ in scene.world.moved(payment)] == ["AUTH", "VOID"]
    assert scene.violations() == []


@pytest.mark.parametrize(
    ("moment", "at"),
    [
        (step(1), BEFORE_THE_COMMIT),
        (step(1), AFTER_THE_COMMIT),
        (telegram("ChangeTran"), AFTER_THE_COMMIT),
        (answer("ChangeTran"), BEFORE_THE_COMMIT),
        (step(3), AFTER_THE_COMMIT),
        (ENDED, BEFORE_THE_COMMIT),
    ],
    ids=[
        "before the first step is settled",
        "between the first step and the second",
        "with the third step's telegram written down",
        "with the third step's answer in",
        "between the third step and the last",
        "before the end is settled",
    ],
)
def test_a_web_process_killed_within_the_guided_change(scene: Scene, moment: Moment, at: str) -> None:
    """CC-5: cancel, reauthorize, change, capture. It goes on, or says at which step it stands; a person goes on from there."""
    GatewayAccount.objects.filter(code="gmo").update(changes_captured_amount=False)
    payment = scene.paid()
    scene.confirm(payment, "capture")
    _another_total(payment)
    die(scene, moment, at, lambda: scene.confirm(payment, "guided_change"))
    scene.recover()
    operation = Operation.objects.get(payment=payment, action="guided_change")
    payment.refresh_from_db()
    assert not payment.is_open
    assert scene.violations() == []
    moved = [action for action, _amount in scene.world.moved(payment)]
    whole = ["AUTH", "SALES", "VOID", "AUTH", "CHANGE", "SALES"]
    if moment == telegram("ChangeTran"):  # perhaps sent: never sent again by itself
        assert (operation.state, moved) == (State.NOT_EXECUTED, whole[:4])
        assert "4段階のうち2段階" in operation.message
    else:
        assert (operation.state, moved, payment.status) == (State.SUCCEEDED, whole, S.SALES)
        assert payment.amount == Order.objects.get(pk=payment.order_id).payment_total


@pytest.mark.parametrize(
    ("moment", "at", "is_changed"),
    [
        (noted("authorizing"), AFTER_THE_COMMIT, False),
        (telegram("020"), AFTER_THE_COMMIT, False),
        (answer("020"), BEFORE_THE_COMMIT, True),
        (noted("authorized"), AFTER_THE_COMMIT, True),
        (telegram("021"), AFTER_THE_COMMIT, True),
        (answer("021"), BEFORE_THE_COMMIT, True),
        (ENDED, BEFORE_THE_COMMIT, True),
    ],
    ids=[
        "before the new hold's telegram",
        "when the new hold's telegram is written and not sent",
        "with the new hold's answer in",
        "between the new hold and the old one's release",
        "when the release's telegram is written and not sent",
        "with the release's answer in",
        "before the end is settled",
    ],
)
def test_a_web_process_killed_within_a_change_by_two_calls(
    scene: Scene, paygent: World, moment: Moment, at: str, is_changed: bool
) -> None:
    """Paygent: a new hold, then the old one's release. Never two holds, never none."""
    payment = scene.paid("paygent")
    _another_total(payment)
    old = payment.amount
    die(scene, moment, at, lambda: scene.confirm(payment, "change_amount"))
    scene.recover()
    payment.refresh_from_db()
    assert (payment.status, payment.amount, payment.is_open) == (S.AUTH, old + 500 * is_changed, False)
    assert scene.violations() == []


@pytest.mark.parametrize("at", [BEFORE_THE_COMMIT, AFTER_THE_COMMIT])
def test_a_web_process_killed_when_a_reauthorization_is_settled(scene: Scene, at: str) -> None:
    payment = scene.paid()
    scene.browser.post(*_without_follow(scene.dialog(payment, "cancel")))
    die(scene, ENDED, at, lambda: scene.confirm(payment, "reauthorize"))
    scene.recover()
    payment.refresh_from_db()
    assert (payment.status, payment.is_open) == (S.AUTH, False)
    assert [action for action, _ in scene.world.moved(payment)] == ["AUTH", "VOID", "AUTH"]
    assert scene.violations() == []


@pytest.mark.parametrize(
    ("moment", "at", "is_paid"),
    [
        (noted("authorized"), AFTER_THE_COMMIT, False),
        (telegram("ST02-00101-101"), BEFORE_THE_COMMIT, False),
        (answer("ST02-00101-101"), BEFORE_THE_COMMIT, True),
        (ENDED, BEFORE_THE_COMMIT, True),
    ],
    ids=[
        "between the authorization and its commit",
        "before the commit's telegram",
        "with the commit's answer in",
        "before the end is settled",
    ],
)
def test_a_web_process_killed_while_a_customer_pays_by_two_calls(
    scene: Scene, moment: Moment, at: str, is_paid: bool
) -> None:
    """SBPS: an authorization and its commit. A hold without a commit is no money: it is freed, the customer pays again."""
    customer = Customer(
        "", web_url=scene.browser.url, sandbox=scene.world.sandbox, seed="1", diary=scene.diary
    )
    pay = customer.to_the_card_page(GOOD_CARD, account="sbps")
    assert pay
    scene.diary.confirmed.add(pay["key"])
    die(scene, moment, at, lambda: customer.post("/checkout/pay/", pay))
    scene.recover()
    payment = Payment.objects.select_related("order").get(operations__key=pay["key"])
    moved = [action for action, _ in scene.world.moved(payment)]
    assert moved == (["AUTH"] if is_paid else ["AUTH", "VOID"])
    assert (payment.status, payment.is_open) == (S.AUTH if is_paid else S.PAYFAIL, False)
    assert payment.order.status == (OrderStatus.NEW if is_paid else OrderStatus.PENDING)
    assert scene.violations() == []


def _another_total(payment: Payment) -> None:
    Order.objects.filter(pk=payment.order_id).update(payment_total=F("payment_total") + 500)


def _without_follow(button: tuple[str, dict[str, str]]) -> tuple[str, dict[str, str]]:
    path, values = button
    return path, {name: value for name, value in values.items() if name != "follow"}


RECOVERED = Moment(
    table="payments_operation", event="UPDATE", when="OLD.state = 'unconfirmed' AND NEW.state = 'succeeded'"
)


@pytest.mark.parametrize(
    ("moment", "at"),
    [
        (telegram("SearchTrade"), BEFORE_THE_COMMIT),
        (answer("SearchTrade"), AFTER_THE_COMMIT),
        (RECOVERED, BEFORE_THE_COMMIT),
        (RECOVERED, AFTER_THE_COMMIT),
    ],
    ids=["before it asks", "with the answer in", "before it settles", "right after it settled"],
)
def test_a_worker_killed_during_recovery(scene: Scene, moment: Moment, at: str) -> None:
    payment = scene.paid()
    scene.world.sandbox.post_fault(call="AlterTran", kind="lost_answer")
    scene.confirm(payment, "capture")
    scene.world.later(seconds=60)
    die_at_work(scene, moment, at, "payments.tasks.recover")
    scene.recover()
    payment.refresh_from_db()
    assert (payment.status, payment.is_open) == (S.SALES, False)
    assert Order.objects.get(pk=payment.order_id).status == OrderStatus.PAID
    assert len(scene.world.moved(payment)) == 2
    assert scene.violations() == []
