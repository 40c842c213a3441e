"""Saving an order: fields, lines, totals, ledgers, history and search text, in one transaction or not at all.

Two editors: the form brings back the version it began with; when the stored one is newer nothing is written
and the caller learns what differs, who changed it and when.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction

from orders import changes, history, ledgers, line_changes, locks, search_text, status_guards, totals
from orders.history import Author, FieldChange
from orders.ledgers import Booking, ShortError
from orders.line_changes import LinePlan, LinesError
from orders.models import Customer, Order, OrderChange, OrderLine, PaymentMethod, PointEntry
from orders.order_data import EDITABLE_FIELDS, SEARCHED_FIELDS, OrderData
from orders.statuses import HIDDEN_BY_DEFAULT, OrderStatus

_TOTALS = ("subtotal", "delivery_fee", "charge", "discount", "total", "payment_total", "added_points")
_TRACKING = re.compile(r"[0-9A-Za-z-]{0,60}")
_NOT_FOUND = "注文が見つかりません。一覧に戻って確認してください。"


@dataclass(frozen=True, kw_only=True)
class Saved:
    """The order as it is stored now. `changed` is False when there was nothing to write."""

    order: Order
    changed: bool


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One field that is stored differently from what this operator sent, in words."""

    field: str
    label: str
    theirs: str
    mine: str


@dataclass(frozen=True, kw_only=True)
class VersionConflict:
    """Nothing was saved: somebody else saved first."""

    current_version: int
    changed_by: str
    changed_at: datetime
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Invalid:
    """Nothing was saved. Sentences by field; `lines` for the lines, empty for the order as a whole."""

    errors: Mapping[str, str]


