"""メール一括通知: who gets a mail and who does not, and that each is sent once whatever dies."""

from __future__ import annotations

import smtplib
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse

from orders.bulk import engine, preview, worklist
from orders.bulk.endings import task_of
from orders.bulk.mails import GIVEN_UP_AFTER, MailKind
from orders.bulk.models import BulkItem, BulkRun
from orders.bulk.registry import Begun
from orders.mail_sending import send_queued
from orders.models import Order, OrderChange, SentMail
from orders.statuses import OrderStatus
from tests.bulk.shop import NOW, age_claims, in_threads, make_orders, make_preview, make_user, states
from tests.screens.order_pages import text_of

# The callers of a crew have connections of their own.
pytestmark = pytest.mark.django_db(transaction=True)
FOR_EVER = 3600.0


@pytest.fixture(autouse=True)
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cagolab.clock.now", lambda: NOW)


def with_addresses(count: int, **fields: Any) -> list[Order]:
    orders = make_orders(count)
    for order in orders:
        order.email = f"{order.number}@example.jp"
        Order.objects.filter(pk=order.pk).update(email=order.email, **fields)
    return orders


def previewed(orders: list[Order], template: str = "confirmation") -> BulkRun:
    return make_preview(MailKind(), orders, make_user("clerk", "受注編集"), template=template)


def started(orders: list[Order], template: str = "confirmation") -> BulkRun:
    run = previewed(orders, template)
    assert worklist.start(run, follow=False, now=NOW)
    return run


def messages(run: BulkRun) -> list[str]:
    return list(BulkItem.objects.filter(run=run).order_by("id").values_list("message", flat=True))


def test_the_preview_says_to_whom_and_who_gets_none_and_why() -> None:
    orders = with_addresses(5)
    Order.objects.filter(pk=orders[1].pk).update(email="")
    Order.objects.filter(pk=orders[2].pk).update(email="yamada@")
    Order.objects.filter(pk=orders[3].pk).update(status=OrderStatus.PENDING)
    run = previewed(orders)
    assert (run.taken, run.skipped) == (2, 3)
    assert sorted(skip["reason"] for skip in run.skips) == [
        "お客様のお手続きが終わっていません（購入処理中・決済処理中）。",
        "メールアドレスが登録されていません。",
        "メールアドレスの形式が正しくありません。",
    ]
    item = BulkItem.objects.get(run=run, order=orders[0])
    assert item.words == f"{orders[0].email} に送信します。"
    assert mail.outbox == []


def test_each_order_gets_its_own_mail_once_and_it_stands_in_its_history() -> None:
    orders = with_addresses(3)
    run = started(orders, "confirmation")
    assert engine.work(run.pk, seconds=FOR_EVER) == 3
    assert states(run) == {"succeeded": 3}
    assert sorted(sent.to[0] for sent in mail.outbox) == sorted(order.email for order in orders)
    for order in orders:
        (sent,) = [sent for sent in mail.outbox if sent.to == [order.email]]
        assert order.number in sent.subject
        assert SentMail.objects.get(order=order).state == SentMail.State.SENT
        change = OrderChange.objects.get(order=order)
        assert (change.source, change.actor_name) == ("メール一括通知", "clerk")
    assert messages(run)[0].endswith("に送信しました。")


def test_a_mail_that_tells_what_is_not_so_or_was_sent_before_is_warned_of() -> None:
    orders = with_addresses(2)
    Order.objects.filter(pk=orders[0].pk).update(status=OrderStatus.SHIPPED)
    run = started(orders, "shipped")
    assert [warning["text"] for warning in run.warnings] == [
        "対応状況が「発送済み」ではない受注に「発送のお知らせ」を送信します。"
    ]
    engine.work(run.pk, seconds=FOR_EVER)
    again = make_preview(MailKind(), orders, make_user("other", "受注編集"), template="shipped")
    assert {"text": "「発送のお知らせ」のメールをすでに送信した受注に、もう一度送信します。", "count": 2} in (
        again.warnings
    )


def test_an_address_that_changed_after_the_preview_gets_nothing() -> None:
    orders = with_addresses(1)
    run = started(orders)
    Order.objects.update(email="somebody.else@example.jp")
    engine.work(run.pk, seconds=FOR_EVER)
    assert states(run) == {"recheck": 1}
    assert mail.outbox == []


