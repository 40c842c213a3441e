"""結果通知 (G5-14, invariant 14): repeated, reordered, late, forged or for nobody, it changes nothing unasked."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from pydantic import SecretStr

from cagolab import clock
from gateways.gmopg.account import Account
from gateways.gmopg.notification import Desk
from gateways.notices import NotANotice
from gateways.vocabulary import Action, MethodKind
from gateways.vocabulary import PaymentStatus as S
from orders.models import Order
from payments import authorizations, inquiry, operations
from payments.models import Notification, Operation, Payment, PaymentDifference
from payments.notifications import asking, limits, tasks
from tests.bulk.shop import in_threads
from tests.dying import dying
from tests.gateway_world import OPERATOR, World
from tests.payments.notifications.waiting import make_due, until

State = Notification.State
ADDRESS = "/notify/gmopg/gmo/"
FORM = "application/x-www-form-urlencoded"


def told(payment: Payment, **fields: str) -> dict[str, str]:
    """A notification about the payment as GMO-PG would send it."""
    return {
        "ShopID": "tshop00000001",
        "ShopPass": "*" * 10,
        "AccessID": payment.references.get("access_id", ""),
        "AccessPass": "*" * 32,
        "OrderID": payment.provider_order_id,
        "Status": "SALES",
        "JobCd": "SALES",
        "Amount": str(payment.amount),
        "Tax": "0",
        "TranID": "2611210000111111111111000001",
        "TranDate": "20261121100000",
        "PayType": "0",
        **fields,
    }


def post(fields: dict[str, str] | bytes, *, address: str = ADDRESS) -> tuple[int, str]:
    body = fields if isinstance(fields, bytes) else urlencode(fields, encoding="cp932").encode()
    answer = Client(enforce_csrf_checks=True).post(address, data=body, content_type=FORM)
    return answer.status_code, answer.content.decode()


def fresh(payment: Payment) -> Payment:
    return Payment.objects.get(pk=payment.pk)


def test_what_the_provider_changed_behind_our_back_is_asked_about_and_taken_over(
    world: World, pushed: Any
) -> None:
    payment = world.held()
    world.sandbox.admin(payment.provider_order_id, action="SALES")
    # The authorization's own may come after the sale's, and would be asked about then.
    until(lambda: Notification.objects.count() == 2)
    assert fresh(payment).status == S.AUTH
    asking.work()
    assert fresh(payment).status == S.SALES
    row = Notification.objects.get(status="SALES")
    assert (row.state, row.payment_id) == (State.CONFIRMED, payment.pk)
    operation = Operation.objects.get(action=Action.INQUIRE)
    assert (operation.source, operation.actor_name) == ("notification", "結果通知")
    assert row.fields["ShopPass"] == "***"
    assert payment.references["access_id"] not in str(row.fields)


def test_the_echo_of_our_own_act_is_confirmed_without_a_question(world: World, pushed: Any) -> None:
    payment = world.held()
    until(lambda: Notification.objects.count() == 1)
    asking.work()
    world.done(payment, Action.CAPTURE)
    until(lambda: Notification.objects.count() == 2)
    asking.work()
    assert set(Notification.objects.values_list("state", "message")) == {
        (State.CONFIRMED, "当店の記録と一致しています。")
    }
    assert not Operation.objects.filter(action=Action.INQUIRE).exists()
    assert fresh(payment).status == S.SALES


def test_duplicates_are_one_row_and_one_question(world: World, pushed: Any) -> None:
    pushed(copies=4)
    payment = world.held()
    world.sandbox.admin(payment.provider_order_id, action="VOID")
    until(lambda: [*Notification.objects.order_by("id").values_list("times", flat=True)] == [4, 4])
    asking.work()
    asking.work()
    assert fresh(payment).status == S.VOID
    assert Operation.objects.filter(action=Action.INQUIRE).count() == 1


def test_the_wrong_order_does_no_harm(world: World, pushed: Any) -> None:
    pushed(paused=True, newest_first=True)
    payment = world.held()
    world.done(payment, Action.CAPTURE)
    world.done(payment, Action.CANCEL)
    before = fresh(payment)
    pushed(paused=False)
    until(lambda: Notification.objects.count() == 3)
    asking.work()
    after = fresh(payment)
    assert (after.status, after.amount, after.captured_at) == (
        before.status,
        before.amount,
        before.captured_at,
    )
    assert set(Notification.objects.values_list("state", flat=True)) == {State.CONFIRMED}
    assert len(world.moved(payment)) == 3


def test_a_notification_settles_an_operation_whose_answer_was_lost(world: World, pushed: Any) -> None:
    payment = world.held()
    world.sandbox.post_fault(call="AlterTran", kind="lost_answer", times=1)
    operation = world.done(payment, Action.CAPTURE)
    assert operation.state == Operation.State.UNCONFIRMED
    until(lambda: Notification.objects.filter(status="SALES").exists())
    asking.work()
    operation.refresh_from_db()
    assert operation.state == Operation.State.SUCCEEDED
    assert not fresh(payment).is_open
    assert world.moved(payment) == [("AUTH", 3200), ("SALES", 3200)]
    assert Notification.objects.get(status="SALES").state == State.CONFIRMED


def test_while_our_own_call_still_waits_the_notification_waits_too(world: World) -> None:
    payment = world.held()
    permit = world.permit(payment, Action.CAPTURE)
    claimed = operations.claim(
        payment_id=payment.pk,
        action=Action.CAPTURE,
        key=uuid.uuid4(),
        shown=permit.fingerprint,
        by=OPERATOR,
        now=clock.now(),
    )
    assert isinstance(claimed, operations.Executed)
    post(told(payment))
    asking.work()
    row = Notification.objects.get()
    assert (row.state, row.tries) == (State.WAITING, 1)
    assert operations.run(claimed.operation).state == Operation.State.SUCCEEDED
    make_due()
    asking.work()
    row.refresh_from_db()
    assert row.state == State.CONFIRMED


@pytest.mark.parametrize(
    ("fields", "state", "says"),
    [
        ({"ShopID": "tshop00000009"}, State.SUSPICIOUS, "ショップID"),
        ({"AccessID": "0" * 32}, State.SUSPICIOUS, "AccessID"),
        ({"AccessID": ""}, State.SUSPICIOUS, "AccessID"),
        ({"PayType": "3"}, State.SUSPICIOUS, "支払方法"),
        ({"OrderID": "no-such-order"}, State.NO_ORDER, "管理画面にありません"),
    ],
)
def test_a_forged_one_is_kept_for_a_person_and_changes_nothing(
    world: World, fields: dict[str, str], state: str, says: str
) -> None:
    payment = world.held()
    world.sandbox.admin(payment.provider_order_id, action="SALES")
    assert post(told(payment, **fields)) == (200, "0")
    asking.work()
    row = Notification.objects.get()
    assert row.state == state
    assert says in row.message
    assert fresh(payment).status == S.AUTH
    assert not Operation.objects.filter(action=Action.INQUIRE).exists()


def test_a_trade_that_no_order_has_is_one_row_of_the_differences(world: World) -> None:
    payment = world.held()
    for _ in range(2):
        post(told(payment, OrderID="no-such-order"))
    row = PaymentDifference.objects.get()
    assert (row.kind, row.provider_order_id) == (PaymentDifference.Kind.UNKNOWN_TRADE, "no-such-order")
    assert row.payment is None


def test_a_perfect_forgery_changes_nothing_that_the_provider_does_not_confirm(world: World) -> None:
    payment = world.held()
    assert post(told(payment, Status="RETURNX", Amount="999999")) == (200, "0")
    asking.work()
    after = fresh(payment)
    assert (after.status, after.amount) == (S.AUTH, 3200)
    assert Order.objects.get(pk=payment.order_id).payment_total == 3200
    row = Notification.objects.get()
    assert row.state == State.CONFIRMED
    assert "一致しています" in row.message


def test_a_bell_rings_for_nothing_that_is_due_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each came with a bell of its own: bells that ring on would multiply with every notification."""
    payment = world.held()
    post(told(payment))
    world.sandbox.post_fault("http_500", call="SearchTrade")
    rung: list[object] = []
    monkeypatch.setattr(tasks.ask, "apply_async", lambda *args, **options: rung.append(options))
    tasks.ask()
    assert Notification.objects.get().state == State.WAITING
    assert rung == []


