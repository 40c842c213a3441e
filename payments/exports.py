"""決済状況CSV: orders with what their payment at the provider is, as 決済状況一覧 shows it."""

from __future__ import annotations

from collections.abc import Sequence

from cagolab.clock import TOKYO
from gateways.vocabulary import MethodKind
from orders.exports.csv_kind import CsvKind, Rows
from orders.exports.csv_text import Cell
from orders.exports.order_csv import day, moment
from orders.exports.registry import registry
from orders.models import Order
from orders.statuses import OrderStatus
from payments import labels, panel_words
from payments.models import LIVE_STATUSES, Payment

_REFERENCES = tuple((name, label) for name, label in panel_words.REFERENCE_ROWS if name != panel_words.METHOD)
_COLUMNS = (
    "注文番号",
    "受注日",
    "お名前",
    "決済状況",
    "確認中",
    "支払方法",
    "対応状況",
    "購入金額",
    "決済金額",
    "金額相違",
    "入金日",
    "売上期限",
    "決済代行会社",
    "決済種別",
    "決済オーダーID",
    "支払い方法",
    *(label for _name, label in _REFERENCES),
    "与信日時",
    "売上日時",
    "日時の推定",
    "本人認証(3-Dセキュア)",
)
_NO_PAYMENT: tuple[Cell, ...] = ("",) * (len(_COLUMNS) - 12)


def payment_rows(orders: Sequence[Order]) -> Rows:
    """A row per order with its current payment; one query for all payments."""
    wanted = [order.payment_id for order in orders if order.payment_id is not None]
    payments = Payment.objects.select_related("account").in_bulk(wanted)
    return Rows([_row(order, payments.get(order.payment_id or 0)) for order in orders])


PAYMENTS = CsvKind(
    code="payments",
    label="決済状況CSV",
    file_name="payments",
    columns=_COLUMNS,
    rows_of=payment_rows,
    shows_lines=False,
)


def register() -> None:
    """Hand the kind to the exports."""
    registry.register(PAYMENTS)


def _row(order: Order, payment: Payment | None) -> tuple[Cell, ...]:
    status = labels.status_label(order.payment_provider, order.payment_status) if order.payment_status else ""
    differs = order.payment_status in LIVE_STATUSES and order.payment_amount != order.payment_total
    return (
        order.number,
        moment(order.ordered_at),
        order.name,
        status,
        "確認中" if order.payment_is_open else "",
        order.payment_method_name,
        OrderStatus(order.status).label,
        order.payment_total,
        order.payment_amount,
        "相違あり" if differs else "",
        day(order.paid_at.astimezone(TOKYO).date() if order.paid_at else None),
        day(order.payment_deadline),
        *(_NO_PAYMENT if payment is None else _payment_cells(payment)),
    )


def _payment_cells(payment: Payment) -> tuple[Cell, ...]:
    references = {str(name): str(value) for name, value in payment.references.items()}
    is_card = payment.kind == MethodKind.CARD.value
    return (
        payment.account.name,
        labels.KIND_LABELS[MethodKind(payment.kind)],
        payment.provider_order_id,
        panel_words.method_words(payment.installments, references) if is_card else "",
        *(references.get(name, "") for name, _label in _REFERENCES),
        moment(payment.authorized_at),
        moment(payment.captured_at),
        "推定" if payment.dates_estimated else "",
        "あり" if payment.uses_3ds else "",
    )
