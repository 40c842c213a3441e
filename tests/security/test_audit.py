"""操作履歴: everything that was done is found, by user, day and order number, and can never be changed."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection, transaction
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cagolab.audit import listing
from cagolab.models import AuditEntry
from gateways.vocabulary import Action
from orders.history import record
from payments.models import Operation
from tests.screens.payment_shop import NOW, make_operation
from tests.security.office import PASSWORD, Office, client_of, make_office, make_user

pytestmark = pytest.mark.django_db

# Of each table the index by time, and that of one person's rows by time.
INDEXES = {
    "orders_orderchange": ("change_newest", "change_of_actor"),
    "payments_operation": ("operation_newest", "operation_of_actor"),
    "cagolab_auditentry": ("audit_newest", "audit_of_actor_newest"),
}


@pytest.fixture
def office() -> Office:
    return make_office()


@pytest.fixture
def admin(office: Office) -> Client:
    return client_of(make_user("admin", "管理者"))


def change(office: Office, old: str, new: str, **fields: Any) -> None:
    values: dict[str, Any] = {
        "actor": office.other,
        "actor_name": "編集 一郎",
        "source": "受注編集",
        "ip": "203.0.113.5",
        "now": NOW,
    }
    record(order_id=office.payment.order_id, field="お名前", old=old, new=new, **values | fields)


def page(client: Client, **query: Any) -> str:
    return client.get("/audit/", query).content.decode()


def test_a_field_of_an_order_is_told_with_who_when_from_where(office: Office, admin: Client) -> None:
    change(office, "山田", "山口")
    html = page(admin)
    for words in ("編集 一郎", "203.0.113.5", "2026/12/01 12:00:00", "お名前", "山田 → 山口"):
        assert words in html
    assert f">{office.payment.order.number}</a>" in html


def test_money_is_told_with_its_result(office: Office, admin: Client) -> None:
    make_operation(
        office.payment,
        Action.CAPTURE,
        Operation.State.DECLINED,
        message="承認されませんでした。",
        reason_code="42G020000",
    )
    html = page(admin, tab="money")
    for words in ("売上確定(実売上) 3,200円", "会計 花子", "承認されませんでした。(エラーコード 42G020000)"):
        assert words in html


def test_logins_roles_and_files_are_told(office: Office, admin: Client) -> None:
    browser = Client()
    browser.post("/login/", {"username": "other", "password": "wrong"})
    browser.post("/login/", {"username": "other", "password": PASSWORD})
    browser.get(f"/bulk/{office.run.pk}/result.csv")
    browser.post("/logout/")
    office.other.groups.add(Group.objects.get(name="決済操作"))
    html = page(admin, tab="office")
    for words in (
        "ログイン失敗",
        "パスワードが違います。",
        "ファイル出力",
        "ログアウト",
        "権限「決済操作」を付けました。",
    ):
        assert words in html, words


def test_user_days_and_number_narrow_it(office: Office, admin: Client) -> None:
    change(office, "a", "昨日のもの", now=NOW - timedelta(days=1))
    change(office, "a", "今日のもの")
    change(office, "a", "機械のもの", actor=None, actor_name="夜間処理")
    other = str(office.other.pk)
    assert "機械のもの" not in page(admin, user=other)
    assert "今日のもの" not in page(admin, user="none")
    assert "昨日のもの" not in page(admin, first="2026-12-01")
    assert "今日のもの" not in page(admin, last="2026-11-30")
    assert "今日のもの" in page(admin, number=office.payment.order.number)
    assert "該当する履歴はありません" in page(admin, number="nothing-like-it")
    assert "日付は 2026-12-01 の形で" in page(admin, first="yesterday")
    assert admin.get("/audit/", {"user": "1 OR 1=1", "before": "x", "tab": "x"}).status_code == 200


def test_pages_by_key_show_every_row_once(office: Office, admin: Client) -> None:
    for number in range(120):
        change(office, "", f"値{number:03}")
    shown: list[str] = []
    address = "/audit/"
    for _ in range(3):
        html = admin.get(address).content.decode()
        shown += [f"値{number:03}" for number in reversed(range(120)) if f"値{number:03}" in html]
        if found := re.search(r'href="([^"]+)" rel="next"', html):
            address = "/audit/" + found[1].replace("&amp;", "&")
    assert shown == [f"値{number:03}" for number in reversed(range(120))]


@pytest.mark.parametrize("tab", ["orders", "money", "office"])
def test_a_page_costs_few_queries(
    office: Office, admin: Client, tab: str, django_assert_max_num_queries: Any
) -> None:
    for number in range(60):
        change(office, "", str(number))
        make_operation(office.payment, Action.INQUIRE, Operation.State.SUCCEEDED)
        AuditEntry.objects.create(at=NOW, kind="login", actor=office.other, actor_name="編集 一郎")
    with django_assert_max_num_queries(9):
        admin.get(
            "/audit/", {"tab": tab, "number": office.payment.order.number, "user": str(office.other.pk)}
        )


@pytest.mark.parametrize("statement", ["UPDATE {} SET actor_name = 'x'", "DELETE FROM {}"])
def test_what_is_written_stays_as_it_is(office: Office, statement: str) -> None:
    AuditEntry.objects.create(at=NOW, kind="login", actor_name="編集 一郎")
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format("cagolab_auditentry"))


@pytest.mark.parametrize("tab", ["orders", "money", "office"])
@pytest.mark.parametrize("narrowed", [{}, {"user": "{user}"}, {"last": "2020-01-01"}])
def test_a_page_of_a_million_is_read_from_an_index_in_its_order(
    office: Office, admin: Client, tab: str, narrowed: dict[str, str]
) -> None:
    """Sorting, or walking past what is newer, would read the whole history for one page."""
    source = listing.SOURCES[tab]
    query = QueryDict(mutable=True)
    query.update({name: value.format(user=office.other.pk) for name, value in narrowed.items()})
    with connection.cursor() as cursor, CaptureQueriesContext(connection) as asked:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        listing.page(source, listing.Filters.from_query(query), before="")
        (statement,) = [each["sql"] for each in asked if "ORDER BY" in each["sql"]]
        cursor.execute(f"EXPLAIN {statement}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    table = source.model._meta.db_table
    assert f"Scan Backward using {INDEXES[table][bool('user' in narrowed)]} on {table}" in plan
    assert "Sort" not in plan


def test_a_page_goes_by_time_not_by_the_order_of_writing(office: Office, admin: Client) -> None:
    for day in (3, 1, 2):
        change(office, "", f"値{day}", now=NOW + timedelta(days=day))
    html = page(admin)
    assert html.index("値3") < html.index("値2") < html.index("値1")
