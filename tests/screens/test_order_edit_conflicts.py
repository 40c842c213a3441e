"""受注編集: two people at once, the same form twice, status changes that ask first, and who may do what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from orders.statuses import OrderStatus
from tests.screens.order_pages import form_of, line_key, order_of, shirt, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def editors() -> tuple[Client, Client]:
    """Two browsers of two operators."""
    clients = []
    for login_name, last_name in (("hanako", "田中"), ("ichiro", "鈴木")):
        user = User.objects.create(username=login_name, last_name=last_name)
        user.groups.add(Group.objects.get(name="受注編集"))
        client = Client()
        client.force_login(user)
        clients.append(client)
    return clients[0], clients[1]


def address(order: Any) -> str:
    return reverse("orders:edit", args=[order.pk])


def test_the_second_of_two_editors_sees_both_versions_and_loses_nothing(
    editors: tuple[Client, Client],
) -> None:
    first, second = editors
    order = order_of(shirt())
    mine, theirs = form_of(second.get(address(order))), form_of(first.get(address(order)))
    key = line_key(mine, 1)
    first.post(
        address(order), theirs | {"memo": ["至急"], "phone": ["03-1111-1111"], f"line-{key}-quantity": ["2"]}
    )
    answer = second.post(address(order), mine | {"memo": ["のし紙"], "company": ["鈴木商店"]})

    assert answer.status_code == 409
    words = text_of(answer)
    for part in ("まだ登録していません", "田中さんが", "至急", "のし紙", "鈴木商店", "03-1111-1111", "× 2"):
        assert part in words
    order.refresh_from_db()
    assert (order.memo, order.company) == ("至急", "")

    choices = form_of(answer, "conflict-form")
    assert choices["take:company"] == ["mine"]
    assert choices["take:phone"] == ["theirs"]
    assert choices[f"take:line:{key}"] == ["theirs"]
    assert "take:memo" not in choices
    resolved = second.post(address(order), choices | {"take:memo": ["mine"], "resolve": ["save"]})
    assert resolved.status_code == 302
    order.refresh_from_db()
    assert (order.memo, order.company, order.phone) == ("のし紙", "鈴木商店", "03-1111-1111")
    assert order.lines.get(pk=int(key)).quantity == 2
    assert order.payment_total == 2 * 2200 + 500


def test_what_was_chosen_can_be_edited_on_before_it_is_saved(editors: tuple[Client, Client]) -> None:
    first, second = editors
    order = order_of(shirt())
    mine, theirs = form_of(second.get(address(order))), form_of(first.get(address(order)))
    first.post(address(order), theirs | {"memo": ["至急"]})
    choices = form_of(second.post(address(order), mine | {"memo": ["のし紙"]}), "conflict-form")
    page = second.post(address(order), choices | {"take:memo": ["theirs"], "resolve": ["continue"]})
    form = form_of(page)
    assert (form["memo"], form["version"]) == (["至急"], ["2"])
    order.refresh_from_db()
    assert order.version == 2


def test_a_third_save_during_the_choice_asks_again(editors: tuple[Client, Client]) -> None:
    first, second = editors
    order = order_of(shirt())
    mine, theirs = form_of(second.get(address(order))), form_of(first.get(address(order)))
    first.post(address(order), theirs | {"memo": ["至急"]})
    choices = form_of(second.post(address(order), mine | {"memo": ["のし紙"]}), "conflict-form")
    first.post(address(order), form_of(first.get(address(order))) | {"memo": ["大至急"]})
    again = second.post(address(order), choices | {"take:memo": ["mine"], "resolve": ["save"]})
    assert again.status_code == 409
    assert "大至急" in text_of(again)
    order.refresh_from_db()
    assert order.memo == "大至急"


def test_a_line_that_the_other_removed_can_stay_removed_or_come_back(editors: tuple[Client, Client]) -> None:
    first, second = editors
    for side, lines in (("theirs", 2), ("mine", 3)):
        order = order_of(shirt(code=side))
        mine, theirs = form_of(second.get(address(order))), form_of(first.get(address(order)))
        key = line_key(mine, 3)
        theirs["line"].remove(key)
        first.post(address(order), theirs)
        conflict = second.post(address(order), mine | {"memo": ["のし紙"]})
        choices = form_of(conflict, "conflict-form")
        assert choices[f"take:line:{key}"] == ["theirs"]
        second.post(address(order), choices | {f"take:line:{key}": [side], "resolve": ["save"]})
        assert order.lines.count() == lines
        order.refresh_from_db()
        assert order.memo == "のし紙"


def test_the_same_form_posted_twice_is_no_conflict_of_its_own(editors: tuple[Client, Client]) -> None:
    client, _ = editors
    order = order_of(shirt())
    form = form_of(client.get(address(order)))
    new = {"add_product": [str(shirt(code="x").pk)]}
    assert client.post(reverse("orders:calculate", args=[order.pk]), form | new).status_code == 200
    form |= {"memo": ["のし紙"], "status": ["4"]}
    client.post(address(order), form)
    second = client.post(address(order), form, follow=True)
    assert second.status_code == 200
    assert "この内容ですでに登録されています。" in text_of(second)
    order.refresh_from_db()
    assert (order.memo, order.status, order.changes.filter(field="対応状況").count()) == ("のし紙", 4, 1)


def test_saving_without_a_change_says_so_and_writes_nothing(editors: tuple[Client, Client]) -> None:
    client, _ = editors
    order = order_of(shirt())
    changes = order.changes.count()
    answer = client.post(address(order), form_of(client.get(address(order))), follow=True)
    assert "変更はありませんでした" in text_of(answer)
    order.refresh_from_db()
    assert (order.version, order.changes.count()) == (1, changes)


def test_a_status_change_with_a_warning_asks_first(editors: tuple[Client, Client]) -> None:
    client, _ = editors
    order = order_of(shirt())
    type(order).objects.filter(pk=order.pk).update(
        payment_provider="gmopg", payment_kind="card", payment_status="PAYFAIL"
    )
    form = form_of(client.get(address(order))) | {"status": [str(OrderStatus.SHIPPED.value)]}
    asked = client.post(address(order), form)
    assert "まだ登録していません。対応状況を「発送済み」に変更してよろしいですか" in text_of(asked)
    order.refresh_from_db()
    assert order.status == OrderStatus.NEW
    token = asked.content.decode().split('name="confirm" value="')[1].split('"')[0]
    client.post(address(order), form_of(asked) | {"confirm": ["0" * 64]})
    order.refresh_from_db()
    assert order.status == OrderStatus.NEW
    client.post(address(order), form_of(asked) | {"confirm": [token]})
    order.refresh_from_db()
    assert order.status == OrderStatus.SHIPPED
    assert order.shipped_at is not None


@pytest.mark.parametrize("to", [OrderStatus.CANCELLED])
def test_cancelling_an_order_with_live_money_warns_and_links_to_the_panel(
    editors: tuple[Client, Client], to: OrderStatus
) -> None:
    client, _ = editors
    order = order_of(shirt())
    type(order).objects.filter(pk=order.pk).update(
        payment_provider="gmopg", payment_kind="card", payment_status="AUTH"
    )
    form = form_of(client.get(address(order))) | {"status": [str(to.value)]}
    asked = client.post(address(order), form)
    assert 'href="#payment-panel"' in asked.content.decode()
    assert "請求は止まりません" in text_of(asked)


def test_the_payment_method_of_a_live_payment_is_locked_with_the_reason(
    editors: tuple[Client, Client],
) -> None:
    from orders.models import PaymentMethod

    client, _ = editors
    order = order_of(shirt())
    type(order).objects.filter(pk=order.pk).update(payment_provider="gmopg", payment_status="AUTH")
    other = PaymentMethod.objects.create(name="銀行振込")
    page = client.get(address(order))
    assert "お支払方法を変更できません" in text_of(page)
    client.post(address(order), form_of(page) | {"payment_method": [str(other.pk)], "memo": ["x"]})
    order.refresh_from_db()
    assert (order.payment_method_name, order.memo) == ("GMOクレジット決済", "x")


@pytest.mark.parametrize("status", [OrderStatus.PROCESSING, OrderStatus.PENDING])
def test_an_order_still_at_the_checkout_cannot_be_saved_or_calculated(
    editors: tuple[Client, Client], status: OrderStatus
) -> None:
    client, _ = editors
    order = order_of(shirt())
    form = form_of(client.get(address(order)))
    type(order).objects.filter(pk=order.pk).update(status=status)
    page = client.get(address(order)).content.decode()
    assert f"「{status.label}」のため、登録と計算はできません" in page
    assert 'id="order-save" disabled' in page
    assert client.post(reverse("orders:calculate", args=[order.pk]), form).status_code == 409
    client.post(address(order), form | {"status": [str(status.value)], "memo": ["x"]})
    order.refresh_from_db()
    assert (order.memo, order.status) == ("", status)


ROUTES = ("edit", "calculate", "products", "history", "document", "mail")
ALLOWED = {
    # role: (GET, POST) by route; 405 is a method the address does not have
    "": dict.fromkeys(ROUTES, (403, 403)) | {"calculate": (405, 403)},
    "閲覧": {
        "edit": (200, 403),
        "calculate": (405, 403),
        "products": (403, 405),
        "history": (302, 405),
        "document": (200, 405),
        "mail": (403, 403),
    },
    "受注編集": {
        "edit": (200, 422),
        "calculate": (405, 200),
        "products": (200, 405),
        "history": (302, 405),
        "document": (200, 405),
        "mail": (200, 422),
    },
}


@pytest.mark.parametrize("role", ALLOWED)
def test_each_role_may_do_its_part_and_no_more(login: Callable[[str], Client], role: str) -> None:
    order, client = order_of(shirt()), login(role)
    before = order.changes.count()
    for route, (get, post) in ALLOWED[role].items():
        path = reverse(f"orders:{route}", args=[order.pk])
        assert client.get(path).status_code == get, (route, "GET")
        answer = client.post(path, {"version": "1", "name": ""})
        if role or route in ("edit", "mail", "calculate"):
            assert answer.status_code == post, (route, "POST")
        assert client.put(path).status_code in (403, 405), (route, "PUT")
    order.refresh_from_db()
    assert (order.version, order.changes.count(), order.mails.count()) == (1, before, 0)


def test_who_may_only_look_sees_everything_and_no_button(login: Callable[[str], Client]) -> None:
    order = order_of(shirt())
    page = login("閲覧").get(address(order)).content.decode()
    assert '<fieldset class="order-fields" disabled>' in page
    assert 'id="order-save"' not in page
    assert "綿パイルTシャツ" in page


def test_nobody_in_sees_nothing(client: Client) -> None:
    order = order_of(shirt())
    assert client.get(address(order))["Location"].startswith("/login/")


def test_an_unknown_order_is_not_found(login: Callable[[str], Client]) -> None:
    assert login("受注編集").get(reverse("orders:edit", args=[999999])).status_code == 404
