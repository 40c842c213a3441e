"""ペイジェント決済状況一覧: its columns, the boxes a state allows, and a run that is told where it was started
(PG-1, PG-2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cagolab import clock, navigation
from gateways.vocabulary import Action
from gateways.vocabulary import PaymentStatus as S
from orders.bulk import engine, tasks
from orders.bulk.models import BulkRun
from orders.models import Order, PaymentMethod
from orders.statuses import OrderStatus
from payments import inquiry, provider_lists, transitions
from payments.models import GatewayAccount, Operation, Payment
from payments.views import provider_list
from tests.gateway_world import OPERATOR, World
from tests.screens.payment_shop import NOW, make_account, make_bare_order, make_operation, make_payment

Login = Callable[[str], Client]
ADDRESS = "/payments/providers/paygent/"
CHANGE, CAPTURE, CANCEL = "change_amount", "capture", "cancel"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_bells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_ring", lambda run_id, countdown=0: None)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> GatewayAccount:
    """It is 2026-12-01 12:00 in Tokyo, and there is an account at Paygent."""
    monkeypatch.setattr("cagolab.clock.now", lambda: NOW)
    made, _ = GatewayAccount.objects.update_or_create(
        code="paygent",
        defaults={"provider": "paygent", "name": "ペイジェント", "capture_days": 60, "change_days": 60},
    )
    return made


@pytest.fixture
def method(account: GatewayAccount, monkeypatch: pytest.MonkeyPatch) -> PaymentMethod:
    """What customers pay with there."""
    made = PaymentMethod.objects.create(name="ペイジェントクレジット", kind="card", account=account.code)
    monkeypatch.setattr(provider_list, "_methods", lambda provider: [made])
    return made


def page(client: Client, query: str = "") -> str:
    answer = client.get(f"{ADDRESS}?{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def numbers(html: str) -> list[str]:
    return re.findall(r'#payment"><strong>(\w+)</strong>', html)


def boxes(html: str, payment: Payment) -> dict[str, str]:
    """The word beside each box of the payment's row, by the run that the box is for."""
    row = re.search(rf'<tr id="order-{payment.order_id}">.*?</tr>', html, re.DOTALL)
    assert row
    return dict(re.findall(r'data-tick="(\w+)"> (\S+?)<', row[0]))


def test_the_columns_are_the_manuals(login: Login, account: GatewayAccount) -> None:
    payment = make_payment(S.AUTH, account=account, total=3300, amount=3300)
    html = page(login("決済操作"))
    heads = [re.sub(r"<.*", "", head) for head in re.findall(r'<th scope="col"[^>]*>(.*?)</th>', html)]
    assert heads == [
        "受注日時",
        "注文番号",
        "ペイジェント状況",
        "オーソリ・売上変更",
        "一括売上",
        "一括取消",
        "お名前",
        "支払方法",
        "購入金額",
        "対応状況",
    ]
    for words in (
        "2026/11/30 12:00",
        "オーソリOK",
        "テスト会員",
        "¥3,300",
        "新規受付",
        "検索結果：1件が該当しました",
    ):
        assert words in html
    assert numbers(html) == [payment.order.number]
    assert html.count(">実行</button>") == 6, "one per column, and one per column for narrow screens"
    assert re.search(
        r'<a class="btn btn-ec-regular" href="/payments/stale-orders/">決済処理中の注文の取消</a>', html
    )


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (S.AUTH, {CHANGE: "オーソリ変更", CAPTURE: "売上", CANCEL: "取消"}),
        (S.SALES, {CHANGE: "売上変更", CANCEL: "取消"}),
        (S.CAPTURE, {CHANGE: "売上変更", CANCEL: "取消"}),
        (S.VOID, {}),
        (S.RETURN, {}),
        (S.EXPIRED, {}),
        (S.PAYFAIL, {}),
        (S.UNPROCESSED, {}),
        (S.EXCEPTION, {}),
    ],
)
def test_a_row_has_the_boxes_that_its_state_allows(
    login: Login, account: GatewayAccount, status: S, expected: dict[str, str]
) -> None:
    payment = make_payment(status, account=account)
    assert boxes(page(login("決済操作")), payment) == expected


@pytest.mark.parametrize(
    ("status", "days", "expected"),
    [
        (S.AUTH, 60, {CHANGE, CAPTURE, CANCEL}),
        (S.AUTH, 61, set()),
        (S.SALES, 60, {CHANGE, CANCEL}),
        (S.SALES, 61, set()),
    ],
)
def test_sixty_days_after_the_authorization_or_the_capture_the_boxes_are_gone(
    login: Login, account: GatewayAccount, status: S, days: int, expected: set[str]
) -> None:
    payment = make_payment(status, account=account, authorized_at=NOW - timedelta(days=days))
    assert set(boxes(page(login("決済操作")), payment)) == expected


