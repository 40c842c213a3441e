from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PaymentsConfig(AppConfig):
    """決済: payments, operations, and the one door through which money moves."""

    name = "payments"
    verbose_name = "決済管理"

    def ready(self) -> None:
        """Fill what lower layers leave open: the transport's assertion and clock, guards of orders, bulk kinds."""
        from cagolab import clock
        from gateways import clock as gateways_clock
        from gateways import transport
        from payments import accounts, bulk, exports, no_transaction, order_guards

        transport.before_send = no_transaction.require
        gateways_clock.now = clock.now
        order_guards.register()
        bulk.register()
        exports.register()
        post_migrate.connect(accounts.install_accounts, sender=self, dispatch_uid="payments.install_accounts")
