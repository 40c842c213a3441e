"""The screens of the nightly jobs and of notifications: who may, what they say, and that GET executes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.test import Client

from cagolab import clock
from orders.statuses import OrderStatus
from payments.models import NightlyJob, NightlySettings, Notification, Operation, StaleRun
from payments.nightly import stale_orders
from tests.gateway_world import World
from tests.payments.nightly.shop import GivenUpShop

PAGE = "/payments/stale-orders/"
SETTINGS = "/payments/nightly/"
VALID = {
    "stale_orders_on": "on",
    "stale_orders_hour": "4",
    "pending_days": "10",
    "cart_days": "3",
    "deadline_watch_hour": "8",
    "reconciliation_hour": "2",
    "mail_to": "owner@example.jp",
}


@pytest.fixture
def as_role(transactional_db: None) -> Callable[[str], Client]:
    def make(role: str) -> Client:
        user = User.objects.create_user(f"user-{role}", last_name="田中", first_name="花子")
        if role:
            user.groups.add(Group.objects.get(name=role))
        client = Client()
        client.force_login(user)
        return client

    return make


def until_of(client: Client) -> str:
    return str(client.get(PAGE).context["until"])


def test_the_page_shows_what_would_happen_and_executes_nothing(
    given_up: GivenUpShop, as_role: Callable[[str], Client]
) -> None:
    alone, tried = given_up.order(), given_up.order()
    given_up.lost(tried)
    asked = Operation.objects.count()
    page = as_role("決済操作").get(PAGE).content.decode()
    for words in (
        alone.number,
        "取り消します（決済はありません）",
        "決済代行会社に確認してから判断します（当店の記録：未決済）",
        "2件を確認して取り消す",
    ):
        assert words in page
    assert not StaleRun.objects.exists()
    assert Operation.objects.count() == asked


def test_the_button_starts_one_run_and_the_result_says_what_came_of_each(
    given_up: GivenUpShop, as_role: Callable[[str], Client]
) -> None:
    order = given_up.order()
    client = as_role("決済操作")
    answer = client.post(f"{PAGE}start/", {"until": until_of(client)})
    run = StaleRun.objects.get()
    assert answer["Location"] == f"{PAGE}{run.pk}/"
    assert run.started_by_name == "田中 花子"
    assert "実行しています" in client.get(answer["Location"]).content.decode()
    again = client.post(f"{PAGE}start/", {"until": clock.now().isoformat()}, follow=True)
    assert "すでに実行中のため" in again.content.decode()
    stale_orders.work(run.pk)
    page = client.get(answer["Location"]).content.decode()
    assert "終了しました" in page
    assert order.number in page
    assert "注文を取り消し、在庫とポイントを元に戻しました。" in page
    part = client.get(answer["Location"], headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part


def test_only_what_the_page_showed_is_taken(
    given_up: GivenUpShop, as_role: Callable[[str], Client], world: World
) -> None:
    order = given_up.order(days=7)
    client = as_role("決済操作")
    shown = clock.now().replace(year=2020).isoformat()
    client.post(f"{PAGE}start/", {"until": shown})
    assert StaleRun.objects.get().cases.count() == 0
    order.refresh_from_db()
    assert order.status == OrderStatus.PENDING


@pytest.mark.parametrize("until", ["", "nonsense", "2026-13-01T00:00:00+09:00", "2026-12-01T00:00:00"])
def test_a_crafted_moment_starts_nothing(
    given_up: GivenUpShop, as_role: Callable[[str], Client], until: str
) -> None:
    answer = as_role("決済操作").post(f"{PAGE}start/", {"until": until}, follow=True)
    assert "何も実行していません" in answer.content.decode()
    assert not StaleRun.objects.exists()


@pytest.mark.parametrize("role", ["", "閲覧", "受注編集"])
def test_without_the_money_permission_nothing_starts(
    given_up: GivenUpShop, as_role: Callable[[str], Client], role: str
) -> None:
    order = given_up.order()
    payment = given_up.lost(order, at_provider="SALES")
    given_up.run()
    client = as_role(role)
    now = clock.now().isoformat()
    assert client.post(f"{PAGE}start/", {"until": now}).status_code == 403
    assert client.post(f"{PAGE}adopt/{payment.pk}/").status_code == 403
    assert client.get(PAGE).status_code == (200 if role else 403)
    assert StaleRun.objects.count() == 1
    order.refresh_from_db()
    assert order.status == OrderStatus.PENDING


def test_a_sale_waits_with_two_buttons_and_adopting_says_so(
    given_up: GivenUpShop, as_role: Callable[[str], Client]
) -> None:
    order = given_up.order()
    payment = given_up.lost(order, at_provider="SALES")
    given_up.run()
    client = as_role("決済操作")
    page = client.get(PAGE).content.decode()
    assert f'href="/payments/{payment.pk}/cancel/">返金' in page
    assert "取り消しません（お客様のお支払いがあります）" in page
    assert client.get(f"/payments/{payment.pk}/cancel/").status_code == 200
    assert client.get(f"{PAGE}adopt/{payment.pk}/").status_code == 405
    answer = client.post(f"{PAGE}adopt/{payment.pk}/", follow=True)
    assert (
        f"注文番号 {order.number} を受注として採用し、対応状況を「入金済み」にしました。"
        in answer.content.decode()
    )
    order.refresh_from_db()
    assert order.status == OrderStatus.PAID


def test_what_nobody_could_tell_has_a_button_and_says_what_was_done(
    sbps: World, as_role: Callable[[str], Client]
) -> None:
    given_up = GivenUpShop(sbps)
    order = given_up.order()
    payment = given_up.never_arrived(order)
    given_up.run()
    client = as_role("決済操作")
    page = client.get(PAGE).content.decode()
    assert "請求の有無を確認する注文" in page
    assert f"SBペイメントサービス {payment.provider_order_id}" in page
    address = re.search(rf"{PAGE}release/\d+/", page)
    assert address
    assert as_role("受注編集").post(address[0]).status_code == 403
    assert client.get(address[0]).status_code == 405
    answer = client.post(address[0], follow=True).content.decode()
    assert f"注文番号 {order.number} を取り消し、在庫とポイントを元に戻しました。" in answer
    assert "請求の有無を確認する注文" not in answer
    assert "すでに「注文取消し」です" in client.post(address[0], follow=True).content.decode()


def test_an_administrator_sets_the_schedule(world: World, as_role: Callable[[str], Client]) -> None:
    client = as_role("管理者")
    assert "自動では実行しません" in client.get(SETTINGS).content.decode()
    answer = client.post(SETTINGS, VALID, follow=True)
    assert "夜間処理の設定を登録しました。" in answer.content.decode()
    row = NightlySettings.objects.get()
    assert (row.pending_days, row.cart_days, row.mail_to) == (10, 3, "owner@example.jp")
    job = NightlyJob.objects.get(kind="stale_orders")
    assert (job.is_on, job.hour) == (True, 4)
    assert NightlyJob.objects.get(kind="deadline_watch").is_on is False
    assert "4時" in client.get(SETTINGS).content.decode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"stale_orders_hour": "24"},
        {"pending_days": "0"},
        {"cart_days": "x"},
        {"mail_to": "nobody"},
        {"pending_days": ""},
    ],
)
def test_wrong_settings_are_told_and_change_nothing(
    world: World, as_role: Callable[[str], Client], wrong: dict[str, str]
) -> None:
    answer = as_role("管理者").post(SETTINGS, VALID | wrong)
    assert answer.status_code == 422
    assert "登録していません。" in answer.content.decode()
    assert not NightlyJob.objects.filter(is_on=True).exists()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("mail_to", "nobody", "メールアドレスの形式で入力してください。"),
        ("pending_days", "0", "日までの整数で入力してください。"),
        ("pending_days", "x", "日までの整数で入力してください。"),
        ("cart_days", "99999", "日までの整数で入力してください。"),
    ],
)
def test_each_wrong_setting_has_its_sentence(
    world: World, as_role: Callable[[str], Client], field: str, value: str, sentence: str
) -> None:
    answer = as_role("管理者").post(SETTINGS, VALID | {field: value})
    assert sentence in answer.content.decode()


def test_the_sentences_of_this_form_stay_in_this_form(world: World, as_role: Callable[[str], Client]) -> None:
    as_role("管理者").get(SETTINGS)
    with pytest.raises(ValidationError, match="有効なメールアドレスを入力してください。"):
        validate_email("nobody")


@pytest.mark.parametrize("role", ["", "閲覧", "受注編集", "決済操作"])
def test_only_administrators_see_the_settings(
    world: World, as_role: Callable[[str], Client], role: str
) -> None:
    client = as_role(role)
    assert (client.get(SETTINGS).status_code, client.post(SETTINGS, VALID).status_code) == (403, 403)


def test_notifications_for_a_person_are_listed_until_somebody_marks_them(
    world: World, as_role: Callable[[str], Client]
) -> None:
    row = Notification.objects.create(
        account=world.account,
        digest="x",
        state=Notification.State.NO_ORDER,
        provider_order_id="lost-1",
        status="AUTH",
        amount=1200,
        received_at=clock.now(),
        message="この決済オーダーIDの決済は、管理画面にありません。",
    )
    client = as_role("決済操作")
    page = client.get("/payments/notifications/").content.decode()
    assert "lost-1" in page
    assert "仮売上済み" in page
    answer = client.post(f"/payments/notifications/{row.pk}/handled/", follow=True)
    assert "対応が必要な通知はありません。" in answer.content.decode()
    assert "田中 花子さんが" in client.get("/payments/notifications/?show=all").content.decode()


@pytest.mark.parametrize("role", ["", "閲覧"])
def test_marking_needs_the_money_permission(
    world: World, as_role: Callable[[str], Client], role: str
) -> None:
    row = Notification.objects.create(
        account=world.account, digest="x", state=Notification.State.NO_ORDER, received_at=clock.now()
    )
    assert as_role(role).post(f"/payments/notifications/{row.pk}/handled/").status_code == 403
