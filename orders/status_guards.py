"""What other parts have to say before an order is changed. payments fills these lists when the apps are ready.

A warning is shown and the change stays possible; a refusal is a reason why お支払方法 may not be changed now.
"""

from __future__ import annotations

from collections.abc import Callable

from orders.models import Order
from orders.statuses import OrderStatus

Warning_ = Callable[[Order, OrderStatus], list[str]]
Refusal = Callable[[Order], str]

_warnings: list[Warning_] = []
_edit_refusals: list[Refusal] = []


def register_warning(guard: Warning_) -> None:
    """Ask `guard(order, to)` for sentences before each status change. Registering twice asks once."""
    if guard not in _warnings:
        _warnings.append(guard)


def register_edit_refusal(guard: Refusal) -> None:
    """Ask `guard(order)` whether お支払方法 may be changed: an empty string allows it."""
    if guard not in _edit_refusals:
        _edit_refusals.append(guard)


def warnings(order: Order, to: OrderStatus) -> list[str]:
    """What the operator should read before the order goes to `to` (CC-8)."""
    return [sentence for guard in _warnings for sentence in guard(order, to)]


def edit_refusal(order: Order) -> str:
    """Why お支払方法 may not be changed now, or an empty string (G5-4)."""
    return next((reason for guard in _edit_refusals if (reason := guard(order))), "")
