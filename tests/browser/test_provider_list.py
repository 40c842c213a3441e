"""ペイジェント決済状況一覧 in a real browser (PG-1): three columns of boxes, each with a run of its own."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from gateways.vocabulary import Action
from tests.browser.desk import Desk
from tests.gateway_world import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SMALLEST_PAGE = 10


def test_each_column_counts_its_own_ticks_and_takes_the_page_or_all(desk: Desk, paygent: World) -> None:
    held = [paygent.held() for _ in range(SMALLEST_PAGE)]
    sold = paygent.held()  # the newest, on the first page
    paygent.done(sold, Action.CAPTURE)
    page = desk.page
    page.goto(f"{desk.url}/payments/providers/paygent/?size={SMALLEST_PAGE}")
    captures, cancels = page.locator("input[data-tick=capture]"), page.locator("input[data-tick=cancel]")
    whole = page.locator("th input[data-tick-all=capture]")
    run = page.locator("th button[data-tick-run=capture]")
    chosen = page.locator("#tick-capture [data-tick-count]")
    everything = page.locator("#tick-capture [data-tick-match]")
    # A sale can be cancelled, and not captured once more.
    expect(captures).to_have_count(SMALLEST_PAGE - 1)
    expect(cancels).to_have_count(SMALLEST_PAGE)
    expect(run).to_be_disabled()

    captures.first.check()
    expect(chosen).to_have_text("1件を選択中")
    expect(run).to_be_enabled()
    expect(page.locator("th button[data-tick-run=cancel]")).to_be_disabled()
    expect(everything).to_be_hidden()
    assert whole.evaluate("box => box.indeterminate")

    whole.check()
    expect(chosen).to_have_text(f"{SMALLEST_PAGE - 1}件を選択中")
    everything.click()
    expect(chosen).to_have_text(f"{SMALLEST_PAGE + 1}件を選択中")
    expect(everything).to_have_text("このページだけに戻す")
    captures.last.uncheck()
    expect(chosen).to_have_text(f"{SMALLEST_PAGE - 2}件を選択中")

    run.click()
    expect(page.get_by_role("button", name=f"{SMALLEST_PAGE - 2}件を実行する")).to_be_visible()
    page.go_back()
    expect(chosen).to_have_text(f"{SMALLEST_PAGE - 2}件を選択中")
    expect(run).to_be_enabled()
    assert [paygent.moved(payment) for payment in held] == [[("AUTH", 3200)]] * SMALLEST_PAGE
