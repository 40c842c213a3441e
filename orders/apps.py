from __future__ import annotations

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """受注: orders, their lines, totals, statuses, ledgers, search and screens."""

    name = "orders"
    verbose_name = "受注管理"

    def ready(self) -> None:
        """Hand the kinds of bulk act and of files that belong to orders to their engines."""
        from orders.bulk.mails import MailKind
        from orders.bulk.order_status import OrderStatusKind
        from orders.bulk.registry import registry
        from orders.exports import documents, order_csv
        from orders.exports.registry import registry as exports

        registry.register(OrderStatusKind())
        registry.register(MailKind())
        exports.register(order_csv.ORDERS)
        exports.register(order_csv.ORDER_LINES)
        exports.register(documents.Documents())
