"""Changing 対応状況: the one place where it happens, with all that goes with it.

To 注文取消し: stock and used points back. To 入金済み: 入金日. To 発送済み: 発送日, earned points added. To 返品:
used points back, earned points removed, stock stays out. Back from these the same is taken again. Payments are
never touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from cagolab.clock import TOKYO
from orders import history, ledgers, locks
from orders.history import Author, FieldChange
from orders.ledgers import Booking
from orders.models import Order, PointEntry
from orders.statuses import OPERATOR_MOVES, SYSTEM_MOVES, OrderStatus


@dataclass(frozen=True, kw_only=True)
class StatusChanged:
    """The order stands in `after` now, at `version`."""

    order_id: int
    number: str
    before: OrderStatus
    after: OrderStatus
    version: int


@dataclass(frozen=True)
class StatusRefused:
    """Nothing was changed; the reason names the order number and says why."""

    reason: str


def check_status(order: Order, to: OrderStatus, *, by_system: bool = False) -> str | None:
    """Why the order may not go to `to` by the table of moves, or None. Reads nothing but number and status."""
    before = OrderStatus(order.status)
    if to == before:
        return f"注文番号 {order.number} は、すでに「{before.label}」です。"
    allowed = OPERATOR_MOVES[before] + (SYSTEM_MOVES.get(before, ()) if by_system else ())
    if to in allowed:
        return None
    if allowed:
        names = "」「".join(status.label for status in allowed)
        hint = f"「{before.label}」から変更できるのは「{names}」です。"
    else:
        hint = "購入手続きが終わるか、「決済処理中の注文の取消」が行われるまでお待ちください。"
    return f"注文番号 {order.number} は「{before.label}」のため、「{to.label}」に変更できません。{hint}"


def change_status(
    *,
    order_id: int,
    to: OrderStatus,
    actor: User | None,
    actor_name: str,
    source: str,
    ip: str | None,
    now: datetime,
    by_system: bool = False,
) -> StatusChanged | StatusRefused:
    """Change one order's status and book what goes with it, or refuse and change nothing.

    Joins the caller's transaction where there is one; a refusal leaves that transaction usable. `by_system`
    allows the moves of the checkout and of the stale-order job too.
    """
    author = Author(name=actor_name, source=source, user=actor, ip=ip)
    try:
        with transaction.atomic():
            order = locks.lock_order(order_id)
            if reason := check_status(order, to, by_system=by_system):
                return StatusRefused(reason)
            return _change(order, to, author, now)
    except Order.DoesNotExist:
        return StatusRefused("注文が見つかりません。一覧を更新してから、もう一度お試しください。")
    except ledgers.ShortError as short:
        return StatusRefused(str(short))


def _change(order: Order, to: OrderStatus, author: Author, now: datetime) -> StatusChanged:
    before = OrderStatus(order.status)
    order.version += 1
    _book(order, before, to, now)
    changed = [FieldChange("対応状況", before.label, to.label)]
    order.status = to
    if to is OrderStatus.PAID and order.paid_at is None:
        order.paid_at = now
        changed.append(FieldChange("入金日", "", _minute(now)))
    if to is OrderStatus.SHIPPED and order.shipped_at is None:
        order.shipped_at = now
        changed.append(FieldChange("発送日", "", _minute(now)))
    order.updated_at = now
    order.save(update_fields=["status", "version", "paid_at", "shipped_at", "updated_at"])
    if to is not OrderStatus.PENDING:  # an order given up at the card page leaves no history (PG-4)
        history.record_all(order_id=order.pk, changes=changed, author=author, version=order.version, now=now)
    return StatusChanged(
        order_id=order.pk, number=order.number, before=before, after=to, version=order.version
    )


def _book(order: Order, before: OrderStatus, to: OrderStatus, now: datetime) -> None:
    booking = Booking(order=order, version=order.version, reason=f"{before.label}→{to.label}", now=now)
    if to is OrderStatus.CANCELLED:
        taken = ledgers.booked_stock(order.pk)
        ledgers.book_stock(booking, {product: -booked for product, booked in taken.items() if booked < 0})
    elif before is OrderStatus.CANCELLED:
        sold, booked = ledgers.quantities(order.lines.all()), ledgers.booked_stock(order.pk)
        ledgers.book_stock(
            booking, {product: -sold[product] - booked[product] for product in {*sold, *booked}}
        )
    _book_points(booking, before, to)


def _book_points(booking: Booking, before: OrderStatus, to: OrderStatus) -> None:
    order = booking.order
    booked = ledgers.booked_points(order.pk)
    gives_back = {OrderStatus.CANCELLED, OrderStatus.RETURNED}
    movements: dict[PointEntry.Kind, int] = {}
    if to in gives_back:
        movements[PointEntry.Kind.USED] = max(0, -booked[PointEntry.Kind.USED])
        movements[PointEntry.Kind.EARNED] = -booked[PointEntry.Kind.EARNED]
    elif before in gives_back:
        movements[PointEntry.Kind.USED] = -order.used_points - booked[PointEntry.Kind.USED]
    if to is OrderStatus.SHIPPED:
        movements[PointEntry.Kind.EARNED] = order.added_points - booked[PointEntry.Kind.EARNED]
    ledgers.book_points(booking, movements)


def _minute(moment: datetime) -> str:
    return moment.astimezone(TOKYO).strftime("%Y/%m/%d %H:%M")
