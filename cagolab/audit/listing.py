"""Reading 操作履歴: three sources, each newest first and paged by key (X-6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict

from cagolab.clock import TOKYO
from cagolab.models import AuditEntry
from cagolab.people import name_of
from gateways.vocabulary import Action
from orders.models import Order, OrderChange
from payments.models import Operation
from payments.wording import yen

PAGE_SIZE = 50
# Of お客様, jobs and commands: whoever has no login.
NOBODY = "none"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the page."""

    at: datetime
    who: str
    address: str
    source: str
    what: str
    detail: str = ""
    result: str = ""
    order_id: int | None = None
    order_number: str = ""


@dataclass(frozen=True)
class Source:
    """One tab: a table, its columns of time and actor, and how a row is told."""

    label: str
    model: type[Model]
    time: str
    line: Callable[[Any], Line]
    # Where the order is; empty where rows belong to no order.
    order: str = ""
    related: tuple[str, ...] = ()


def _change(row: OrderChange) -> Line:
    return Line(
        at=row.changed_at,
        who=row.actor_name,
        address=row.ip_address or "",
        source=row.source,
        what=row.field,
        detail=f"{row.old or '（空欄）'} → {row.new or '（空欄）'}",
        order_id=row.order_id,
        order_number=row.order.number,
    )


def _operation(row: Operation) -> Line:
    amount = "" if row.action == Action.INQUIRE.value else f" {yen(row.amount)}"
    code = f"(エラーコード {row.reason_code})" if row.reason_code else ""
    return Line(
        at=row.started_at,
        who=row.actor_name,
        address=row.ip_address or "",
        source=row.get_source_display(),
        what=f"{row.name}{amount}",
        detail=row.words,
        result=f"{row.get_state_display()}{'：' if row.message else ''}{row.message}{code}",
        order_id=row.payment.order_id,
        order_number=row.payment.order.number,
    )


def _entry(row: AuditEntry) -> Line:
    return Line(
        at=row.at,
        who=row.actor_name,
        address=row.ip_address or "",
        source=row.get_kind_display(),
        what=row.target,
        detail=row.detail,
    )


SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        "orders": Source("受注の変更", OrderChange, "changed_at", _change, "order_id", ("order",)),
        "money": Source(
            "決済操作", Operation, "started_at", _operation, "payment__order_id", ("payment__order",)
        ),
        "office": Source("ログイン・設定・出力", AuditEntry, "at", _entry),
    }
)


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What was asked for, as typed, with what is wrong with it."""

    user: str
    first: date | None
    last: date | None
    number: str
    errors: Mapping[str, str]

    @classmethod
    def from_query(cls, query: QueryDict) -> Filters:
        """Read the address; days are days in Tokyo."""
        errors: dict[str, str] = {}
        days: dict[str, date | None] = {}
        for name in ("first", "last"):
            text = query.get(name, "").strip()
            try:
                days[name] = date.fromisoformat(text) if text else None
            except ValueError:
                days[name] = None
                errors["days"] = "日付は 2026-12-01 の形で入力してください。"
        if days["first"] and days["last"] and days["first"] > days["last"]:
            errors["days"] = "期間の始まりは、終わりより前の日付にしてください。"
        user = query.get("user", "")
        if user not in ("", NOBODY) and not _is_key(user):
            errors["user"] = "利用者を一覧から選択してください。"
        return cls(
            user=user,
            first=days["first"],
            last=days["last"],
            number=query.get("number", "").strip()[:60],
            errors=errors,
        )


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of one source; `next_before` is the key of the next, older page."""

    lines: list[Line]
    next_before: int | None


def page(source: Source, filters: Filters, *, before: str) -> Page:
    """At most four queries: the order that is meant, the row that the page goes on from, the rows, what they name."""
    rows: QuerySet[Any] = source.model._default_manager.select_related(*source.related)
    rows = rows.order_by(f"-{source.time}", "-pk")
    if filters.user == NOBODY:
        rows = rows.filter(actor__isnull=True)
    elif filters.user:
        rows = rows.filter(actor_id=int(filters.user))
    if filters.first:
        rows = rows.filter(**{f"{source.time}__gte": _midnight(filters.first)})
    if filters.last:
        rows = rows.filter(**{f"{source.time}__lt": _midnight(filters.last + timedelta(days=1))})
    if filters.number and source.order:
        found = list(Order.objects.filter(number=filters.number).values_list("pk", flat=True)[:1])
        rows = rows.filter(**{source.order: found[0]}) if found else rows.none()
    if _is_key(before):
        rows = rows.filter(_older(source, int(before)))
    found_rows = list(rows[: PAGE_SIZE + 1])
    shown = found_rows[:PAGE_SIZE]
    return Page(
        lines=[source.line(row) for row in shown],
        next_before=shown[-1].pk if len(found_rows) > PAGE_SIZE else None,
    )


def _older(source: Source, key: int) -> Q:
    """What comes after a row. The first condition alone bounds the index scan; OR alone would not."""
    at = source.model._default_manager.filter(pk=key).values_list(source.time, flat=True).first()
    if at is None:  # a key that was made up
        return Q(pk__lt=key)
    return Q(**{f"{source.time}__lte": at}) & (Q(**{f"{source.time}__lt": at}) | Q(pk__lt=key))


def people() -> list[tuple[str, str]]:
    """(value, label) of everybody the page can be narrowed to."""
    users = User.objects.only("username", "first_name", "last_name").order_by("username")[:500]
    named = [(str(user.pk), f"{name_of(user)}({user.username})") for user in users]
    return [*named, (NOBODY, "お客様・自動処理・サーバー")]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=TOKYO)


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19
