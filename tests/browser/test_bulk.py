"""一括売上 in a real browser: ticks, the preview with its sums, the progress, and the result as CSV."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connection
from playwright.sync_api import expect

from orders.bulk import engine
from orders.models import Order
from orders.statuses import OrderStatus
from tests.browser.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def work(run_id: UUID) -> threading.Thread:
    """A worker beside the web server, as Celery would start one."""

    def run() -> None:
        try:
            engine.work(run_id, seconds=30)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_ticked_rows_are_captured_and_the_result_is_told_and_downloaded(desk: Desk) -> None:
    payments = [desk.bought(quantity) for quantity in (1, 2, 3)]
    Order.objects.filter(pk=payments[2].order_id).update(payment_total=1000)
    desk.open("/payments/")
    for box in desk.page.locator("input[data-select-row]").all():
        box.check()
    expect(desk.page.locator("[data-select-count]")).to_have_text("3件")
    desk.page.select_option("#bulk-kind", label="一括売上")
    desk.page.get_by_role("button", name="決定").click()
    figures = desk.page.locator(".bulk-figures")
    expect(figures).to_contain_text(re.compile(r"選択\s*3件\s*対象\s*2件\s*対象外\s*1件"))
    expect(figures).to_contain_text("7,600円")
    expect(desk.page.locator("main")).to_contain_text("差異があります")
    follow = desk.page.locator("#bulk-follow")
    follow.check()
    desk.world.sandbox.settings(latency_ms=300)
    desk.page.get_by_role("button", name="2件を実行する").click()
    expect(desk.page.locator("#bulk-progress-heading")).to_contain_text("実行しています")
    worker = work(UUID(desk.page.url.rstrip("/").rpartition("/")[2]))
    try:
        expect(desk.page.locator("#bulk-progress-heading")).to_contain_text("終了しました", timeout=15_000)
    finally:
        worker.join()
        desk.world.sandbox.settings(latency_ms=0)
    expect(desk.page.locator("#bulk-spoken")).to_contain_text("一括処理が終了しました。成功2件、失敗0件")
    expect(desk.page.locator("#rows tbody tr")).to_have_count(2)
    with desk.page.expect_download() as waiting:
        desk.page.get_by_role("link", name="結果をCSVダウンロード（UTF-8）").click()
    lines = Path(waiting.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 4
    for payment, actions in zip(payments, (["AUTH", "SALES"], ["AUTH", "SALES"], ["AUTH"]), strict=True):
        assert [action for action, _ in desk.moved(payment)] == actions
        assert any(payment.order.number in line for line in lines)
    statuses = [Order.objects.get(pk=payment.order_id).status for payment in payments]
    assert statuses == [OrderStatus.PAID, OrderStatus.PAID, OrderStatus.NEW]


def test_all_rows_of_the_page_are_ticked_and_cleared_by_one_box(desk: Desk) -> None:
    for _ in range(2):
        desk.bought()
    desk.open("/payments/")
    desk.page.check("[data-select-page]")
    expect(desk.page.locator("[data-select-count]")).to_have_text("2件")
    desk.page.uncheck("[data-select-page]")
    expect(desk.page.locator("[data-select-toolbar]")).to_be_hidden()
