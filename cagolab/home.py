"""ホーム: how many orders stand where, what needs doing today (X-5), and what was sold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from cagolab import clock
from cagolab.roles import VIEW
from cagolab.sales_chart import chart
from orders import counts, listing, sales
from orders.bulk import queries as bulk_queries
from orders.filters import OrderFilters
from orders.statuses import DISPLAY_ORDER
from payments import attention
from payments.notifications import listing as notification_listing
from payments.reconciliation import listing as difference_listing


@dataclass(frozen=True)
class Task:
    """One tile of 本日やること: a search, and what to do with what it finds."""

    label: str
    advice: str
    filters: OrderFilters
    is_urgent: bool = False


TASKS = (
    Task(
        "取消し・返品で請求あり",
        "注文取消しか返品の受注に、決済が残っています。取消(返品)を実行してください。",
        OrderFilters(live=True),
        is_urgent=True,
    ),
    Task(
        "与信期限7日以内",
        "期限を過ぎると売上を確定できません。発送を確認し、売上を確定してください。",
        OrderFilters(deadline=7),
        is_urgent=True,
    ),
    Task(
        "金額相違",
        "決済金額とお支払い合計に差異があります。決済金額を変更してください。",
        OrderFilters(differs=True),
    ),
    Task(
        "発送済みで未売上",
        "仮売上のまま発送されています。売上を確定してください。",
        OrderFilters(uncaptured=True),
    ),
    Task(
        "確認中",
        "決済の結果を自動で確認しています。同じ操作を繰り返さずにお待ちください。",
        # Also those that left at the card page: their outcome is what has to be found out.
        OrderFilters(open=True, status=DISPLAY_ORDER),
    ),
)


# How many days the chart shows, today included.
CHART_DAYS = 30


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A task with its number and the list that it leads to."""

    label: str
    advice: str
    count: int
    is_capped: bool
    address: str
    is_urgent: bool = False


@require_safe
@permission_required(VIEW, raise_exception=True)
def home(request: HttpRequest) -> HttpResponse:
    """Counts per 対応状況, the tiles of 本日やること, each a link to its list, and 売上状況; one query per tile."""
    now = clock.now()
    numbers = counts.status_counts()
    statuses = [
        {
            "status": status,
            "count": numbers[status],
            "address": f"{reverse('orders:list')}?{urlencode({'status': status.value})}",
        }
        for status in DISPLAY_ORDER
    ]
    tiles = [*(_tile(task) for task in TASKS), _differences(), _attention(now), _notices(), _failed_rows(now)]
    context = {"statuses": statuses, "tasks": tiles} | _sales(now.astimezone(clock.TOKYO).date())
    return render(request, "cagolab/home.html", context)


def _tile(task: Task) -> Tile:
    count, is_capped = listing.total(task.filters)
    return Tile(
        label=task.label,
        advice=task.advice,
        count=count,
        is_capped=is_capped,
        address=f"{reverse('payments:list')}?{task.filters.to_query()}",
        is_urgent=task.is_urgent,
    )


def _differences() -> Tile:
    count, is_capped = difference_listing.open_total()
    return Tile(
        label="決済代行会社との差異",
        advice="当店の記録と決済代行会社の状態が異なります。差異一覧で内容を確認してください。",
        count=count,
        is_capped=is_capped,
        address=reverse("payments:differences"),
        is_urgent=True,
    )


def _attention(now: datetime) -> Tile:
    count, is_capped = attention.total(now)
    return Tile(
        label="要判断の決済操作",
        advice="自動の確認では結論が出ていません。決済代行会社の管理画面で確かめてください。",
        count=count,
        is_capped=is_capped,
        address=reverse("payments:attention"),
        is_urgent=True,
    )


def _notices() -> Tile:
    count, is_capped = notification_listing.waiting_total()
    return Tile(
        label="対応が必要な結果通知",
        advice="注文のない通知、確認できない通知、偽造の疑いがある通知です。内容を確認してください。",
        count=count,
        is_capped=is_capped,
        address=reverse("payments:notifications"),
    )


def _failed_rows(now: datetime) -> Tile:
    found = bulk_queries.rows_to_repeat(now - bulk_queries.REMIND_FOR)[: listing.TOTAL_LIMIT + 1].count()
    return Tile(
        label="一括処理の失敗",
        advice="一括処理で実行できなかった受注があります。理由を確認し、再実行してください。",
        count=min(found, listing.TOTAL_LIMIT),
        is_capped=found > listing.TOTAL_LIMIT,
        address=f"{reverse('bulk:list')}?show=to_repeat",
    )


def _sales(today: date) -> dict[str, Any]:
    """今日, 昨日, 今月 and the chart from one query over at most two months of daily figures."""
    first = min(today.replace(day=1), today - timedelta(days=CHART_DAYS - 1))
    days = sales.daily(first, today)
    month = [day for day in days if day.day >= today.replace(day=1)]
    return {
        "sales_figures": [
            ("今日", days[-1].amount, days[-1].orders),
            ("昨日", days[-2].amount, days[-2].orders),
            ("今月", sum(day.amount for day in month), sum(day.orders for day in month)),
        ],
        "chart": chart(days[-CHART_DAYS:]),
    }
