"""The conditions of a list of orders: read from a query string, written back to one, told when wrong.

The same object serves the list, 一括操作 over all that match, and exports. Days are whole days in Tokyo, both
ends included.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from django.http import QueryDict

from cagolab.clock import TOKYO
from orders import search_text
from orders.search_terms import Terms
from orders.search_text import SearchField
from orders.statuses import DISPLAY_ORDER, OrderStatus

MAX_YEN: Final = 2_147_483_647
MAX_DEADLINE_DAYS: Final = 366
# Beyond these no shop has orders, and near them dates overflow when they are made times.
FIRST_DAY: Final = date(1990, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)
SORTS: Final = ("newest", "oldest")
# Of so many lists a process keeps what was read from their addresses.
KEPT_FILTERS: Final = 500

Read = TypeVar("Read")

_TEXTS = ("q", "name", "kana", "company", "email", "phone", "number", "tracking")
_RANGES: Mapping[str, str] = {
    "ordered": "受注日",
    "paid": "入金日",
    "updated": "更新日",
    "delivery": "お届け日",
}
_FLAGS = ("differs", "open", "live", "uncaptured")
_FIELD_OF_TEXT = {
    "name": SearchField.NAME,
    "kana": SearchField.KANA,
    "company": SearchField.COMPANY,
    "email": SearchField.EMAIL,
    "phone": SearchField.PHONE,
}
_CODE = re.compile(r"\A[A-Za-z_]{1,20}\Z")


class _WrongError(ValueError):
    """What was typed cannot be used; the message is for the operator."""


@dataclass(frozen=True, kw_only=True)
class OrderFilters:
    """What a list shows. Amounts in yen. Empty means no condition, except that 購入処理中 and 決済処理中 are
    left out unless ticked (PG-7).

    A value that could not be read stands in `errors` by its parameter's name and is not applied; the caller
    decides whether the rest may be (a list may, a bulk run may not). `notices` tells what was left out.
    """

    q: str = ""
    status: tuple[OrderStatus, ...] = ()
    name: str = ""
    kana: str = ""
    company: str = ""
    email: str = ""
    phone: str = ""
    number: str = ""
    tracking: str = ""
    method: tuple[int, ...] = ()
    payment_status: tuple[str, ...] = ()
    payment_kind: tuple[str, ...] = ()
    provider: tuple[str, ...] = ()
    # Beside those of `provider`: orders by these お支払方法 that have no payment (left at the card page, by hand).
    unpaid_method: tuple[int, ...] = ()
    amount_min: int | None = None
    amount_max: int | None = None
    ordered_from: date | None = None
    ordered_to: date | None = None
    paid_from: date | None = None
    paid_to: date | None = None
    updated_from: date | None = None
    updated_to: date | None = None
    delivery_from: date | None = None
    delivery_to: date | None = None
    # The payment's amount is not the saved お支払い合計 (CC-9).
    differs: bool = False
    # 確認中: an operation whose outcome is not known yet.
    open: bool = False
    # Held money that must be captured within so many days from today, or is overdue.
    deadline: int | None = None
    # 注文取消し or 返品 while money is still held or taken.
    live: bool = False
    # 発送済み and not captured.
    uncaptured: bool = False
    sort: str = "newest"
    errors: Mapping[str, str] = field(default_factory=dict, compare=False)
    notices: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def from_query(cls, query: QueryDict) -> OrderFilters:
        """Read the parameters of a request; unknown ones (page, size, cursor ...) are none of its business."""
        return _read(tuple((name, tuple(query.getlist(name))) for name in query if name in _PARAMETERS))

    @classmethod
    def _from_known(cls, query: QueryDict) -> OrderFilters:
        reader = _Reader(query)
        values: dict[str, Any] = {name: reader.text(name) for name in _TEXTS}
        values["status"] = tuple(
            status for status in DISPLAY_ORDER if status in reader.many("status", _read_status)
        )
        for name in ("method", "unpaid_method"):
            values[name] = tuple(sorted(set(reader.many(name, _read_id))))
        for name in ("payment_status", "payment_kind", "provider"):
            values[name] = tuple(sorted(set(reader.many(name, _read_code))))
        values["amount_min"] = reader.one("amount_min", _read_yen)
        values["amount_max"] = reader.one("amount_max", _read_yen)
        for name in _RANGES:
            values[f"{name}_from"] = reader.one(f"{name}_from", _read_day)
            values[f"{name}_to"] = reader.one(f"{name}_to", _read_day)
        values["deadline"] = reader.one("deadline", _read_days)
        for name in _FLAGS:
            values[name] = query.get(name, "") not in ("", "0")
        values["sort"] = query.get("sort") if query.get("sort") in SORTS else "newest"
        reader.check_ranges(values)
        return cls(**values, errors=MappingProxyType(reader.errors), notices=tuple(reader.notices))

    def to_query(self) -> str:
        """The query string that reads back as these filters; empty when nothing is asked for."""
        return _query_of(self)

    @property
    def is_detailed(self) -> bool:
        """Whether 詳細検索 holds a condition, so that its panel stays open."""
        return self._holds_beyond("q", "status", "sort")

    @property
    def is_text_only(self) -> bool:
        """Whether nothing but text is asked for, and perhaps the days between which an order was made."""
        return not self._holds_beyond("sort", "q", *_FIELD_OF_TEXT, "ordered_from", "ordered_to")

    @property
    def is_status_only(self) -> bool:
        """Whether nothing but 対応状況 is asked for, or nothing at all."""
        return not self._holds_beyond("sort", "status")

    def _holds_beyond(self, *plain: str) -> bool:
        return not _held(self).issubset(plain)

    @property
    def terms(self) -> Terms:
        """The text conditions as the search takes them."""
        within = tuple(
            (where, part)
            for name, where in _FIELD_OF_TEXT.items()
            for part in search_text.parse(getattr(self, name))[0]
        )
        return Terms(
            anywhere=search_text.parse(self.q)[0],
            within=within,
            since=None if self.ordered_from is None else midnight(self.ordered_from),
            until=None if self.ordered_to is None else midnight(self.ordered_to + timedelta(days=1)),
        )


_PARAMETERS: Final = frozenset(each.name for each in fields(OrderFilters) if each.compare)


# Every page of a list asks the same of the same conditions.
@functools.lru_cache(maxsize=KEPT_FILTERS)
def _read(parameters: tuple[tuple[str, tuple[str, ...]], ...]) -> OrderFilters:
    query = QueryDict(mutable=True)
    for name, values in parameters:
        query.setlist(name, list(values))
    return OrderFilters._from_known(query)


@functools.lru_cache(maxsize=KEPT_FILTERS)
def _held(filters: OrderFilters) -> frozenset[str]:
    """The fields that hold a condition."""
    return frozenset(
        each.name for each in fields(filters) if each.compare and getattr(filters, each.name) != each.default
    )


@functools.lru_cache(maxsize=KEPT_FILTERS)
def _query_of(filters: OrderFilters) -> str:
    held = _held(filters)
    pairs: list[tuple[str, str]] = []
    for name in (each.name for each in fields(filters) if each.name in held):
        value = getattr(filters, name)
        pairs.extend((name, _write(item)) for item in (value if isinstance(value, tuple) else (value,)))
    return urlencode(pairs)


def midnight(day: date) -> datetime:
    """When the day begins in Tokyo."""
    return datetime.combine(day, time(), TOKYO)


class _Reader:
    """Takes values out of a request and keeps what is wrong with them."""

    def __init__(self, query: QueryDict) -> None:
        self._query = query
        self.errors: dict[str, str] = {}
        self.notices: list[str] = []

    def text(self, name: str) -> str:
        typed = self._query.get(name, "").replace("\x00", "").strip()
        parts, notice = search_text.parse(typed)
        if notice:
            self.notices.append(notice)
        if typed and not parts:
            self.errors[name] = "検索できる文字がありません。文字か数字を入力してください。"
            return ""
        return typed[: search_text.MAX_TERM_CHARACTERS].rstrip()

    def one(self, name: str, read: Callable[[str], Read]) -> Read | None:
        typed = unicodedata.normalize("NFKC", self._query.get(name, "")).strip()
        if not typed:
            return None
        try:
            return read(typed)
        except _WrongError as wrong:
            self.errors[name] = str(wrong)
            return None

    def many(self, name: str, read: Callable[[str], Read]) -> list[Read]:
        found = []
        for typed in self._query.getlist(name):
            if not typed:
                continue
            try:
                found.append(read(typed))
            except _WrongError as wrong:
                self.errors[name] = str(wrong)
        return found

    def check_ranges(self, values: dict[str, Any]) -> None:
        """Tell when a range ends before it begins; such a range is not applied."""
        labels = {**{name: f"{label}の終わりの日" for name, label in _RANGES.items()}, "amount": "上限の金額"}
        for name, label in labels.items():
            low, high = _ends(name)
            if values[low] is not None and values[high] is not None and values[low] > values[high]:
                self.errors[high] = f"{label}は、始まり以上の値を入力してください。"
                values[low] = values[high] = None


def _ends(name: str) -> tuple[str, str]:
    return ("amount_min", "amount_max") if name == "amount" else (f"{name}_from", f"{name}_to")


def _read_status(typed: str) -> OrderStatus:
    try:
        return OrderStatus(int(typed))
    except ValueError:
        raise _WrongError("対応状況を一覧から選択してください。") from None


def _read_id(typed: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", typed):
        raise _WrongError("お支払方法を一覧から選択してください。")
    return int(typed)


def _read_code(typed: str) -> str:
    if not _CODE.match(typed):
        raise _WrongError("条件を一覧から選択してください。")
    return typed


def _read_yen(typed: str) -> int:
    digits = re.sub(r"[,、¥円\s]", "", typed)
    if not re.fullmatch(r"[0-9]{1,10}", digits) or int(digits) > MAX_YEN:
        raise _WrongError(f"金額は0から{MAX_YEN:,}までの整数（円）で入力してください。")
    return int(digits)


def _read_day(typed: str) -> date:
    match = re.fullmatch(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?", typed)
    try:
        if match is None:
            raise ValueError
        day = date(*(int(part) for part in match.groups()))
    except ValueError:
        raise _WrongError("日付は「2026-12-31」のように実在する日付で入力してください。") from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise _WrongError(f"日付は{FIRST_DAY.year}年から{LAST_DAY.year}年までで入力してください。")
    return day


def _read_days(typed: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", typed) or int(typed) > MAX_DEADLINE_DAYS:
        raise _WrongError(f"期限までの日数は0から{MAX_DEADLINE_DAYS}までの整数で入力してください。")
    return int(typed)


def _write(value: object) -> str:
    if value is True:
        return "1"
    return str(int(value)) if isinstance(value, int) else str(value)