class _InvalidError(Exception):
    """Rolls the transaction back; carries what Invalid tells."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.sentence = sentence


def save_order(
    *, order_id: int, version: int, data: OrderData, author: Author, now: datetime
) -> Saved | VersionConflict | Invalid:
    """Save an operator's form over the order that was at `version` when the form was shown.

    A change of 対応状況 is part of it: when that is refused, nothing is saved. Stock and points are booked
    by the difference to what was stored; a cancelled order books nothing.
    """
    try:
        with transaction.atomic():
            order = locks.lock_order(order_id)
            if order.version != version:
                return _conflict(order, version, data)
            if order.status in HIDDEN_BY_DEFAULT:
                raise _InvalidError("", _locked_sentence(order))
            changed = _save(order, data, author, now)
            if data.status is not None and data.status != order.status:
                order = _change_status(order, data.status, author, now)
                changed = True
            return Saved(order=order, changed=changed)
    except Order.DoesNotExist:
        return Invalid({"": _NOT_FOUND})
    except _InvalidError as invalid:
        return Invalid({invalid.field: invalid.sentence})


def create_order(
    *,
    data: OrderData,
    customer: Customer | None,
    author: Author,
    now: datetime,
    status: OrderStatus = OrderStatus.NEW,
    is_subscription: bool = False,
) -> Saved | Invalid:
    """A new order (G13-2), or one that the checkout opens as 購入処理中 or 決済処理中.

    Its number is its id. Stock and used points are taken at once. Raises ValueError for other statuses.
    """
    if status not in {OrderStatus.NEW, *HIDDEN_BY_DEFAULT}:
        raise ValueError(f"an order does not begin as {status.label}")
    try:
        with transaction.atomic():
            order = _new_order(customer, status, now)
            order.is_subscription = is_subscription
            plan = _plan([], data)
            _set_fields(order, data)
            _set_totals(order, list(plan.wanted))
            order.save(force_insert=True)
            line_changes.write(plan, order)
            booking = Booking(order=order, version=order.version, reason="受注", now=now)
            _book(booking, ledgers.quantities(plan.wanted), used=order.used_points, earned=0)
            search_text.refresh(order)
            if status is OrderStatus.NEW:  # an order given up in the checkout leaves no history (PG-4)
                made = [FieldChange("受注", "", f"{order.payment_total:,}円")]
                history.record_all(
                    order_id=order.pk, changes=made, author=author, version=order.version, now=now
                )
            return Saved(order=order, changed=True)
    except _InvalidError as invalid:
        return Invalid({invalid.field: invalid.sentence})


def set_tracking_number(
    *, order_id: int, tracking_number: str, author: Author, now: datetime
) -> Saved | Invalid:
    """お問い合わせ番号 alone, as typed in the list (G5-2). Full-width letters and digits are made plain."""
    number = search_text.plain_code(tracking_number)
    if not _TRACKING.fullmatch(number):
        return Invalid(
            {"tracking_number": "お問い合わせ番号は60文字までの英数字とハイフンで入力してください。"}
        )
    with transaction.atomic():
        try:
            order = locks.lock_order(order_id)
        except Order.DoesNotExist:
            return Invalid({"": _NOT_FOUND})
        if order.status in HIDDEN_BY_DEFAULT:
            return Invalid({"": _locked_sentence(order)})
        if order.tracking_number == number:
            return Saved(order=order, changed=False)
        change = FieldChange("お問い合わせ番号", order.tracking_number, number)
        order.tracking_number = number
        order.version += 1
        order.updated_at = now
        order.save(update_fields=["tracking_number", "version", "updated_at"])
        history.record_all(order_id=order.pk, changes=[change], author=author, version=order.version, now=now)
        return Saved(order=order, changed=True)


def _save(order: Order, data: OrderData, author: Author, now: datetime) -> bool:
    stored = list(order.lines.exclude(kind=OrderLine.Kind.POINTS))
    before = {name: getattr(order, name) for name in ("payment_total", "used_points", "added_points")}
    plan = _plan(stored, data)
    changed_fields = _set_fields(order, data)
    if not changed_fields and not plan.has_changes:
        return False
    _set_totals(order, list(plan.wanted))
    order.version += 1
    order.updated_at = now
    moved = ledgers.quantities(plan.wanted)
    moved.subtract(ledgers.quantities(stored))
    _book(
        Booking(order=order, version=order.version, reason="受注編集", now=now),
        moved,
        used=order.used_points - before["used_points"],
        earned=order.added_points - before["added_points"],
    )
    line_changes.write(plan, order)
    order.save(update_fields=_columns_to_write(changed_fields))
    if any(change.field in SEARCHED_FIELDS for change in changed_fields):
        search_text.refresh(order)
    entries = [FieldChange(label_of(change.field), change.old, change.new) for change in changed_fields]
    entries.extend(plan.changes)
    if order.payment_total != before["payment_total"]:
        old, new = before["payment_total"], order.payment_total
        entries.append(FieldChange("お支払い合計", f"{old:,}円", f"{new:,}円"))
    entries = entries or [FieldChange("明細の並び順", "", "変更")]
    history.record_all(order_id=order.pk, changes=entries, author=author, version=order.version, now=now)
    return True


def _columns_to_write(changed: list[FieldChange]) -> list[str]:
    """What saving writes of an order: the fields that were changed, and what every save writes anew."""
    columns = {change.field for change in changed}
    if "payment_method" in columns:
        columns.add("payment_method_name")
    return [*sorted(columns), *_TOTALS, "version", "updated_at"]


def _change_status(order: Order, to: OrderStatus, author: Author, now: datetime) -> Order:
    result = changes.change_status(
        order_id=order.pk,
        to=to,
        actor=author.user,
        actor_name=author.name,
        source=author.source,
        ip=author.ip,
        now=now,
    )
    if isinstance(result, changes.StatusRefused):
        raise _InvalidError("status", result.reason)
    order.refresh_from_db()
    return order


def _plan(stored: list[OrderLine], data: OrderData) -> LinePlan:
    try:
        return line_changes.plan(stored, data.lines)
    except LinesError as error:
        raise _InvalidError("lines", str(error)) from error


def _set_fields(order: Order, data: OrderData) -> list[FieldChange]:
    """Put the values into the order and return what that changed, by the columns' names."""
    changed = []
    for name in EDITABLE_FIELDS:
        if name not in data.values:
            continue
        if name == "payment_method":
            changed.extend(_set_payment_method(order, data.values[name]))
            continue
        old, new = getattr(order, name), data.values[name]
        if old != new:
            setattr(order, name, new)
            changed.append(FieldChange(name, _words(old), _words(new)))
    if order.used_points and order.customer_id is None:
        raise _InvalidError("used_points", "会員ではないお客様の注文では、ポイントを利用できません。")
    return changed


