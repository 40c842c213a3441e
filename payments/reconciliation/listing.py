"""差異一覧: what its address asks for, one page of rows, and what to do about each (X-4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlencode

from django.db import connection
from django.db.models import QuerySet
from django.http import QueryDict

from gateways.vocabulary import PaymentStatus
from orders import search, search_text
from orders.models import Order
from orders.search_terms import Terms
from orders.search_text import SearchField
from orders.statuses import OrderStatus
from payments import accounts, labels
from payments.models import LIVE_STATUSES, PaymentDifference

Kind = PaymentDifference.Kind
State = PaymentDifference.State

PAGE_SIZE: Final = 50
# Totals are exact up to here; beyond, the screen says 以上.
TOTAL_LIMIT: Final = 10_000
MAX_TERM_CHARACTERS: Final = 60

_OPEN_BY_KIND = """
    SELECT kind, (SELECT count(*) FROM (
        SELECT 1 FROM payments_paymentdifference WHERE kind = asked.kind AND state = %s LIMIT %s
    ) AS found) FROM unnest(%s::text[]) AS asked (kind)
"""

_ADVICE: Mapping[PaymentDifference.Kind, str] = MappingProxyType(
    {
        Kind.STATUS: (
            "決済代行会社の管理画面で操作されていないか確認し、決済代行会社の状態が正しければ「反映」してください。"
        ),
        Kind.AMOUNT: (
            "決済代行会社の金額が正しければ「反映」してください。お支払い合計と異なるときは、"
            "反映のあとに受注編集で決済金額変更を実行してください。"
        ),
        Kind.DATE: (
            "決済代行会社で取り消しと再オーソリが行われた可能性があります。「反映」すると、"
            "売上期限と取消の種類を新しい日付から数えます。"
        ),
        Kind.MISSING: (
            "決済代行会社にこの取引がありません。決済アカウントの接続先(テスト環境・本番環境)を確認し、"
            "正しいときは決済代行会社にお問い合わせください。"
        ),
        Kind.UNKNOWN_TRADE: (
            "この取引にあたる受注が当店にありません。当店の取引であれば、決済代行会社の管理画面で内容を確認し、"
            "不要な請求を取り消してください。"
        ),
        Kind.CANCELLED_CHARGED: (
            "注文取消しか返品の受注に請求が残っています。受注編集で取消(返品)を実行してください。"
        ),
        Kind.SHIPPED_NOT_CAPTURED: (
            "発送済みですが、まだ請求が確定していません。受注編集で売上確定(実売上)を実行してください。"
        ),
    }
)
_EXCEPTION = (
    "決済代行会社の状態を読み取れません。管理画面で状態を確かめてから「反映」するか、対応済みにしてください。"
)
_SHIPPED_WITHOUT_MONEY = "発送済みですが、決済代行会社では請求できない状態です。「反映」したあと、お客様にご連絡し、お支払い方法をご相談ください。"


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What the list shows; anything in the address that cannot be read is no condition."""

    q: str = ""
    kinds: tuple[PaymentDifference.Kind, ...] = ()
    # Empty: those that wait for somebody.
    state: str = State.OPEN.value
    account: int | None = None

    @classmethod
    def from_query(cls, query: QueryDict) -> Filters:
        """Read the parameters of a request."""
        state, account = query.get("state", State.OPEN.value), query.get("account", "")
        asked = set(query.getlist("kind"))
        return cls(
            q=query.get("q", "").replace("\x00", "").strip()[:MAX_TERM_CHARACTERS],
            kinds=tuple(kind for kind in Kind if kind.value in asked),
            state=state if state in (*State.values, "all") else State.OPEN.value,
            account=int(account) if account.isascii() and account.isdigit() and len(account) < 10 else None,
        )

    def to_query(self, **more: str) -> str:
        """The query string that reads back as these filters."""
        pairs = [("q", self.q), *(("kind", kind.value) for kind in self.kinds)]
        pairs += [("state", "" if self.state == State.OPEN else self.state)]
        pairs += [("account", "" if self.account is None else str(self.account)), *more.items()]
        return urlencode([(name, value) for name, value in pairs if value])