def test_a_deadline_is_shown_from_fourteen_days_before_it_on(login: Login, account: GatewayAccount) -> None:
    client = login("閲覧")
    make_payment(S.AUTH, account=account, authorized_at=NOW - timedelta(days=45))
    assert "あと15日" not in page(client)
    make_payment(S.AUTH, account=account, authorized_at=NOW - timedelta(days=46))
    assert "あと14日" in page(client)


def test_a_payment_that_is_being_confirmed_has_no_box(login: Login, account: GatewayAccount) -> None:
    payment = make_payment(S.AUTH, account=account)
    make_operation(payment, Action.CAPTURE, Operation.State.UNCONFIRMED)
    html = page(login("決済操作"))
    assert boxes(html, payment) == {}
    assert "確認中" in html


def test_every_action_that_the_table_allows_has_a_word() -> None:
    for provider, listed in provider_lists.LISTS.items():
        for column in listed.columns:
            allowed = {
                status
                for (family, _kind), edges in transitions.TABLE.items()
                for status, actions in edges.items()
                if family == provider and column.action in actions
            }
            assert set(column.words) == allowed


def test_only_the_providers_orders_are_listed(
    login: Login, account: GatewayAccount, method: PaymentMethod
) -> None:
    make_account()
    make_payment(S.AUTH)
    make_bare_order()
    theirs = make_payment(S.AUTH, account=account).order
    by_hand = make_bare_order(payment_method=method, payment_method_name=method.name)
    left = make_bare_order(payment_method=method, status=OrderStatus.PENDING)
    client = login("決済操作")
    html = page(client)
    assert set(numbers(html)) == {theirs.number, by_hand.number}
    assert set(numbers(page(client, "status=7"))) == {left.number}
    assert f'data-tick="{CAPTURE}"' not in page(client, "status=7")


def test_another_provider_cannot_be_asked_for_in_the_address(login: Login, account: GatewayAccount) -> None:
    make_account()
    make_payment(S.AUTH)
    assert numbers(page(login("閲覧"), "provider=gmopg")) == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("payment_status=AUTH", {"held"}),
        ("payment_status=SALES,CAPTURE", {"sold"}),
        ("payment_status=EXPIRED", {"expired"}),
        ("amount_min=4000", {"dear"}),
        ("number=201", {"sold"}),
        ("status=5", {"sold"}),
        ("differs=1", {"dear"}),
    ],
)
def test_the_search_is_that_of_the_order_list(
    login: Login, account: GatewayAccount, query: str, expected: set[str]
) -> None:
    made = {
        "held": make_payment(S.AUTH, account=account),
        "sold": make_payment(S.SALES, account=account, order_fields={"status": OrderStatus.SHIPPED}),
        "expired": make_payment(S.EXPIRED, account=account),
        "dear": make_payment(S.RETURN, account=account, total=5000, amount=3200),
    }
    Payment.objects.filter(pk=made["dear"].pk).update(status=S.SALES)
    Order.objects.filter(pk=made["dear"].order_id).update(
        payment_status="SALES" if "differs" in query else "RETURN"
    )
    shown = set(numbers(page(login("閲覧"), query)))
    assert shown == {made[name].order.number for name in expected}


def test_the_states_to_search_for_have_paygents_words(login: Login, account: GatewayAccount) -> None:
    html = page(login("閲覧"))
    words = re.findall(r'for="payment-status-\d+">([^<]+)<', html)
    assert words == [
        "未決済", "決済失敗", "オーソリOK", "売上", "オーソリ取消済", "売上キャンセル", "オーソリ期限切", "例外エラー",
    ]  # fmt: skip
    assert 'value="SALES,CAPTURE"' in html
    assert '<details class="search-details">' in html, "closed while nothing detailed is asked for"


@pytest.mark.parametrize("size", [10, 50, 100])
def test_a_page_costs_the_same_queries_at_any_size(
    login: Login, account: GatewayAccount, method: PaymentMethod, size: int
) -> None:
    for _ in range(size + 2):
        make_payment(S.AUTH, account=account, amount=3200, total=2700)
    client = login("決済操作")
    with CaptureQueriesContext(connection) as queries:
        html = page(client, f"size={size}")
    assert len(numbers(html)) == size
    assert len(queries) <= 12, [query["sql"][:120] for query in queries]


def test_pages_go_on_by_key(login: Login, account: GatewayAccount) -> None:
    made = {make_payment(S.AUTH, account=account).order.number for _ in range(12)}
    client = login("決済操作")
    first = page(client, "size=10&status=1")
    following = re.search(r'href="([^"]*)" rel="next"', first)
    assert following
    assert following[1].partition("&amp;cursor=")[0] == f"{ADDRESS}?status=1&amp;size=10"
    second = client.get(following[1].replace("&amp;", "&")).content.decode()
    assert set(numbers(first)) | set(numbers(second)) == made
    assert 'rel="prev"' in second


