from __future__ import annotations

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """受注: orders, their lines, totals, statuses, ledgers, search and screens."""

    name = "orders"
    verbose_name = "受注管理"

    def ready(self) -> None:
        """Hand the kinds of bulk act that belong to orders to the engine."""
        from orders.bulk.order_status import OrderStatusKind
        from orders.bulk.registry import registry

        registry.register(OrderStatusKind())
