"""決済アカウント: the rules of a contract, changed by administrators and by nobody else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from cagolab.models import AuditEntry
from payments.models import GatewayAccount
from tests.screens.payment_shop import make_account

Login = Callable[[str], Client]

VALID = {
    "name": "GMO-PG",
    "checkout_target": "AUTH",
    "capture_days": "60",
    "change_days": "180",
    "changes_captured_amount": "on",
    "closing_day": "15",
    "max_concurrent_calls": "8",
    "max_calls_per_second": "20",
}


@pytest.fixture
def account(db: None) -> GatewayAccount:
    """The account as it is installed."""
    return make_account()


def test_an_administrator_changes_the_rules(login: Login, account: GatewayAccount) -> None:
    answer = login("管理者").post(f"/payments/accounts/{account.pk}/", VALID, follow=True)
    assert "決済アカウント「GMO-PG」の設定を登録しました。" in answer.content.decode()
    account.refresh_from_db()
    assert (account.capture_days, account.closing_day, account.max_concurrent_calls) == (60, 15, 8)
    entry = AuditEntry.objects.get(kind=AuditEntry.Kind.SETTING)
    assert (entry.actor_name, entry.ip_address) == ("田中 花子", "127.0.0.1")
    assert "実売上の期限(日)：90 → 60" in entry.detail


@pytest.mark.parametrize("role", ["", "閲覧", "受注編集", "決済操作"])
def test_others_change_nothing(login: Login, account: GatewayAccount, role: str) -> None:
    client = login(role)
    assert client.get("/payments/accounts/").status_code == 403
    assert client.get(f"/payments/accounts/{account.pk}/").status_code == 403
    assert client.post(f"/payments/accounts/{account.pk}/", VALID).status_code == 403
    account.refresh_from_db()
    assert account.capture_days == 90


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"capture_days": "0"}, "実売上の期限(日)は1から365日までの整数で入力してください。"),
        ({"capture_days": "366"}, "実売上の期限(日)は1から365日までの整数で入力してください。"),
        ({"capture_days": "九十"}, "実売上の期限(日)は1から365日までの整数で入力してください。"),
        ({"capture_days": ""}, "実売上の期限(日)を入力してください。"),
        ({"change_days": "-5"}, "取消・金額変更の期限(日)は1から730日までの整数で入力してください。"),
        ({"change_days": "59"}, "取消・金額変更の期限は、実売上の期限以上の日数にしてください。"),
        ({"closing_day": "32"}, "締め日は1から31日までの整数で入力してください。"),
        ({"closing_day": "0"}, "締め日は1から31日までの整数で入力してください。"),
        ({"max_concurrent_calls": "0"}, "同時通信数の上限は1から64までの整数で入力してください。"),
        (
            {"max_calls_per_second": "1000"},
            "1秒あたりの通信数の上限は1から500回までの整数で入力してください。",
        ),
        ({"name": ""}, "名称を入力してください。"),
        ({"checkout_target": "VOID"}, "購入時の処理を一覧から選択してください。"),
    ],
)
def test_a_wrong_value_is_told_beside_its_field_and_saves_nothing(
    login: Login, account: GatewayAccount, wrong: dict[str, str], sentence: str
) -> None:
    answer = login("管理者").post(f"/payments/accounts/{account.pk}/", VALID | wrong)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    account.refresh_from_db()
    assert account.capture_days == 90


def test_full_width_digits_are_understood(login: Login, account: GatewayAccount) -> None:
    login("管理者").post(f"/payments/accounts/{account.pk}/", VALID | {"capture_days": "６０"})
    account.refresh_from_db()
    assert account.capture_days == 60


def test_without_a_closing_day_nothing_is_assumed(login: Login, account: GatewayAccount) -> None:
    login("管理者").post(f"/payments/accounts/{account.pk}/", VALID | {"closing_day": ""})
    account.refresh_from_db()
    assert account.closing_day is None


def test_the_list_shows_the_rules_and_no_credentials(login: Login, account: GatewayAccount) -> None:
    html = login("管理者").get("/payments/accounts/").content.decode()
    assert "与信日から90日後まで" in html
    assert "shop_pass" not in html.lower()


def test_only_accounts_whose_provider_keeps_its_notices_have_settings_for_them(
    login: Login, account: GatewayAccount
) -> None:
    client = login("管理者")
    assert "差分照会の間隔" not in client.get(f"/payments/accounts/{account.pk}/").content.decode()
    paygent, _created = GatewayAccount.objects.get_or_create(code="paygent", defaults={"provider": "paygent"})
    address = f"/payments/accounts/{paygent.pk}/"
    assert "差分照会の間隔" in client.get(address).content.decode()
    wrong = client.post(address, VALID | {"notice_poll_minutes": "1441"})
    assert "差分照会の間隔(分)は0から1440分までの整数で入力してください。" in wrong.content.decode()
    client.post(address, VALID | {"notice_poll_minutes": "0", "notice_numbers_are_consecutive": "on"})
    paygent.refresh_from_db()
    assert (paygent.notice_poll_minutes, paygent.notice_numbers_are_consecutive) == (0, True)