def test_who_may_not_move_money_sees_no_boxes(login: Login, account: GatewayAccount) -> None:
    payment = make_payment(S.AUTH, account=account)
    html = page(login("受注編集"))
    assert numbers(html) == [payment.order.number]
    assert "data-tick=" not in html
    assert ">実行</button>" not in html


def test_a_condition_that_cannot_be_read_shows_no_orders(login: Login, account: GatewayAccount) -> None:
    make_payment(S.AUTH, account=account)
    html = page(login("閲覧"), "amount_min=x")
    assert "検索していません" in html
    assert numbers(html) == []


def test_a_provider_without_a_list_of_its_own_has_no_such_page(login: Login) -> None:
    client = login("閲覧")
    for provider in ("gmopg", "sbps", "x"):
        assert client.get(f"/payments/providers/{provider}/").status_code == 404


def test_the_side_bar_shows_the_list_where_there_is_an_account(login: Login, settings: Any) -> None:
    assert {listed.provider: listed.title for listed in provider_lists.LISTS.values()} == (
        navigation.PROVIDER_LISTS
    )
    client = login("閲覧")
    settings.GATEWAY_ACCOUNTS = {}
    assert ADDRESS not in client.get("/").content.decode()


# With the sandbox: from the ticks to the flash.


@pytest.fixture
def operator(paygent: World) -> Client:
    user = User.objects.create_user("operator", last_name="田中", first_name="花子")
    user.groups.add(Group.objects.get(name="決済操作"))
    client = Client()
    client.force_login(user)
    return client


def ticked(client: Client, kind: str, *payments: Payment, **fields: Any) -> BulkRun:
    """Press 実行 of a column. Nothing has been executed then."""
    before = Operation.objects.count()
    orders = [payment.order_id for payment in payments]
    answer = client.post(
        reverse("bulk:preview"),
        {"kind": kind, "scope": "ticked", "order": orders, "back": f"{ADDRESS}?size=20", **fields},
    )
    run = BulkRun.objects.latest("created_at")
    assert answer["Location"] == reverse("bulk:run", args=[run.pk])
    assert Operation.objects.count() == before
    return run


def confirmed(client: Client, run: BulkRun, **fields: str) -> BulkRun:
    client.post(reverse("bulk:start", args=[run.pk]), fields)
    engine.work(run.pk, seconds=30)
    run.refresh_from_db()
    assert run.state == BulkRun.State.FINISHED
    return run


def said(html: str) -> list[str]:
    """Headlines and lines of the flash."""
    return re.findall(r"<strong>([\d,]+件[^<]*)</strong>|<li>(受注番号[^<]*)</li>", html)


def told(client: Client) -> list[str]:
    return ["".join(pair) for pair in said(client.get(ADDRESS).content.decode())]


def test_a_capture_that_was_started_here_is_told_here_in_the_manuals_words(
    paygent: World, operator: Client
) -> None:
    payment = paygent.held()
    run = ticked(operator, CAPTURE, payment)
    assert told(operator) == []
    confirmed(operator, run)
    assert paygent.moved(payment) == [("AUTH", 3200), ("SALES", 3200)]
    expected = ["1件が成功しました", f"受注番号：{payment.order.number} → 売上成功"]
    run_page = operator.get(reverse("bulk:run", args=[run.pk])).content.decode()
    assert ["".join(pair) for pair in said(run_page)] == expected
    assert told(operator) == expected
    assert told(operator) == [], "once"
    assert boxes(page(operator), payment) == {CHANGE: "売上変更", CANCEL: "取消"}


def test_a_row_that_failed_says_why_and_what_to_do(paygent: World, operator: Client) -> None:
    good, bad = paygent.held(), paygent.held()
    run = ticked(operator, CAPTURE, good, bad)
    paygent.behind_our_back(bad, action="VOID")
    confirmed(operator, run)
    flash = told(operator)
    assert flash[0] == "1件が失敗しました"
    assert flash[1].startswith(f"受注番号：{bad.order.number} → 売上失敗：")
    assert "確認" in flash[1]
    assert flash[2:] == ["1件が成功しました", f"受注番号：{good.order.number} → 売上成功"]


