"""The frame around every page: the side bar's entries, the shop's name, and the demo's banner."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from cagolab import clock
from cagolab.people import name_of
from cagolab.roles import ADMINISTER, EDIT, EXPORT, VIEW
from cagolab.security import initial_password, second_factor
from cagolab.shop import shop_name
from orders.statuses import DISPLAY_ORDER

# Parameters that do not make a list another list.
PAGING = frozenset({"size", "sort", "cursor", "direction"})


@dataclass(frozen=True)
class Entry:
    """One line of the side bar; shown only to those who may open it."""

    label: str
    route: str
    argument: str = ""
    query: str = ""
    permission: str = VIEW
    # Shown only where the installation has an account of this provider.
    provider: str = ""

    @functools.cached_property
    def address(self) -> str:
        """Where the entry leads; reversed once per process, since every page shows all entries."""
        path = reverse(self.route, args=[self.argument] if self.argument else [])
        return f"{path}?{self.query}" if self.query else path

    @functools.cached_property
    def _asks_for(self) -> QueryDict:
        return QueryDict(self.address.partition("?")[2])

    def leads_to(self, request: HttpRequest) -> bool:
        """True when the page now shown, whose path is this entry's, is this entry's."""
        return not self.query or self._asks_for == request.GET


@dataclass(frozen=True)
class Group:
    """A heading with its entries; `icon` is Font Awesome's name."""

    label: str
    icon: str
    entries: tuple[Entry, ...]
    # A long group stays folded until one of its pages is open.
    folded: bool = False


# G13-7: a page per payment status, in the order of a payment's life.
PAYMENT_STATUS_PAGES = {
    "AUTH": "仮売上",
    "SALES": "実売上",
    "CAPTURE": "即時売上",
    "VOID": "取消",
    "RETURN": "返品",
    "RETURNX": "月跨返品",
    "CHECK": "有効性チェック",
}

# PG-1: lists that a provider's operators know from its own manual.
PROVIDER_LISTS = {"paygent": "ペイジェント決済状況一覧"}

GROUPS = (
    Group(
        "受注管理",
        "cart-shopping",
        (
            Entry("受注一覧", "orders:list"),
            Entry("新規受注入力", "orders:new", permission=EDIT),
            Entry("配送番号CSV登録", "orders:tracking_csv", permission=EDIT),
            Entry("一括処理の履歴", "bulk:list"),
            Entry("ファイル出力", "exports:list", permission=EXPORT),
        ),
    ),
    Group(
        "決済管理",
        "yen-sign",
        (
            Entry("決済状況一覧", "payments:list"),
            *(
                Entry(label, "payments:provider_list", argument=provider, provider=provider)
                for provider, label in PROVIDER_LISTS.items()
            ),
            Entry("差異一覧", "payments:differences"),
            Entry("要判断の決済操作", "payments:attention"),
            Entry("決済処理中の注文の取消", "payments:stale_orders"),
            Entry("結果通知", "payments:notifications"),
        ),
    ),
    Group(
        "対応状況別",
        "list-check",
        tuple(Entry(status.label, "orders:list", query=f"status={status.value}") for status in DISPLAY_ORDER),
        folded=True,
    ),
    Group(
        "決済状況別",
        "credit-card",
        tuple(
            Entry(label, "payments:status_page", argument=status)
            for status, label in PAYMENT_STATUS_PAGES.items()
        ),
        folded=True,
    ),
    Group(
        "設定",
        "gear",
        (
            Entry("決済アカウント", "payments:accounts", permission=ADMINISTER),
            Entry("夜間処理", "payments:nightly_settings", permission=ADMINISTER),
            Entry("利用者", "users", permission=ADMINISTER),
            Entry("操作履歴", "audit", permission=ADMINISTER),
        ),
    ),
)


HOME = Entry("ホーム", "home")
PERMISSIONS = frozenset(entry.permission for group in GROUPS for entry in group.entries)


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Context of the frame; asks the database for nothing but the user's permissions, once per request."""
    frame: dict[str, Any] = {"shop_name": shop_name(), "sidebar": ""}
    if settings.SANDBOX_URL:
        frame["demo_clock"] = clock.now()
    user = getattr(request, "user", None)
    if isinstance(user, User):
        frame["user_name"] = name_of(user)
        # Between the password and the code, before one's own password is chosen or the app is set up, the frame
        # offers only the way out.
        frame["is_in"] = not (
            second_factor.is_wanted(request.session)
            or initial_password.must_change(request.session)
            or second_factor.must_enrol(user, request.session)
        )
        if frame["is_in"]:
            providers = {"", *(account.provider for account in settings.GATEWAY_ACCOUNTS.values())}
            permissions = {permission for permission in PERMISSIONS if user.has_perm(permission)}
            current = {entry for entry in _entries().get(request.path, ()) if entry.leads_to(request)}
            frame["sidebar"] = _sidebar(frozenset(permissions), frozenset(providers), frozenset(current))
    return frame


@functools.cache
def _entries() -> dict[str, list[Entry]]:
    """The entries by the path that they lead to."""
    found: dict[str, list[Entry]] = {}
    for entry in (HOME, *(entry for group in GROUPS for entry in group.entries)):
        found.setdefault(entry.address.partition("?")[0], []).append(entry)
    return found


# A role sees the same bar on the same page: each is drawn once per process.
@functools.lru_cache(maxsize=500)
def _sidebar(permissions: frozenset[str], providers: frozenset[str], current: frozenset[Entry]) -> SafeString:
    groups = []
    for group in GROUPS:
        entries = [
            {"label": entry.label, "address": entry.address, "current": entry in current}
            for entry in group.entries
            if entry.permission in permissions and entry.provider in providers
        ]
        is_open = not group.folded or any(entry["current"] for entry in entries)
        if entries:
            groups.append({"label": group.label, "icon": group.icon, "entries": entries, "open": is_open})
    context = {"groups": groups, "is_home": HOME in current}
    return SafeString(render_to_string("cagolab/sidebar.jinja", context, using="jinja2"))
