"""What payments has to say when an order is changed: warnings before a status change, refusals before an edit."""

from __future__ import annotations

from gateways.vocabulary import MethodKind, PaymentStatus
from orders import status_guards
from orders.models import Order
from orders.statuses import OrderStatus
from payments.models import LIVE_STATUSES

# The customer's money is held or taken: goods may leave (CC-8).
_SECURED = frozenset({PaymentStatus.AUTH, PaymentStatus.CAPTURE, PaymentStatus.SALES})


def register() -> None:
    """Fill the registries that orders leaves open."""
    status_guards.register_warning(warn_about_money)
    status_guards.register_edit_refusal(refuse_method_change)


def warn_about_money(order: Order, to: OrderStatus) -> list[str]:
    """Sentences for the operator before 対応状況 changes; the change itself stays possible."""
    if not order.payment_status:
        return []
    number = order.number
    warnings = []
    if to is OrderStatus.SHIPPED and order.payment_kind == MethodKind.CARD:
        if order.payment_is_open:
            warnings.append(
                f"注文番号 {number}: 決済の結果を確認中です。発送してよいか、確認が終わってからご判断ください。"
            )
        elif order.payment_status not in _SECURED:
            warnings.append(
                f"注文番号 {number}: クレジットカードの与信も売上も確認できていません。仮売上の注文だけを発送してください。"
            )
    if to in (OrderStatus.CANCELLED, OrderStatus.RETURNED) and order.payment_status in LIVE_STATUSES:
        warnings.append(
            f"注文番号 {number}: 決済が有効なままです。対応状況を変えても請求は止まりません。{_to_do(order)}"
        )
    return warnings


def _to_do(order: Order) -> str:
    if order.payment_kind == MethodKind.CARD:
        return "決済の取消(返品)も行ってください。"
    if order.payment_status == PaymentStatus.PAYSUCCESS:
        return "お客様はお支払い済みです。お客様へ直接ご返金ください。"
    return "決済代行会社の管理画面で、決済の取消も行ってください。"


def refuse_method_change(order: Order) -> str:
    """Why お支払方法 may not be changed now, or an empty string (G5-4)."""
    if order.payment_is_open or order.payment_status in LIVE_STATUSES:
        return (
            "決済が有効なため、お支払方法を変更できません。先に決済の取消(返品)を行ってください。"
            "変更後の手数料は手動で直してください。"
        )
    return ""
