"""One run over payments of all three providers, mixed: each row through its own provider, counted on its ledger."""

from __future__ import annotations

from collections import Counter

import pytest

from cagolab import clock
from gateways.vocabulary import Action
from gateways.vocabulary import PaymentStatus as S
from orders.bulk import engine, preview, worklist
from orders.bulk.models import BulkItem, BulkRun
from orders.bulk.registry import registry
from orders.statuses import OrderStatus
from payments import recovery
from payments.models import Payment
from tests.bulk.shop import in_threads, make_user, states
from tests.gateway_world import World

PROVIDERS = ("gmopg", "paygent", "sbps")
WORKERS = 6

Mixed = list[tuple[World, Payment]]


@pytest.fixture
def shops(world: World, paygent: World, sbps: World) -> tuple[World, ...]:
    """One shop, its accounts at the three."""
    return (world, paygent, sbps)


def held(shops: tuple[World, ...], each: int) -> Mixed:
    """Held payments, one provider after the other, as orders come in."""
    return [(shop, shop.held(total=1000 + number)) for number in range(each) for shop in shops]


def run_over(mixed: Mixed, action: Action) -> BulkRun:
    """Preview over all of them and execute with several workers at once."""
    user = make_user(f"operator-{action}", "決済操作")
    run = preview.preview(
        kind=registry[action.value],
        selection=preview.Selection(order_ids=[payment.order_id for _shop, payment in mixed]),
        parameters={},
        author=preview.Author(user=user, name="田中 花子", ip_address=None),
        back="/payments/",
        now=clock.now(),
    )
    worklist.start(run, follow=action is Action.CAPTURE, now=clock.now())
    in_threads(WORKERS, lambda: engine.work(run.pk, seconds=60))
    run.refresh_from_db()
    assert run.state == BulkRun.State.FINISHED
    return run


def statuses(mixed: Mixed) -> Counter[tuple[str, str]]:
    """How many payments of each provider are in each status."""
    found = Payment.objects.filter(pk__in=[payment.pk for _shop, payment in mixed])
    return Counter(found.values_list("account__provider", "status"))


def test_every_row_is_captured_once_by_its_own_provider(shops: tuple[World, ...]) -> None:
    mixed = held(shops, 10)
    run = run_over(mixed, Action.CAPTURE)
    assert (run.ticked, run.taken, states(run)) == (30, 30, {"succeeded": 30})
    assert statuses(mixed) == Counter({(provider, S.SALES): 10 for provider in PROVIDERS})
    booked = Counter(
        (line["provider"], line["order_id"], line["action"]) for line in shops[0].sandbox.ledger()
    )
    for shop, payment in mixed:
        provider, name = shop.account.provider, shop.name_of(payment)
        assert shop.moved(payment) == [("AUTH", payment.amount), ("SALES", payment.amount)]
        assert booked[provider, name, "SALES"] == 1, "under its own provider's name"
        payment.order.refresh_from_db()
        assert payment.order.status == OrderStatus.PAID


def test_a_mixed_cancel_says_per_provider_what_it_will_be(shops: tuple[World, ...]) -> None:
    mixed = held(shops, 3)
    run = run_over(mixed, Action.CANCEL)
    groups = {group["label"]: group["count"] for group in run.groups}
    assert groups.pop("取消(仮売上済みから)") == 3, "GMO-PG decides by the day"
    assert groups.pop("取消(オーソリOKから)") == 3, "Paygent by the state"
    assert list(groups.values()) == [3], "SBPS by the state, with its day"
    assert states(run) == {"succeeded": 9}
    assert statuses(mixed) == Counter({(provider, S.VOID): 3 for provider in PROVIDERS})
    for shop, payment in mixed:
        assert shop.moved(payment) == [("AUTH", payment.amount), ("VOID", payment.amount)]


def test_lost_answers_at_each_provider_leave_their_rows_to_asking(shops: tuple[World, ...]) -> None:
    mixed = held(shops, 3)
    for call in ("AlterTran", "022", "ST02-00201-101"):
        shops[0].sandbox.post_fault("lost_answer", call=call, times=2)
    run = run_over(mixed, Action.CAPTURE)
    # Paygent's adapter asks at once and finds the capture.
    assert states(run) == {"succeeded": 5, "unknown": 4}
    for _ in range(2):
        shops[0].later(seconds=700)
        recovery.recover_due(clock.now())
        engine.confirm_unknown(clock.now())
    assert states(run) == {"succeeded": 9}
    assert not BulkItem.objects.filter(run=run, message="").exists()
    for shop, payment in mixed:
        assert shop.moved(payment) == [("AUTH", payment.amount), ("SALES", payment.amount)]


def test_a_mixed_amount_change_leaves_out_what_a_provider_cannot_do(shops: tuple[World, ...]) -> None:
    mixed = held(shops, 2)
    for _shop, payment in mixed:
        type(payment.order).objects.filter(pk=payment.order_id).update(payment_total=900)
    run = run_over(mixed, Action.CHANGE_AMOUNT)
    assert (run.taken, run.skipped) == (4, 2)
    assert [skip["reason"] for skip in run.skips] == [
        "金額の変更はできません。詳細はSBPSへお問い合わせください。"
    ]
    assert states(run) == {"succeeded": 4, "skipped": 2}
    amounts = Counter(
        Payment.objects.filter(pk__in=[payment.pk for _shop, payment in mixed], amount=900).values_list(
            "account__provider", flat=True
        )
    )
    assert amounts == {"gmopg": 2, "paygent": 2}