@dataclass(frozen=True, kw_only=True)
class Side:
    """One side of a difference in the words of the screen; empty words where it says nothing."""

    status: str
    amount: int | None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the list."""

    difference: PaymentDifference
    ours: Side
    theirs: Side
    advice: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page, newest first; `next_before` is the key of the older page."""

    rows: list[Row]
    next_before: int | None
    total: int
    total_is_capped: bool


def page(filters: Filters, *, before: int | None) -> Page:
    """The page beyond a key; the first one without."""
    wanted = matching(filters)
    found = wanted[: TOTAL_LIMIT + 1].count()
    shown = wanted.filter(pk__lt=before) if before else wanted
    differences = list(shown.select_related("account", "order", "payment").order_by("-pk")[: PAGE_SIZE + 1])
    more = len(differences) > PAGE_SIZE
    return Page(
        rows=[row(difference) for difference in differences[:PAGE_SIZE]],
        next_before=differences[PAGE_SIZE - 1].pk if more else None,
        total=min(found, TOTAL_LIMIT),
        total_is_capped=found > TOTAL_LIMIT,
    )


def open_total() -> tuple[int, bool]:
    """How many wait for somebody, and whether there are more than it says."""
    found = PaymentDifference.objects.filter(state=State.OPEN).order_by("-pk")[: TOTAL_LIMIT + 1].count()
    return min(found, TOTAL_LIMIT), found > TOTAL_LIMIT


def open_counts() -> dict[str, tuple[int, bool]]:
    """How many wait for somebody, by kind, and whether there are more of it than it says; one query."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_BY_KIND, [State.OPEN.value, TOTAL_LIMIT + 1, Kind.values])
        return {kind: (min(found, TOTAL_LIMIT), found > TOTAL_LIMIT) for kind, found in cursor.fetchall()}


def row(difference: PaymentDifference) -> Row:
    """A difference with both sides in words and what to do. No query when account, order and payment are joined."""
    provider = difference.account.provider
    has_amount = accounts.capabilities(provider).inquiry_has_amount
    is_trade = bool(difference.their_status) or difference.kind == Kind.UNKNOWN_TRADE
    return Row(
        difference=difference,
        ours=Side(status=_label(provider, difference.our_status) or "受注なし", amount=difference.our_amount),
        theirs=Side(
            status=_label(provider, difference.their_status) or ("状態不明" if is_trade else "取引なし"),
            amount=difference.their_amount,
            note=""
            if difference.their_amount is not None or not is_trade or has_amount
            else "金額は照会できません",
        ),
        advice=advice(difference),
    )


def advice(difference: PaymentDifference) -> str:
    """What the operator should do about it."""
    if difference.kind == Kind.STATUS:
        if difference.their_status == PaymentStatus.EXCEPTION:
            return _EXCEPTION
        shipped = difference.order is not None and difference.order.status == OrderStatus.SHIPPED
        if shipped and difference.their_status not in LIVE_STATUSES:
            return _SHIPPED_WITHOUT_MONEY
    return _ADVICE[Kind(difference.kind)]


def _label(provider: str, status: str) -> str:
    return labels.status_label(provider, status) if status else ""


def matching(filters: Filters) -> QuerySet[PaymentDifference]:
    """All differences that the filters mean, in no order."""
    rows = PaymentDifference.objects.all()
    if filters.state != "all":
        rows = rows.filter(state=filters.state)
    if filters.kinds:
        rows = rows.filter(kind__in=filters.kinds)
    if filters.account is not None:
        rows = rows.filter(account_id=filters.account)
    if filters.q:
        rows = rows.filter(pk__in=_found(filters.q))
    return rows


def _found(typed: str) -> QuerySet[PaymentDifference, Any]:
    """Keys of the differences that a term means, each way by an index of its own: OR would read them all."""
    code = search_text.plain_code(typed)
    ways = [
        PaymentDifference.objects.filter(provider_order_id__startswith=code),
        PaymentDifference.objects.filter(order__in=Order.objects.filter(number=code)),
    ]
    parts, _message = search_text.parse(typed)
    if parts:
        named = search.matching(Terms(within=tuple((SearchField.NAME, part) for part in parts)))
        ways.append(PaymentDifference.objects.filter(order__in=named.values("order_id")))
    first, *others = (way.values("pk") for way in ways)
    return first.union(*others)
