"""What the nightly jobs write to the shop. Amounts in yen, days in Tokyo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from cagolab.shop import shop_name
from orders.models import Order
from payments import wording
from payments.models import StaleCase, StaleRun
from payments.nightly.shop_mails import Words

# Beyond these the mail refers to the list on the screen.
MAX_LINES = 200

_HEADINGS = {
    StaleCase.State.PERSON: "■ 判断が必要な注文（売上などが見つかりました）",
    StaleCase.State.LEFT: "■ 取り消さなかった注文",
    StaleCase.State.CANCELLED: "■ 取り消した注文",
}


def of_stale_run(run: StaleRun, ended: Mapping[str, int]) -> Words:
    """The result of a night: counts, then order numbers with their reasons, what needs a person first.

    `ended`: the run's cases by state.
    """
    person, left, cancelled = (ended.get(state, 0) for state in _HEADINGS)
    lines = [
        "決済処理中の注文の取消を自動で実行しました。",
        "",
        f"取り消した注文　　　　：{cancelled}件",
        f"取り消さなかった注文　：{left}件",
        f"判断が必要な注文　　　：{person}件",
    ]
    if person:
        lines += [
            "",
            "判断が必要な注文は、管理画面の「決済処理中の注文の取消」で「受注として採用」か「返金」を選んでください。",
        ]
    for state, heading in _HEADINGS.items():
        if found := ended.get(state, 0):
            cases = StaleCase.objects.filter(run=run, state=state).select_related("order").order_by("pk")
            lines += ["", heading]
            lines += [f"注文番号 {case.order.number}：{case.message}" for case in cases[:MAX_LINES]]
            lines += _further(found)
    return _words(f"決済処理中の注文の取消（取消{cancelled}件・要判断{person}件）", lines)


def of_deadlines(groups: Sequence[tuple[str, Sequence[Order]]], *, overdue: int, today: date) -> Words:
    """Authorizations that end soon, the nearest first, each group under its heading."""
    number = sum(len(found) for _heading, found in groups)
    lines = [
        f"売上の期限が近い仮売上の受注が{number}件あります（{wording.day(today)}現在）。",
        "期限を過ぎると売上を確定できません。発送の予定を確認し、売上を確定してください。",
    ]
    for heading, found in groups:
        lines += ["", f"■ {heading}（{len(found)}件）"]
        lines += [_deadline_line(order) for order in found[:MAX_LINES]]
        lines += _further(len(found))
    if overdue:
        lines += ["", f"このほかに、すでに期限を過ぎた仮売上の受注が{overdue}件あります。"]
    lines += ["", "管理画面の「決済状況一覧」で、売上期限を指定して検索できます。"]
    return _words(f"売上期限のお知らせ（{number}件）", lines)


def _deadline_line(order: Order) -> str:
    assert order.payment_deadline is not None
    amount = wording.yen(order.payment_amount or 0)
    return f"注文番号 {order.number}　{amount}　期限 {wording.day(order.payment_deadline)}"


def _further(found: int) -> list[str]:
    return [f"ほか{found - MAX_LINES}件は、管理画面でご確認ください。"] if found > MAX_LINES else []


def _words(subject: str, lines: Sequence[str]) -> Words:
    return Words(subject=f"【{shop_name()}】{subject}", body="\n".join(lines) + "\n")
