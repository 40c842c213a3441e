"""Mails about an order: drafted, looked at, written down, sent once, and the result told."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail as outbox
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from django.urls import reverse

from orders.mail_sending import send_queued
from orders.statuses import OrderStatus
from tests.screens.order_pages import form_of, order_of, shirt, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a worker hears the bell is no part of these tests: they send what waits themselves."""
    from orders import mails

    monkeypatch.setattr(mails, "ring", lambda: None)


def address(order: Any) -> str:
    return reverse("orders:mail", args=[order.pk])


def written(client: Client, order: Any, **typed: str) -> dict[str, list[str]]:
    form = form_of(client.get(address(order)), "mail-form")
    return form | {name: [value] for name, value in typed.items()}


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("confirmation", "ご注文を承りました"),
        ("paid", "ご入金を確認いたしました"),
        ("shipped", "お問い合わせ番号：1234-5678"),
        ("cancelled", "お取消しいたしました"),
    ],
)
def test_each_template_is_filled_with_the_order(
    login: Callable[[str], Client], template: str, words: str
) -> None:
    order = order_of(shirt(), tracking_number="1234-5678", name="山田 & 太郎")
    form = form_of(login("受注編集").get(address(order), {"template": template}), "mail-form")
    assert form["to"] == ["yamada@example.jp"]
    assert order.number in form["subject"][0]
    for part in ("山田 & 太郎 様", words, "お支払い合計：2,700円", "税率10%対象 2,700円（内消費税 245円）"):
        assert part.replace(" ", "") in form["body"][0].replace(" ", "").replace("　", "").replace(
            "&amp;", "&"
        )


def test_the_likely_template_follows_the_status(login: Callable[[str], Client]) -> None:
    order = order_of(shirt())
    type(order).objects.filter(pk=order.pk).update(status=OrderStatus.SHIPPED)
    form = form_of(login("受注編集").get(address(order)), "mail-form")
    assert "発送いたしました" in form["subject"][0]


def test_looking_at_a_mail_sends_nothing_and_sending_is_written_down_first(
    login: Callable[[str], Client],
) -> None:
    order, client = order_of(shirt()), login("受注編集")
    seen = client.post(address(order), written(client, order, subject="件名です", step="preview"))
    assert "この内容で送信します" in text_of(seen)
    assert order.mails.count() == 0
    sent = client.post(address(order), form_of(seen, "mail-form") | {"step": ["send"]}, follow=True)
    assert "メール「件名です」の送信を受け付けました" in text_of(sent)
    row = order.mails.get()
    assert (row.state, row.to, row.actor_name) == ("queued", "yamada@example.jp", "田中 花子")
    assert order.changes.filter(field="メール送信").count() == 1
    assert outbox.outbox == []
    assert send_queued() == 1
    row.refresh_from_db()
    assert row.state == "sent"
    assert [(mail.subject, mail.to) for mail in outbox.outbox] == [("件名です", ["yamada@example.jp"])]
    assert send_queued() == 0


def test_the_same_form_sends_one_mail(login: Callable[[str], Client]) -> None:
    order, client = order_of(shirt()), login("受注編集")
    form = written(client, order, step="send")
    client.post(address(order), form)
    client.post(address(order), form)
    assert order.mails.count() == 1
    assert order.changes.filter(field="メール送信").count() == 1


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        ("to", "", "宛先を入力してください"),
        ("to", "yamada", "メールアドレスを1件だけ"),
        ("to", "a@example.jp, b@example.jp", "メールアドレスを1件だけ"),
        ("to", "a@example.jp\r\nBcc: b@example.jp", "メールアドレスを1件だけ"),
        ("subject", "", "件名を入力してください"),
        ("subject", "件名\r\nBcc: b@example.jp", "制御文字"),
        ("subject", "あ" * 201, "200"),
        ("body", "", "本文を入力してください"),
        ("body", "あ" * 20_001, "20000"),
    ],
)
def test_a_wrong_mail_is_told_at_its_field_and_not_sent(
    login: Callable[[str], Client], field: str, typed: str, message: str
) -> None:
    order, client = order_of(shirt()), login("受注編集")
    answer = client.post(address(order), written(client, order, step="send") | {field: [typed]})
    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert order.mails.count() == 0


class RefusingBackend(EmailBackend):
    """A mail server that is there and says no."""

    def send_messages(self, messages: Any) -> int:
        raise smtplib.SMTPRecipientsRefused({})


def test_a_mail_that_failed_says_so_and_can_be_written_again(
    login: Callable[[str], Client], settings: Any
) -> None:
    order, client = order_of(shirt()), login("受注編集")
    client.post(address(order), written(client, order, subject="二度目に送る件名", step="send"))
    settings.EMAIL_BACKEND = "tests.screens.test_mail.RefusingBackend"
    send_queued()
    row = order.mails.get()
    assert (row.state, "拒否されました" in row.error) == ("failed", True)
    page = client.get(reverse("orders:edit", args=[order.pk])).content.decode()
    assert "送信失敗" in page
    again = client.get(address(order), {"copy": row.pk})
    assert form_of(again, "mail-form")["subject"] == ["二度目に送る件名"]
    assert form_of(again, "mail-form")["key"] != [str(row.key)]


def test_a_mail_whose_sending_was_interrupted_is_not_sent_again(login: Callable[[str], Client]) -> None:
    order, client = order_of(shirt()), login("受注編集")
    client.post(address(order), written(client, order, step="send"))
    order.mails.update(state="sending")
    assert send_queued() == 0
