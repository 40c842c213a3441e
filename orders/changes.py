"""Changing 対応状況: the one place where it happens, with all that goes with it.

To 注文取消し: stock and used points back. To 入金済み: 入金日. To 発送済み: 発送日, earned points added. To 返品:
used points back, earned points removed, stock stays out. Back from these the same is taken again. Payments are
never touched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from cagolab.clock import TOKYO
from cagolab.many_rows import write_columns
from orders import history, ledgers, locks
from orders.history import Author, FieldChange
from orders.ledgers import Booking
from orders.models import Order, OrderLine, PointEntry, StockEntry
from orders.statuses import OPERATOR_MOVES, SYSTEM_MOVES, OrderStatus

_NOT_FOUND = "注文が見つかりません。一覧を更新してから、もう一度お試しください。"
_WRITTEN = ("status", "version", "paid_at", "shipped_at", "updated_at")
# Into these and out of them points move, and into and out of the first of them stock.
_GIVES_BACK = frozenset({OrderStatus.CANCELLED, OrderStatus.RETURNED})


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


@dataclass(frozen=True, kw_only=True)
class Wish:
    """An operator's change of one order to `to`."""

    order_id: int
    to: OrderStatus
    author: Author


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
        return StatusRefused(_NOT_FOUND)
    except ledgers.ShortError as short:
        return StatusRefused(str(short))


def change_many(wishes: Sequence[Wish], now: datetime) -> Mapping[int, StatusChanged | StatusRefused]:
    """As `change_status` for many orders, by order; each is changed or refused on its own. Needs a transaction.

    Those that move neither stock nor points are written together. The others go one by one, when the products and
    customers of all of them are locked in the one order: no two callers can wait for each other.
    """
    orders = locks.lock_orders(wish.order_id for wish in wishes)
    results: dict[int, StatusChanged | StatusRefused] = {}
    plain: list[Order] = []
    entries: list[history.Entry] = []
    booking: list[tuple[Order, Wish]] = []
    for wish in wishes:
        order = orders.get(wish.order_id)
        if order is None:
            results[wish.order_id] = StatusRefused(_NOT_FOUND)
        elif reason := check_status(order, wish.to):
            results[wish.order_id] = StatusRefused(reason)
        elif _moves_ledgers(OrderStatus(order.status), wish.to):
            booking.append((order, wish))
        else:
            before = OrderStatus(order.status)
            entries += [
                history.Entry(order_id=order.pk, change=change, author=wish.author, version=order.version)
                for change in _mark(order, wish.to, now)
            ]
            plain.append(order)
            results[order.pk] = _changed(order, before)
    write_columns(plain, _WRITTEN)
    history.record_many(entries, now=now)
    return results | _change_booking(booking, now)


def _change_booking(
    booking: Sequence[tuple[Order, Wish]], now: datetime
) -> dict[int, StatusChanged | StatusRefused]:
    if not booking:
        return {}
    order_ids = [order.pk for order, _ in booking]
    sold = OrderLine.objects.filter(order__in=order_ids, product__isnull=False)
    booked = StockEntry.objects.filter(order__in=order_ids)
    locks.lock_products(
        set(sold.values_list("product_id", flat=True)) | set(booked.values_list("product_id", flat=True))
    )
    locks.lock_customers(order.customer_id for order, _ in booking if order.customer_id is not None)
    results: dict[int, StatusChanged | StatusRefused] = {}
    for order, wish in booking:
        try:
            with transaction.atomic():
                results[order.pk] = _change(order, wish.to, wish.author, now)
        except ledgers.ShortError as short:
            results[order.pk] = StatusRefused(str(short))
    return results


def _change(order: Order, to: OrderStatus, author: Author, now: datetime) -> StatusChanged:
    before = OrderStatus(order.status)
    changed = _mark(order, to, now)
    if _moves_ledgers(before, to):
        _book(order, before, to, now)
    order.save(update_fields=_WRITTEN)
    history.record_all(order_id=order.pk, changes=changed, author=author, version=order.version, now=now)
    return _changed(order, before)


def _mark(order: Order, to: OrderStatus, now: datetime) -> list[FieldChange]:
    """Set what the change does to the order's own fields (unsaved); what its history says of it."""
    before = OrderStatus(order.status)
    order.version += 1
    order.status = to
    order.updated_at = now
    changed = [FieldChange("対応状況", before.label, to.label)]
    if to is OrderStatus.PAID and order.paid_at is None:
        order.paid_at = now
        changed.append(FieldChange("入金日", "", _minute(now)))
    if to is OrderStatus.SHIPPED and order.shipped_at is None:
        order.shipped_at = now
        changed.append(FieldChange("発送日", "", _minute(now)))
    # An order given up at the card page leaves no history (PG-4).
    return [] if to is OrderStatus.PENDING else changed


def _changed(order: Order, before: OrderStatus) -> StatusChanged:
    return StatusChanged(
        order_id=order.pk,
        number=order.number,
        before=before,
        after=OrderStatus(order.status),
        version=order.version,
    )


def _moves_ledgers(before: OrderStatus, to: OrderStatus) -> bool:
    """Whether stock or points may move with the change."""
    return to is OrderStatus.SHIPPED or before in _GIVES_BACK or to in _GIVES_BACK


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
    movements: dict[PointEntry.Kind, int] = {}
    if to in _GIVES_BACK:
        movements[PointEntry.Kind.USED] = max(0, -booked[PointEntry.Kind.USED])
        movements[PointEntry.Kind.EARNED] = -booked[PointEntry.Kind.EARNED]
    elif before in _GIVES_BACK:
        movements[PointEntry.Kind.USED] = -order.used_points - booked[PointEntry.Kind.USED]
    if to is OrderStatus.SHIPPED:
        movements[PointEntry.Kind.EARNED] = order.added_points - booked[PointEntry.Kind.EARNED]
    ledgers.book_points(booking, movements)


def _minute(moment: datetime) -> str:
    return moment.astimezone(TOKYO).strftime("%Y/%m/%d %H:%M")