def test_a_refused_mail_is_a_failed_row_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = with_addresses(2)
    send = EmailMessage.send

    def refuse_the_first(self: EmailMessage, fail_silently: bool = False) -> int:
        if self.to == [orders[0].email]:
            raise smtplib.SMTPRecipientsRefused({orders[0].email: (550, b"no such user")})
        return send(self, fail_silently)

    monkeypatch.setattr(EmailMessage, "send", refuse_the_first)
    run = started(orders)
    engine.work(run.pk, seconds=FOR_EVER)
    assert states(run) == {"failed": 1, "succeeded": 1}
    assert any("メールサーバーに拒否されました" in message for message in messages(run))


# What a dead worker leaves behind: no mail yet, or one in any state.
@pytest.mark.parametrize("left", ["nothing", "queued", "sending", "sent"])
def test_a_worker_that_dies_anywhere_never_makes_a_second_mail(
    monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    orders = with_addresses(1)
    run = started(orders)
    item = worklist.claim(run.pk)
    assert item is not None
    if left != "nothing":
        begun = MailKind().begin([task_of(run, item)], NOW)[item.key()]
        assert isinstance(begun, Begun)
        SentMail.objects.filter(pk=begun.handle).update(state=left)
    age_claims(run, worklist.LEASE_SECONDS + 1)
    engine.work(run.pk, seconds=FOR_EVER)
    assert SentMail.objects.count() == 1
    assert OrderChange.objects.count() == 1
    assert len(mail.outbox) == (1 if left in ("nothing", "queued") else 0)
    if left != "sending":
        assert states(run) == {"succeeded": 1}
        return
    assert states(run) == {"unknown": 1}
    engine.confirm_unknown(NOW)
    assert states(run) == {"unknown": 1}
    monkeypatch.setattr("cagolab.clock.now", lambda: NOW + GIVEN_UP_AFTER + timedelta(seconds=1))
    engine.confirm_unknown(NOW)
    assert states(run) == {"failed": 1}
    assert "届いている可能性があるため、自動では送り直しません" in messages(run)[0]
    assert mail.outbox == []


def test_a_mail_that_is_held_back_is_not_sent_later_by_the_minute_job() -> None:
    run = started(with_addresses(1))
    item = worklist.claim(run.pk)
    assert item is not None
    kind = MailKind()
    begun = kind.begin([task_of(run, item)], NOW)[item.key()]
    assert isinstance(begun, Begun)
    assert kind.give_back(begun, "中止されたため、送信していません。").ending == "not_sent"
    assert send_queued() == 0
    assert mail.outbox == []


def test_several_workers_send_each_mail_once() -> None:
    orders = with_addresses(12)
    run = started(orders)
    in_threads(4, lambda: engine.work(run.pk, seconds=FOR_EVER))
    assert states(run) == {"succeeded": 12}
    assert sorted(sent.to[0] for sent in mail.outbox) == sorted(order.email for order in orders)


def test_the_list_leads_to_the_preview_with_the_mails_text_and_another_template_can_be_chosen() -> None:
    orders = with_addresses(2)
    client = Client()
    client.force_login(make_user("clerk", "受注編集"))
    page = client.get(reverse("orders:list"))
    assert "メール一括通知" in text_of(page)
    fields = {"kind": "mail", "template": "paid", "scope": "all", "query": "", "back": "/orders/"}
    page = client.post(reverse("bulk:preview"), fields, follow=True)
    words = text_of(page)
    assert "メール一括通知（入金確認）" in words
    assert "送信したメールは取り消せません。" in words
    assert "件名：【" in words
    run = BulkRun.objects.get()
    page = client.post(reverse("bulk:choose", args=[run.pk]), {"template": "shipped"}, follow=True)
    assert "メール一括通知（発送のお知らせ）" in text_of(page)
    other = BulkRun.objects.exclude(pk=run.pk).get()
    assert set(other.items.values_list("order_id", flat=True)) == {order.pk for order in orders}
    page = client.post(reverse("bulk:preview"), fields | {"template": "nothing"}, follow=True)
    assert "テンプレートを選択してください。" in text_of(page)


def test_ten_thousand_rows_cost_as_many_queries_as_two(django_assert_max_num_queries: Any) -> None:
    with_addresses(40)
    user = make_user("clerk", "受注編集")
    with django_assert_max_num_queries(12):
        preview.preview(
            kind=MailKind(),
            selection=preview.Selection(all_that_match=True),
            parameters={"template": "paid"},
            author=preview.Author(user=user, name="clerk", ip_address=None),
            back="/orders/",
            now=NOW,
        )