def _set_payment_method(order: Order, method_id: int) -> list[FieldChange]:
    """G5-4: not while a gateway payment is live. The method's fee is not applied: fees are changed by hand."""
    if order.payment_method_id == method_id:
        return []
    if order.pk and (reason := status_guards.edit_refusal(order)):
        raise _InvalidError("payment_method", reason)
    method = PaymentMethod.objects.filter(pk=method_id).first()
    if method is None:
        raise _InvalidError("payment_method", "お支払方法を一覧から選択してください。")
    change = FieldChange("payment_method", order.payment_method_name, method.name)
    order.payment_method, order.payment_method_name = method, method.name
    return [change]


def _set_totals(order: Order, lines: list[OrderLine]) -> None:
    try:
        sums = totals.calculate(totals.inputs_of(lines), used_points=order.used_points)
    except totals.TotalsError as error:
        raise _InvalidError("lines", str(error)) from error
    for name in _TOTALS:
        setattr(order, name, getattr(sums, name))
    if order.customer_id is None:
        order.added_points = 0


def _book(booking: Booking, sold: Mapping[int, int], *, used: int, earned: int) -> None:
    """Book what an order sells more (or less) than before, and the points beside it."""
    status = booking.order.status
    if status == OrderStatus.CANCELLED:
        return
    points: dict[PointEntry.Kind, int] = {}
    if status != OrderStatus.RETURNED:
        points[PointEntry.Kind.USED] = -used
    if status == OrderStatus.SHIPPED:
        points[PointEntry.Kind.EARNED] = earned
    try:
        ledgers.book_stock(booking, {product: -quantity for product, quantity in sold.items()})
    except ShortError as short:
        raise _InvalidError("lines", str(short)) from short
    try:
        ledgers.book_points(booking, points)
    except ShortError as short:
        raise _InvalidError("used_points", str(short)) from short


def _new_order(customer: Customer | None, status: OrderStatus, now: datetime) -> Order:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('orders_order', 'id'))")
        pk = cursor.fetchone()[0]
    return Order(pk=pk, number=str(pk), customer=customer, status=status, ordered_at=now, updated_at=now)


def _conflict(order: Order, version: int, data: OrderData) -> VersionConflict:
    last = OrderChange.objects.filter(order=order, version__gt=version).order_by("-id").first()
    return VersionConflict(
        current_version=order.version,
        changed_by=last.actor_name if last else "",
        changed_at=last.changed_at if last else order.updated_at,
        differences=tuple(_differences(order, data)),
    )


def _differences(order: Order, data: OrderData) -> list[Difference]:
    found = []
    for name in EDITABLE_FIELDS:
        if name not in data.values:
            continue
        if name == "payment_method":
            method = PaymentMethod.objects.filter(pk=data.values[name]).first()
            theirs, mine = order.payment_method_name, method.name if method else ""
        else:
            theirs, mine = _words(getattr(order, name)), _words(data.values[name])
        if theirs != mine:
            found.append(Difference(field=name, label=label_of(name), theirs=theirs, mine=mine))
    theirs, mine = (
        "\n".join(line_changes.words(line) for line in lines)
        for lines in (order.lines.exclude(kind=OrderLine.Kind.POINTS), data.lines)
    )
    if theirs != mine:
        found.append(Difference(field="lines", label="明細", theirs=theirs, mine=mine))
    return found


def label_of(field: str) -> str:
    """What the screen calls a column of the order."""
    return str(Order._meta.get_field(field).verbose_name)  # type: ignore[union-attr]


def _words(value: Any) -> str:
    if value is None:
        return ""
    return value.strftime("%Y/%m/%d") if isinstance(value, date) else str(value)


def _locked_sentence(order: Order) -> str:
    return (
        f"注文番号 {order.number} は「{order.get_status_display()}」のため、変更できません。"
        "お客様のお手続きが終わるか、「決済処理中の注文の取消」が行われるまでお待ちください。"
    )