def test_a_payment_at_the_convenience_store_arrives_by_notification(world: World, pushed: Any) -> None:
    order = world.order()
    payment = Payment.objects.create(
        order=order,
        account=world.account,
        kind=MethodKind.CVS.value,
        status=S.REQSUCCESS.value,
        amount=3200,
        provider_order_id=authorizations.provider_order_id(order.pk, 1, clock.now()),
        created_at=clock.now(),
    )
    number = payment.provider_order_id
    world.sandbox.admin(number, enter="REQSUCCESS", pay_type="3", amount=3200)
    world.sandbox.admin(number, status="PAYSUCCESS", pay_type="3")
    until(lambda: Notification.objects.filter(status="PAYSUCCESS").exists())
    asking.work()
    assert fresh(payment).status == S.PAYSUCCESS
    order.refresh_from_db()
    assert order.payment_status == S.PAYSUCCESS


def test_when_the_provider_cannot_be_asked_it_is_tried_again_and_then_given_to_a_person(world: World) -> None:
    payment = world.held()
    world.sandbox.admin(payment.provider_order_id, action="SALES")
    world.sandbox.post_fault(call="SearchTrade", kind="http_503", times=None)
    post(told(payment))
    for _ in range(len(asking.TRY_AGAIN) + 1):
        assert Notification.objects.get().state == State.WAITING
        make_due()
        asking.work()
    assert Notification.objects.get().state == State.UNCONFIRMED
    assert fresh(payment).status == S.AUTH


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_may_die_while_asking(world: World, when: str) -> None:
    payment = world.held()
    world.sandbox.admin(payment.provider_order_id, action="SALES")
    post(told(payment))
    with dying(inquiry, "inquire_now", when=when):
        asking.work()
    assert Notification.objects.get().state == State.CLAIMED
    asking.work()
    assert Notification.objects.get().state == State.CLAIMED  # its lease still runs
    make_due()
    asking.work()
    assert Notification.objects.get().state == State.CONFIRMED
    assert fresh(payment).status == S.SALES


