"""配送番号CSV登録: good lines are applied, bad ones are told by their number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from orders.statuses import OrderStatus
from tests.screens.order_pages import order_of, shirt, text_of

pytestmark = pytest.mark.django_db


def post(client: Client, content: bytes) -> Any:
    return client.post(reverse("orders:tracking_csv"), {"file": SimpleUploadedFile("numbers.csv", content)})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_good_lines_are_applied_and_bad_ones_told_by_number(
    login: Callable[[str], Client], encoding: str
) -> None:
    client = login("受注編集")
    first, second, third = (order_of(shirt(code=str(number))) for number in range(3))
    type(first).objects.filter(pk=third.pk).update(status=OrderStatus.PENDING)
    lines = [
        "注文番号,お問い合わせ番号",
        f"{first.number},1234-5678",
        f"{second.number},追跡中",
        "999999,1",
        f"{first.number},9999",
        f"{third.number},1",
        f"{second.number}",
        f"{second.number},",
        "",
        ",5",
    ]
    words = text_of(post(client, "\r\n".join(lines).encode(encoding)))
    for part in (
        "登録 1件",
        "エラー 7件",
        "3行目 お問い合わせ番号は",
        "4行目 注文番号 999999 の受注が見つかりません。",
        f"5行目 注文番号 {first.number} は2行目にもあります。",
        f"6行目 注文番号 {third.number} は「決済処理中」のため",
        "7行目 列が1個あります",
        f"8行目 注文番号 {second.number} のお問い合わせ番号が空です。",
        "10行目 注文番号が空です。",
    ):
        assert part in words
    for order, number in ((first, "1234-5678"), (second, ""), (third, "")):
        order.refresh_from_db()
        assert order.tracking_number == number
    assert first.changes.get(field="お問い合わせ番号").source == "配送番号CSV登録"


def test_the_same_file_again_changes_nothing(login: Callable[[str], Client]) -> None:
    client, order = login("受注編集"), order_of(shirt())
    content = f"{order.number},1234".encode()
    post(client, content)
    assert "変更なし 1件" in text_of(post(client, content))
    order.refresh_from_db()
    assert order.version == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "選択してください"),
        (b"\n\n", "ファイルに行がありません"),
        (b"1,\x00", "CSVファイルではありません"),
        (b"\x81", "文字コードを読み取れません"),
        (b'1,2\n"3,4', "2行目を読み取れません"),
        (b"1,2\n" * 5002, "行が多すぎます"),
        (b"1" * (1024 * 1024 + 1), "ファイルが大きすぎます"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(
    login: Callable[[str], Client], content: bytes, message: str
) -> None:
    order = order_of(shirt())
    answer = post(login("受注編集"), content.replace(b"1,2", f"{order.number},2".encode(), 1))
    assert answer.status_code == 422
    assert message in text_of(answer)
    order.refresh_from_db()
    assert order.tracking_number == ""
