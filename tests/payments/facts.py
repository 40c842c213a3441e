"""Facts for tests of pure decisions: a card payment at GMO-PG, changed by keyword."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from gateways.interface import Capabilities
from gateways.vocabulary import Action, MethodKind, PaymentStatus
from orders.statuses import OrderStatus
from payments.facts import Facts

TOKYO = ZoneInfo("Asia/Tokyo")
ALL_ACTIONS = frozenset(set(Action) - {Action.INQUIRE, Action.GUIDED_CHANGE})


def tokyo(text: str) -> datetime:
    """An aware datetime from "2026-11-30 10:00:00" in Tokyo."""
    return datetime.fromisoformat(text).replace(tzinfo=TOKYO)


def card(**changes: Any) -> Facts:
    """A hold of 3,200 yen of 30 November for an order of 3,200 yen."""
    facts: dict[str, Any] = {
        "family": "gmopg",
        "kind": MethodKind.CARD,
        "status": PaymentStatus.AUTH,
        "amount": 3200,
        "payable": 3200,
        "authorized_at": tokyo("2026-11-30 10:00:00"),
        "captured_at": None,
        "order_status": OrderStatus.NEW,
        "capture_days": 90,
        "change_days": 180,
        "closing_day": None,
        "changes_captured_amount": True,
        "checkout_target": PaymentStatus.AUTH,
        "capabilities": Capabilities(actions=ALL_ACTIONS),
    }
    facts.update(changes)
    return Facts(**facts)