def test_the_same_one_from_many_sides_at_once_is_one_row_and_one_question(world: World) -> None:
    payment = world.held()
    world.sandbox.admin(payment.provider_order_id, action="SALES")
    in_threads(6, lambda: post(told(payment)))
    row = Notification.objects.get()
    assert row.times == 6
    in_threads(4, asking.work)
    assert Operation.objects.filter(action=Action.INQUIRE).count() == 1
    assert fresh(payment).status == S.SALES


def test_the_connection_test_and_nonsense_are_answered_and_not_kept(world: World) -> None:
    assert post({"ErrCode": "E00", "ErrInfo": "E00000000", "ShopID": ""}) == (200, "0")
    assert post(b"") == (200, "0")
    assert post(b"\xff\xfe") == (200, "0")
    assert post(b"&".join(b"a=1" for _ in range(500))) == (200, "0")
    assert not Notification.objects.exists()


def test_the_address_takes_posts_of_ordinary_size_to_known_accounts_only(world: World) -> None:
    assert post(b"x" * (16 * 1024 + 1)) == (413, "1")
    assert post({"OrderID": "1"}, address="/notify/gmopg/nobody/")[0] == 404
    assert Client().get(ADDRESS).status_code == 405


def test_beyond_the_limit_strange_ones_are_turned_away_and_genuine_ones_are_not(
    world: World, monkeypatch: Any
) -> None:
    payment = world.held()
    monkeypatch.setattr(limits, "STRANGE_PER_MINUTE", 2)
    answers = [post(told(payment, OrderID=f"x-{number}")) for number in range(4)]
    assert answers == [(200, "0"), (200, "0"), (429, "1"), (429, "1")]
    assert post(told(payment)) == (200, "0")
    assert Notification.objects.count() == 3


def test_without_redis_everything_is_taken_in(world: World, settings: Any) -> None:
    payment = world.held()
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    limits._connection.cache_clear()
    try:
        assert post(told(payment, OrderID="x")) == (200, "0")
    finally:
        limits._connection.cache_clear()


def test_card_numbers_and_passes_are_never_stored(world: World) -> None:
    payment = world.held()
    post(
        told(
            payment,
            AccessPass="secretpass",
            CardNo="4111111111111111",
            Other="x 4111111111111111",
            Long="y" * 900,
        )
    )
    fields = str(Notification.objects.get().fields)
    assert "secretpass" not in fields
    assert "4111111111111111" not in fields
    assert "y" * 201 not in fields


def desk() -> Desk:
    return Desk(Account(base_url="http://gmopg.test", shop_id="tshop00000001", shop_pass=SecretStr("x")))


@pytest.mark.parametrize("body", [b"", b"a=1", b"<html></html>", "OrderID=あ".encode()])
def test_what_is_no_notification_is_refused(body: bytes) -> None:
    with pytest.raises(NotANotice):
        desk().read(body)


def test_values_come_in_windows_31j() -> None:
    body = urlencode({"OrderID": "1", "ErrInfo": "失敗～"}, encoding="cp932").encode()
    assert desk().read(body).fields["ErrInfo"] == "失敗～"