def test_while_the_run_goes_on_the_list_says_so_and_hears_of_its_end(
    paygent: World, operator: Client
) -> None:
    run = ticked(operator, CAPTURE, paygent.held())
    operator.post(reverse("bulk:start", args=[run.pk]))
    html = page(operator)
    assert "一括売上を実行しています" in html
    address = re.search(r'hx-get="(/bulk/news/[^"]*)"', html)
    assert address
    assert unquote(address[1]) == f"/bulk/news/?at={ADDRESS}"
    assert operator.get(address[1]).status_code == 200
    engine.work(run.pk, seconds=30)
    answer = operator.get(address[1])
    assert answer.status_code == 286, "htmx stops asking"
    assert "1件が成功しました" in answer.content.decode()
    assert told(operator) == []


def test_the_news_are_only_those_of_the_operator_and_of_the_list(
    paygent: World, operator: Client, login: Login
) -> None:
    run = ticked(operator, CANCEL, paygent.held(), back="/payments/?size=20")
    confirmed(operator, run)
    assert told(operator) == []
    assert told(login("決済操作")) == []
    assert "1件が成功しました" in operator.get("/payments/").content.decode()


def test_amounts_are_changed_in_bulk_before_and_after_the_capture(paygent: World, operator: Client) -> None:
    held, sold, same = paygent.held(), paygent.held(), paygent.held()
    paygent.done(sold, Action.CAPTURE)
    Order.objects.filter(pk__in=[held.order_id, sold.order_id]).update(payment_total=2700)
    html = page(operator)
    assert boxes(html, held)[CHANGE] == "オーソリ変更"
    assert boxes(html, sold)[CHANGE] == "売上変更"
    run = ticked(operator, CHANGE, held, sold, same)
    assert (run.taken, run.skips[0]["reason"][:20]) == (2, "決済金額とお支払い合計は同じです。金額を変"[:20])
    assert {group["label"] for group in run.groups} == {
        "オーソリ変更(オーソリOK → オーソリOK)",
        "売上変更(売上 → 売上)",
    }
    confirmed(operator, run)
    headline, *lines = told(operator)
    assert headline == "2件が成功しました"
    assert sorted(lines) == sorted(
        [
            f"受注番号：{held.order.number} → オーソリ変更成功",
            f"受注番号：{sold.order.number} → 売上変更成功",
        ]
    )
    for payment, status in ((held, S.AUTH), (sold, S.SALES)):
        payment.refresh_from_db()
        assert (payment.status, payment.amount) == (status, 2700)


def test_more_lines_than_a_flash_can_hold_are_counted(
    paygent: World, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.bulk.news.MAX_LINES", 3)
    monkeypatch.setattr("orders.bulk.news.FEW_LINES", 2)
    for payments, lines, further in ((3, 3, ""), (4, 2, "ほか2件")):
        run = ticked(operator, CAPTURE, *[paygent.held() for _ in range(payments)])
        confirmed(operator, run)
        html = operator.get(ADDRESS).content.decode()
        assert html.count("→ 売上成功") == lines
        assert further in html
        assert ("ほか" in html) == bool(further)


def test_an_expired_authorization_is_told_by_the_provider(paygent: World, operator: Client) -> None:
    paygent.at("2026-10-01 10:00:00")
    payment = paygent.held()
    paygent.at("2026-11-30 23:59:00")
    inquiry.inquire_now(payment_id=payment.pk, by=OPERATOR, now=clock.now())
    assert "オーソリ期限切</span>" not in page(operator)
    assert set(boxes(page(operator), payment)) == {CHANGE, CAPTURE, CANCEL}
    paygent.at("2026-12-01 00:01:00")
    inquiry.inquire_now(payment_id=payment.pk, by=OPERATOR, now=clock.now())
    payment.refresh_from_db()
    html = page(operator)
    assert payment.status == S.EXPIRED
    assert "オーソリ期限切</span>" in html
    assert boxes(html, payment) == {}


def test_the_amount_of_one_order_is_changed_by_the_rows_link(paygent: World, operator: Client) -> None:
    payment, same = paygent.held(), paygent.held()
    Order.objects.filter(pk=payment.order_id).update(payment_total=2700)
    html = page(operator)
    links = re.findall(r'<a class="change-one" href="([^"]*)"', html)
    assert links == [f"/payments/{payment.pk}/change_amount/"], same
    dialog = operator.get(links[0]).content.decode()
    assert "決済金額を 3,200円 から 2,700円 に変更し、仮売上にします。" in dialog


@pytest.mark.parametrize(
    "name", ["order_of_provider", "order_days_listed", "order_by_payment_total", "order_held_by_deadline"]
)
def test_which_orders_it_lists_is_known_from_an_index_alone(name: str) -> None:
    index = next(index for index in Order._meta.indexes if index.name == name)
    columns = {field.removeprefix("-") for field in index.fields} | set(index.include)
    asked = {"ordered_at", "id", "status", "payment_provider", "payment_method", "payment_status"}
    assert asked <= columns
